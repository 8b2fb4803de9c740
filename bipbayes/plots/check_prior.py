"""What a prior says of cell means and of combinations, with what the data say beside it."""

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bipbayes.checks.histogram import LIMIT
from bipbayes.plots.check_parts import ROW, finish, label_rows
from bipbayes.plots.style import GREY, POSTERIOR_COLOUR, figure_style
from bipbayes.wording import Context, combination_text, number, percent, phrase

_LINES: Final[dict[str, dict[str, Any]]] = {
    "effect": {"color": "black", "linestyle": "-", "linewidth": 1.4},
    "predicted": {"color": GREY, "linestyle": "--", "linewidth": 1.1},
    "observed": {"color": POSTERIOR_COLOUR, "linestyle": ":", "linewidth": 1.4},
}


def prior_figure(
    histogram: pd.DataFrame,
    intervals: pd.DataFrame,
    *,
    context: Context,
    model: str,
    inside: float,
    level: float,
) -> Figure:
    """Draw the prior of cell means, and of each combination beside its posterior.

    Parameters
    ----------
    histogram
        From `bipbayes.checks.histogram.prior_histogram`.
    intervals
        ``combination``, ``prior_lower``, ``prior_upper`` and, where there is a posterior,
        ``posterior_mean``, ``posterior_lower``, ``posterior_upper`` (over all indicators).
    context
        Codebook, language and what the caption must say.
    model
        Its name.
    inside
        Share of prior cell effects within `LIMIT`.
    level
        Of the intervals.
    """
    language = context.language
    with figure_style():
        height = max(3.6, 1.9 + ROW * len(intervals))
        figure = Figure(figsize=(8.6, height))
        left, right = figure.subplots(1, 2, gridspec_kw={"width_ratios": [1, 1.1]})
        _densities(left, histogram, inside, language)
        _combinations(right, intervals, context)
        values = {
            "model": model,
            "level": percent(level, language),
            "limit": number(LIMIT, 1, language=language),
        }
        finish(
            figure, "prior_figure", context, values=values, left=0.35, top=0.62, gap=0.42,
            bottom=0.55,
        )  # fmt: skip
    return figure


def _densities(axes: Axes, histogram: pd.DataFrame, inside: float, language: str) -> None:
    for what, rows in histogram.groupby("what", sort=False):
        edges = np.append(rows["low"], rows["high"].iloc[-1])
        look = _LINES[str(what)]
        axes.stairs(rows["density"], edges, label=phrase(f"check_prior_{what}", language), **look)
    for limit in (-LIMIT, LIMIT):
        axes.axvline(limit, ymax=0.72, color="black", linewidth=0.6, linestyle=(0, (1, 2)))
    share = f"{number(100 * inside, 1, language=language)} %"
    said = phrase(
        "check_prior_inside", language, share=share, limit=number(LIMIT, 1, language=language)
    )
    axes.set_title(said, loc="left")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    top = float(histogram["density"].max())
    axes.set_ylim(0, 1.35 * top)
    axes.legend(loc="upper left", borderaxespad=0.0)
    axes.set_xlabel(phrase("check_axis_cell", language))


def _combinations(axes: Axes, intervals: pd.DataFrame, context: Context) -> None:
    language = context.language
    label_rows(
        axes,
        [
            combination_text(context.codebook, c, language=language)
            for c in intervals["combination"]
        ],
    )
    rows = np.arange(len(intervals))
    axes.hlines(
        rows, intervals["prior_lower"], intervals["prior_upper"], color="#BDBDBD", linewidth=5
    )
    if "posterior_mean" in intervals:
        axes.hlines(
            rows,
            intervals["posterior_lower"],
            intervals["posterior_upper"],
            color=POSTERIOR_COLOUR,
            linewidth=1.3,
        )
        axes.plot(intervals["posterior_mean"], rows, "o", color=POSTERIOR_COLOUR, markersize=3.2)
    axes.axvline(0, color="black", linewidth=0.6)
    for limit in (-LIMIT, LIMIT):
        axes.axvline(limit, color="black", linewidth=0.6, linestyle=(0, (1, 2)))
    axes.set_title(phrase("check_prior_by_combination", language), loc="left")
    axes.set_xlabel(phrase("check_axis_effect", language))
