"""How far pooling moves each estimate: arrows from OLS to posterior, by number of responses."""

import math
import re
from collections.abc import Sequence
from typing import Final

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bipbayes.disclosure.small_cells import withheld
from bipbayes.intervals import ALL_INDICATORS
from bipbayes.plots.captions import axis_phrase, caption, titled
from bipbayes.plots.selection import limits_of, paired_effects, select, side_of
from bipbayes.plots.style import (
    BAND,
    OLS_COLOUR,
    OLS_MARKER,
    POSTERIOR_COLOUR,
    across,
    decimal_axis,
    figure_style,
    furnish,
    in_lines,
    is_narrow,
    text_height,
    text_width,
)
from bipbayes.plots.task import ARROWS_SHARE as _ROOM
from bipbayes.plots.task import (
    PANEL_OF_ARROWS,
    WHOLE,
    WIDEST_ARROWS,
    Page,
    arrow_band,
    pages,
)
from bipbayes.wording import Context, combination_text, number, phrase, respondent_word

# Respondents in turn; told apart in grey by how dark they are.
RESPONDENT_COLOURS: Final = (POSTERIOR_COLOUR, "#E69F00", "#009E73", "#CC79A7")
_NARROW_BAND: Final = 0.4  # inches of a combination, in a column
_NARROW_PANEL: Final = 2.3  # inches
_NARROW_WORDS: Final = 1.35  # inches, of what stands beside a panel
_UNDER: Final = 0.25  # inches, beside the labels between two panels
_GAP: Final = 0.04  # inches, between two labels


def shrinkage_data(
    frame: pd.DataFrame,
    context: Context,
    *,
    vcov: str = "classical",
) -> pd.DataFrame:
    """Return one row for every indicator and combination that both sources estimate.

    Returns
    -------
    pandas.DataFrame
        ``outcome, respondent, combination, n, ols, posterior, pooled`` (the posterior mean over
        all indicators, NaN where there is none) and ``place`` on the x axis: combinations by
        their median n, indicators in codebook order within each.
    """
    codes = list(context.codebook.indicator_codes)
    data = paired_effects(frame, codes, vcov=vcov)
    data["respondent"] = data["outcome"].map(context.codebook.respondent_of)
    overall = select(frame, source="posterior", estimand="effect", outcome=ALL_INDICATORS)
    data["pooled"] = data["combination"].map(overall.set_index("combination")["estimate"])
    bands = data.groupby("combination")["n"].median().sort_values(kind="stable").index
    step = _ROOM / max(1, len(codes) - 1)
    within = data["outcome"].map(codes.index) * step - _ROOM / 2
    data["place"] = data["combination"].map(list(bands).index) + within
    return data.sort_values("place").reset_index(drop=True)


def _draw_shrinkage(
    axes: Axes, data: pd.DataFrame, labels: Sequence[str], *, context: Context, on_end: bool
) -> None:
    """Draw the arrows, with a label for each combination."""
    axes.axhline(0, color="black", linewidth=0.6, zorder=1)
    respondents = context.codebook.respondents
    for place, respondent in enumerate(respondents):
        rows = data[data["respondent"] == respondent]
        _arrows(axes, rows, RESPONDENT_COLOURS[place % len(RESPONDENT_COLOURS)])
    for band, (_, rows) in enumerate(_bands(data)):
        if band % 2 == 0:
            axes.axvspan(band - 0.5, band + 0.5, color=BAND, linewidth=0, zorder=0)
        pooled = rows["pooled"].iloc[0]
        axes.hlines(pooled, band - _ROOM / 2, band + _ROOM / 2, color="black", linewidth=1.4)
    axes.set_xticks(range(len(labels)), labels, rotation=90 * on_end)
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.5, len(labels) - 0.5)
    words = axis_phrase(context)
    axes.set_ylabel(in_lines(words, _NARROW_WORDS, 8.0) if is_narrow() else words)
    decimal_axis(axes, "y", language=context.language)


