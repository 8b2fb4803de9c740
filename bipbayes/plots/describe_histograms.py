"""Histograms of the changes: Figures 1 and 2 and the appendix, with fixed bins."""

import math
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bipbayes.plots.captions import blank_words, caption, from_report, titled
from bipbayes.plots.style import (
    LABEL_LINE,
    POSTERIOR_COLOUR,
    LanguageFormatter,
    across,
    beside,
    figure_style,
    furnish,
    in_lines,
)
from bipbayes.plots.task import PANEL_HEIGHT, PANELS_A_ROW, WHOLE, Page
from bipbayes.wording import Context, axis_text, number, outcome_label, phrase, respondent_word

LIGHT: Final = "#9CC4DE"
DARK: Final = POSTERIOR_COLOUR
_ROOM: Final = 1.38  # above the highest bar, for the text
_ALL: Final = 100.0  # percent
_STEEP: Final = 1e-9
_TITLE_WIDTH: Final = 2.05  # inches of a small panel's title in one line
_TITLE_SIZE: Final = 7.5
_TICKS: Final = 0.3  # inches, of the numbers under a panel


def histogram_data(histograms: pd.DataFrame, context: Context, *, outcome: str) -> pd.DataFrame:
    """Return the bins of one outcome (rows of `bipbayes.describe.progress.change_histograms`)."""
    if outcome not in context.codebook.outcomes:
        known = ", ".join(context.codebook.outcomes)
        raise ValueError(f"outcome {outcome!r} is not in the codebook; known: {known}")
    return histograms[histograms["outcome"] == outcome].reset_index(drop=True)


def _draw_histogram(axes: Axes, data: pd.DataFrame, *, language: str) -> None:
    """Draw the bars of one outcome; the bar of no change is dark and its share is written."""
    width = (data["upper"] - data["lower"]).to_numpy()
    colours = [DARK if abs(centre) < _STEEP else LIGHT for centre in data["centre"]]
    axes.bar(data["centre"], data["percent"], width=0.9 * width, color=colours, linewidth=0)
    axes.set_xlim(float(data["lower"].iloc[0]), float(data["upper"].iloc[-1]))
    axes.yaxis.set_major_formatter(_Whole(language))
    axes.xaxis.set_major_formatter(_Whole(language))
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.5)
    middle = data[data["centre"].abs() < _STEEP].iloc[0]
    text = phrase("unchanged", language, percent=number(middle["percent"], 1, language=language))
    if pd.isna(middle["percent"]):
        text = ""
    lines = f"{text}\nn = {_total(data)}{_held_back(data, language)}"
    axes.text(0.98, 0.97, lines, transform=axes.transAxes, ha="right", va="top", size=6.5)


def average_figure(data: pd.DataFrame, *, context: Context, outcome: str) -> Figure:
    """Draw one outcome's histogram on a page of its own (Figures 1 and 2: the averages)."""
    language, codebook = context.language, context.codebook
    label = outcome_label(codebook, outcome, language=language)
    with figure_style():
        figure = Figure(figsize=(across(5.6), 3.8))
        axes = figure.add_subplot()
        _draw_histogram(axes, data, language=language)
        _percent_axis(axes, _top(data))
        axes.set_xlabel(axis_text(codebook, phrase("change", language), language=language))
        axes.set_ylabel(phrase("changes_percent", language))
        furnish(
            figure,
            title=titled(context, phrase("histogram_title", language, outcome=label)),
            caption=caption(
                context,
                [
                    _source(context, outcome),
                    phrase("histogram_marks", language),
                    blank_words(data, context),
                ],
            ),
            left=0.55,
        )
    return figure


