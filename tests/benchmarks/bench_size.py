"""Large studies: ``python tests/benchmarks/bench_size.py [TIMES ...]`` (default 1 8 40).

Simulates the calibrated study so many times over as a folder of Parquet files, then runs
``fit-ols`` and ``fit-posterior`` on it in parts, as one process each, and up to 40 times also in
memory. Prints processor seconds, their ratio to the smallest size's per response, the peak of
memory, and the largest difference between the frames in parts and in memory.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

BIPBAYES = Path(sys.executable).with_name("bipbayes")
IN_MEMORY = 40  # times; more takes more memory than a laptop has


def run(*arguments: str) -> tuple[float, float]:
    """Run the command in a process of its own; processor seconds and peak memory in MB."""
    child = subprocess.Popen([BIPBAYES, *arguments, "--quiet"])
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"bipbayes {arguments[0]} failed ({child.returncode})")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def difference(first: Path, second: Path) -> float:
    """Largest difference of any number, relative above 1, of two frames with the same rows."""
    frames = [
        pd.read_csv(folder / "data/intervals.csv", low_memory=False) for folder in (first, second)
    ]
    numbers = [frame.select_dtypes("number") for frame in frames]
    pd.testing.assert_frame_equal(*(frame.select_dtypes(exclude="number") for frame in frames))
    gap = (numbers[0] - numbers[1]).abs() / numbers[1].abs().clip(lower=1.0)
    return float(np.nanmax(gap.to_numpy()))


def main() -> None:
    """Print a line for each size and verb."""
    sizes = [int(text) for text in sys.argv[1:]] or [1, 8, 40]
    first: dict[str, float] = {}
    for times in sizes:
        with tempfile.TemporaryDirectory() as name:
            place = Path(name)
            options = ["--format", "parquet", "--no-characteristics", "--workers", "0"]
            report("simulate", times, run("simulate", "--scale", str(times), *options,
                                          "--out", str(place / "data")), first)  # fmt: skip
            file = "responses" if times > 1 else "responses.parquet"
            data = ["--data", str(place / "data" / file)]
            for verb in ("fit-ols", "fit-posterior"):
                parts = [
                    *data,
                    "--parts",
                    "always",
                    "--workers",
                    "0",
                    "--out",
                    str(place / "parts"),
                ]
                report(verb, times, run(verb, *parts), first)
                if times <= IN_MEMORY:
                    memory = [*data, "--parts", "never", "--out", str(place / "memory")]
                    report(f"{verb} in memory", times, run(verb, *memory), first)
            if times <= IN_MEMORY:
                gap = difference(place / "parts", place / "memory")
                print(f"{times:5d} x: largest difference between parts and memory {gap:.1e}")


def report(what: str, times: int, cost: tuple[float, float], first: dict[str, float]) -> None:
    """Print a line; the ratio is that of seconds per response to the first size's."""
    seconds, memory = cost
    ratio = seconds / times / first.setdefault(what, seconds / times)
    print(
        f"{times:5d} x: {what:24s} {seconds:8.1f} s CPU ({ratio:4.2f} a response), {memory:6.0f} MB"
    )


if __name__ == "__main__":
    main()
