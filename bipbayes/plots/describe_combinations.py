"""The combinations of interventions as bars over a matrix of dots (after UpSet)."""

import math
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bipbayes.data.codebook import Codebook
from bipbayes.data.study_words import in_language
from bipbayes.plots.captions import blank_words, caption, from_report, titled
from bipbayes.plots.style import GREY, POSTERIOR_COLOUR, across, bands, figure_style, furnish
from bipbayes.plots.task import ROW_HEIGHT, WIDE
from bipbayes.wording import Context, combination_text, number, phrase

_EMPTY: Final = "#CFCFCF"
_BARS: Final = 2.1  # inches, of the treatments' bars
_NO_BARS: Final = 0.35  # inches, where each is held back


def combinations_data(combinations: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Return the combinations with labels and, for each treatment, whether a combination has it.

    Returns
    -------
    pandas.DataFrame
        The columns of `combinations`, ``label``, and one boolean column a treatment code.
    """
    codebook = context.codebook
    data = combinations.copy()
    data["label"] = [
        codebook.combination_label(text, context.language) for text in data["combination"]
    ]
    for code in codebook.treatment_codes:
        data[code] = [codebook.has_treatment(text, code) for text in data["combination"]]
    return data


def _draw_bars(axes: Axes, data: pd.DataFrame, *, language: str) -> None:
    """Draw one bar a combination with its number and percent."""
    shown = data[data["n"].notna()]
    places = np.flatnonzero(data["n"].notna())
    axes.bar(places, shown["n"].astype(float), width=0.62, color=POSTERIOR_COLOUR, linewidth=0)
    for place, row in zip(places, shown.itertuples(), strict=True):
        percent = number(float(str(row.percent)), 1, language=language)
        axes.annotate(f"{row.n}\n{percent} %", (place, float(str(row.n))), xytext=(0, 2),
                      textcoords="offset points", ha="center", va="bottom", size=6)  # fmt: skip
    axes.set_xlim(-0.6, len(data) - 0.4)
    for place in np.flatnonzero(data["n"].isna()):
        axes.annotate("–", (place, 0), xytext=(0, 2), textcoords="offset points",
                      ha="center", va="bottom", size=6)  # fmt: skip
    axes.set_ylim(0, 1.15 * max([1.0, *shown["n"].astype(float)]))
    axes.tick_params(axis="x", bottom=False, labelbottom=False)
    if shown.empty:
        axes.set_yticks([0])
    axes.set_ylabel(phrase("combinations_axis", language))


def _draw_matrix(axes: Axes, data: pd.DataFrame, *, codebook: Codebook) -> None:
    """Draw which treatments each combination has; linked dots are one combination."""
    codes = codebook.treatment_codes
    bands(axes, range(len(codes)))
    for place, combination in enumerate(data.itertuples()):
        held = [row for row, code in enumerate(codes) if getattr(combination, code)]
        colours = ["black" if row in held else _EMPTY for row in range(len(codes))]
        axes.scatter([place] * len(codes), range(len(codes)), s=26, c=colours, linewidths=0)
        if len(held) > 1:
            axes.plot([place, place], [held[0], held[-1]], color="black", linewidth=1.4)
    ticks = [f"{row.combination}\n{row.label}" for row in data.itertuples()]
    upright = max(map(len, data["label"])) > 8
    axes.set_xticks(range(len(data)), ticks, rotation=90 if upright else 0, size=6)
    axes.set_xlim(-0.6, len(data) - 0.4)
    axes.set_ylim(len(codes) - 0.5, -0.5)
    axes.set_yticks([])
    axes.tick_params(axis="x", length=0)
    axes.spines[:].set_visible(False)


def _draw_treatments(axes: Axes, data: pd.DataFrame, *, context: Context) -> None:
    """Draw how many responses have each treatment, bars growing to the left."""
    codebook, language = context.codebook, context.language
    parts = [data[data[code]] for code in codebook.treatment_codes]
    # The sum of the others would tell of a blank one.
    counts = [0 if part["n"].isna().any() else int(part["n"].sum()) for part in parts]
    axes.barh(range(len(counts)), counts, height=0.55, color=GREY, linewidth=0)
    for row, (count, part) in enumerate(zip(counts, parts, strict=True)):
        percent = number(float(part["percent"].sum()), 0, language=language)
        text = "–" if part["n"].isna().any() else f"{count} ({percent} %)"
        axes.annotate(text, (count, row), xytext=(-3, 0),
                      textcoords="offset points", ha="right", va="center", size=6)  # fmt: skip
    axes.set_xlim(1.5 * max([*counts, 1]), 0)
    axes.set_ylim(len(counts) - 0.5, -0.5)
    names = {entry.code: in_language(entry.label, language) for entry in codebook.treatments}
    labels = [f"{code}  {name}".strip() for code, name in names.items()]
    axes.set_yticks(range(len(counts)), labels)
    axes.set_xticks([])
    axes.tick_params(axis="y", length=0)
    axes.spines[:].set_visible(False)


def combinations_figure(data: pd.DataFrame, *, context: Context) -> Figure:
    """Draw bars, matrix and treatments on one page."""
    language, codebook = context.language, context.codebook
    treatments = len(codebook.treatments)
    column = 0.4 if len(data) < WIDE else 0.33  # inches
    parts = [data.loc[data[code], "n"] for code in codebook.treatment_codes]
    bars = _BARS if any(part.notna().all() for part in parts) else _NO_BARS
    if across(math.inf) < max(6.0, 2.5 + bars + column * len(data)):
        return _turned(data, context=context)
    with figure_style():
        figure = Figure(
            figsize=(max(6.0, 2.5 + bars + column * len(data)), 3.5 + 0.26 * treatments)
        )
        grid = figure.subplots(
            2,
            2,
            width_ratios=[bars, column * len(data)],
            height_ratios=[2.2, 0.28 * treatments],
        )
        grid[0, 0].set_visible(False)
        _draw_bars(grid[0, 1], data, language=language)
        _draw_treatments(grid[1, 0], data, context=context)
        _draw_matrix(grid[1, 1], data, codebook=codebook)
        furnish(
            figure,
            title=titled(context, phrase("combinations_title", language)),
            caption=_caption(data, context, "combinations_marks"),
            left=1.55,
            bottom=0.4,
        )
        figure.subplots_adjust(hspace=0.05, wspace=0.12)
    return figure


def _caption(data: pd.DataFrame, context: Context, marks: str, *, letters: bool = False) -> str:
    return caption(
        context,
        [
            from_report(context, "report_table", number=3),
            phrase(marks, context.language),
            blank_words(data, context),
        ],
        letters=letters,
    )


_ROWS: Final = 6.4  # inches, of all rows: with title and caption a column's height


def _turned(data: pd.DataFrame, *, context: Context) -> Figure:
    """Draw a row a combination, its dots at the left and its bar at the right, for print."""
    language, codebook = context.language, context.codebook
    codes, rows = codebook.treatment_codes, range(len(data))
    with figure_style():
        height = min(ROW_HEIGHT * len(data), _ROWS)
        figure = Figure(figsize=(across(5.0), 1.2 + height))
        dots, bars = figure.subplots(1, 2, width_ratios=[0.16 * len(codes), 1.6])
        for axes in (dots, bars):
            bands(axes, rows)
            axes.tick_params(length=0)
            axes.spines[:].set_visible(False)
            axes.set_ylim(len(data) - 0.5, -0.5)
        for row, combination in enumerate(data.itertuples()):
            held = [place for place, code in enumerate(codes) if getattr(combination, code)]
            colours = ["black" if place in held else _EMPTY for place in range(len(codes))]
            dots.scatter(range(len(codes)), [row] * len(codes), s=16, c=colours, linewidths=0)
            dots.plot(held, [row] * len(held), color="black", linewidth=1.0)
        labels = [combination_text(codebook, c, language=language) for c in data["combination"]]
        dots.set_yticks(rows, labels)
        dots.set_xlim(-0.6, len(codes) - 0.4)
        on_end = max(map(len, codes)) > 1  # letters stand, and the caption spells them out
        dots.set_xticks(range(len(codes)), codes, rotation=90 * on_end)
        counts = data["n"].astype(float)
        bars.barh(rows, counts.fillna(0.0), height=0.6, color=POSTERIOR_COLOUR, linewidth=0)
        for row, (count, share) in enumerate(zip(counts, data["percent"], strict=True)):
            told = f"{number(count, 0, language=language)} ("
            told += f"{number(float(share), 1, language=language)} %)"
            text = "–" if np.isnan(count) else told
            bars.annotate(text, (0.0 if np.isnan(count) else count, row), xytext=(2, 0),
                          textcoords="offset points", va="center", size=6)  # fmt: skip
        bars.set_xlim(0, 1.75 * max([1.0, *counts.dropna()]))
        bars.set_yticks([])
        bars.set_xticks([])
        bars.set_xlabel(phrase("combinations_axis", language))
        furnish(
            figure,
            title=titled(context, phrase("combinations_title", language)),
            caption=_caption(data, context, "combinations_rows", letters=True),
            left=1.0,
        )
    return figure


def draw(combinations: pd.DataFrame, *, context: Context) -> Figure:
    """Draw how often combinations occur from their numbers."""
    return combinations_figure(combinations_data(combinations, context), context=context)
