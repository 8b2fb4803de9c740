"""How much every reported effect depends on the priors of the standard deviations.

The hyperpriors (and, for comparison, the likelihood) are raised to powers near one by importance
weights; the sensitivity is how fast the posterior of a quantity moves (Kallioinen, Paananen,
Bürkner and Vehtari 2024, Statistics and Computing 34:57). The priors of the effects given their
standard deviations are part of the model and stay.
"""

import math
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from bipbayes.cells import CELL
from bipbayes.checks.figure import finish
from bipbayes.checks.inputs import Check, CheckInputs, CheckResult, result, thinned
from bipbayes.checks.table import NAMED, Columns
from bipbayes.errors import ModelError
from bipbayes.plots.style import (
    LABEL_LINE,
    across,
    bar_room,
    colour_bar,
    decimal_axis,
    figure_style,
    ink_on,
    is_narrow,
    row_label_size,
)
from bipbayes.plots.task import WHOLE, Page
from bipbayes.sampling.labels import SAMPLE, pooled
from bipbayes.sampling.predict import log_likelihood
from bipbayes.wording import Context, capital, combination_text, number, outcome_label, phrase

COLUMNS: Final[Columns] = {
    "estimand": NAMED,
    "quantities": 0,
    "prior_median": 3,
    "prior_largest": 3,
    "likelihood_median": 3,
    "weak": 0,
    "conflict": 0,
}
THRESHOLD: Final = 0.05  # of the paper; below, a quantity hardly moves
CONFLICT: Final = "prior and data disagree"
WEAK: Final = "the prior matters, the data say little"
FINE: Final = ""
_LOOKS: Final[dict[str, dict[str, Any]]] = {
    "jobcenter": {"marker": ".", "color": "#BBBBBB", "s": 8},
    "standardised_effect": {"marker": "s", "color": "#56B4E9", "s": 10},
    "standardised_contrast": {"marker": "D", "color": "#E69F00", "s": 10},
    "effect": {"marker": "o", "color": "#0072B2", "s": 12},
    "contrast": {"marker": "^", "color": "#B34A00", "s": 12},
}
_OTHER: Final[dict[str, Any]] = {"marker": "x", "color": "#009E73", "s": 8}
SCALED_DRAWS = 4000


def hyperprior_density(fit: xr.DataTree) -> xr.DataArray:
    """Log density of the priors of all hyperparameters, dims chain, draw.

    `fit`: of either engine; its group ``log_prior``. Raises ModelError: the model has no
    hyperparameters.
    """
    stored = fit["log_prior"].to_dataset() if "log_prior" in fit.children else xr.Dataset()
    if not stored.data_vars:
        raise ModelError("the model has no standard deviations with priors of their own")
    parts = [values.sum([d for d in values.dims if d not in SAMPLE]) for values in stored.values()]
    return sum(parts[1:], start=parts[0])


def power_scaling(
    draws: dict[str, xr.DataArray],
    effects: xr.DataArray,
    cells: xr.Dataset,
    *,
    hyperprior: xr.DataArray,
) -> pd.DataFrame:
    """Sensitivity of every estimand to the hyperpriors and to the likelihood.

    `draws`: from `bipbayes.estimands.draws.estimand_draws`; `effects`: from
    `bipbayes.estimands.draws.effect_draws`; `cells`: those that were fitted; `hyperprior`: from
    `hyperprior_density`.

    Returns: ``estimand, outcome, combination, jobcenter``, ``prior``, ``likelihood`` (gradients of
    the cumulative Jensen-Shannon distance) and ``diagnosis`` (empty below the threshold).
    """
    total = log_likelihood(cells, pooled(effects, *CELL))
    shape = [effects.sizes[dim] for dim in SAMPLE]
    likelihood = xr.DataArray(total.reshape(shape), dims=SAMPLE)
    groups = {
        "log_prior": xr.Dataset({"standard_deviations": hyperprior.reset_coords(drop=True)}),
        "log_likelihood": xr.Dataset({"whitened_mean": likelihood.expand_dims(total=1, axis=2)}),
    }
    psense: Any = import_module("arviz_stats").psense
    frames = []
    for estimand, array in draws.items():
        labels, values = _flat(array)
        tree = xr.DataTree.from_dict({"posterior": xr.Dataset({"value": values}), **groups})
        measured = {
            name: psense(tree, group=name)["value"].to_numpy() for name in ("prior", "likelihood")
        }
        frames.append(labels.assign(estimand=estimand, **measured))
    frame = pd.concat(frames, ignore_index=True)
    frame["jobcenter"] = frame.get("jobcenter", pd.Series("", index=frame.index)).fillna("")
    frame["diagnosis"] = _diagnosis(frame["prior"], frame["likelihood"])
    first = ["estimand", "outcome", "combination", "jobcenter"]
    return frame[[*first, "prior", "likelihood", "diagnosis"]]


