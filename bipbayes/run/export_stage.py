"""The export stage: formatted tables from a stored run; nothing is fitted."""

import pandas as pd
import xarray as xr

from bipbayes.data.codebook import Codebook
from bipbayes.errors import RunError
from bipbayes.estimands.effects import term_names
from bipbayes.run.contexts import table_context
from bipbayes.run.folder import RunFolder
from bipbayes.run.posterior_stage import fit_file, fitted_models
from bipbayes.run.settings import Settings
from bipbayes.sampling.store import load_fit
from bipbayes.tables.export import RunFrames, export_tables
from bipbayes.tables.sampler_tables import hyperparameter_frame

STAGE = "export"
TABLES = "tables"


def export_stored(folder: RunFolder, codebook: Codebook, settings: Settings) -> None:
    """Write the tables of the first model that a folder holds.

    Raises
    ------
    RunError
        An earlier step is missing, or the fit was interrupted: its draws are stored, but they
        are no result.
    """
    models = fitted_models(folder)
    if not models:
        folder.stage("fit_posterior")
    fit = load_fit(folder.file(fit_file(models[0])))
    if int(fit.attrs["interrupted"]):
        raise RunError(f"the fit of {models[0]} was interrupted; fit it again before exporting")
    write_tables(
        folder,
        codebook,
        settings,
        comparison=folder.read("comparison.csv"),
        intervals=folder.read("effects.csv"),
        fit=fit,
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
    model = str(fit.attrs["model"])
    rest = fit["posterior"].to_dataset().drop_vars(list(term_names(fit)))
    frames = RunFrames(
        comparison=comparison[comparison["model"] == model],
        intervals=intervals[(intervals["source"] == "ols") | (intervals["model"] == model)],
        hyperparameters=hyperparameter_frame(rest, level=settings.level, kind=settings.kind)
        if len(rest.data_vars)
        else None,
        model=model,
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
    folder.finish(STAGE, wanted, files=len(paths))
