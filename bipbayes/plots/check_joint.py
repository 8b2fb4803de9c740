"""Joint statements: how many indicators improve, ranks, pooling, type S and type M."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bipbayes.plots.check_parts import (
    count_axis,
    finish,
    label_rows,
    respondent_legend,
    respondent_looks,
)
from bipbayes.plots.style import GREY, POSTERIOR_COLOUR, decimal_axis, figure_style
from bipbayes.tables.comparison_table import probability_text
from bipbayes.wording import Context, capital, combination_text, outcome_label, percent, phrase

_ROW = 0.2


def improved_figure(
    frame: pd.DataFrame, *, context: Context, model: str, at_least: int, level: float
) -> Figure:
    """Draw how many indicators each combination improves, a panel an estimand.

    Parameters
    ----------
    frame
        ``estimand`` and the columns of `bipbayes.checks.statements.count_improved`, with
        ``p_at_least``.
    context
        Codebook, language and what the caption must say.
    model, at_least, level
        For the caption.
    """
    estimands = list(dict.fromkeys(frame["estimand"]))
    outcomes = int(frame["outcomes"].iloc[0])
    values = {
        "model": model,
        "outcomes": outcomes,
        "at_least": at_least,
        "level": percent(level, context.language),
    }
    panels = [
        (capital(phrase(name, context.language)), frame[frame["estimand"] == name])
        for name in estimands
    ]
    with figure_style():
        figure = _rows_figure(panels, context, centre="expected", chance="p_at_least")
        for axes in figure.axes:
            axes.axvline(at_least, color=GREY, linewidth=0.7, linestyle="--")
            axes.set_xlim(-0.5, outcomes + 0.5)
            axes.set_xlabel(phrase("check_axis_improved", context.language))
            axes.locator_params(axis="x", integer=True)
            _above(axes, phrase("check_short_p", context.language, at_least=at_least))
        finish(figure, "improved_figure", context, values=values, left=1.3, right=0.6, top=0.7,
               gap=0.26)  # fmt: skip
    return figure


def ranks_figure(frame: pd.DataFrame, *, context: Context, model: str, level: float) -> Figure:
    """Draw the rank of every combination, a panel an outcome.

    Parameters
    ----------
    frame
        From `bipbayes.checks.statements.rank_combinations`.
    context
        Codebook, language and what the caption must say.
    model, level
        For the caption.
    """
    language = context.language
    panels = []
    for outcome in dict.fromkeys(frame["outcome"]):
        rows = frame[frame["outcome"] == outcome]
        rows = rows.rename(columns={"rank_lower": "lower", "rank_upper": "upper"})
        panels.append((outcome_label(context.codebook, outcome, language=language), rows))
    values = {"model": model, "level": percent(level, language)}
    with figure_style():
        figure = _rows_figure(panels, context, centre="rank", chance="p_best")
        most = int(frame["combinations"].max())
        for axes in figure.axes:
            axes.set_xlim(0.3, most + 0.7)
            axes.set_xticks([1, *range(4, most + 1, 4)] if most > 5 else range(1, most + 1))
            axes.set_xlabel(phrase("check_axis_rank", language))
            _above(axes, phrase("check_column_p_best", language))
        finish(figure, "ranks_figure", context, values=values, left=1.3, right=0.6, top=0.7,
               gap=0.26)  # fmt: skip
    return figure


def pooling_figure(frame: pd.DataFrame, *, context: Context, model: str) -> Figure:
    """Draw the pooling factor of every indicator's estimate against its number of responses.

    Parameters
    ----------
    frame
        ``estimand, outcome, combination, n, pooling_factor``, indicators only.
    context
        Codebook, language and what the caption must say.
    model
        Its name.
    """
    return _against_n(
        frame, ["pooling_factor"], name="pooling_figure", context=context, values={"model": model}
    )


def signs_figure(frame: pd.DataFrame, *, context: Context, model: str, vcov: str) -> Figure:
    """Draw type S and type M of the significant OLS estimates against n.

    Parameters
    ----------
    frame
        From `bipbayes.checks.statements.significant_under_posterior`.
    context
        Codebook, language and what the caption must say.
    model
        Its name.
    vcov
        Which OLS errors made them significant.
    """
    values = {"model": model, "vcov": phrase(vcov, context.language)}
    return _against_n(
        frame, ["type_s", "type_m"], name="signs_figure", context=context, values=values
    )


def _rows_figure(
    panels: list[tuple[str, pd.DataFrame]], context: Context, *, centre: str, chance: str
) -> Figure:
    used = set(pd.concat([rows["combination"] for _, rows in panels]))
    codes = [code for code in context.codebook.combinations if code in used]
    labels = [combination_text(context.codebook, c, language=context.language) for c in codes]
    figure = Figure(figsize=(1.5 + 2.9 * len(panels), 1.9 + _ROW * len(codes)))
    grid = figure.subplots(1, len(panels), squeeze=False)[0]
    for place, (axes, (title, rows)) in enumerate(zip(grid, panels, strict=True)):
        label_rows(axes, labels, named=place == 0)
        found = rows.set_index("combination").reindex(codes)
        ys = np.arange(len(codes))
        axes.hlines(ys, found["lower"], found["upper"], color=POSTERIOR_COLOUR, linewidth=1.3)
        axes.plot(found[centre], ys, "o", color=POSTERIOR_COLOUR, markersize=3.6)
        for y, value in zip(ys, found[chance], strict=True):
            if np.isfinite(value):
                axes.text(
                    1.02, y, probability_text(float(value), language=context.language), size=6.5,
                    va="center", transform=axes.get_yaxis_transform(),
                )  # fmt: skip
        axes.set_title(title, loc="left")
    return figure


def _above(axes: Axes, text: str) -> None:
    """Write what the numbers at the right of the rows are."""
    axes.text(1.02, 1.01, text, size=6.5, transform=axes.transAxes, va="bottom")


def _against_n(
    frame: pd.DataFrame,
    columns: list[str],
    *,
    name: str,
    context: Context,
    values: dict[str, Any],
) -> Figure:
    """Scatter columns against n: one row of panels a column, one column an estimand."""
    language = context.language
    estimands = list(dict.fromkeys(frame["estimand"]))
    respondent = frame["outcome"].map(context.codebook.respondent_of)
    with figure_style():
        figure = Figure(figsize=(1.0 + 3.6 * len(estimands), 1.5 + 2.4 * len(columns)))
        grid = figure.subplots(len(columns), len(estimands), squeeze=False, sharey="row")
        for row, column in enumerate(columns):
            for place, estimand in enumerate(estimands):
                axes = grid[row, place]
                for who, look in respondent_looks(context).items():
                    rows = frame[(frame["estimand"] == estimand) & (respondent == who)]
                    axes.scatter(rows["n"], rows[column], s=11, alpha=0.6, linewidths=0, **look)
                count_axis(axes, frame["n"])
                axes.axhline(1 if column == "type_m" else 0, color="black", linewidth=0.6)
                if row == 0:
                    axes.set_title(capital(phrase(estimand, language)), loc="left")
                if row == len(columns) - 1:
                    axes.set_xlabel(phrase("check_axis_responses", language))
                decimal_axis(axes, "y", language=language)
            grid[row, 0].set_ylabel(phrase(f"check_axis_{column}", language))
        respondent_legend(grid[0, -1], context, loc="upper right")
        finish(figure, name, context, values=values, left=0.75, top=0.65, gap=0.06)
        figure.subplots_adjust(hspace=0.2)
    return figure
