"""The OLS stage: estimates, intervals, ``ols.csv`` and their rows of ``effects.csv``."""

import pandas as pd
import xarray as xr

from bipbayes.intervals import join_frames
from bipbayes.ols import estimate_ols, ols_intervals
from bipbayes.run.folder import RunFolder
from bipbayes.run.inputs import Run

STAGE = "fit_ols"


def fit_ols(run: Run, progression: xr.Dataset | None = None) -> pd.DataFrame:
    """Fit the baseline and store it.

    Parameters
    ----------
    run
        An open run.
    progression
        Computed already, or ``None``.

    Returns
    -------
    pandas.DataFrame
        The long frame of OLS intervals (all estimands, all errors).
    """
    wanted = {"level": run.settings.level, "previous": run.settings.previous}
    run.folder.begin(STAGE, wanted, overwrite=run.settings.overwrite)
    progression = run.progression() if progression is None else progression
    estimates = estimate_ols(progression, run.codebook)
    frame = ols_intervals(estimates, run.codebook, level=run.settings.level)
    run.folder.write("ols.csv", frame[frame["estimand"] == "effect"])
    merge_effects(run.folder, frame)
    run.folder.finish(STAGE, wanted, rows=len(frame))
    return frame


def merge_effects(folder: RunFolder, frame: pd.DataFrame) -> None:
    """Put rows into ``effects.csv`` in place of those of the same source, model and vcov."""
    keys = ["source", "model", "vcov"]
    path = folder.file("effects.csv")
    kept = []
    if path.is_file():
        stored = folder.read("effects.csv")
        new = set(map(tuple, frame[keys].drop_duplicates().to_numpy().tolist()))
        stays = [tuple(key) not in new for key in stored[keys].to_numpy().tolist()]
        kept = [stored[stays]]
    rows = join_frames([*kept, frame])
    # OLS first, whatever was fitted last.
    folder.write("effects.csv", rows.sort_values("source", kind="stable"))