def _flat(array: xr.DataArray) -> tuple[pd.DataFrame, xr.DataArray]:
    """Labels of all quantities with known draws, and the draws, dims chain, draw, row."""
    dims = [str(dim) for dim in array.dims if dim not in SAMPLE]
    ordered = array.transpose(*SAMPLE, *dims)
    values = ordered.to_numpy().reshape(*ordered.shape[:2], -1)
    index = pd.MultiIndex.from_product([ordered[dim].to_numpy() for dim in dims], names=dims)
    known = np.isfinite(values).all(axis=(0, 1))
    labels = index.to_frame(index=False)[known].reset_index(drop=True)
    return labels, xr.DataArray(values[..., known], dims=(*SAMPLE, "row"))


def _diagnosis(prior: pd.Series, likelihood: pd.Series) -> np.ndarray:
    moved = prior >= THRESHOLD
    return np.where(moved, np.where(likelihood >= THRESHOLD, CONFLICT, WEAK), FINE)


def sensitivity_figure(
    frame: pd.DataFrame,
    *,
    context: Context,
    values: Mapping[str, object],
    page: Page = WHOLE,
) -> Figure:
    """Draw the map for effects beside all quantities' sensitivities to prior and likelihood.

    `page` chooses between the two.
    """
    language = context.language
    effects = frame[frame["estimand"] == "effect"]
    wide = effects.pivot(index="outcome", columns="combination", values="prior")
    outcomes = [o for o in (*context.codebook.outcomes, "all_indicators") if o in wide.index]
    codes = [code for code in context.codebook.combinations if code in wide.columns]
    parts = ["map", "scatter"][page.rows]
    shares = {"map": 0.26 * len(codes), "scatter": 3.4}
    sizes = {
        "map": (across(2.9 + shares["map"]), 2.5 + 0.2 * len(outcomes) + bar_room()),
        "scatter": (across(5.2), 4.4),
    }
    with figure_style():
        whole = (3.2 + sum(shares.values()), sizes["map"][1])
        figure = Figure(figsize=whole if len(parts) > 1 else sizes[parts[0]])
        ratios = [shares[part] for part in parts]
        grid = figure.subplots(1, len(parts), width_ratios=ratios, squeeze=False)[0]
        panels = dict(zip(parts, grid, strict=True))
        if "map" in panels:
            values_by_cell = wide.reindex(index=outcomes, columns=codes).to_numpy()
            image = _map(panels["map"], values_by_cell, language)
            labels = [combination_text(context.codebook, c, language=language) for c in codes]
            panels["map"].set_xticks(range(len(codes)), labels, rotation=90)
            names = [outcome_label(context.codebook, o, language=language) for o in outcomes]
            panels["map"].set_yticks(range(len(outcomes)), names, **row_label_size())
            panels["map"].set_title(phrase("check_sensitivity_map", language), loc="left")
        if "scatter" in panels:
            _scatter(panels["scatter"], frame, language)
        mapped = "map" in panels
        finish(
            figure,
            "sensitivity_figure",
            context,
            values=values,
            page=page,
            moved=len(parts) == 1,
            letters=True,
            left=2.3 if mapped else 0.7,
            right=0.7 if parts == ["map"] and not is_narrow() else 0.2,
            top=0.65 + (bar_room() + LABEL_LINE * is_narrow() if mapped else 0.0),
            bottom=1.0 if mapped else 0.5,
            gap=0.62,
        )
        if mapped:
            look: dict[str, Any] = {"gap": 0.08, "width": 0.1, "extend": "max"}
            colour_bar(figure, image, panels["map"], language=language, **look)
    return figure


