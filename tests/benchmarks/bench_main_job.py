"""Times and memory of whole commands: ``python tests/benchmarks/bench_main_job.py``.

``--help``, ``fit-posterior`` and the main job, long and quick, each warm (the smallest of some
runs; memory of one more) and the main job cold, with the caches of Matplotlib, Numba and PyTensor
in an empty folder; with ``--nuts`` then the flagship by the sampler, the exact engine's peer (the
other, lme4, has ``bench_lme4.py``). Each line ends with the shares of its goals that were taken:
above 1 misses.
Meant for two quiet cores; where others use them, processor time says more than wall time.
``--once`` runs everything once.
"""

import sys
import tempfile
from pathlib import Path

from whole_process import Cost, cheapest, cost

BIPBAYES = Path(sys.executable).with_name("bipbayes")
MAIN, EVERYTHING = 600, 1000  # MB
NOT_SAID = float("nan")


def show(name: str, found: Cost, *, seconds: float = NOT_SAID) -> None:
    """Print one line; shares of a goal above 1 miss it."""
    goals = {
        "wall": found.wall / seconds,
        "main": found.main / MAIN,
        "all": found.everything / EVERYTHING,
    }
    shares = ", ".join(f"{key} {share:.2f}" for key, share in goals.items() if share == share)
    print(f"{name}: {found}; share of the goal: {shares}", flush=True)


def empty_caches(folder: Path) -> dict[str, str]:
    """Environment in which nothing was compiled or listed before."""
    return {
        "MPLCONFIGDIR": str(folder / "matplotlib"),
        "NUMBA_CACHE_DIR": str(folder / "numba"),
        "PYTENSOR_FLAGS": f"base_compiledir={folder / 'pytensor'}",
    }


def main() -> None:
    runs = 1 if "--once" in sys.argv else 3
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)

        def verb(name: str, *options: str) -> list[str | Path]:
            out = folder / "_".join((name, *options))
            return [BIPBAYES, name, "--out", out, "--overwrite", "--quiet", *options]

        cold = cost(verb("reproduce"), environment=empty_caches(folder / "caches"))
        show("--help", cheapest([BIPBAYES, "--help"], runs=3 * runs), seconds=0.3)
        exact = cheapest(verb("fit-posterior"), runs=runs)
        show("fit-posterior", exact)
        factorial = cheapest(verb("fit-posterior", "--model", "factorial"), runs=runs)
        show("fit-posterior of factorial", factorial)
        show("reproduce", cheapest(verb("reproduce"), runs=runs), seconds=30)
        show("reproduce, cold", cold, seconds=45)
        show("reproduce --quick", cheapest(verb("reproduce", "--quick"), runs=runs), seconds=12)
        made = {path.relative_to(folder / "caches").parts[0] for path in folder.glob("caches/*/*")}
        print(f"caches that the cold main job filled: {', '.join(sorted(made)) or 'none'}")
        if "--nuts" in sys.argv:
            cost(verb("fit-posterior", "--engine", "nuts"))  # fills the compile cache
            sampled = cost(verb("fit-posterior", "--engine", "nuts"))
            show("fit-posterior by the sampler", sampled)
            wall, processor = exact.wall / sampled.wall, exact.processor / sampled.processor
            print(
                f"exact engine over sampler: {wall:.2f} of wall, {processor:.2f} of processor time"
            )


if __name__ == "__main__":
    main()
