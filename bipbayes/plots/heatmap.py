"""One page for all outcomes and combinations: posterior beside OLS on one colour scale."""

from typing import Any, Final

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from bipbayes.intervals import FREQUENTIST, PRIOR_DRIVEN, excludes_zero
from bipbayes.plots.captions import axis_phrase, caption, titled
from bipbayes.plots.selection import Side, select, side_of
from bipbayes.plots.style import (
    DIVERGING,
    LABEL_LINE,
    across,
    bar_room,
    beside,
    colour_bar,
    figure_style,
    furnish,
    in_lines,
    ink_on,
    is_narrow,
    row_labels,
)
from bipbayes.plots.task import BESIDE_CELLS, ROW_HEIGHT, SMALLEST_COLUMN, WHOLE, WIDE, Page
from bipbayes.wording import (
    MINUS,
    Context,
    capital,
    combination_text,
    other_zero,
    outcome_label,
    phrase,
)

SOURCES: Final = ("posterior", *FREQUENTIST)
# Drawn as markers: hundreds of texts would take seconds.
_MARKERS: Final = {"+": "+", MINUS: "_", "·": "."}
_CORNER: Final = 0.36  # of a cell from its middle: the mark of a negative estimate
_CELL: Final = 0.235  # inches, a column
_EDGE: Final = 0.12  # inches
_WIDEST_LABEL: Final = 2.6  # inches; what is longer takes lines
_PANEL_TITLE: Final = 0.35  # inches, between panels below one another
_SHARE: Final = 0.98  # of the absolute estimates that the colours tell apart


def heatmap_data(
    frame: pd.DataFrame,
    context: Context,
    *,
    estimand: str = "effect",
    vcov: str = "classical",
) -> pd.DataFrame:
    """Return one row for every source, outcome and combination.

    Returns
    -------
    pandas.DataFrame
        Rows of the long frame for the codebook's outcomes, with ``mark``: ``+`` or ``−`` where
        the interval excludes zero, ``·`` where there are no answers, else empty.
    """
    parts = [
        select(frame, source="posterior", estimand=estimand),
        select(frame, source="ols", estimand=estimand, vcov=vcov),
    ]
    data = pd.concat([part for part in parts if len(part)]).reset_index(drop=True)
    data = data[data["outcome"].isin(context.codebook.outcomes)].copy()
    signs = np.where(data["estimate"] > 0, "+", MINUS)
    data["mark"] = np.where(excludes_zero(data), signs, "")
    data.loc[data["note"] == PRIOR_DRIVEN, "mark"] = "·"
    return data


def colour_limit(data: pd.DataFrame) -> float:
    """Return the estimate at which the colours end: few of the widest OLS estimates lie beyond."""
    largest = data["estimate"].abs().quantile(_SHARE)
    return float(np.ceil(largest * 20) / 20) or 0.05


def _draw_heatmap(axes: Axes, data: pd.DataFrame, *, context: Context, limit: float) -> AxesImage:
    """Draw one source's estimates as coloured cells with marks."""
    outcomes, combinations = _order(data, context)
    wide = data.pivot(index="outcome", columns="combination", values="estimate")
    marks = data.pivot(index="outcome", columns="combination", values="mark")
    values = wide.reindex(index=outcomes, columns=combinations).to_numpy(dtype=float)
    signs = marks.reindex(index=outcomes, columns=combinations).fillna("").to_numpy()
    axes.set_facecolor("#D9D9D9")  # cells without an estimate
    image = axes.imshow(values, cmap=DIVERGING, norm=Normalize(-limit, limit), aspect="auto")
    for sign, marker in _MARKERS.items():
        rows, columns = np.nonzero(signs == sign)
        inks = [ink_on(image.to_rgba(value)) for value in values[rows, columns]]
        axes.scatter(columns, rows, marker=marker, c=inks, s=26, linewidths=0.9)
    rows, columns = np.nonzero((values < 0) & (signs == ""))
    corner = _CORNER * np.array([-1, 1])
    axes.scatter(columns + corner[0], rows + corner[1], marker="s", c="#4D4D4D", s=3, linewidths=0)
    labels = [
        combination_text(context.codebook, c, language=context.language) for c in combinations
    ]
    axes.set_xticks(range(len(combinations)), labels, rotation=90)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.axhline(len(set(outcomes) & set(context.codebook.indicator_codes)) - 0.5, color="white")
    return image


