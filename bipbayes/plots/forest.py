"""Forests: OLS intervals and ArviZ's posterior forest in neighbouring columns of one figure.

Or in one panel, on one axis, OLS above the posterior in each row (`dodged_figure`).
"""

import math
from dataclasses import replace
from typing import Any, Final, cast

import arviz_plots
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation, blended_transform_factory
from numpy.typing import NDArray

from bipbayes.plots.captions import axis_phrase, caption, titled, units
from bipbayes.plots.forest_rows import INNER_LEVEL, ForestRows
from bipbayes.plots.selection import Side, cut_limits, limits_of
from bipbayes.plots.style import (
    BAND,
    OLS_COLOUR,
    OLS_MARKER,
    POSTERIOR_COLOUR,
    POSTERIOR_MARKER,
    across,
    bands,
    decimal_axis,
    figure_style,
    furnish,
    interval_marks,
    is_narrow,
    row_labels,
    text_width,
)
from bipbayes.plots.task import ROW_HEIGHT, WHOLE, Page
from bipbayes.wording import (
    Context,
    capital,
    interval_words,
    other_zero,
    percent,
    phrase,
    whole_number,
)

# ArviZ's PlotCollection, whose methods carry no types.
type Collection = Any

_VARIABLE: Final = "estimate"  # what ArviZ calls the one variable drawn
_WIDTHS: Final = {"labels": 1.25, "ols": 3.0, "forest": 3.0, "n": 0.5}
_LABEL_SIZE: Final = 7.5
_WIDEST_LABEL: Final = 2.6  # inches; what is longer takes lines
_LABEL_SHARE: Final = 0.28  # of a figure, at most
_EDGE_TICKS: Final = 0.04  # of an axis at either end without ticks: their labels would meet


def forest_figure(
    rows: ForestRows, *, context: Context, title: str, outcome: str = "", page: Page = WHOLE
) -> Figure:
    """Draw labels, OLS, posterior and n as columns with the same rows and the same scale."""
    limits, rows = shared_limits(rows.frame), rows.on_page(page)
    widest = min(_WIDEST_LABEL, _LABEL_SHARE * across(math.inf))
    labels, height = row_labels(list(rows.frame["label"]), widest, _LABEL_SIZE)
    rows = replace(rows, frame=rows.frame.assign(label=labels))
    with figure_style():
        collection = _posterior_forest(rows, max(ROW_HEIGHT, height))
        _fill_points(collection, rows)
        _add_ols(collection, rows)
        _finish_axes(collection, rows, limits, context=context)
        figure: Figure = collection.viz["figure"].item()
        furnish(
            figure,
            title=titled(context, title, page),
            caption=forest_caption(rows, context, outcome),
            left=0.12,
            right=0.1,
            top=0.72,
            bottom=0.45,
            gap=0.04,
        )
    return figure


def shared_limits(frame: pd.DataFrame) -> tuple[float, float]:
    """Return x limits that hold every interval of both sources, and zero, with some room."""
    columns = [name for name in frame if str(name).endswith(("_estimate", "_lower", "_upper"))]
    return limits_of(frame[columns])


def _posterior_forest(rows: ForestRows, row_height: float) -> Collection:
    """Let ArviZ draw the posterior from ready statistics, and make the columns."""
    absent = {"ols": rows.ols is None, "n": is_factorial(rows)}
    columns = [name for name in _WIDTHS if not absent.get(name, False)]
    label_width = max(text_width(text, _LABEL_SIZE) for text in rows.frame["label"]) + 0.1
    widths = {**_WIDTHS, "labels": max(_WIDTHS["labels"], label_width)}
    whole = 8.6 + widths["labels"] - _WIDTHS["labels"]
    panels = [name for name in ("ols", "forest") if name in columns]
    for name in panels:
        widths[name] -= (whole - across(whole)) / len(panels)
    size = (across(whole), row_height * len(rows.frame) + 1.75)
    # ArviZ takes rows and labels from the data; limits and points are given, not recomputed.
    lines = _dataset(rows, "posterior_estimate").expand_dims(chain=1, draw=1)
    lines = lines.expand_dims(column=len(columns)).assign_coords(column=columns)
    has_inner = bool(rows.frame["inner_lower"].notna().any())
    stats: dict[Any, Any] = {
        "twig": _limits(rows, "posterior"),
        "point_estimate": _dataset(rows, "posterior_estimate"),
    }
    if has_inner:
        stats["trunk"] = _limits(rows, "inner")
    look = {"color": POSTERIOR_COLOUR}
    return arviz_plots.plot_forest(
        xr.DataTree.from_dict({"posterior": lines}),
        combined=True,
        labels=["line"],
        backend="matplotlib",
        point_estimate="mean",
        ci_kind="eti",
        ci_probs=(INNER_LEVEL, rows.posterior.level if rows.posterior else 0.95),
        stats=stats,
        visuals={
            "twig": {**look, "width": 1.2},
            "trunk": {**look, "width": 3.0} if has_inner else False,
            "point_estimate": {
                **look,
                "facecolor": "white",
                "marker": POSTERIOR_MARKER,
                "size": 22,
                "width": 1.1,
            },
            "labels": {"color": "black", "size": _LABEL_SIZE, "horizontal_align": "left"},
            "ticklabels": False,
        },
        figure_kwargs={
            "figsize": size,
            "figsize_units": "inches",
            "width_ratios": [widths[name] for name in columns],
            "sharey": True,
            "layout": "none",
        },
    )


