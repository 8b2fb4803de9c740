"""The comparison stage: OLS beside the posterior, as a frame and as figures."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from bipbayes import progress
from bipbayes.comparison import compare, shown_errors
from bipbayes.data.codebook import Codebook
from bipbayes.estimands.draws import hyperparameters
from bipbayes.estimands.posterior import Posterior
from bipbayes.intervals import PLAIN, frequentist, join_frames, of_analysis
from bipbayes.option_words import ORDINAL
from bipbayes.plots.catalogue import (
    MOST_BESIDE,
    FigureInputs,
    beside_tasks,
    chosen_outcomes,
    early_tasks,
    forest_form,
    posterior_tasks,
)
from bipbayes.plots.pool import DrawingPool
from bipbayes.run.closing import of_comparison
from bipbayes.run.console import conclude
from bipbayes.run.folder import STAGES, RunFolder
from bipbayes.run.ols_stage import without
from bipbayes.run.posterior_stage import stored_posterior
from bipbayes.run.settings import Settings
from bipbayes.run.stored import (
    as_reported,
    chosen_models,
    fitted_models,
    named,
    require,
    run_context,
    sound_rows,
)
from bipbayes.sampling.diagnose import is_exact
from bipbayes.wording import Context

logger = logging.getLogger(__name__)

STAGE = "compare"
FIGURES = "figures"


def write_comparison(
    folder: RunFolder,
    ols: pd.DataFrame,
    posteriors: Sequence[pd.DataFrame],
    *,
    analysis: str = PLAIN,
) -> pd.DataFrame:
    """Write ``data/comparison.csv``: the report's errors beside each model's posterior.

    `folder`: of the run; what it holds of other analyses and models stays; `ols`, `posteriors`:
    rows of the long frame under one analysis; a frame for each model; `analysis`: its name.
    Returns: the comparison of this analysis.
    """
    table = pd.concat([compare(ols, rows) for rows in posteriors], ignore_index=True)
    kept = []
    if folder.file("data/comparison.csv").is_file():
        kept = [without(folder.read("data/comparison.csv"), table, keys=["analysis", "model"])]
    rows = pd.concat([*(part for part in kept if len(part)), table], ignore_index=True)
    folder.write("data/comparison.csv", rows.sort_values("analysis", kind="stable"))
    stage = named(STAGE, analysis, joint="/")
    facts = {"vcov_ols": shown_errors(analysis), **({"analysis": analysis} if analysis else {})}
    folder.finish(stage, facts, drawn=False, rows=len(table))
    return table


def compare_stored(folder: RunFolder, codebook: Codebook, settings: Settings) -> None:
    """Compare what a folder holds of an analysis and draw its figures; nothing is fitted.

    ``data/comparison.csv`` always holds all models of the analysis.

    `settings`: analysis, models whose posterior to draw, outcomes, language. What is drawn of
    another model than the first has that model's name in its own. Raises RunError: the folder lacks
    the analysis, or a model.
    """
    analysis = settings.analysis
    settings = as_reported(folder, settings)
    for needed in STAGES[STAGE].needs:
        require(folder, needed, analysis)
    everything = folder.read("data/intervals.csv")
    effects = of_analysis(everything, analysis)
    ols, fitted = frequentist(effects), fitted_models(folder, analysis)
    shown = chosen_models(folder, settings.models, analysis)
    fits = [effects[effects["model"] == model] for model in fitted]
    write_comparison(folder, ols, fits, analysis=analysis)
    context = run_context(folder, codebook, settings)
    if context.preliminary:
        told = "the figures are marked preliminary: a fit was quick, or failed its checks"
        logger.warning(told, extra={"asked": settings.quick})
    with DrawingPool(folder.file(FIGURES), printing=settings.printing) as pool:
        for place, (model, ending) in enumerate(shown.items()):
            with progress.stage(f"reading the draws of {named(model, analysis)}"):
                posterior = stored_posterior(folder, model, codebook, settings)
            if place == 0:
                submit_early(pool, context, ols, posterior.cells, settings)
            submit_posterior(pool, context, ols, posterior, settings, ending=ending)
        rows = sound_rows(folder, everything, settings)
        submit_analyses(pool, context, rows, settings, model=fitted[0])
        drawn = pool.finish()
    folder.note_drawn([named(STAGE, analysis, joint="/")])
    _say_drawn(folder, drawn, size=settings.figure_size)
    figures = [path.relative_to(folder.path).as_posix() for path in drawn]
    conclude(lambda: of_comparison(folder, analysis=analysis, figures=figures))


def _say_drawn(folder: RunFolder, drawn: Sequence[Path], *, size: str | None) -> None:
    """Count figures, of whatever number of files, and those that are not of the size asked for."""
    count, files = len({path.with_suffix("") for path in drawn}), len(drawn)
    several = f" ({files} files)" if files > count else ""
    logger.info("data/comparison.csv and %d figures%s are in %s", count, several, folder.path)
    others = set(folder.file(FIGURES).rglob("*.png")) - set(drawn)
    if size and others:
        logger.warning(
            "%d other figures in %s were drawn before and keep their size; a folder of one size is "
            "what compare --all --figure-size %s and describe --figure-size %s draw together",
            len(others),
            FIGURES,
            size,
            size,
        )


def submit_analyses(
    pool: DrawingPool,
    context: Context,
    intervals: pd.DataFrame,
    settings: Settings,
    *,
    model: str,
) -> None:
    """Hand in the figures of a model's analyses, and of all models, where there are several."""
    shared = replace(context, analysis=PLAIN)
    averages = list(context.codebook.average_codes)
    outcomes = chosen_outcomes(shared, settings.outcomes or averages, few=settings.quick)
    everything = settings.everything or bool(settings.outcomes)
    posterior = intervals[intervals["source"] == "posterior"]
    plain = of_analysis(posterior, PLAIN)
    models = list(plain["model"].unique())[:MOST_BESIDE]
    sides = {
        "analysis": posterior[posterior["model"] == model],
        "model": plain[plain["model"].isin(models)],
    }
    for by, rows in sides.items():
        if rows[by].nunique() > 1:
            pool.submit(beside_tasks(rows, shared, by=by, outcomes=outcomes, everything=everything))


