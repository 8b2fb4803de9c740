"""One outcome's effects under several analyses, or by several models, side by side.

Within a combination they stand below one another in a fixed order, each with a marker and a shade
of its own, so that a grey print can be read.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bipbayes.errors import DataError
from bipbayes.intervals import ANALYSES
from bipbayes.plots.captions import axis_phrase, caption, side_words, titled, units
from bipbayes.plots.selection import limits_of, select, side_of
from bipbayes.plots.style import (
    LABEL_LINE,
    across,
    bands,
    decimal_axis,
    figure_style,
    furnish,
    interval_marks,
    is_narrow,
)
from bipbayes.plots.task import ANALYSIS_ROOM, ANALYSIS_STEP, WHOLE, Page
from bipbayes.wording import (
    Context,
    analysis_meaning,
    analysis_name,
    capital,
    combination_text,
    meaning_of_significant,
    number,
    other_zero,
    outcome_label,
    phrase,
)

ANALYSIS: Final = "analysis"
MODEL: Final = "model"


@dataclass(frozen=True)
class Look:
    """How a variant is drawn: bright and dark alternate, and no two markers are alike."""

    colour: str
    marker: str


# Okabe and Ito's colours, dark, middle, light, ...
LOOKS: Final = {
    "": Look("#000000", "o"),
    "baseline": Look("#0072B2", "s"),
    "covariates": Look("#E69F00", "^"),
    "baseline+covariates": Look("#009E73", "D"),
    "ordinal": Look("#B34A00", "v"),
}


def variants(data: pd.DataFrame, by: str) -> list[str]:
    """Return the analyses (in their order), or the models, that rows are of."""
    found = list(dict.fromkeys(data[by]))
    return sorted(found, key=list(ANALYSES).index) if by == ANALYSIS else found


def analyses_data(
    frame: pd.DataFrame, context: Context, *, outcome: str, by: str = ANALYSIS
) -> pd.DataFrame:
    """Return one row for every combination and analysis (or model), from top to bottom.

    Returns
    -------
    pandas.DataFrame
        Rows of the long frame.
    """
    rows = select(frame, source="posterior", estimand="effect", outcome=outcome)
    order = {name: place for place, name in enumerate(context.codebook.combinations)}
    places = {name: place for place, name in enumerate(variants(rows, by))}
    rows = rows.assign(_row=rows["combination"].map(order), _variant=rows[by].map(places))
    rows = rows.sort_values(["_row", "_variant"], kind="stable")
    return rows.drop(columns=["_row", "_variant"]).reset_index(drop=True)


def analyses_figure(
    data: pd.DataFrame,
    *,
    context: Context,
    outcome: str,
    by: str = ANALYSIS,
    page: Page = WHOLE,
) -> Figure:
    """Draw the posterior effects of one outcome, dodged by analysis or model.

    Raises
    ------
    DataError
        There are more models than looks that can be told apart.
    """
    language, stored = context.language, variants(data, by)
    if len(stored) > len(LOOKS):
        raise DataError(f"{len(stored)} models in one figure; {len(LOOKS)} can be told apart")
    combinations = list(dict.fromkeys(data["combination"]))[page.rows]
    height = len(combinations) * (ANALYSIS_ROOM + ANALYSIS_STEP * len(stored))
    shown = data[data["combination"].isin(combinations)]
    label = outcome_label(context.codebook, outcome, language=language)
    key = "analyses_title" if by == ANALYSIS else "models_title"
    title = phrase(key, language, outcome=label, count=len(stored))
    with figure_style():
        columns = 1 if is_narrow() else len(stored)
        further = LABEL_LINE * (len(stored) - columns) / columns
        figure = Figure(figsize=(across(7.4), height + 2.6 + further))
        axes = figure.add_subplot()
        _draw_analyses(axes, shown, stored, by=by, context=context)
        axes.set_xlim(limits_of(data[["estimate", "lower", "upper"]]))
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(-0.02, 1.0),
            ncols=columns,
            borderpad=0.2,
            handletextpad=0.4,
            columnspacing=1.4,
        )
        furnish(
            figure,
            title=titled(context, title, page),
            caption=_caption(data, stored if by == ANALYSIS else [], context, outcome),
            left=1.35,
            right=0.55,
            top=0.66 + further,
            bottom=0.5,
        )
    return figure


def _draw_analyses(
    axes: Axes, data: pd.DataFrame, stored: list[str], *, by: str, context: Context
) -> None:
    """Draw the rows of `analyses_data`."""
    language = context.language
    combinations = list(dict.fromkeys(data["combination"]))
    share = ANALYSIS_STEP / (ANALYSIS_ROOM + ANALYSIS_STEP * len(stored))
    offsets = (np.arange(len(stored)) - (len(stored) - 1) / 2) * share
    bands(axes, range(len(combinations)))
    axes.axvline(0, color="black", linewidth=0.6, zorder=1)
    for place, (name, offset) in enumerate(zip(stored, offsets, strict=True)):
        rows = data[data[by] == name]
        heights = rows["combination"].map(combinations.index).to_numpy(dtype=float) + offset
        is_model = by == MODEL
        look = list(LOOKS.values())[place] if is_model else LOOKS[name]
        told = name if is_model else capital(analysis_name(name, language=language))
        _draw_analysis(axes, rows, heights, look=look, label=told)
    labels = [combination_text(context.codebook, c, language=language) for c in combinations]
    axes.set_yticks(range(len(combinations)), labels)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(combinations) - 0.5, -0.5)
    axes.spines["left"].set_visible(False)
    decimal_axis(axes, "x", language=language)
    axes.set_xlabel(axis_phrase(context))
    _write_counts(axes, data, combinations, language=language)


def _draw_analysis(
    axes: Axes, rows: pd.DataFrame, heights: np.ndarray, *, look: Look, label: str
) -> None:
    interval_marks(axes, rows, heights, colour=look.colour, marker=look.marker, s=17, width=1.0)
    # A filled mark with its line stands for the analysis in the legend.
    axes.plot(
        [],
        [],
        color=look.colour,
        marker=look.marker,
        markersize=4.2,
        linewidth=1.1,
        label=label,
    )


def _write_counts(
    axes: Axes, data: pd.DataFrame, combinations: list[str], *, language: str
) -> None:
    counts = data.groupby("combination")["n"].max()
    transform = axes.get_yaxis_transform()
    x = 1.26 if is_narrow() else 1.08
    axes.text(x, 1.0, "n", transform=axes.transAxes, ha="right", va="bottom")
    for place, name in enumerate(combinations):
        text = number(float(counts[name]), 0, language=language)
        axes.text(x, place, text, transform=transform, ha="right", va="center", fontsize=7.5)


def _caption(data: pd.DataFrame, stored: list[str], context: Context, outcome: str) -> str:
    language, first = context.language, data.drop_duplicates("combination")
    side = side_of(data if data["model"].nunique() == 1 else data.assign(model=""))
    sentences = [] if side is None else [f"{side_words(side, context)}."]
    sentences += [
        phrase(
            "analyses_marks",
            language,
            name=capital(analysis_name(name, language=language)),
            meaning=analysis_meaning(name, language=language),
        )
        for name in stored
    ]
    estimand = "effect" if side is None else side.estimand
    sentences += [phrase("filled", language), phrase("n_line", language)]
    sentences.append(other_zero(outcome, first["n"], first["estimate"], context))
    sentences.append(units(context, outcome))
    sentences.append(meaning_of_significant(estimand, language=language))
    return caption(context, sentences, letters=True)


def draw(
    frame: pd.DataFrame,
    *,
    context: Context,
    outcome: str,
    by: str = ANALYSIS,
    page: Page = WHOLE,
) -> Figure:
    """Draw one outcome's effects under all analyses, or by all models, of the long frame."""
    data = analyses_data(frame, context, outcome=outcome, by=by)
    return analyses_figure(data, context=context, outcome=outcome, by=by, page=page)
