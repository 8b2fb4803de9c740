"""Forests in one panel: OLS above the posterior in each row, on one axis."""

from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from bipbayes.plots.captions import axis_phrase, titled
from bipbayes.plots.forest import forest_caption, is_factorial
from bipbayes.plots.forest_rows import ForestRows
from bipbayes.plots.pages import ROW_HEIGHT, WHOLE, Page
from bipbayes.plots.room import row_labels
from bipbayes.plots.selection import cut_limits
from bipbayes.plots.style import (
    OLS_COLOUR,
    OLS_MARKER,
    POSTERIOR_COLOUR,
    POSTERIOR_MARKER,
    bands,
    decimal_axis,
    figure_style,
    furnish,
    interval_marks,
    is_narrow,
)
from bipbayes.wording import Context, capital, interval_words, phrase, whole_number

_WIDE: Final = 7.2  # inches
_NARROW: Final = 3.5
_DODGE: Final = 0.17  # of a row, from its middle to either mark
_WIDEST_LABEL: Final = 2.6  # inches; what is longer takes lines
_LABEL_SIZE: Final = 7.0
_LOOKS: Final = {"ols": (OLS_COLOUR, OLS_MARKER), "posterior": (POSTERIOR_COLOUR, POSTERIOR_MARKER)}
_ENDS: Final = ("lower", "upper")


def dodged_figure(
    rows: ForestRows, *, context: Context, title: str, outcome: str = "", page: Page = WHOLE
) -> Figure:
    """Draw OLS and posterior on the same rows; OLS intervals far wider than the rest are cut.

    Parameters
    ----------
    rows
        From `forest_data` or `jobcenter_data`.
    context
        Codebook, language and what the caption must say.
    title
        Written above.
    outcome
        Outcome whose report figure the caption names.
    page
        Which of the rows to draw, all on the scale of the whole.
    """
    limits, rows = dodged_limits(rows.frame), rows.on_page(page)
    narrow = is_narrow()
    widest = _WIDEST_LABEL / 2 if narrow else _WIDEST_LABEL
    labels, height = row_labels(list(rows.frame["label"]), widest, _LABEL_SIZE)
    rows = replace(rows, frame=rows.frame.assign(label=labels))
    size = (_NARROW if narrow else _WIDE, max(ROW_HEIGHT, height) * len(labels) + 1.9)
    with figure_style():
        figure = Figure(figsize=size)
        axes = figure.add_subplot()
        cut = _draw_rows(axes, rows, limits, context=context)
        furnish(
            figure,
            title=titled(context, title, page),
            caption=forest_caption(rows, context, outcome, cut=cut),
            left=0.6 if narrow else 1.2,
            right=0.15 if is_factorial(rows) else 0.65,
            top=0.82 if narrow else 0.68,
        )
    return figure


def dodged_limits(frame: pd.DataFrame) -> tuple[float, float]:
    """Return x limits that hold zero, all points and posterior intervals, and most of OLS."""
    ends = {name: _known(frame[[f"{name}_{end}" for end in _ENDS]]) for name in _LOOKS}
    points = _known(frame[[f"{name}_estimate" for name in _LOOKS]])
    return cut_limits([0.0, *points, *ends["posterior"]], [*ends["ols"], *ends["posterior"]])


def _known(values: pd.DataFrame) -> list[float]:
    numbers = values.to_numpy(dtype=float).ravel()
    return [float(number) for number in numbers[np.isfinite(numbers)]]


def _draw_rows(
    axes: Axes, rows: ForestRows, limits: tuple[float, float], *, context: Context
) -> bool:
    """Draw the rows from top to bottom; say whether intervals go on beyond the panel."""
    language, frame = context.language, rows.frame
    places = np.arange(len(frame), dtype=np.float64)
    bands(axes, places)
    axes.axvline(0, color="black", linewidth=0.6, zorder=1)
    axes.hlines(
        places + _DODGE,
        frame["inner_lower"],
        frame["inner_upper"],
        color=POSTERIOR_COLOUR,
        linewidth=3.0,
    )
    cut = False
    for name, side, shift in (("ols", rows.ols, -_DODGE), ("posterior", rows.posterior, _DODGE)):
        if side is None:
            continue
        colour, marker = _LOOKS[name]
        own = frame[[f"{name}_{column}" for column in ("estimate", *_ENDS)]]
        own = own.set_axis(["estimate", *_ENDS], axis="columns")
        interval = interval_words(side.level, side.kind, language=language)
        told = f"{capital(phrase(side.source, language))}: {interval}"
        interval_marks(axes, own, places + shift, colour=colour, marker=marker, s=18, label=told)
        cut |= _arrows(axes, own, places + shift, limits, colour)
    axes.set_xlim(limits)
    axes.set_ylim(len(frame) - 0.4, -0.6)
    axes.set_yticks(places, frame["label"], size=_LABEL_SIZE)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    if is_narrow():
        axes.xaxis.set_major_locator(MaxNLocator(4))
    decimal_axis(axes, "x", language=language)
    estimand = next(side.estimand for side in (rows.ols, rows.posterior) if side is not None)
    axes.set_xlabel(axis_phrase(context, estimand))
    # Of a narrow figure the legend reaches over the labels, not over the counts.
    corner, columns = (1.0, 1) if is_narrow() else (0.0, 2)
    axes.legend(
        loc="lower right" if is_narrow() else "lower left",
        bbox_to_anchor=(corner, 1.0),
        ncols=columns,
        borderaxespad=0.2,
    )
    if not is_factorial(rows):
        _write_counts(axes, frame, language=language)
    return cut


def _arrows(
    axes: Axes,
    rows: pd.DataFrame,
    places: NDArray[np.floating],
    limits: tuple[float, float],
    colour: str,
) -> bool:
    """Mark intervals that go on beyond the panel at its edge; say whether there are any."""
    beyond = (rows["lower"] < limits[0], rows["upper"] > limits[1])
    for edge, mark, out in zip(limits, ("<", ">"), beyond, strict=True):
        here = places[out.to_numpy()]
        axes.scatter(
            np.full(len(here), edge), here, marker=mark, s=14, c=colour, linewidths=0, clip_on=False
        )
    return bool(beyond[0].any() or beyond[1].any())


def _write_counts(axes: Axes, frame: pd.DataFrame, *, language: str) -> None:
    """Write n right of the panel."""
    across = axes.get_yaxis_transform()
    axes.text(1.1, -0.75, "n", transform=across, ha="right", va="bottom")
    for place, (n, driven) in enumerate(zip(frame["n"], frame["prior_driven"], strict=True)):
        text = f"{whole_number(n, language=language)}{' †' if driven else ''}"
        axes.text(1.1, place, text, transform=across, ha="right", va="center", size=_LABEL_SIZE)
