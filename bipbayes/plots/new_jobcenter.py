"""What holds in these jobcenters, and what to expect in one not seen: two intervals a row."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bipbayes.plots.captions import axis_phrase, caption, titled
from bipbayes.plots.selection import limits_of, select, side_of
from bipbayes.plots.style import (
    LABEL_LINE,
    POSTERIOR_COLOUR,
    across,
    bands,
    decimal_axis,
    figure_style,
    furnish,
    interval_marks,
    is_narrow,
)
from bipbayes.plots.task import TWO_INTERVALS, WHOLE, Page
from bipbayes.wording import Context, combination_text, outcome_label, phrase


@dataclass(frozen=True)
class _Look:
    shift: float
    colour: str
    marker: str


LOOKS: Final = {
    "effect": _Look(-0.17, POSTERIOR_COLOUR, "o"),
    "new_jobcenter": _Look(0.17, "#000000", "D"),
}
_LABELS: Final = {"effect": "new_jobcenter_these", "new_jobcenter": "new_jobcenter_new"}


def new_jobcenter_data(frame: pd.DataFrame, context: Context, *, outcome: str) -> pd.DataFrame:
    """Return rows of both estimands in codebook order.

    Returns
    -------
    pandas.DataFrame
        Rows of the long frame with ``place`` (of the combination).
    """
    rows = select(frame, source="posterior", estimand=tuple(LOOKS), outcome=outcome)
    order = {name: place for place, name in enumerate(context.codebook.combinations)}
    rows = rows.assign(place=rows["combination"].map(order))
    return rows.sort_values(["place", "estimand"], kind="stable", ignore_index=True)


def new_jobcenter_figure(
    data: pd.DataFrame, *, context: Context, outcome: str, page: Page = WHOLE
) -> Figure:
    """Draw the two intervals of every combination below one another, on the scale of all."""
    language, codes = context.language, context.codebook.combinations[page.rows]
    whole = limits_of(data[["lower", "upper"]])
    data = data[data["combination"].isin(codes)]
    data = data.assign(place=data["combination"].map(codes.index))
    label = outcome_label(context.codebook, outcome, language=language)
    side = side_of(data[data["estimand"] == "effect"])
    with figure_style():
        figure = Figure(figsize=(across(6.4), TWO_INTERVALS * len(codes) + 2.1))
        axes = figure.add_subplot()
        _draw_new_jobcenter(axes, data, codes, context=context)
        axes.set_xlim(whole)
        furnish(
            figure,
            title=titled(context, phrase("new_jobcenter_title", language, outcome=label), page),
            caption=caption(
                context,
                [phrase("new_jobcenter_marks", language), phrase("filled", language)],
                sides=[side] if side else [],
                letters=True,
            ),
            left=1.3,
            top=0.68 + (LABEL_LINE if is_narrow() else 0.0),
            bottom=0.5,
        )
    return figure


def _draw_new_jobcenter(
    axes: Axes, data: pd.DataFrame, codes: Sequence[str], *, context: Context
) -> None:
    """Draw the rows of `new_jobcenter_data` of some combinations."""
    language, codebook = context.language, context.codebook
    bands(axes, range(len(codes)))
    axes.axvline(0, color="black", linewidth=0.6, zorder=1)
    for estimand, look in LOOKS.items():
        rows = data[data["estimand"] == estimand]
        heights = rows["place"].to_numpy(dtype=float) + look.shift
        told = phrase(_LABELS[estimand], language)
        interval_marks(
            axes, rows, heights, colour=look.colour, marker=look.marker, s=20, label=told
        )
    texts = [combination_text(codebook, c, language=language) for c in codes]
    axes.set_yticks(range(len(texts)), texts)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(texts) - 0.4, -0.6)
    axes.spines["left"].set_visible(False)
    decimal_axis(axes, "x", language=language)
    axes.set_xlabel(axis_phrase(context))
    legend = axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.02, 1.0),
        ncols=1 if is_narrow() else 2,
        borderpad=0.2,
        handletextpad=0.3,
    )
    for handle, look in zip(legend.legend_handles, LOOKS.values(), strict=True):
        if handle is not None:
            handle.set_facecolor(look.colour)  # type: ignore[attr-defined]


def draw(frame: pd.DataFrame, *, context: Context, outcome: str, page: Page = WHOLE) -> Figure:
    """Draw effects beside those of a jobcenter not seen from rows of the long frame."""
    data = new_jobcenter_data(frame, context, outcome=outcome)
    return new_jobcenter_figure(data, context=context, outcome=outcome, page=page)