def heatmap_figure(data: pd.DataFrame, *, context: Context, page: Page = WHOLE) -> Figure:
    """Draw the posterior and OLS panels with one colour bar: side by side, wide ones stacked."""
    language = context.language
    panels = [name for name in SOURCES if (data["source"] == name).any()]
    limit, zeros = colour_limit(data), _zeros(data, context)
    for name, shown in zip(("outcome", "combination"), (page.rows, page.columns), strict=True):
        whole = dict(zip(("outcome", "combination"), _order(data, context), strict=True))
        data = data[data[name].isin(whole[name][shown])]
    outcomes, combinations = _order(data, context)
    names = [outcome_label(context.codebook, o, language=language) for o in outcomes]
    sides = [side_of(data[data["source"] == name]) for name in panels]
    with figure_style():
        names, row_height = row_labels(names, _WIDEST_LABEL, mpl.rcParams["ytick.labelsize"])
        columns = beside(len(panels), 0.3 + _CELL * len(combinations), besides=3.2)
        columns = 1 if len(combinations) >= WIDE else columns
        shape = (len(panels) // columns, columns)
        width = 2.6 + shape[1] * (0.35 + _CELL * len(combinations))
        height = 2.3 + shape[0] * max(ROW_HEIGHT, row_height) * len(outcomes)
        height += _PANEL_TITLE * (shape[0] - 1)
        least = SMALLEST_COLUMN * len(combinations) + BESIDE_CELLS
        figure = Figure(figsize=(max(across(max(6.0, width)), least), max(4.6, height)))
        grid = figure.subplots(*shape, sharex=True, sharey=True, squeeze=False).ravel()
        for axes, name in zip(grid, panels, strict=True):
            rows = data[data["source"] == name]
            image = _draw_heatmap(axes, rows, context=context, limit=limit)
            axes.set_title(capital(phrase(name, language)))
        grid[0].set_yticks(range(len(outcomes)), names)
        known = [side for side in sides if side is not None]
        silent = (data["mark"] == "·").any()
        _finish(
            figure, image, context=context, sides=known, silent=bool(silent), page=page, zeros=zeros
        )
    return figure


def _finish(
    figure: Figure,
    image: AxesImage,
    *,
    context: Context,
    sides: list[Side],
    silent: bool,
    page: Page,
    zeros: list[str],
) -> None:
    language = context.language
    what = capital(phrase(sides[0].estimand, language))
    marks = [phrase("heat_marks", language)]
    marks += [phrase("heat_silent", language)] if silent else []
    marks += [phrase("heat_units", language), *zeros]
    title = f"{phrase('heat_title', language)}: {what[0].lower()}{what[1:]}"
    text = caption(context, marks, sides=sides, letters=True)
    narrow = is_narrow()
    furnish(
        figure,
        title=titled(context, title, page),
        caption=text,
        left=2.3,
        right=_EDGE if narrow else 0.9 + (LABEL_LINE if context.codebook.higher else 0.0),
        top=0.7 + bar_room(),
        bottom=1.0,
        gap=(0.06, _PANEL_TITLE),
    )
    panels = figure.axes
    ends: dict[str, Any] = {"extend": "both", "extendfrac": 0.03}
    bar = colour_bar(figure, image, panels[-1], language=language, above=panels[0], **ends)
    label = axis_phrase(context, sides[0].estimand)
    bar.set_label(in_lines(label, 1.9, 8.0) if narrow else label)


def _zeros(data: pd.DataFrame, context: Context) -> list[str]:
    """Say of which averages zero is not the average of what the posterior rests on."""
    own = select(data, source="posterior", estimand="effect")
    parts = own[own["outcome"].isin(context.codebook.average_codes)].groupby("outcome")
    told = [other_zero(str(name), rows["n"], rows["estimate"], context) for name, rows in parts]
    return [sentence for sentence in told if sentence]


def _order(data: pd.DataFrame, context: Context) -> tuple[list[str], list[str]]:
    codebook = context.codebook
    seen = set(data["outcome"])
    outcomes = [name for name in codebook.outcomes if name in seen]
    used = set(data["combination"])
    return outcomes, [name for name in codebook.combinations if name in used]


def draw(
    frame: pd.DataFrame, *, context: Context, estimand: str, vcov: str, page: Page = WHOLE
) -> Figure:
    """Draw all outcomes and combinations from rows of the long frame."""
    data = heatmap_data(frame, context, estimand=estimand, vcov=vcov)
    return heatmap_figure(data, context=context, page=page)