def _add_ols(collection: Collection, rows: ForestRows) -> None:
    """Draw OLS in its own column, on the rows that ArviZ gave the posterior."""
    if rows.ols is None:
        return
    axes: Axes = collection.get_target(None, {"column": "ols"})
    columns = ["ols_estimate", "ols_lower", "ols_upper"]
    frame = rows.frame[columns].set_axis(["estimate", "lower", "upper"], axis="columns")
    heights = _heights(collection, rows)
    interval_marks(axes, frame, heights, colour=OLS_COLOUR, marker=OLS_MARKER, s=20)


def _fill_points(collection: Collection, rows: ForestRows) -> None:
    points = collection.viz["point_estimate"][_VARIABLE]
    excluded = (rows.frame["posterior_lower"] > 0) | (rows.frame["posterior_upper"] < 0)
    for label, full in zip(rows.frame["label"], excluded, strict=True):
        face = POSTERIOR_COLOUR if full else "white"
        point = points.sel(line=label).item()
        if point is not None:  # a row that is held back has none
            point.set_facecolor(face)


def _finish_axes(
    collection: Collection, rows: ForestRows, limits: tuple[float, float], *, context: Context
) -> None:
    language = context.language
    heights = _heights(collection, rows)
    names = [str(name) for name in collection.viz["plot"]["column"].values]
    inner = inner_words(rows, language)
    for name in names:
        axes: Axes = collection.get_target(None, {"column": name})
        _band(axes, heights[::2])
        axes.set_ylim(min(heights) - 0.6, max(heights) + 0.6)
        axes.spines["left"].set_visible(False)
        side = {"ols": rows.ols, "forest": rows.posterior}.get(name)
        if name in ("ols", "forest"):
            _scale(axes, limits, side, context, inner=inner if name == "forest" else "")
        else:
            axes.set_xticks([])
            axes.spines["bottom"].set_visible(False)
    if "n" in names:
        target = collection.get_target(None, {"column": "n"})
        _write_counts(target, rows, heights, language=language)
    collection.get_target(None, {"column": "labels"}).set_xlim(-0.02, 1)


def _band(axes: Axes, heights: list[float]) -> None:
    """Shade rows from edge to edge, so that the eye keeps to them across the columns."""
    corners = [[(0, y - 0.5), (0, y + 0.5), (1, y + 0.5), (1, y - 0.5)] for y in heights]
    bands = PolyCollection(
        corners, facecolors=BAND, linewidths=0, zorder=0, transform=axes.get_yaxis_transform()
    )
    axes.add_collection(bands, autolim=False)


def _scale(
    axes: Axes,
    limits: tuple[float, float],
    side: Side | None,
    context: Context,
    *,
    inner: str,
) -> None:
    language = context.language
    axes.axvline(0, color="black", linewidth=0.6, zorder=1)
    axes.set_xlim(limits)
    room = _EDGE_TICKS * (limits[1] - limits[0])
    inside = [t for t in axes.get_xticks() if limits[0] + room <= t <= limits[1] - room]
    axes.set_xticks(inside)
    decimal_axis(axes, "x", language=language)
    estimand = "" if side is None else side.estimand
    axes.set_xlabel(axis_phrase(context, estimand))
    if side is not None:
        name = capital(phrase(side.source, language))
        interval = interval_words(side.level, side.kind, language=language) + inner
        axes.set_title(name, pad=17)
        axes.annotate(
            interval, (0.5, 1), (0, 6), "axes fraction", textcoords="offset points", ha="center"
        )


def _write_counts(axes: Axes, rows: ForestRows, heights: list[float], *, language: str) -> None:
    axes.set_xlim(0, 1)
    axes.set_title("n", loc="right")
    marks = np.where(rows.frame["prior_driven"], " †", "")
    for place, n, mark in zip(heights, rows.frame["n"], marks, strict=True):
        text = whole_number(n, language=language)
        axes.text(1.0, place, f"{text}{mark}", ha="right", va="center", fontsize=7.5)


