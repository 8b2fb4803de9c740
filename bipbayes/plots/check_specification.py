"""One effect under every choice of analysis: sorted intervals above a matrix of choices."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bipbayes.cells import VCOV
from bipbayes.plots.captions import axis_phrase
from bipbayes.plots.check_parts import finish
from bipbayes.plots.style import (
    BAND,
    OLS_COLOUR,
    OLS_MARKER,
    POSTERIOR_COLOUR,
    POSTERIOR_MARKER,
    decimal_axis,
    figure_style,
)
from bipbayes.wording import Context, capital, combination_text, outcome_label, percent, phrase

_LOOKS: Final = {
    "ols": (OLS_COLOUR, OLS_MARKER, "confidence"),
    "posterior": (POSTERIOR_COLOUR, POSTERIOR_MARKER, "eti"),
}
CHOICES: Final = ("model", "vcov", "previous")
_ORDER: Final = ("ols", "classical", "HC1", "HC3", "cluster_citizen", "cluster_jobcenter", *VCOV)


def specification_matrix(frame: pd.DataFrame) -> pd.DataFrame:
    """List which choices each row of a specification curve made.

    Parameters
    ----------
    frame
        Rows of `bipbayes.checks.specification.specification_curve` of one effect.

    Returns
    -------
    pandas.DataFrame
        ``choice`` (model, vcov, previous), ``option``, ``line`` (from the top), ``place`` (the
        row's place on the x axis).
    """
    ordered = frame.sort_values("estimate", kind="stable").reset_index(drop=True)
    model = ordered["model"].where(ordered["source"] != "ols", "ols")
    told = ordered.assign(model=model)
    rows: list[dict[str, object]] = []
    line = 0
    for choice in CHOICES:
        known = [name for name in _ORDER if name in set(told[choice])]
        for option in dict.fromkeys([*known, *told[choice].sort_values()]):
            places = np.flatnonzero(told[choice] == option)
            rows += [
                {"choice": choice, "option": option, "line": line, "place": int(place)}
                for place in places
            ]
            line += 1
    return pd.DataFrame(rows)


def specification_figure(frame: pd.DataFrame, *, context: Context) -> Figure:
    """Draw the curve of one effect.

    Parameters
    ----------
    frame
        Rows of `bipbayes.checks.specification.specification_curve` of one effect.
    context
        Codebook, language and what the caption must say.
    """
    language, first = context.language, frame.iloc[0]
    matrix = specification_matrix(frame)
    lines = int(matrix["line"].max()) + 1
    values = {
        "outcome": outcome_label(context.codebook, first["outcome"], language=language),
        "combination": combination_text(
            context.codebook, first["combination"], language=language
        ).replace("  ", " "),
        "estimand": phrase(first["estimand"], language),
        "level": percent(float(first["level"]), language),
    }
    with figure_style():
        width = max(6.4, 2.9 + 0.16 * len(frame))
        figure = Figure(figsize=(width, 4.2 + 0.17 * lines))
        top, under = figure.subplots(
            2, 1, sharex=True, gridspec_kw={"height_ratios": [2.4, 0.17 * lines]}
        )
        _intervals(top, frame, context)
        _choices(under, matrix, language)
        finish(
            figure, "specification_figure", context, values=values,
            left=2.55, right=0.25, bottom=0.1, top=0.9,
        )  # fmt: skip
        figure.subplots_adjust(hspace=0.04)
    return figure


def _intervals(axes: Axes, frame: pd.DataFrame, context: Context) -> None:
    language = context.language
    ordered = frame.sort_values("estimate", kind="stable").reset_index(drop=True)
    axes.axhline(0, color="black", linewidth=0.6)
    handles = []
    for source, (colour, marker, kind) in _LOOKS.items():
        rows = ordered[ordered["source"] == source]
        if rows.empty:
            continue
        axes.vlines(rows.index, rows["lower"], rows["upper"], color=colour, linewidth=1.2)
        axes.plot(rows.index, rows["estimate"], marker, color=colour, markersize=4)
        name = capital(phrase("ols" if source == "ols" else "posterior", language))
        told = phrase(kind, language, level=percent(float(rows["level"].iloc[0]), language))
        handles.append(
            Line2D([], [], color=colour, marker=marker, markersize=4, label=f"{name}: {told}")
        )
    axes.legend(handles=handles, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)
    axes.set_ylabel(axis_phrase(context))
    axes.tick_params(axis="x", length=0, labelbottom=False)
    decimal_axis(axes, "y", language=language)


def _choices(axes: Axes, matrix: pd.DataFrame, language: str) -> None:
    options = matrix.drop_duplicates("line")
    for line in range(0, len(options), 2):
        axes.axhspan(line - 0.5, line + 0.5, color=BAND, linewidth=0, zorder=0)
    axes.plot(matrix["place"], matrix["line"], "s", color="black", markersize=3.6)
    labels = [
        _option(str(choice), str(option), language)
        for choice, option in zip(options["choice"], options["option"], strict=True)
    ]
    axes.set_yticks(range(len(labels)), labels)
    starts = options[options["choice"] != options["choice"].shift()]["line"].iloc[1:]
    for start in starts:
        axes.axhline(start - 0.5, color="black", linewidth=0.6)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines["bottom"].set_visible(False)


def _option(choice: str, option: str, language: str) -> str:
    if choice == "previous":
        return capital(phrase(f"check_previous_{option}", language))
    if choice == "vcov":
        return capital(phrase(option, language))
    return phrase("ols", language) if option == "ols" else option
