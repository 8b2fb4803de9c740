"""The export stage: formatted tables from a stored run; nothing is fitted."""

import pandas as pd
import xarray as xr

from bipbayes.data.codebook import Codebook
from bipbayes.errors import RunError
from bipbayes.estimands.effects import term_names
from bipbayes.run.contexts import is_preliminary, table_context
from bipbayes.run.folder import RunFolder
from bipbayes.run.posterior_stage import fit_file, fitted_models, stage_name
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
        An earlier step is missing, or the fit failed its checks: its draws are stored, but they
        are no result.
    """
    models = fitted_models(folder)
    if not models:
        folder.stage("fit_posterior")
    fit = load_fit(folder.file(fit_file(models[0])))
    refuse_failed(folder, models[0])
    write_tables(
        folder,
        codebook,
        settings,
        comparison=folder.read("comparison.csv"),
        intervals=folder.read("effects.csv"),
        fit=fit,
    )


def refuse_failed(folder: RunFolder, model: str) -> None:
    """Refuse to export a fit that was judged and failed, unless the run is preliminary.

    Raises
    ------
    RunError
        With the verdict's reasons.
    """
    verdict = folder.stage(stage_name(model))["verdict"]
    if verdict["interrupted"] or not (verdict["passed"] or is_preliminary(folder)):
        raise RunError(
            f"the fit of {model} is stored, but it is no result ({'; '.join(verdict['reasons'])}); "
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
