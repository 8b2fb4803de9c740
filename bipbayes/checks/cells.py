"""Every cell mean against its posterior prediction."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from bipbayes.cells import CELL
from bipbayes.checks.figure import count_axis, finish, respondent_legend, respondent_looks
from bipbayes.checks.inputs import Check, CheckInputs, CheckResult, result
from bipbayes.checks.table import GROUP, WORDS, Columns
from bipbayes.data.sample import Floats
from bipbayes.estimands.intervals import limits
from bipbayes.plots.style import GREY, across, beside, decimal_axis, figure_style
from bipbayes.sampling.labels import SAMPLE, pooled
from bipbayes.wording import Context, phrase

COLUMNS: Final[Columns] = {
    "by": WORDS,
    "group": GROUP,
    "cells": 0,
    "spread": 2,
    "largest": 1,
    "outside_50": 2,
    "outside_95": 3,
    "kurtosis": 2,
}
_WIDE = 1.96


def cell_residuals(cells: xr.Dataset, predicted: xr.DataArray) -> pd.DataFrame:
    """Hold every observed cell mean against its prediction.

    `cells`: from `bipbayes.cells.cell_means`; `predicted`: from `predicted_means` of the posterior.

    Returns: one row a cell with answers: ``combination, jobcenter, indicator, respondent, n``,
    ``mean``, ``expected``, ``sd`` (of the prediction), ``residual`` (standardised), ``pit`` (share
    of predictions below the mean). Predictions have seen the cell, so residuals are a little too
    small where it has much weight (`bipbayes.checks.leave_out` does not).
    """
    mean = cells["mean"].transpose(*CELL)
    found = xr.Dataset(
        {
            "n": cells["n"].transpose(*CELL),
            "mean": mean,
            "expected": predicted.mean(SAMPLE).transpose(*CELL),
            "sd": predicted.std(SAMPLE, ddof=1).transpose(*CELL),
            "pit": (predicted < mean).mean(SAMPLE).transpose(*CELL),
        }
    )
    frame = found.to_dataframe(dim_order=list(CELL)).reset_index()
    frame = frame[frame["n"] > 0].reset_index(drop=True)
    residual = (frame["mean"] - frame["expected"]) / frame["sd"]
    first = [*CELL, "respondent", "n", "mean", "expected", "sd"]
    return frame.assign(residual=residual)[[*first, "residual", "pit"]]


def residual_summary(residuals: pd.DataFrame, *, by: Sequence[str] = ()) -> pd.DataFrame:
    """Summarise residuals: their spread, and how many lie outside central intervals.

    `residuals`: from `cell_residuals`; `by`: columns to split by, such as ``respondent`` or
    ``indicator``. Returns: `by`, ``cells``, ``spread`` (1 expected), ``largest``, ``outside_50``,
    ``outside_95`` (0.5 and 0.05 expected), ``kurtosis`` (excess; 0 expected).
    """
    centre = (residuals["pit"] - 0.5).abs()
    told = residuals.assign(half=centre > 0.25, most=centre > 0.475)
    # Without columns to split by all are one group.
    groups = told.groupby(list(by), sort=False) if by else told.groupby(lambda _: 0)
    summary = groups.agg(
        cells=("residual", "size"),
        spread=("residual", "std"),
        largest=("residual", lambda values: values.abs().max()),
        outside_50=("half", "mean"),
        outside_95=("most", "mean"),
        kurtosis=("residual", stats.kurtosis),
    )
    return summary.reset_index(drop=not by)


def quantile_ribbon(predicted: xr.DataArray) -> pd.DataFrame:
    """Say where the ordered residuals of data from the model lie.

    `predicted`: from `bipbayes.checks.predictive.predicted_means`; every draw is a data set.
    Returns: ``place`` (1 is the smallest), ``normal`` (quantile of the standard normal), ``lower``,
    ``upper``: one row a cell with answers.
    """
    values = pooled(predicted, *CELL)
    values = values[:, np.isfinite(values).all(axis=0)]
    standard = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    ordered = np.sort(standard, axis=1)
    lower, upper = limits(ordered, level=0.95)
    return pd.DataFrame(
        {
            "place": np.arange(1, ordered.shape[1] + 1),
            "normal": normal_places(ordered.shape[1]),
            "lower": lower,
            "upper": upper,
        }
    )


def normal_places(count: int) -> Floats:
    """Quantiles of the standard normal for `count` ordered values."""
    return np.asarray(stats.norm.ppf((np.arange(1, count + 1) - 0.5) / count))


def size_groups(n: pd.Series, *, groups: int = 5) -> pd.Series:
    """Sort cells into groups of about the same number by their answers, as text ``12-30``."""
    place = pd.qcut(n.rank(method="first"), min(groups, len(n)), labels=False)
    low, high = n.groupby(place).transform("min"), n.groupby(place).transform("max")
    text: pd.Series = low.astype("int64").astype("str") + "–" + high.astype("int64").astype("str")
    return text


_WIDTH, _PANEL, _BESIDE = 8.6, 2.9, 0.8  # inches, of the figure, a panel, and what is beside one
_CODE: Final = 0.13  # inches, that a code on end takes


def cells_figure(
    residuals: pd.DataFrame,
    ribbon: pd.DataFrame,
    *,
    context: Context,
    values: Mapping[str, object],
) -> Figure:
    """Draw the residuals in four panels, their quantiles over the ribbon."""
    language = context.language
    with figure_style():
        columns = beside(2, _PANEL)
        figure = Figure(figsize=(across(_WIDTH), 6.9 if columns == 2 else 8.2))
        grid = figure.subplots(4 // columns, columns).ravel()
        _quantiles(grid[0], residuals, ribbon, language)
        _against_n(grid[1], residuals, context)
        _against_fit(grid[2], residuals, context)
        _by_indicator(grid[3], residuals, context)
        for axes in grid:
            decimal_axis(axes, "y", language=language)
        finish(
            figure, "cells_figure", context, values=values, moved=columns == 1, top=0.5, gap=0.22,
        )  # fmt: skip
        figure.subplots_adjust(hspace=0.32 if columns == 2 else 0.42)
    return figure


def _quantiles(axes: Axes, residuals: pd.DataFrame, ribbon: pd.DataFrame, language: str) -> None:
    axes.fill_between(
        ribbon["normal"], ribbon["lower"], ribbon["upper"], color="#D5D5D5", linewidth=0
    )
    ends = [ribbon["normal"].min(), ribbon["normal"].max()]
    axes.plot(ends, ends, color="black", linewidth=0.6)
    ordered = np.sort(residuals["residual"].to_numpy())
    axes.plot(ribbon["normal"], ordered, ".", color="black", markersize=2.5)
    axes.set_xlabel(phrase("check_axis_normal", language))
    axes.set_ylabel(phrase("check_axis_residual", language))


def _against_n(axes: Axes, residuals: pd.DataFrame, context: Context) -> None:
    _scatter(axes, residuals, "n", context)
    count_axis(axes, residuals["n"])
    axes.set_xlabel(phrase("check_axis_n", context.language))
    respondent_legend(axes, context, loc="lower right", ncols=2)


def _against_fit(axes: Axes, residuals: pd.DataFrame, context: Context) -> None:
    _scatter(axes, residuals, "expected", context)
    axes.set_xlabel(phrase("check_axis_expected", context.language))
    axes.set_ylabel(phrase("check_axis_residual", context.language))


def _scatter(axes: Axes, residuals: pd.DataFrame, column: str, context: Context) -> None:
    for respondent, look in respondent_looks(context).items():
        rows = residuals[residuals["respondent"] == respondent]
        axes.scatter(rows[column], rows["residual"], s=5, alpha=0.45, linewidths=0, **look)
    _guides(axes)


def _guides(axes: Axes) -> None:
    axes.axhline(0, color="black", linewidth=0.6)
    for limit in (-_WIDE, _WIDE):
        axes.axhline(limit, color=GREY, linewidth=0.6, linestyle="--")


def _by_indicator(axes: Axes, residuals: pd.DataFrame, context: Context) -> None:
    looks = respondent_looks(context)
    codes = [c for c in context.codebook.indicator_codes if c in set(residuals["indicator"])]
    for place, code in enumerate(codes):
        values = residuals.loc[residuals["indicator"] == code, "residual"]
        low, first, middle, third, high = values.quantile([0.025, 0.25, 0.5, 0.75, 0.975])
        look = looks[context.codebook.respondent_of(code)]
        axes.vlines(place, low, high, color=look["color"], linewidth=0.9)
        axes.vlines(place, first, third, color=look["color"], linewidth=3.2)
        axes.plot(place, middle, marker=look["marker"], color="black", markersize=3)
    _guides(axes)
    # Of many indicators only some are named, or their codes would stand over one another.
    step = math.ceil(_CODE * len(codes) / (across(_WIDTH) / beside(2, _PANEL) - _BESIDE))
    axes.set_xticks(range(0, len(codes), step), codes[::step], rotation=90)
    axes.tick_params(axis="x", length=0)
    axes.set_xlabel(phrase("check_axis_indicator", context.language))


def check_cells(inputs: CheckInputs) -> CheckResult:
    """Hold every cell mean against its posterior prediction."""
    predicted = inputs.predicted
    residuals = cell_residuals(inputs.cells, predicted)
    by_n = residuals.assign(group=size_groups(residuals["n"]))
    parts = [
        residual_summary(residuals).assign(by="all", group=""),
        _summary(residuals, "respondent"),
        residual_summary(by_n.sort_values("n"), by=["group"]).assign(by="n"),
        _summary(residuals, "indicator"),
    ]
    frame = pd.concat(parts, ignore_index=True)
    first = ["by", "group"]
    frame = frame[[*first, *(name for name in frame.columns if name not in first)]]
    drawn = {"residuals": residuals, "ribbon": quantile_ribbon(predicted)}
    facts = {"spread": float(frame["spread"].iloc[0]), "cells": int(frame["cells"].iloc[0])}
    return result(inputs, "cells", COLUMNS, frame, drawn=drawn, facts=facts)


def _summary(residuals: pd.DataFrame, column: str) -> pd.DataFrame:
    summary = residual_summary(residuals, by=[column]).assign(by=column)
    return summary.rename(columns={column: "group"})


CHECK: Final = Check(check_cells)
