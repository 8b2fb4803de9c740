"""Progression on weeks since the last answer: slopes of all outcomes on one page."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bipbayes.plots.captions import blank_words, caption, titled
from bipbayes.plots.selection import limits_of
from bipbayes.plots.style import (
    LABEL_LINE,
    OLS_COLOUR,
    LanguageFormatter,
    across,
    bands,
    figure_style,
    furnish,
    in_lines,
    is_narrow,
    text_height,
)
from bipbayes.plots.task import ROW_HEIGHT, WHOLE, Page
from bipbayes.wording import Context, axis_text, capital, interval_words, outcome_label, phrase

WEEKS: Final = 52.0  # a slope a week is too small to be read
_SHIFT: Final = 0.16
_WIDEST_LABEL: Final = 2.4  # inches, without n; what is longer takes lines
_LABEL_SIZE: Final = 7.0
_LOOKS: Final = {
    "classical": {"marker": "s", "colour": OLS_COLOUR, "side": -1},
    "cluster_citizen": {"marker": "D", "colour": "#404040", "side": 1},
}


def weeks_data(slopes: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Return the slopes in scale points a year of 52 weeks, in codebook order.

    Returns
    -------
    pandas.DataFrame
        ``outcome``, ``label``, ``row``, ``vcov``, ``n``, ``slope``, ``lower``, ``upper``,
        ``level``, ``kind``, ``note`` (why a row was left blank).
    """
    order = {code: place for place, code in enumerate(context.codebook.outcomes)}
    data = slopes[slopes["outcome"].isin(order)].copy()
    data[["slope", "lower", "upper"]] *= WEEKS
    labels = {c: outcome_label(context.codebook, c, language=context.language) for c in order}
    data["row"], data["label"] = data["outcome"].map(order), data["outcome"].map(labels)
    data["note"] = data.get("note", "")
    columns = ["outcome", "label", "row", "vcov", "n", "slope", "lower", "upper", "level", "kind"]
    return data[[*columns, "note"]].sort_values(["row", "vcov"]).reset_index(drop=True)


def _draw_weeks(axes: Axes, data: pd.DataFrame, *, language: str) -> None:
    """Draw a dot and a line for each outcome and kind of errors."""
    rows = data.drop_duplicates("row")
    bands(axes, rows["row"])
    axes.axvline(0, color="black", linewidth=0.6)
    for vcov, look in _LOOKS.items():
        part = data[data["vcov"] == vcov]
        height = part["row"] + _SHIFT * np.sign(float(str(look["side"])))
        colour = str(look["colour"])
        axes.hlines(height, part["lower"], part["upper"], color=colour, linewidth=1.2)
        axes.scatter(
            part["slope"], height, marker=str(look["marker"]), s=14, color=colour, zorder=3,
            label=capital(phrase(vcov, language)),
        )  # fmt: skip
    axes.set_yticks(rows["row"], _names(data), size=_LABEL_SIZE)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(rows["row"].max() + 0.5, rows["row"].min() - 0.5)
    axes.xaxis.set_major_formatter(LanguageFormatter(language))


def weeks_figure(data: pd.DataFrame, *, context: Context, page: Page = WHOLE) -> Figure:
    """Draw the figure."""
    language = context.language
    limits = limits_of(data[["slope", "lower", "upper"]])
    data = data[data["row"].isin(list(dict.fromkeys(data["row"]))[page.rows])]
    level, kind = float(data["level"].iloc[0]), str(data["kind"].iloc[0])
    intervals = capital(interval_words(level, kind, language=language))
    sentences = [phrase("weeks_marks", language), f"{intervals}.", phrase("weeks_n", language)]
    if (data["slope"].isna() & data["note"].eq("")).any():
        sentences.append(phrase("weeks_alike", language))
    sentences.append(blank_words(data, context))
    with figure_style():
        names = _names(data)
        row_height = max(ROW_HEIGHT, *(text_height(name, _LABEL_SIZE) + 0.03 for name in names))
        figure = Figure(figsize=(across(7.2), 1.75 + row_height * len(names)))
        axes = figure.add_subplot()
        _draw_weeks(axes, data, language=language)
        axes.set_xlim(limits)
        text = phrase("weeks_axis", language)
        axes.set_xlabel(axis_text(context.codebook, text, language=language))
        if data["slope"].isna().all():
            axes.set_xticks([0])
        columns = 1 if is_narrow() else 2
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns, borderaxespad=0.2)
        furnish(
            figure,
            title=titled(context, phrase("weeks_title", language), page),
            caption=caption(context, sentences),
            left=2.9,
            top=0.65 + LABEL_LINE * (2 - columns),
        )
    return figure


def _names(data: pd.DataFrame) -> list[str]:
    """Name the rows by outcome and number of answers."""
    rows = data.drop_duplicates("row")
    counts = ["–" if pd.isna(n) else n for n in rows["n"]]
    labels = [in_lines(label, _WIDEST_LABEL, _LABEL_SIZE) for label in rows["label"]]
    return [f"{label}   n = {n}" for label, n in zip(labels, counts, strict=True)]


def draw(slopes: pd.DataFrame, *, context: Context, page: Page = WHOLE) -> Figure:
    """Draw the slopes of progression on weeks."""
    return weeks_figure(weeks_data(slopes, context), context=context, page=page)