def _map(axes: Axes, values: np.ndarray, language: str) -> AxesImage:
    size = 5.5 if math.isinf(across(math.inf)) else 6.0
    image = axes.imshow(values, cmap="Greys", vmin=0, vmax=THRESHOLD, aspect="auto")
    for row, column in np.argwhere(values >= THRESHOLD) if not is_narrow() else ():
        text = number(values[row, column], 2, language=language)
        colour = ink_on(image.to_rgba(values[row, column]))
        axes.text(column, row, text, ha="center", va="center", size=size, color=colour)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return image


def _scatter(axes: Axes, frame: pd.DataFrame, language: str) -> None:
    others = {name: _OTHER for name in frame["estimand"] if name not in _LOOKS}
    for estimand, look in {**others, **_LOOKS}.items():
        rows = frame[frame["estimand"] == estimand]
        if len(rows):
            axes.scatter(
                rows["prior"], rows["likelihood"], linewidths=look is _OTHER, alpha=0.7,
                label=capital(phrase(estimand, language)), **look,
            )  # fmt: skip
    for line in (axes.axvline, axes.axhline):
        line(THRESHOLD, color="black", linewidth=0.7, linestyle="--")
    axes.set_xlim(0, max(1.5 * THRESHOLD, 1.08 * float(frame["prior"].max())))
    axes.set_ylim(
        0, (2.2 if is_narrow() else 1.45) * max(THRESHOLD, float(frame["likelihood"].max()))
    )
    axes.set_xlabel(phrase("check_axis_prior", language))
    axes.set_ylabel(phrase("check_axis_likelihood", language))
    axes.legend(
        loc="upper right", fontsize=6, borderaxespad=0.0, handletextpad=0.2, frameon=True,
        framealpha=1.0, edgecolor="white",
    )  # fmt: skip
    decimal_axis(axes, "y", language=language)


def check_sensitivity(inputs: CheckInputs) -> CheckResult:
    """Measure how much every reported quantity depends on the hyperpriors."""
    frame = power_scaling(
        {name: thinned(array, SCALED_DRAWS) for name, array in inputs.draws.items()},
        thinned(inputs.effects, SCALED_DRAWS),
        inputs.cells,
        hyperprior=thinned(hyperprior_density(inputs.fit), SCALED_DRAWS),
    )
    facts = {"quantities": len(frame), "flagged": int(frame["diagnosis"].ne("").sum())}
    threshold = number(THRESHOLD, 2, language=inputs.context.language)
    return result(
        inputs, "sensitivity", COLUMNS, _flags(frame), raw=frame, drawn={"frame": frame},
        values={"threshold": threshold}, facts=facts,
    ).divided(2, column=4.0, page=4.0)  # fmt: skip


def _flags(frame: pd.DataFrame) -> pd.DataFrame:
    told = {"weak": frame["diagnosis"] == WEAK, "conflict": frame["diagnosis"] == CONFLICT}
    return (
        frame.assign(**told)
        .groupby("estimand", sort=False)
        .agg(
            quantities=("prior", "size"),
            prior_median=("prior", "median"),
            prior_largest=("prior", "max"),
            likelihood_median=("likelihood", "median"),
            weak=("weak", "sum"),
            conflict=("conflict", "sum"),
        )
        .reset_index()
    )


CHECK: Final = Check(check_sensitivity)
