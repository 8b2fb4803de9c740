"""The export stage: formatted tables from a stored run; nothing is fitted."""

import pandas as pd
import xarray as xr

from bipbayes.data.codebook import Codebook
from bipbayes.errors import RunError
from bipbayes.estimands.effects import term_names
from bipbayes.intervals import PLAIN, of_analysis
from bipbayes.run.analyses import named, require
from bipbayes.run.compare_stage import STAGE as COMPARE
from bipbayes.run.contexts import table_context
from bipbayes.run.fits import STAGE as FIT_POSTERIOR
from bipbayes.run.fits import as_reported, fitted_models, sound_rows, stage_name, stored_fit
from bipbayes.run.folder import RunFolder
from bipbayes.run.ols_stage import read_intervals
from bipbayes.run.settings import Settings
from bipbayes.tables.analyses_table import analyses_rows
from bipbayes.tables.export import RunFrames, export_tables
from bipbayes.tables.sampler_tables import hyperparameter_frame

STAGE = "export"
TABLES = "tables"


def export_stored(folder: RunFolder, codebook: Codebook, settings: Settings) -> None:
    """Write the tables of the first model that a folder holds of the analysis asked for.

    Raises
    ------
    RunError
        An earlier step is missing, or the fit failed its checks: its draws are stored, but they
        are no result.
    """
    analysis = settings.analysis
    settings = as_reported(folder, settings)
    for stage in (FIT_POSTERIOR, COMPARE):
        require(folder, stage, analysis)
    model = fitted_models(folder, analysis)[0]
    fit = stored_fit(folder, model, analysis)
    refuse_failed(folder, model, analysis=analysis)
    write_tables(
        folder,
        codebook,
        settings,
        comparison=folder.read("comparison.csv"),
        intervals=read_intervals(folder),
        fit=fit,
    )


def refuse_failed(folder: RunFolder, model: str, *, analysis: str = PLAIN) -> None:
    """Refuse to export a fit that was judged and failed, unless it was a quick one.

    Raises
    ------
    RunError
        With the verdict's reasons.
    """
    done = folder.stage(stage_name(model, analysis))
    verdict, quick = done["verdict"], done.get("preliminary", False)
    if verdict["interrupted"] or not (verdict["passed"] or quick):
        name, reasons = named(model, analysis), "; ".join(verdict["reasons"])
        raise RunError(
            f"the fit of {name} is stored, but it is no result ({reasons}); "
            "fit it again with more --draws or a higher --target-accept"
        )


def write_tables(
    folder: RunFolder,
    codebook: Codebook,
    settings: Settings,
    *,
    comparison: pd.DataFrame,
    intervals: pd.DataFrame,
    fit: xr.DataTree,
) -> None:
    """Write the tables of one fit and note it in ``run.json``."""
    model, analysis = str(fit.attrs["model"]), settings.analysis
    rest = fit["posterior"].to_dataset().drop_vars(list(term_names(fit)))
    frames = RunFrames(
        comparison=of_analysis(comparison[comparison["model"] == model], analysis),
        intervals=of_analysis(intervals[intervals["model"].isin(("", model))], analysis),
        hyperparameters=hyperparameter_frame(rest, level=settings.level, kind=settings.kind)
        if len(rest.data_vars)
        else None,
        model=model,
        analyses=sound_rows(folder, analyses_rows(intervals, model=model), settings),
    )
    context = table_context(folder, codebook, settings)
    paths = export_tables(
        frames,
        folder.file(TABLES),
        context=context,
        minimum_count=settings.minimum_count,
        outcomes=settings.outcomes or None,
    )
    wanted = {"language": settings.language, "minimum_count": settings.minimum_count}
    wanted |= {"analysis": analysis} if analysis else {}
    folder.finish(named(STAGE, analysis, joint="/"), wanted, files=len(paths))