def forest_caption(rows: ForestRows, context: Context, outcome: str, *, cut: bool = False) -> str:
    """Say what the marks of a forest mean; `cut` where intervals end at the panel's edge."""
    language = context.language
    sentences = []
    if rows.frame["inner_lower"].notna().any():
        sentences.append(phrase("inner", language, level=percent(INNER_LEVEL, language)))
    factorial = is_factorial(rows)
    smallest = whole_number(rows.frame["n"].min(), language=language)
    counts = ("n_smallest", {"n": smallest}) if factorial else ("n_line", {})
    sentences += [phrase("filled", language), phrase(counts[0], language, **counts[1])]
    if outcome in context.codebook.average_codes and rows.posterior is not None:
        sentences.append(phrase("average_counts", language))
        if rows.posterior.estimand == "effect":
            sentences.append(other_zero(outcome, *rows.whole, context))
    if rows.posterior is not None:  # OLS has nothing over all indicators
        sentences.append(units(context, outcome))
    if factorial:
        sentences.append(phrase("factorial_note", language))
    if rows.frame["prior_driven"].any():
        sentences.append(phrase("prior_driven", language))
    if cut:
        sentences.append(phrase("cut", language))
    sides = [side for side in (rows.ols, rows.posterior) if side is not None]
    return caption(context, sentences, sides=sides, outcome=outcome, letters=True)


def inner_words(rows: ForestRows, language: str) -> str:
    """Say beside a panel, where captions may be left out, what its thick lines are."""
    if rows.frame["inner_lower"].isna().all():
        return ""
    return phrase("inner_beside", language, level=percent(INNER_LEVEL, language))


def is_factorial(rows: ForestRows) -> bool:
    """Say whether the rows are terms of the factorial, which have no counts."""
    sides = (side for side in (rows.ols, rows.posterior) if side is not None)
    return "factorial" in {side.estimand for side in sides}


def _heights(collection: Collection, rows: ForestRows) -> list[float]:
    places = collection.get_aes_as_dataset("y")[_VARIABLE]
    return [float(places.sel(line=label)) for label in rows.frame["label"]]


def _dataset(rows: ForestRows, column: str) -> xr.Dataset:
    values = rows.frame[column].to_numpy(dtype=float)
    return xr.Dataset({_VARIABLE: ("line", values)}, coords={"line": list(rows.frame["label"])})


def _limits(rows: ForestRows, prefix: str) -> xr.Dataset:
    parts = [_dataset(rows, f"{prefix}_{name}") for name in ("lower", "upper")]
    return xr.concat(parts, pd.Index(["lower", "upper"], name="ci_bound"))


_WIDE: Final = 7.2  # inches
_DODGE: Final = 0.17  # of a row, from its middle to either mark
_ROW_LABEL_SIZE: Final = 7.0
_COUNTS: Final = 0.55  # inches from the panel to the end of the numbers right of it
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
    labels, height = row_labels(list(rows.frame["label"]), widest, _ROW_LABEL_SIZE)
    rows = replace(rows, frame=rows.frame.assign(label=labels))
    size = (across(_WIDE), max(ROW_HEIGHT, height) * len(labels) + 1.9)
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
            top=0.68 + (0.14 + 0.16 * bool(inner_words(rows, context.language))) * narrow,
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
    axes.set_yticks(places, frame["label"], size=_ROW_LABEL_SIZE)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    decimal_axis(axes, "x", language=language)
    estimand = next(side.estimand for side in (rows.ols, rows.posterior) if side is not None)
    axes.set_xlabel(axis_phrase(context, estimand))
    if inner := inner_words(rows, language):
        axes.plot([], [], color=POSTERIOR_COLOUR, linewidth=3.0, label=inner.removeprefix(", "))
    # Of a narrow figure the legend begins at the page's edge, over the labels.
    narrow, page = is_narrow(), cast(Figure, axes.get_figure(root=True))
    across_page = blended_transform_factory(page.transFigure, axes.transAxes)
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0.02 if narrow else 0.0, 1.0),
        bbox_transform=across_page if narrow else axes.transAxes,
        ncols=1 if narrow else 3,
        borderaxespad=0.2,
        borderpad=0.0 if narrow else 0.4,
        handlelength=1.2,
        handletextpad=0.4,
        columnspacing=1.2,
    )
    if not is_factorial(rows):
        _counts_beside(axes, frame, language=language)
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


def _counts_beside(axes: Axes, frame: pd.DataFrame, *, language: str) -> None:
    """Write n right of the panel."""
    page = cast(Figure, axes.get_figure(root=True))
    beside = axes.get_yaxis_transform() + ScaledTranslation(_COUNTS, 0, page.dpi_scale_trans)
    axes.text(1.0, -0.75, "n", transform=beside, ha="right", va="bottom")
    for place, (n, driven) in enumerate(zip(frame["n"], frame["prior_driven"], strict=True)):
        text = f"{whole_number(n, language=language)}{' †' if driven else ''}"
        look: dict[str, Any] = {"ha": "right", "va": "center", "size": _ROW_LABEL_SIZE}
        axes.text(1.0, place, text, transform=beside, **look)
