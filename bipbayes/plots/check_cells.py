"""Residuals of the cell means: quantiles, against n, against the fit, by indicator."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bipbayes.plots.check_parts import (
    count_axis,
    finish,
    respondent_legend,
    respondent_looks,
)
from bipbayes.plots.style import GREY, decimal_axis, figure_style
from bipbayes.wording import Context, phrase

_WIDE = 1.96


def cells_figure(
    residuals: pd.DataFrame,
    ribbon: pd.DataFrame,
    *,
    context: Context,
    model: str,
) -> Figure:
    """Draw the residuals in four panels.

    Parameters
    ----------
    residuals
        From `bipbayes.checks.predictive.cell_residuals`.
    ribbon
        From `bipbayes.checks.residuals.quantile_ribbon`.
    context
        Codebook, language and what the caption must say.
    model
        Its name.
    """
    language = context.language
    with figure_style():
        figure = Figure(figsize=(8.6, 6.9))
        grid = figure.subplots(2, 2)
        _quantiles(grid[0, 0], residuals, ribbon, language)
        _against_n(grid[0, 1], residuals, context)
        _against_fit(grid[1, 0], residuals, context)
        _by_indicator(grid[1, 1], residuals, context)
        for axes in grid.ravel():
            decimal_axis(axes, "y", language=language)
        finish(
            figure, "cells_figure", context, values={"model": model}, top=0.5, gap=0.22,
        )  # fmt: skip
        figure.subplots_adjust(hspace=0.32)
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
    axes.set_xticks(range(len(codes)), codes, rotation=90)
    axes.tick_params(axis="x", length=0)
    axes.set_xlabel(phrase("check_axis_indicator", context.language))