def asked_figures(settings: Settings) -> dict[str, Any]:
    """Return which figures are asked for."""
    return {
        "outcomes": settings.outcomes or None,
        "quick": settings.quick,
        "everything": settings.everything,
    }


def submit_early(
    pool: DrawingPool,
    context: Context,
    ols: pd.DataFrame,
    cells: xr.Dataset,
    settings: Settings,
) -> None:
    """Hand in the figures that need no posterior."""
    # What correlates in ordinal cells are scores of the probit, not changes.
    changes = None if context.analysis == ORDINAL else cells["residual_covariance"]
    inputs = FigureInputs(
        context,
        ols,
        vcov=shown_errors(context.analysis),
        residual_covariance=changes,
    )
    pool.submit(early_tasks(inputs, **asked_figures(settings)))


def submit_posterior(
    pool: DrawingPool,
    context: Context,
    ols: pd.DataFrame,
    posterior: Posterior,
    settings: Settings,
    *,
    ending: str = "",
) -> None:
    """Hand in the figures of one model's posterior beside OLS, `ending` after their names."""
    # Rank plots are of chains.
    sampled = xr.Dataset() if is_exact(posterior.fit) else hyperparameters(posterior.fit)
    inputs = FigureInputs(
        context,
        join_frames([ols, posterior.intervals]),
        model=posterior.model,
        vcov=shown_errors(context.analysis),
        draws=posterior.draws,
        hyperparameters=sampled if sampled.data_vars else None,
        energy=posterior.fit["sample_stats"].to_dataset().get("energy"),
        forest=forest_form(dodged=settings.dodged, size=settings.figure_size),
        by_size=settings.by_size,
    )
    tasks = posterior_tasks(inputs, **asked_figures(settings))
    pool.submit([replace(task, name="_".join(filter(None, (task.name, ending)))) for task in tasks])
