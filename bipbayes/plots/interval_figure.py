"""The report's own form (Figures 3-24): combinations along the x axis, dot and vertical line."""

import math
from typing import Final

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bipbayes.plots.captions import axis_phrase, caption, titled
from bipbayes.plots.selection import limits_of, select, side_of
from bipbayes.plots.style import (
    OLS_COLOUR,
    OLS_MARKER,
    across,
    decimal_axis,
    figure_style,
    furnish,
    interval_marks,
    text_height,
    text_width,
)
from bipbayes.plots.task import BESIDE_INTERVALS, SMALLEST_COLUMN, WHOLE, WIDE, Page
from bipbayes.wording import Context, number, outcome_label, phrase

_KEPT: Final = [
    *("n", "n_citizens", "estimate", "lower", "upper"),
    *("source", "model", "vcov", "estimand", "level", "kind"),
]
_LONG_LABEL: Final = 9  # letters from which labels stand upright


def interval_data(
    frame: pd.DataFrame,
    context: Context,
    *,
    outcome: str,
    vcov: str = "classical",
    estimand: str = "effect",
) -> pd.DataFrame:
    """Return one row a combination, in the codebook's order (the report's).

    Returns
    -------
    pandas.DataFrame
        ``combination, label, n, n_citizens, estimate, lower, upper`` and the
        columns of the long frame that say what the intervals are; combinations without an
        estimate keep their row.
    """
    rows = select(frame, source="ols", estimand=estimand, vcov=vcov, outcome=outcome)
    data = rows.set_index("combination")[_KEPT].reindex(list(context.codebook.combinations))
    data = data.rename_axis("combination").reset_index()
    labels = [context.codebook.combination_label(c, context.language) for c in data["combination"]]
    data.insert(1, "label", labels)
    return data


def _draw_intervals(axes: Axes, data: pd.DataFrame, *, language: str) -> None:
    """Draw the rows of `interval_data`."""
    places = range(len(data))
    axes.axhline(0, color="black", linewidth=0.6)
    interval_marks(axes, data, places, colour=OLS_COLOUR, upright=True, marker=OLS_MARKER, s=22)
    size = mpl.rcParams["xtick.labelsize"]
    ticks, cell = _ticks(data, language), (across(math.inf) - BESIDE_INTERVALS) / len(data)
    upright = data["label"].str.len().max() >= _LONG_LABEL
    upright |= cell < max(text_width(tick, size) for tick in ticks)
    if cell < text_height(ticks[0], size):
        ticks = [tick.replace("\n", "  ") for tick in ticks]
    axes.set_xticks(places, ticks, rotation=90 if upright else 0)
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.6, len(data) - 0.4)
    decimal_axis(axes, "y", language=language)
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.5)


def interval_figure(
    data: pd.DataFrame, *, context: Context, outcome: str, page: Page = WHOLE
) -> Figure:
    """Draw the figure of one outcome, of some combinations on the scale of all."""
    side, whole = side_of(data), limits_of(data[["lower", "upper", "estimate"]])
    data = data.iloc[page.columns].reset_index(drop=True)
    language = context.language
    with figure_style():
        column = 0.52 if len(data) < WIDE else 0.4  # inches; upright labels have three lines
        width = across(max(5.0, 0.9 + column * len(data)))
        figure = Figure(figsize=(max(width, BESIDE_INTERVALS + SMALLEST_COLUMN * len(data)), 4.4))
        axes = figure.add_subplot()
        _draw_intervals(axes, data, language=language)
        if page.of > 1:
            axes.set_ylim(whole)
        axes.set_ylabel(axis_phrase(context, side.estimand if side else "effect"))
        title = outcome_label(context.codebook, outcome, language=language)
        if side is not None and side.estimand != "effect":
            title = f"{title}: {phrase(side.estimand, language)}"
        furnish(
            figure,
            title=titled(context, title, page),
            caption=caption(
                context,
                [phrase("filled", language), phrase("n_line", language)],
                sides=[side] if side else [],
                letters=True,
                outcome=outcome,
            ),
            left=0.6,
            bottom=0.55,
        )
    return figure


def _ticks(data: pd.DataFrame, language: str) -> list[str]:
    counts = [number(float(n), 0, language=language) for n in data["n"]]
    columns = zip(data["label"], data["combination"], counts, strict=True)
    return [f"{label}\n{code}\n{n and f'n={n}'}" for label, code, n in columns]


def draw(
    frame: pd.DataFrame,
    *,
    context: Context,
    outcome: str,
    vcov: str,
    estimand: str = "effect",
    page: Page = WHOLE,
) -> Figure:
    """Draw the report's form for one outcome from rows of the long frame."""
    data = interval_data(frame, context, outcome=outcome, vcov=vcov, estimand=estimand)
    return interval_figure(data, context=context, outcome=outcome, page=page)
