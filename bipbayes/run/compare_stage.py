"""The comparison stage: OLS beside the posterior, as a frame and as figures."""

from collections.abc import Sequence

import pandas as pd
import xarray as xr

from bipbayes.comparison import compare
from bipbayes.data.codebook import Codebook
from bipbayes.intervals import join_frames
from bipbayes.plots.captions import FigureContext
from bipbayes.plots.catalogue import FigureInputs, early_tasks, posterior_tasks
from bipbayes.plots.pool import DrawingPool
from bipbayes.run.contexts import figure_context
from bipbayes.run.folder import RunFolder
from bipbayes.run.posterior_stage import Posterior, fitted_models, stored_posterior
from bipbayes.run.settings import Settings

STAGE = "compare"
FIGURES = "figures"


def write_comparison(
    folder: RunFolder, ols: pd.DataFrame, posteriors: Sequence[pd.DataFrame]
) -> pd.DataFrame:
    """Write ``comparison.csv``: the report's errors beside each model's posterior."""
    table = pd.concat([compare(ols, rows) for rows in posteriors], ignore_index=True)
    folder.write("comparison.csv", table)
    folder.finish(STAGE, {"vcov_ols": "classical"}, rows=len(table))
    return table


def compare_stored(folder: RunFolder, codebook: Codebook, settings: Settings) -> None:
    """Compare what a folder holds and draw its figures; nothing is fitted."""
    effects = folder.read("effects.csv")
    ols = effects[effects["source"] == "ols"]
    models = fitted_models(folder)
    if not models:
        folder.stage("fit_posterior")
    write_comparison(folder, ols, [effects[effects["model"] == model] for model in models])
    posterior = stored_posterior(folder, models[0], codebook, settings)
    context = figure_context(folder, codebook, settings)
    with DrawingPool(folder.file(FIGURES)) as pool:
        submit_early(pool, context, ols, posterior.cells, settings)
        submit_posterior(pool, context, ols, posterior, settings)
        pool.finish()


def submit_early(
    pool: DrawingPool,
    context: FigureContext,
    ols: pd.DataFrame,
    cells: xr.Dataset,
    settings: Settings,
) -> None:
    """Hand in the figures that need no posterior."""
    inputs = FigureInputs(context, ols, residual_covariance=cells["residual_covariance"])
    pool.submit(early_tasks(inputs, outcomes=settings.outcomes or None, quick=settings.quick))


def submit_posterior(
    pool: DrawingPool,
    context: FigureContext,
    ols: pd.DataFrame,
    posterior: Posterior,
    settings: Settings,
) -> None:
    """Hand in the figures of one model's posterior beside OLS."""
    terms = set(_terms(posterior))
    variables = posterior.fit["posterior"].to_dataset()
    inputs = FigureInputs(
        context,
        join_frames([ols, posterior.intervals]),
        model=posterior.model,
        draws={name: posterior.draws[name] for name in ("effect", "contrast")},
        hyperparameters=_or_none(variables.drop_vars(terms)),
        energy=posterior.fit["sample_stats"].to_dataset()["energy"],
    )
    tasks = posterior_tasks(inputs, outcomes=settings.outcomes or None, quick=settings.quick)
    pool.submit(tasks)


def _terms(posterior: Posterior) -> tuple[str, ...]:
    from bipbayes.estimands.effects import term_names

    return term_names(posterior.fit)


def _or_none(variables: xr.Dataset) -> xr.Dataset | None:
    return variables if len(variables.data_vars) else None
