"""Raw changes beside what replicated data hold of them, by indicator and respondent."""

from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bipbayes.checks.changes import FORMS, NO_CHANGE, SPREAD
from bipbayes.checks.replicate import NORMAL, ON_SCALE, ORDINAL, ROUNDED
from bipbayes.intervals import ALL_INDICATORS
from bipbayes.plots.check_parts import finish, label_rows, stagger
from bipbayes.plots.style import GREY, OLS_COLOUR, POSTERIOR_COLOUR, decimal_axis, figure_style
from bipbayes.wording import Context, capital, outcome_label, percent, phrase, respondent_word

_LOOKS: Final[dict[str, dict[str, Any]]] = {
    NORMAL: {"marker": "s", "color": GREY, "markerfacecolor": "none"},
    ROUNDED: {"marker": "^", "color": OLS_COLOUR, "markerfacecolor": "none"},
    ON_SCALE: {"marker": "v", "color": OLS_COLOUR},
    ORDINAL: {"marker": "o", "color": POSTERIOR_COLOUR},
}
_ROW: Final = 0.23


def changes_figure(frame: pd.DataFrame, *, context: Context, model: str, level: float) -> Figure:
    """Draw one panel a statistic, one row an indicator, respondent and all.

    Parameters
    ----------
    frame
        From `bipbayes.checks.changes.change_check`.
    context
        Codebook, language and what the caption must say.
    model
        Its name.
    level
        Of the predictive intervals.
    """
    language = context.language
    groups, names = list(dict.fromkeys(frame["group"])), list(dict.fromkeys(frame["statistic"]))
    labels = [_label(group, context) for group in groups]
    with figure_style():
        figure = Figure(figsize=(2.4 + 1.75 * len(names), 2.4 + _ROW * len(groups)))
        grid = figure.subplots(1, len(names), squeeze=False)[0]
        for place, (axes, name) in enumerate(zip(grid, names, strict=True)):
            label_rows(axes, labels, named=place == 0)
            _panel(axes, frame[frame["statistic"] == name], groups)
            axes.set_title(_title(name, language), loc="left")
            axes.set_xlabel(
                phrase("check_axis_points" if name == SPREAD else "check_axis_share", language)
            )
            axes.locator_params(axis="x", nbins=4)
            decimal_axis(axes, "x", language=language)
        _legend(figure, [form for form in FORMS if form in set(frame["form"])], language)
        values = {"model": model, "level": percent(level, language)}
        finish(
            figure, "changes_figure", context, values=values, left=2.25, top=0.85, gap=0.12,
        )  # fmt: skip
    return figure


def _panel(axes: Axes, frame: pd.DataFrame, groups: list[str]) -> None:
    shifts = stagger(len(FORMS), 0.8)
    for shift, form in zip(shifts, FORMS, strict=True):
        rows = frame[frame["form"] == form].set_index("group").reindex(groups)
        places = [row + shift for row in range(len(groups))]
        look = _LOOKS[form]
        axes.hlines(places, rows["lower"], rows["upper"], color=look["color"], linewidth=1.1)
        axes.plot(rows["expected"], places, linestyle="", markersize=2.6, **look)
    observed = frame.drop_duplicates("group").set_index("group")["observed"].reindex(groups)
    for row, value in enumerate(observed):
        axes.vlines(value, row - 0.45, row + 0.45, color="black", linewidth=1.6)
    if frame["statistic"].iloc[0] != SPREAD:
        axes.set_xlim(left=min(0.0, axes.get_xlim()[0]))


def _legend(figure: Figure, forms: list[str], language: str) -> None:
    look: dict[str, Any] = {"marker": "|", "markersize": 7, "markeredgewidth": 1.6}
    told = phrase("check_column_observed", language)
    handles = [Line2D([], [], color="black", linestyle="", label=told, **look)]
    handles += [
        Line2D(
            [], [], linestyle="", markersize=4, label=phrase(f"check_column_{form}", language),
            **_LOOKS[form],
        )
        for form in forms
    ]  # fmt: skip
    figure.legend(
        handles=handles, loc="upper right", ncols=len(handles), columnspacing=1.2,
        handletextpad=0.2,
    )  # fmt: skip


def _title(name: str, language: str) -> str:
    if name in (NO_CHANGE, SPREAD):
        return capital(phrase(f"check_short_{name}", language))
    return phrase("check_short_at_least", language, points=name.rsplit("_", 1)[1])


def _label(group: str, context: Context) -> str:
    codebook, language = context.codebook, context.language
    if group in codebook.outcomes or group == ALL_INDICATORS:
        return outcome_label(codebook, group, language=language)
    return capital(respondent_word(group, language=language))
