"""The OLS stage: estimates, intervals and their rows of ``data/intervals.csv``."""

from collections.abc import Mapping, Sequence

import pandas as pd
import xarray as xr

from bipbayes import progress
from bipbayes.analyses import frequentist_intervals
from bipbayes.data.sample import Samples
from bipbayes.intervals import PLAIN, join_frames
from bipbayes.run.folder import STAGES, RunFolder
from bipbayes.run.inputs import Run, analysed, covariates_of
from bipbayes.run.stored import analysis_facts, named

STAGE = "fit_ols"


def fit_ols(run: Run, changes: xr.Dataset | Samples | None = None) -> pd.DataFrame:
    """Fit the baseline, or what stands in its place under another analysis, and store it.

    `changes`: progression computed already or its samples in parts, or ``None``. Returns: the long
    frame of the run's analysis (all estimands, all errors); what the folder holds of other analyses
    stays beside it.
    """
    settings = run.settings
    stage = named(STAGE, settings.analysis, joint="/")
    wanted = {"level": settings.level, "previous": settings.previous, **analysis_facts(settings)}
    run.folder.begin(stage, wanted, overwrite=settings.overwrite)
    changes = run.changes() if changes is None else changes
    with progress.stage(f"estimating {named('OLS', settings.analysis, joint=', ')}"):
        frame = _intervals(run, changes)
    done = run.folder.record().get("stages", {}).get(stage, {})
    if done.get("settings") != wanted:  # else the same rows come out again
        forget_dependents(run.folder, settings.analysis)
    merge_effects(run.folder, frame)
    run.folder.finish(stage, wanted, rows=len(frame))
    return frame


def forget_dependents(folder: RunFolder, analysis: str) -> None:
    """Count no longer as done what rests on an earlier fit of an analysis."""
    names = [named(name, analysis, joint="/") for name, each in STAGES.items() if each.needs]
    if analysis == PLAIN:  # audits of other models
        names += [name for name in folder.record().get("stages", {}) if name.startswith("audit/")]
    folder.forget(names)


def _intervals(run: Run, changes: xr.Dataset | Samples) -> pd.DataFrame:
    return frequentist_intervals(
        analysed(run, changes),
        run.codebook,
        analysis=run.settings.analysis,
        level=run.settings.level,
        covariates=covariates_of(run),
    )


def merge_effects(
    folder: RunFolder, frame: pd.DataFrame, *, fits: Mapping[str, bool] | None = None
) -> pd.DataFrame:
    """Put rows into ``data/intervals.csv`` for those of the same source, model and analysis.

    `fits` are the stages that the rows replace, as `RunFolder.write` takes them.

    Returns: all rows: OLS first, whatever was fitted last; the plain analysis before the others.
    """
    rows = frame
    if folder.file("data/intervals.csv").is_file():
        keys = ["source", "model", "analysis"]
        rows = join_frames([without(folder.read("data/intervals.csv"), frame, keys=keys), frame])
    rows = rows.sort_values(["source", "analysis"], kind="stable")
    folder.write("data/intervals.csv", rows, fits=fits)
    return rows


def without(stored: pd.DataFrame, frame: pd.DataFrame, *, keys: Sequence[str]) -> pd.DataFrame:
    """Return the stored rows whose keys a new frame does not have."""
    columns = list(keys)
    new = set(map(tuple, frame[columns].drop_duplicates().to_numpy().tolist()))
    return stored[[tuple(key) not in new for key in stored[columns].to_numpy().tolist()]]
