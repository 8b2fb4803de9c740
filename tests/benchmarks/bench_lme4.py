"""The complete posterior beside lme4's point estimate: ``python tests/benchmarks/bench_lme4.py``.

On the default study: ``bipbayes fit-posterior`` as a whole process, warm, beside Rscript with the
same crossed model on the rows (one a response and indicator, reading them included). Goal: less
than a quarter of lme4's time. Then lme4's standard deviations beside the posterior's: lme4 takes
the answers of one person as alike but for one common effect, we the covariance that they have.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from whole_process import cheapest

from bipbayes.run.console import start_logging
from bipbayes.run.inputs import open_run
from bipbayes.run.settings import Settings
from bipbayes.sampling.tree import load_fit

SCRIPT = Path(__file__).with_name("lme4_point.R")
BIPBAYES = Path(sys.executable).with_name("bipbayes")
ALONE = {"OPENBLAS_NUM_THREADS": "1"}
RUNS = 3


def why_not() -> str:
    """Say what is missing of R, or nothing."""
    if shutil.which("Rscript") is None:
        return "Rscript is not installed"
    found = subprocess.run(["Rscript", "-e", "library(lme4)"], capture_output=True, check=False)
    return "R is there, its package lme4 is not" if found.returncode else ""


def write_rows(folder: Path, place: Path) -> int:
    """Write standardised progression, one row a response and indicator; returns their number."""
    run = open_run(Settings(out=folder))
    progression = run.progression()
    known = progression["standardised"].sel(outcome=list(run.codebook.indicator_codes))
    names = ["standardised", "combination", "jobcenter", "respondent"]
    rows = known.to_dataframe().reset_index().dropna(subset="standardised")
    rows = rows.rename(columns={"outcome": "indicator"})
    rows["combination"] = "c" + rows["combination"]
    rows[["response", "indicator", *names]].to_csv(place, index=False)
    return len(rows)


def spreads(folder: Path, point: pd.DataFrame) -> list[str]:
    """Lines of lme4's standard deviations beside the posterior's."""
    posterior = load_fit(folder / "posterior" / "hierarchical.nc")["posterior"]
    lines = [f"{'standard deviation':32}{'lme4':>8}{'median':>9}   95 % interval"]
    for group, sd in zip(point["group"], point["sd"], strict=True):
        name = f"{group.replace(':', '_')}_effect_sd"
        row = f"{group:32}{sd:8.3f}"
        if name in posterior:
            low, middle, high = np.quantile(posterior[name], [0.025, 0.5, 0.975])
            row += f"{middle:9.3f}   {low:.3f} to {high:.3f}"
        lines.append(row)
    return lines


def main() -> None:
    start_logging(quiet=True)
    with tempfile.TemporaryDirectory() as place:
        folder, rows, point = (Path(place) / name for name in ("run", "rows.csv", "point.csv"))
        command = [BIPBAYES, "fit-posterior", "--out", folder, "--overwrite", "--quiet"]
        cheapest(command, runs=1)  # makes the data, fills caches
        ours = cheapest(command, runs=RUNS)
        print(f"bipbayes fit-posterior, complete posterior: {ours}")
        print(f"{write_rows(folder, rows):,} rows of a response and an indicator")
        if missing := why_not():
            print(f"no comparison with lme4: {missing}")
            return
        theirs = cheapest(["Rscript", SCRIPT, rows, point], runs=RUNS, environment=ALONE)
        print(f"lme4, point estimate: {theirs}")
        for name, goal in (("wall", 0.25), ("processor", 0.25)):
            ratio = getattr(ours, name) / getattr(theirs, name)
            print(f"ratio of {name} time: {ratio:.2f} (goal: under {goal})")
        print("\n".join(spreads(folder, pd.read_csv(point))))


if __name__ == "__main__":
    main()
