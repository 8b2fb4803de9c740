"""Who gets what: standardised differences between each intervention and none."""

import math
import textwrap
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bipbayes.data.characteristics_codebook import CharacteristicsCodebook
from bipbayes.data.sample import NO_GROUP
from bipbayes.data.study_words import in_language
from bipbayes.plots.captions import caption, from_report, titled
from bipbayes.plots.selection import limits_of
from bipbayes.plots.style import (
    BAND,
    POSTERIOR_COLOUR,
    LanguageFormatter,
    across,
    figure_style,
    furnish,
    in_lines,
    is_narrow,
)
from bipbayes.plots.task import WHOLE, Page
from bipbayes.wording import Context, phrase

NOTABLE: Final = 0.1
"""Standardised difference from which a characteristic is said to differ (drawn as a band)."""
_ROW: Final = 0.158  # inches
_LETTERS: Final = 58
_SIZE: Final = 6.0  # points
_PRINTED_LABEL: Final = 2.4  # inches
_NARROW_LABEL: Final = 1.25


def differences_data(
    differences: pd.DataFrame, codebook: CharacteristicsCodebook, *, context: Context
) -> pd.DataFrame:
    """Return the differences of each treatment from no intervention, with labels.

    Returns
    -------
    pandas.DataFrame
        ``column``, ``row`` (place from the top, one free place before each table), ``label``,
        ``table``, ``group``, ``difference``.
    """
    language, rows = context.language, {}
    place, table = -1, 0
    for entry in codebook.characteristics:
        place += 1 + (entry.table != table)
        table = entry.table
        section, label = (in_language(names, language) for names in (entry.section, entry.label))
        rows[entry.column] = (place, f"{section}: {label}" if section else label)
    data = differences[differences["reference"] == NO_GROUP].copy()
    data["row"] = [rows[column][0] for column in data["column"]]
    data["label"] = [rows[column][1] for column in data["column"]]
    columns = ["column", "row", "label", "table", "group", "difference"]
    return data[columns].reset_index(drop=True)


def _draw_differences(axes: Axes, data: pd.DataFrame, *, group: str) -> None:
    """Draw one treatment's differences as dots with stems from zero."""
    part = data[data["group"] == group]
    axes.axvspan(-NOTABLE, NOTABLE, color=BAND, linewidth=0, zorder=0)
    axes.axvline(0, color="black", linewidth=0.6)
    axes.hlines(part["row"], 0, part["difference"], color=POSTERIOR_COLOUR, linewidth=1.0)
    faces = np.where(part["difference"].abs() > NOTABLE, POSTERIOR_COLOUR, "white")
    axes.scatter(
        part["difference"], part["row"], s=13, c=faces.tolist(), edgecolors=POSTERIOR_COLOUR,
        linewidths=0.8, zorder=3,
    )  # fmt: skip
    axes.set_title(group)
    axes.tick_params(axis="y", length=0)


def differences_figure(data: pd.DataFrame, *, context: Context, page: Page = WHOLE) -> Figure:
    """Draw one panel a treatment on the same scale and rows."""
    language, codes = context.language, context.codebook.treatment_codes
    limits = limits_of(data[["difference"]])
    data = data[data["row"].isin(range(data["row"].max() + 1)[page.rows])]
    data = data.assign(row=data["row"] - data["row"].min() + 1)
    rows = data.drop_duplicates("column")
    printed = not math.isinf(across(math.inf))
    with figure_style():
        width = across(4.0 + 1.25 * len(codes))
        figure = Figure(figsize=(width, 1.7 + _ROW * (data["row"].max() + 1)))
        grid = figure.subplots(1, len(codes), sharex=True, sharey=True, squeeze=False)[0]
        for axes, code in zip(grid, codes, strict=True):
            _draw_differences(axes, data, group=code)
            axes.xaxis.set_major_formatter(LanguageFormatter(language))
        first = grid[0]
        _row_labels(first, rows, printed=printed)
        if page.of > 1:
            first.set_xlim(limits)
        first.set_ylim(data["row"].max() + 0.7, -0.7)
        starts = rows.groupby("table")["row"].min()
        for table, place in starts.items():
            told = from_report(context, "report_table", number=table)
            first.text(-0.02, place - 1, told, size=6.5, transform=first.get_yaxis_transform(),
                       ha="right", va="center", color=POSTERIOR_COLOUR)  # fmt: skip
        furnish(
            figure,
            title=titled(context, phrase("differences_title", language), page),
            caption=caption(context, [phrase("differences_marks", language)], letters=True),
            left=2.6 if printed else 3.75,
            top=0.6,
            bottom=0.45,
            gap=0.08,
        )
        middle = (grid[0].get_position().x0 + grid[-1].get_position().x1) / 2
        low = grid[0].get_position().y0 - 0.36 / figure.get_size_inches()[1]
        figure.text(middle, low, phrase("differences_axis", language), ha="center", va="center")
    return figure


def _row_labels(axes: Axes, rows: pd.DataFrame, *, printed: bool) -> None:
    """Write the names of the rows; long ones on two lines, smaller but in print."""
    if printed:
        widest = _NARROW_LABEL if is_narrow() else _PRINTED_LABEL
        labels = [in_lines(label, widest, _SIZE) for label in rows["label"]]
        axes.set_yticks(rows["row"], labels, size=_SIZE)
        return
    labels = [textwrap.fill(label, _LETTERS) for label in rows["label"]]
    axes.set_yticks(rows["row"], labels)
    for text, label in zip(axes.get_yticklabels(), labels, strict=True):
        text.set_fontsize(4.8 if "\n" in label else 6)
        text.set_linespacing(1.05)


def draw(
    differences: pd.DataFrame,
    *,
    characteristics: CharacteristicsCodebook,
    context: Context,
    page: Page = WHOLE,
) -> Figure:
    """Draw standardised differences of characteristics."""
    data = differences_data(differences, characteristics, context=context)
    return differences_figure(data, context=context, page=page)
