"""How interventions persist: transitions between combinations, and each treatment by itself."""

import math
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from bipbayes.data.sample import NO_GROUP
from bipbayes.plots.captions import blank_words, caption, titled
from bipbayes.plots.style import (
    OLS_COLOUR,
    POSTERIOR_COLOUR,
    across,
    bands,
    figure_style,
    furnish,
    is_narrow,
    row_label_size,
)
from bipbayes.plots.task import SMALLEST_COLUMN
from bipbayes.wording import Context, combination_text, number, phrase

_CELL: Final = 0.27  # inches
_ROW: Final = 0.12  # inches, of a row in a column
_NUMBER: Final = 0.125  # inches, that two digits take
_STACKED: Final = 3.2  # inches of the transitions above the treatments, at most
_DARK: Final = 55.0  # percent from which a cell's ink is white


def transition_data(transitions: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Return the percents of `transition_table` as a matrix, earlier by later combination."""
    order = list(context.codebook.combinations)
    wide = transitions.pivot(index="previous", columns="combination", values="percent")
    return wide.reindex(index=order, columns=order)


def _draw_transitions(
    axes: Axes, data: pd.DataFrame, *, context: Context, counts: pd.Series
) -> AxesImage:
    """Draw the matrix with its percents."""
    values, language = data.to_numpy(dtype=float), context.language
    axes.set_facecolor("#E4E4E4")
    image = axes.imshow(values, cmap="Blues", norm=Normalize(0, 100), aspect="auto")
    fits = across(math.inf) - 1.4 >= _NUMBER * len(data)
    for row, column in np.argwhere(values >= 0.5) if fits else ():
        percent = values[row, column]
        axes.text(column, row, number(percent, 0, language=language), ha="center", va="center",
                  size=6, color="white" if percent > _DARK else "black")  # fmt: skip
    texts = [combination_text(context.codebook, c, language=language) for c in data.index]
    known = ["–" if pd.isna(counts[c]) else counts[c] for c in data.index]
    between = "  n=" if is_narrow() else "   n = "
    names = [f"{text}{between}{count}" for text, count in zip(texts, known, strict=True)]
    axes.set_yticks(range(len(names)), names, **row_label_size())
    # The columns have the rows' order: in a journal's column digits suffice, or some of them.
    along = [*data.index] if is_narrow() else texts
    step = math.ceil(SMALLEST_COLUMN * len(along) / max(across(math.inf) - 1.4, 1.0))
    axes.set_xticks(range(0, len(along), max(1, step)), along[:: max(1, step)], rotation=90)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel(phrase("persistence_later", language))
    axes.set_title(phrase("persistence_earlier", language), loc="left", x=0.0)
    return image


def _draw_persistence(axes: Axes, persistence: pd.DataFrame, *, context: Context) -> None:
    """Draw for each treatment how often it is there next, with and without it before."""
    language, rows = context.language, np.arange(len(persistence))
    bands(axes, rows)
    again, begun = persistence["again"], persistence["begun"]
    axes.hlines(rows, begun, again, color="#9A9A9A", linewidth=1.2)
    looks = ((again, "o", POSTERIOR_COLOUR, "again"), (begun, "s", OLS_COLOUR, "begun"))
    for values, marker, colour, key in looks:
        face = colour if key == "again" else "white"
        axes.scatter(values, rows, marker=marker, s=26, c=face, edgecolors=colour, zorder=3,
                     label=phrase(f"persistence_{key}", language))  # fmt: skip
        for row, value in zip(rows, values, strict=True):
            if pd.isna(value):
                continue
            axes.annotate(number(value, 0, language=language), (value, row), xytext=(0, 6),
                          textcoords="offset points", ha="center", size=6)  # fmt: skip
    names = [phrase("none", language) if g == NO_GROUP else g for g in persistence["group"]]
    axes.set_yticks(rows, names)
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, 100)
    axes.set_ylim(len(rows) - 0.4, -0.7)
    axes.set_xlabel(phrase("persistence_axis", language))
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=1, borderaxespad=0.2)


def _sheet(side: float, treatments: int, *, stacked: bool) -> Figure:
    if not stacked:
        return Figure(figsize=(side + 5.2, side + 2.5))
    width, besides = across(side + 2.2), 3.3 if is_narrow() else 3.6
    return Figure(figsize=(width, sum(_heights(side, treatments, width)) + besides))


def _heights(side: float, treatments: int, width: float) -> tuple[float, float]:
    """Return the inches of both panels where they stand below one another."""
    high = min(side, width - 1.4, _STACKED)
    if is_narrow():
        return max(high, _ROW * side / _CELL), 0.22 * (treatments + 1)
    return high, 0.36 * (treatments + 1)


def _panels(figure: Figure, side: float, treatments: int, *, stacked: bool) -> tuple[Axes, Axes]:
    """Return the axes of transitions and of treatments: beside, or below where room is short."""
    if not stacked:
        first, second = figure.subplots(1, 2, width_ratios=[side, 2.4])
    else:
        ratios = _heights(side, treatments, figure.get_size_inches()[0])
        first, second = figure.subplots(2, 1, height_ratios=ratios)
    return first, second


def persistence_figure(
    transitions: pd.DataFrame, persistence: pd.DataFrame, *, context: Context
) -> Figure:
    """Draw the transitions and, beside them, each treatment."""
    language = context.language
    data = transition_data(transitions, context)
    counts = transitions.groupby("previous")["n_previous"].max()
    side = max(2.2, _CELL * len(data))
    with figure_style():
        stacked = across(side + 5.2) < side + 5.2
        figure = _sheet(side, len(persistence), stacked=stacked)
        left, right = _panels(figure, side, len(persistence), stacked=stacked)
        _draw_transitions(left, data, context=context, counts=counts)
        _draw_persistence(right, persistence, context=context)
        furnish(
            figure,
            title=titled(context, phrase("persistence_title", language)),
            caption=caption(
                context,
                [phrase("persistence_marks", language), blank_words(transitions, context)],
                letters=True,
            ),
            left=1.85,
            top=0.95,
            right=0.25,
            bottom=0.55 if is_narrow() else 1.1,
            gap=(0.2, 1.15 if is_narrow() else 1.45),
        )
        if stacked:
            return figure
        place = right.get_position()
        height = min(place.height, 0.42 * (len(persistence) + 1) / figure.get_size_inches()[1])
        right.set_position((place.x0, place.y1 - height, place.width, height))
    return figure
