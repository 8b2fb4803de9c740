"""Twenty runs in a loop: ``python tests/benchmarks/bench_loop.py [runs]``.

Once by the API in one process (fit, compare, report), once as commands (``reproduce --quick``,
``export``) on one folder. Prints memory, descriptors, children, temporary files and the size of
PyTensor's and Matplotlib's caches after runs 1, 10 and the last one, and the last over the first
as a ratio: a leak grows with the runs, so that it is the peer of itself.
"""

import gc
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

BIPBAYES = Path(sys.executable).with_name("bipbayes")
RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 20


def state(place: Path) -> dict[str, float]:
    """What may grow: of this process, below the temporary folder and in the caches."""
    gc.collect()  # rings of objects go when Python thinks of it, which is no leak
    process = psutil.Process()
    files = [path for path in place.rglob("*") if path.is_file()]
    cached = [path for path in files if "cache" in path.relative_to(place).parts[0]]
    return {
        "MB": process.memory_info().rss / 2**20,
        "descriptors": process.num_fds() if hasattr(process, "num_fds") else 0,
        "children": len(process.children(recursive=True)),
        "temporary files": len(files) - len(cached),
        "MB of caches": sum(path.stat().st_size for path in cached) / 2**20,
    }


def show(name: str, run: int, found: dict[str, float], first: dict[str, float]) -> None:
    ratios = {key: value / first[key] for key, value in found.items() if first[key]}
    told = ", ".join(
        f"{key} {value:.0f}" + (f" (x{ratios[key]:.2f})" if key in ratios else "")
        for key, value in found.items()
    )
    print(f"{name}, run {run}: {told}", flush=True)


def by_api(place: Path) -> None:
    """Fit, compare and report in one process."""
    import bipbayes as bb

    study = bb.synthetic_bip()
    first: dict[str, float] = {}
    for run in range(1, RUNS + 1):
        fit = bb.fit(study, draws=200, seed=run)
        both = bb.compare(bb.ols(study), fit)
        both.forest("B1")
        bb.report(both, place.parent / f"{place.name}_report.html")
        found = state(place)
        first = first or found
        if run in (1, 10, RUNS):
            show("API", run, found, first)


def by_command(place: Path, out: Path) -> None:
    """Reproduce and export as commands, over and over in one folder."""
    first: dict[str, float] = {}
    for run in range(1, RUNS + 1):
        for verb in (["reproduce", "--quick", "--overwrite"], ["export"]):
            subprocess.run([BIPBAYES, *verb, "--out", out, "--quiet"], check=True)
        found = state(place)
        results = [path for path in out.rglob("*") if path.is_file()]
        found |= {"results": len(results), "MB of results": _size(results)}
        first = first or found
        if run in (1, 10, RUNS):
            show("commands", run, found, first)


def _size(paths: list[Path]) -> float:
    return sum(path.stat().st_size for path in paths) / 2**20


def main() -> None:
    """Run both with the temporary folder and the caches in a place of their own."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "temporary")
        place.mkdir()
        caches = {
            "TMPDIR": str(place),
            "MPLCONFIGDIR": str(place / "cache_matplotlib"),
            "NUMBA_CACHE_DIR": str(place / "cache_numba"),
            "PYTENSOR_FLAGS": f"base_compiledir={place / 'cache_pytensor'}",
        }
        for name in ("api", "command"):
            environment = {**os.environ, **caches}
            subprocess.run(
                [sys.executable, __file__, str(RUNS), name, str(place), str(Path(folder, "out"))],
                check=True,
                env=environment,
            )


if __name__ == "__main__":
    if len(sys.argv) <= 2:
        main()
    elif sys.argv[2] == "api":
        by_api(Path(sys.argv[3]))
    else:
        by_command(Path(sys.argv[3]), Path(sys.argv[4]))