def shrinkage_figure(
    data: pd.DataFrame, *, frame: pd.DataFrame, context: Context, page: Page = WHOLE
) -> Figure:
    """Draw the figure, of some combinations on the scale of all."""
    language = context.language
    side = side_of(select(frame, source="posterior", estimand="effect"))
    with figure_style():
        band = arrow_band(data["outcome"].nunique())
        whole = list(dict.fromkeys(data["combination"]))
        order = whole[page.rows]
        narrow, panel = is_narrow(), PANEL_OF_ARROWS
        if narrow:
            band, panel = _NARROW_BAND, _NARROW_PANEL
        rows = pages(len(order), band, room=min(WIDEST_ARROWS, across(math.inf) - 1.0))
        widest = max(part.rows.stop - part.rows.start for part in rows)
        wide = across(max(6.0, 1.0 + band * widest))
        labels, on_end = _labels(data, context, (wide - 0.8) / widest - _GAP)
        deep = text_width if on_end else text_height
        size = mpl.rcParams["xtick.labelsize"]
        between = max(deep(label, size) for label in labels.values()) + _UNDER
        height = 5.2 if len(rows) == 1 else 1.75 + panel * len(rows)
        figure = Figure(figsize=(wide, height))
        grid = figure.subplots(len(rows), 1, sharey=True, squeeze=False).ravel()
        for axes, part in zip(grid, rows, strict=True):
            here = data[data["combination"].isin(order[part.rows])]
            here = here.assign(place=here["place"] - whole.index(order[part.rows.start]))
            named = [labels[code] for code in order[part.rows]]
            _draw_shrinkage(axes, here, named, context=context, on_end=on_end)
            axes.set_ylim(limits_of(data[["ols", "posterior"]]))
        names = [respondent_word(r, language=language) for r in context.codebook.respondents]
        handles = [
            Line2D([], [], color=colour, label=name)
            for colour, name in zip(RESPONDENT_COLOURS, names, strict=False)
        ]
        grid[0].legend(
            handles=handles,
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            ncols=len(handles),
            borderaxespad=0.1,
        )
        furnish(
            figure,
            title=titled(context, phrase("shrinkage_title", language), page),
            caption=caption(
                context,
                [phrase("shrinkage_marks", language), _left_out(frame, len(data), context)],
                sides=[side] if side else [],
                letters=True,
                marks=False,
            ),
            left=0.6,
            top=0.6,
            gap=(0.05, between),
        )
    return figure


def _arrows(axes: Axes, rows: pd.DataFrame, colour: str) -> None:
    place, ols = rows["place"].to_numpy(), rows["ols"].to_numpy()
    moved = rows["posterior"].to_numpy() - ols
    axes.scatter(place, ols, marker=OLS_MARKER, s=4, color=OLS_COLOUR, linewidths=0, zorder=2)
    axes.quiver(
        place,
        ols,
        np.zeros_like(moved),
        moved,
        angles="xy",
        scale_units="xy",
        scale=1,
        units="inches",
        width=0.007 if is_narrow() else 0.012,
        headwidth=4,
        headlength=4,
        headaxislength=4,
        minlength=0.5,
        color=colour,
        zorder=3,
    )


def _bands(data: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [(str(name), rows) for name, rows in data.groupby("combination", sort=False)]


def _left_out(frame: pd.DataFrame, drawn: int, context: Context) -> str:
    """Say how many effects have no arrow: held back, or blank in OLS or the posterior."""
    rows = frame[frame["outcome"].isin(context.codebook.indicator_codes)]
    rows = rows[rows["estimand"] == "effect"]
    known, held = (
        len(part[["outcome", "combination"]].drop_duplicates())
        for part in (rows, rows[withheld(rows)])
    )
    counts = {"shrinkage_held_back": held, "shrinkage_left_out": known - held - drawn}
    told = [phrase(key, context.language, count=n, of=known) for key, n in counts.items() if n]
    return " ".join(told)


def _labels(data: pd.DataFrame, context: Context, width: float) -> tuple[dict[str, str], bool]:
    """Name combinations in lines of so many inches, or on end where codes are longer words."""
    broken = {name: _label(name, rows, context, width) for name, rows in _bands(data)}
    size = mpl.rcParams["xtick.labelsize"]
    if max(text_width(label, size) for label in broken.values()) <= width:
        return broken, False
    return {name: _label(name, rows, context) for name, rows in _bands(data)}, True


def _label(combination: str, rows: pd.DataFrame, context: Context, width: float = math.inf) -> str:
    """Name a combination with its responses, in lines of so many inches where they can be."""
    ends = (rows["n"].min(), rows["n"].max())
    low, high = (number(float(n), 0, language=context.language) for n in ends)
    span = low if low == high else f"{low}–{high}"
    text = combination_text(context.codebook, combination, language=context.language)
    if math.isinf(width):
        return f"{text}\nn={span}"
    parts = (*text.split("  "), f"n={span}")
    return "\n".join(line for part in parts for line in _broken(part, width))


def _broken(text: str, width: float) -> list[str]:
    """Break a text behind signs."""
    lines = [""]
    for piece in re.split("(?<=[+–=])", text):
        if lines[-1] and text_width(lines[-1] + piece, mpl.rcParams["xtick.labelsize"]) > width:
            lines.append("")
        lines[-1] += piece
    return lines


def draw(frame: pd.DataFrame, *, context: Context, vcov: str, page: Page = WHOLE) -> Figure:
    """Draw the arrows from rows of the long frame."""
    data = shrinkage_data(frame, context, vcov=vcov)
    return shrinkage_figure(data, frame=frame, context=context, page=page)
