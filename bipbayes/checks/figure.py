"""What the pictures of the checks share.

Each is made of a check's frames, the run's ``context`` and ``values``: what the braces of its words
stand for (`bipbayes.checks.inputs.result`).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator
from numpy.typing import NDArray

from bipbayes.plots.captions import caption, titled
from bipbayes.plots.shrinkage import RESPONDENT_COLOURS
from bipbayes.plots.style import (
    POSTERIOR_COLOUR,
    across,
    bands,
    beside,
    decimal_axis,
    figure_style,
    furnish,
    is_narrow,
    panel_titles,
)
from bipbayes.plots.task import WHOLE, Page
from bipbayes.tables.comparison_table import probability_text
from bipbayes.wording import (
    Context,
    capital,
    combination_text,
    number,
    outcome_label,
    phrase,
    respondent_word,
)

RESPONDENT_MARKERS: Final = ("o", "^", "s", "D")
ROW: Final = 0.19  # inches
_ROW = 0.2


def respondent_looks(context: Context) -> dict[str, dict[str, Any]]:
    """Return marker and colour by respondent, told apart in grey by the marker."""
    return {
        name: {
            "marker": RESPONDENT_MARKERS[place % len(RESPONDENT_MARKERS)],
            "color": RESPONDENT_COLOURS[place % len(RESPONDENT_COLOURS)],
        }
        for place, name in enumerate(context.codebook.respondents)
    }


def respondent_legend(axes: Axes, context: Context, **where: Any) -> None:
    """Name the respondents' markers."""
    handles = [
        Line2D(
            [],
            [],
            linestyle="",
            markersize=4,
            label=capital(respondent_word(name, language=context.language)),
            **look,
        )
        for name, look in respondent_looks(context).items()
    ]
    axes.legend(handles=handles, **where)


def count_axis(axes: Axes, values: pd.Series) -> None:
    """Make the x axis a logarithmic one of numbers of answers, labelled 1, 3, 10, 30 ..."""
    low, high = float(values.min()), float(values.max())
    ticks = [base * 10**power for power in range(7) for base in (1, 3)]
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator([t for t in ticks if low / 2 <= t <= high * 2]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0f}")
    axes.set_xlim(low / 1.3, high * 1.3)


def label_rows(axes: Axes, labels: Sequence[str], *, named: bool = True) -> None:
    """Write labels at the rows 0, 1, ... from the top, every second row on a band."""
    bands(axes, range(len(labels)))
    axes.set_yticks(range(len(labels)), list(labels) if named else [""] * len(labels))
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(labels) - 0.5, -0.5)


def finish(
    figure: Figure,
    name: str,
    context: Context,
    *,
    values: Mapping[str, object],
    letters: bool = False,
    page: Page = WHOLE,
    moved: bool = False,
    **room: Any,
) -> None:
    """Give a check's figure its title, caption and margins (phrases ``check_<name>_...``).

    `letters` is True where combinations stand in it, whose treatments are then spelt out; `moved`
    where its words say left and right of what stands above and below, or on pages of its own.
    """
    marks = [phrase(f"check_{name}_marks", context.language, **values)]
    marks += [phrase("check_moved", context.language)] if moved else []
    for axes in figure.axes:
        if axes.get_xscale() == "linear" and _is_plain(axes):
            _write_ticks(axes, context.language)
    furnish(
        figure,
        title=titled(context, phrase(f"check_{name}_title", context.language, **values), page),
        caption=caption(context, marks, letters=letters),
        **{"left": 0.7, **room},
    )


def _write_ticks(axes: Axes, language: str) -> None:
    """Write the ticks of the x axis: whole numbers as such."""
    ticks = np.asarray(axes.get_xticks())
    if np.allclose(ticks, np.round(ticks)):
        axes.xaxis.set_major_formatter(lambda value, _: number(float(value), 0, language=language))
    else:
        decimal_axis(axes, "x", language=language)


def _is_plain(axes: Axes) -> bool:
    """Say whether the x axis still chooses its own tick labels."""
    return type(axes.xaxis.get_major_formatter()).__name__ == "ScalarFormatter"


