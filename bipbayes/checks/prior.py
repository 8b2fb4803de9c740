"""Effects drawn from a model's prior, before any data."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bipbayes.cells import CELL
from bipbayes.checks.figure import BETWEEN, ROW, finish, label_rows
from bipbayes.checks.inputs import Check, CheckInputs, CheckResult, figure_task
from bipbayes.checks.table import TEXT, WORDS, Columns, check_table
from bipbayes.data.sample import Floats
from bipbayes.errors import ModelError
from bipbayes.estimands.draws import effect_draws, estimand_draws
from bipbayes.estimands.intervals import limits
from bipbayes.intervals import ALL_INDICATORS
from bipbayes.plots.style import GREY, POSTERIOR_COLOUR, across, beside, figure_style
from bipbayes.plots.task import FigureTask
from bipbayes.progress import unsaid
from bipbayes.sampling import tree
from bipbayes.sampling.batches import Batch, is_flat
from bipbayes.sampling.labels import SAMPLE, pooled
from bipbayes.sampling.predict import predicted_means
from bipbayes.sampling.registry import ModelFile
from bipbayes.wording import Context, combination_text, number, percent, phrase

COLUMNS: Final[Columns] = {
    "model": TEXT,
    "quantity": WORDS,
    "sd": 3,
    "inside_0.3": 2,
    "inside_0.6": 2,
    "inside_1": 2,
}
LIMIT: Final = 0.6  # nearly all prior cell means lie within this (docs/statistics/estimands.md)
LIMITS: Final = (0.3, 0.6, 1.0)
QUANTILES: Final = (0.025, 0.25, 0.5, 0.75, 0.975)
_LINES: Final[dict[str, dict[str, Any]]] = {
    "effect": {"color": "black", "linestyle": "-", "linewidth": 1.4},
    "predicted": {"color": GREY, "linestyle": "--", "linewidth": 1.1},
    "observed": {"color": POSTERIOR_COLOUR, "linestyle": ":", "linewidth": 1.4},
}
logger = logging.getLogger(__name__)
PRIOR_DRAWS = 500
_BINS: Final = 60
_OVERALL: Final = {"outcome": ALL_INDICATORS}


def prior_draws(
    model_file: ModelFile, cells: xr.Dataset, *, priors: Any = None, draws: int = 500, seed: int = 0
) -> xr.DataArray:
    """Draw the effects of all cells from a model's prior.

    Parameters
    ----------
    model_file
        Any model, also a user's own.
    cells
        Give labels and the pattern of answers; their means are not used by the prior.
    priors
        An instance of the file's ``Priors``; default: its defaults.
    draws
        Independent draws.
    seed
        Of the draws.

    Returns
    -------
    xarray.DataArray
        Dims ``chain`` (one), ``draw, combination, jobcenter, indicator``, in standard
        deviations of progression.

    Raises
    ------
    ModelError
        The model has a flat prior, from which nothing can be drawn.
    """
    chosen = model_file.Priors() if priors is None else priors
    if batches := model_file.declared(cells, chosen):
        return _of_batches(model_file.name, batches, cells, draws=draws, seed=seed)
    return _of_graph(model_file, cells, chosen, draws=draws, seed=seed)


def _of_batches(
    name: str, batches: Sequence[Batch], cells: xr.Dataset, *, draws: int, seed: int
) -> xr.DataArray:
    if is_flat(batches):
        raise ModelError(f"{name} has a flat prior, which predicts nothing")
    drawn = tree.prior_draws(batches, cells, draws=draws, seed=seed)
    fit = xr.DataTree.from_dict({"posterior": drawn})
    names = [batch.name for batch in batches]
    return effect_draws(fit, cells, terms=names).transpose(*SAMPLE, *CELL)


def _of_graph(
    model_file: ModelFile, cells: xr.Dataset, chosen: Any, *, draws: int, seed: int
) -> xr.DataArray:
    import pymc as pm  # seconds to import, and only models that build a graph need it

    from bipbayes.sampling.graph import build_model, built_terms

    flat_kinds = (pm.distributions.continuous.FlatRV, pm.distributions.continuous.HalfFlatRV)
    model = build_model(model_file, cells, priors=chosen)
    flat = [rv.name for rv in model.free_RVs if isinstance(rv.owner.op, flat_kinds)]
    if flat:
        raise ModelError(
            f"{model_file.name} has a flat prior ({', '.join(flat)}), which predicts nothing"
        )
    names = built_terms(model, model_file.terms(cells, chosen))
    with unsaid("pymc"):
        drawn = pm.sample_prior_predictive(
            draws, model, list(names), seed, compile_kwargs={"mode": "FAST_COMPILE"}
        )
    fit = xr.DataTree.from_dict({"posterior": drawn["prior"].to_dataset()})
    return effect_draws(fit, cells, terms=names).transpose(*SAMPLE, *CELL)


def prior_histogram(values: dict[str, Floats]) -> pd.DataFrame:
    """Return densities on common bins, from minus to plus the widest prior effect.

    `values`: ``effect`` and ``predicted`` from the prior, ``observed`` cell means; any shape, `NaN`
    left out. Returns: ``what``, ``low``, ``high``, ``density``; what lies beyond the bins counts in
    the total.
    """
    reach = max(1.2 * LIMIT, float(np.nanquantile(np.abs(values["effect"]), 0.999)))
    edges = np.linspace(-reach, reach, _BINS + 1)
    frames = []
    for what, array in values.items():
        known = array[np.isfinite(array)]
        counts = np.histogram(known, edges)[0]
        frames.append(
            pd.DataFrame(
                {
                    "what": what,
                    "low": edges[:-1],
                    "high": edges[1:],
                    "density": counts / max(len(known), 1) / np.diff(edges),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def prior_effects(effects: xr.DataArray) -> pd.DataFrame:
    """Say what a prior says of the effects of cells, before any data.

    `effects`: draws from the prior, dims ``chain, draw, combination, jobcenter, indicator`` (a
    model's cells are exchangeable before data, so they are pooled).

    Returns: ``quantity`` (``effect of a cell``, ``contrast of a cell``, ``combination over all
    cells``, ``difference between two jobcenters``, ``difference between two indicators``), ``sd``,
    ``q_2.5`` ... ``q_97.5`` and ``inside_<limit>``.
    """
    flat = pooled(effects, *CELL)
    parts = {
        "effect of a cell": flat,
        "contrast of a cell": flat[:, 1:] - flat[:, :1],
        "combination over all cells": flat.mean(axis=(2, 3)),
        "difference between two jobcenters": flat[:, :, 1:] - flat[:, :, :1],
        "difference between two indicators": flat[..., 1:] - flat[..., :1],
    }
    # Cells without answers have no predicted mean.
    known = {name: values[np.isfinite(values)] for name, values in parts.items()}
    rows = [{"quantity": name, **_summary(values)} for name, values in known.items() if values.size]
    return pd.DataFrame(rows)


def _summary(values: Floats) -> dict[str, float]:
    found = {"sd": float(values.std())}
    for share, value in zip(QUANTILES, np.quantile(values, QUANTILES), strict=True):
        found[f"q_{100 * share:g}"] = float(value)
    return found | {f"inside_{x:g}": float((np.abs(values) <= x).mean()) for x in LIMITS}


def prior_figure(
    histogram: pd.DataFrame,
    intervals: pd.DataFrame,
    *,
    context: Context,
    values: Mapping[str, object],
) -> Figure:
    """Draw the prior of cell means, and of each combination beside its posterior, if any."""
    language = context.language
    with figure_style():
        height = max(3.6, 1.9 + ROW * len(intervals))
        columns = beside(2, 2.9, besides=1.3)
        if columns == 2:
            figure = Figure(figsize=(across(8.6), height))
            left, right = figure.subplots(1, 2, width_ratios=[1, 1.1])
        else:
            figure = Figure(figsize=(across(8.6), height + 2.7))
            left, right = figure.subplots(2, 1, height_ratios=[2.0, height - 1.9])
        _densities(left, histogram, values, language)
        _combinations(right, intervals, context)
        finish(
            figure,
            "prior_figure",
            context,
            values=values,
            letters=True,
            moved=columns == 1,
            left=0.35,
            top=0.62,
            gap=(0.42, BETWEEN),
            bottom=0.55,
        )
    return figure


def _densities(
    axes: Axes, histogram: pd.DataFrame, values: Mapping[str, object], language: str
) -> None:
    for what, rows in histogram.groupby("what", sort=False):
        edges = np.append(rows["low"], rows["high"].iloc[-1])
        look = _LINES[str(what)]
        axes.stairs(rows["density"], edges, label=phrase(f"check_prior_{what}", language), **look)
    for limit in (-LIMIT, LIMIT):
        axes.axvline(limit, ymax=0.72, color="black", linewidth=0.6, linestyle=(0, (1, 2)))
    axes.set_title(phrase("check_prior_inside", language, **values), loc="left")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    top = float(histogram["density"].max())
    axes.set_ylim(0, 1.35 * top)
    axes.legend(loc="upper left", borderaxespad=0.0)
    axes.set_xlabel(phrase("check_axis_cell", language))


def _combinations(axes: Axes, intervals: pd.DataFrame, context: Context) -> None:
    language = context.language
    label_rows(
        axes,
        [
            combination_text(context.codebook, c, language=language)
            for c in intervals["combination"]
        ],
    )
    rows = np.arange(len(intervals))
    axes.hlines(
        rows, intervals["prior_lower"], intervals["prior_upper"], color="#BDBDBD", linewidth=5
    )
    if "posterior_mean" in intervals:
        axes.hlines(
            rows,
            intervals["posterior_lower"],
            intervals["posterior_upper"],
            color=POSTERIOR_COLOUR,
            linewidth=1.3,
        )
        axes.plot(intervals["posterior_mean"], rows, "o", color=POSTERIOR_COLOUR, markersize=3.2)
    axes.axvline(0, color="black", linewidth=0.6)
    for limit in (-LIMIT, LIMIT):
        axes.axvline(limit, color="black", linewidth=0.6, linestyle=(0, (1, 2)))
    axes.set_title(phrase("check_prior_by_combination", language), loc="left")
    axes.set_xlabel(phrase("check_axis_effect", language))


def check_prior(inputs: CheckInputs) -> CheckResult:
    """Say what the priors of the fitted model, or of all models asked for, expect."""
    frames, figures, facts = [], [], {}
    for model_file in inputs.model_files((inputs.model,)):
        try:
            effects = prior_draws(
                model_file,
                inputs.cells,
                priors=inputs.priors_of(model_file),
                draws=PRIOR_DRAWS,
                seed=inputs.seed(f"prior/{model_file.name}"),
            )
        except ModelError as fault:
            logger.warning("%s", fault)
            continue
        frame, figure = _prior(inputs, model_file, effects)
        frames.append(frame)
        figures.append(figure)
        facts[model_file.name] = float(frame[f"inside_{LIMIT:g}"].iloc[0])
    if not frames:
        raise ModelError("no model with a prior that predicts anything; give another --model")
    table = check_table("prior", COLUMNS, pd.concat(frames, ignore_index=True), inputs.context)
    return CheckResult((table,), tuple(figures), {"inside": facts, "limit": LIMIT})


def _prior(
    inputs: CheckInputs, model_file: ModelFile, effects: xr.DataArray
) -> tuple[pd.DataFrame, FigureTask]:
    cells, name = inputs.cells, model_file.name
    predicted = predicted_means(cells, effects, seed=inputs.seed("prior"))
    frame = pd.concat(
        [
            prior_effects(effects),
            prior_effects(predicted).iloc[[0]].assign(quantity="mean of a cell"),
        ],
        ignore_index=True,
    )
    values = {
        "effect": effects.to_numpy(),
        "predicted": predicted.to_numpy(),
        "observed": cells["mean"].to_numpy(),
    }
    language = inputs.context.language
    inside = 100 * float((np.abs(values["effect"]) <= LIMIT).mean())
    told = {
        "model": name,
        "level": percent(inputs.settings.level, language),
        "limit": number(LIMIT, 1, language=language),
        "share": f"{number(inside, 1, language=language)} %",
    }
    drawn = {
        "histogram": prior_histogram(values),
        "intervals": _by_combination(inputs, effects, name),
    }
    return frame.assign(model=name), figure_task(inputs, "prior", drawn, told, of=f"_{name}")


def _by_combination(inputs: CheckInputs, effects: xr.DataArray, model: str) -> pd.DataFrame:
    """Prior and, for the fitted model, posterior intervals over all indicators."""
    level = inputs.settings.level
    prior = pooled(estimand_draws(effects, inputs.cells, inputs.codebook)["effect"].sel(_OVERALL))
    low, high = limits(prior, level=level)
    names = effects["combination"].to_numpy()
    frame = pd.DataFrame({"combination": names, "prior_lower": low, "prior_upper": high})
    if model != inputs.model:
        return frame
    posterior = pooled(inputs.draws["effect"].sel(_OVERALL))
    low, high = limits(posterior, level=level)
    mean = posterior.mean(axis=0)
    return frame.assign(posterior_mean=mean, posterior_lower=low, posterior_upper=high)


CHECK: Final = Check(check_prior, needs_fit=False)