def page_figure(
    histograms: pd.DataFrame, *, context: Context, respondent: str, page: Page = WHOLE
) -> Figure:
    """Draw the indicators of a respondent as small multiples."""
    language, codebook = context.language, context.codebook
    codes = [c for c in codebook.indicator_codes if codebook.respondent_of(c) == respondent]
    shown = histograms[histograms["outcome"].isin(codes)]
    codes = codes[page.rows]
    columns = beside(PANELS_A_ROW, 1.4, besides=0.6)
    rows = math.ceil(len(codes) / columns)
    widest = _TITLE_WIDTH if columns == PANELS_A_ROW else 1.35
    with figure_style():
        figure = Figure(figsize=(across(7.2), 1.3 + PANEL_HEIGHT * rows))
        grid = figure.subplots(rows, min(columns, len(codes)), sharey=True, squeeze=False)
        for axes, code in zip(grid.flat, codes, strict=False):
            _draw_histogram(axes, histogram_data(shown, context, outcome=code), language=language)
            label = outcome_label(codebook, code, language=language)
            title = in_lines(label, widest, _TITLE_SIZE)
            axes.set_title(title, loc="left", size=_TITLE_SIZE)
            _percent_axis(axes, _top(shown))
        for axes in list(grid.flat)[len(codes) :]:
            axes.set_visible(False)
        name = respondent_word(respondent, language=language)
        more_lines = max(axes.get_title(loc="left").count("\n") for axes in grid.flat)
        sentences = [
            from_report(context, "report_appendix"),
            phrase("histogram_marks", language),
            blank_words(shown, context),
        ]
        furnish(
            figure,
            title=titled(context, phrase("histogram_page", language, respondent=name), page),
            caption=caption(context, sentences),
            left=0.55,
            top=0.6 + LABEL_LINE * more_lines,
            gap=(0.08, _TICKS + LABEL_LINE * (1 + more_lines)),
        )
        figure.supylabel(phrase("changes_percent", language), x=0.012, size=8)
        bottom = figure.axes[0].figure.subplotpars.bottom - 0.42 / figure.get_size_inches()[1]
        axis = axis_text(codebook, phrase("change", language), language=language)
        figure.text(0.5, bottom, axis, ha="center", va="center", size=8)
    return figure


def _held_back(data: pd.DataFrame, language: str) -> str:
    """Say which share of the changes is in bars that are left blank: what the others leave."""
    known = data["percent"].notna()
    if known.all() or not known.any():
        return ""
    share = _ALL - float(data.loc[known, "percent"].sum())
    return "\n" + phrase("held_back_share", language, percent=number(share, 1, language=language))


def _total(data: pd.DataFrame) -> str:
    """Return the number of changes, also where bins are blank."""
    known = data[data["n"].notna() & (data["n"] > 0)]
    if data["n"].notna().all():
        return str(int(data["n"].sum()))
    if known.empty:
        return "–"
    largest = known.sort_values("n").iloc[-1]
    return str(round(100 * float(largest["n"]) / float(largest["percent"])))


def _percent_axis(axes: Axes, top: float) -> None:
    """End the axis above the bars, its ticks at 100 percent."""
    axes.set_ylim(0, top)
    if top > _ALL:
        axes.set_yticks([tick for tick in axes.get_yticks() if tick <= _ALL])


def _top(data: pd.DataFrame) -> float:
    """Return where the percent axis ends; without any change, or all held back, no bars stand."""
    return _ROOM * float(data["percent"].fillna(0.0).max()) or 1.0


def _source(context: Context, outcome: str) -> str:
    averages = context.codebook.average_codes
    if outcome not in averages:
        return ""
    return from_report(context, "report_figure", figure=averages.index(outcome) + 1)


class _Whole(LanguageFormatter):
    """Tick labels without needless decimals."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Write one value."""
        return number(x, 0 if float(x).is_integer() else 1, language=self.language)

    def format_ticks(self, values: object) -> list[str]:
        """Write all ticks of an axis."""
        return [self(float(value)) for value in list(values)]  # type: ignore[call-overload]


def draw(histograms: pd.DataFrame, *, context: Context, outcome: str) -> Figure:
    """Draw one outcome's histogram from all of them."""
    data = histogram_data(histograms, context, outcome=outcome)
    return average_figure(data, context=context, outcome=outcome)