def stagger(count: int, room: float) -> np.ndarray:
    """Return vertical shifts that set `count` marks of one row apart."""
    return np.asarray((np.arange(count) - (count - 1) / 2) * room / max(count, 1))


def outcome_rows(frame: pd.DataFrame, context: Context) -> tuple[Figure, Axes, NDArray[np.int64]]:
    """Begin a figure with a labelled row and its interval for every outcome of a frame."""
    labels = [
        outcome_label(context.codebook, outcome, language=context.language)
        for outcome in frame["outcome"]
    ]
    figure = Figure(figsize=(across(7.2), 1.9 + ROW * len(frame)))
    axes, rows = figure.add_subplot(), np.arange(len(frame))
    label_rows(axes, labels)
    axes.hlines(rows, frame["lower"], frame["upper"], color="black", linewidth=1.0)
    return figure, axes, rows


def rows_figure(
    panels: list[tuple[str, pd.DataFrame]], context: Context, *, centre: str, chance: str
) -> tuple[Figure, dict[str, Any]]:
    """Draw panels of rows with their intervals, beside what chance would give.

    Returns the figure, and how `finish` leaves room around it.
    """
    used = set(pd.concat([rows["combination"] for _, rows in panels]))
    codes = [code for code in context.codebook.combinations if code in used]
    labels = [combination_text(context.codebook, c, language=context.language) for c in codes]
    columns = beside(len(panels), 2.4, besides=1.5)
    lines = -(-len(panels) // columns)
    height = 1.9 + lines * _ROW * len(codes) + (lines - 1) * BETWEEN
    figure = Figure(figsize=(across(1.5 + 2.9 * columns), height))
    grid = figure.subplots(lines, columns, squeeze=False).ravel()
    for unused in grid[len(panels) :]:
        unused.remove()
    for place, (axes, (title, rows)) in enumerate(zip(grid, panels, strict=False)):
        label_rows(axes, labels, named=place % columns == 0)
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
        axes.set_title(title)
    # A title ends before what `above` writes beside it.
    further = panel_titles(figure, math.inf if is_narrow() else 2.2)
    between = (0.26, BETWEEN + further)
    room = {"letters": True, "left": 1.3, "right": 0.6, "top": 0.7 + further, "gap": between}
    return figure, room


BETWEEN: Final = 0.75
"""Inches between panels below one another, for an axis and a title."""


def panel_inches(frame: pd.DataFrame) -> dict[str, float]:
    """Return the inches that a panel of `rows_figure` takes, by size of print."""
    height = _ROW * frame["combination"].nunique() + BETWEEN
    return {"column": height, "page": height / 2}


def above(axes: Axes, text: str) -> None:
    """Write what the numbers at the right of the rows are."""
    axes.text(1.02, 1.01, text, size=6.5, transform=axes.transAxes, va="bottom")


def against_n(
    frame: pd.DataFrame,
    columns: list[str],
    *,
    name: str,
    context: Context,
    values: Mapping[str, object],
) -> Figure:
    """Scatter columns against n: one row of panels a column, one column an estimand."""
    language = context.language
    estimands = list(dict.fromkeys(frame["estimand"]))
    respondent = frame["outcome"].map(context.codebook.respondent_of)
    with figure_style():
        across_page = beside(len(estimands), 2.4, besides=1.0)
        lines = -(-len(estimands) // across_page)
        shape, panel = (lines * len(columns), across_page), 1.75 if is_narrow() else 2.4
        figure = Figure(figsize=(across(1.0 + 3.6 * across_page), 1.5 + panel * shape[0]))
        grid = figure.subplots(*shape, squeeze=False, sharey="row")
        for row, column in enumerate(columns):
            for place, estimand in enumerate(estimands):
                line = row + len(columns) * (place // across_page)
                axes = grid[line, place % across_page]
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
            for line in range(row, len(grid), len(columns)):
                grid[line, 0].set_ylabel(phrase(f"check_axis_{column}", language))
        respondent_legend(grid[0, -1], context, loc="upper right")
        finish(figure, name, context, values=values, left=0.75, top=0.65, gap=0.06)
        figure.subplots_adjust(hspace=0.2 if lines == 1 else 0.45)
    return figure
