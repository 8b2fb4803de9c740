"""Models compared by what they predict of cells and of jobcenters left out."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bipbayes.plots.check_parts import finish, label_rows
from bipbayes.plots.style import POSTERIOR_COLOUR, figure_style
from bipbayes.wording import Context, capital, number, phrase

_ROW = 0.3


def leave_out_figure(comparison: pd.DataFrame, *, context: Context) -> Figure:
    """Draw the differences to the best model, cells beside jobcenters.

    Parameters
    ----------
    comparison
        ``unit``, ``method`` and the columns of
        `bipbayes.checks.leave_out.compare_left_out`.
    context
        Language and what the caption must say.
    """
    units = list(dict.fromkeys(comparison["unit"]))
    most = int(comparison.groupby("unit").size().max())
    with figure_style():
        figure = Figure(figsize=(9.6, 1.9 + _ROW * most))
        grid = figure.subplots(1, len(units), squeeze=False)[0]
        for axes, unit in zip(grid, units, strict=True):
            _panel(axes, comparison[comparison["unit"] == unit], context.language)
            axes.set_title(capital(phrase(f"check_unit_{unit}", context.language)), loc="left")
        finish(figure, "leave_out_figure", context, left=1.75, right=0.35, top=0.65, gap=0.62)
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, language: str) -> None:
    methods = [phrase(f"check_method_{m.replace(' ', '_')}", language) for m in rows["method"]]
    labels = [f"{model}\n{told}" for model, told in zip(rows["model"], methods, strict=True)]
    label_rows(axes, labels)
    places = np.arange(len(rows))
    reach = 2 * rows["difference_se"]
    axes.hlines(
        places, rows["difference"] - reach, rows["difference"] + reach, color=POSTERIOR_COLOUR,
        linewidth=1.3,
    )  # fmt: skip
    axes.plot(rows["difference"], places, "o", color=POSTERIOR_COLOUR, markersize=4)
    axes.axvline(0, color="black", linewidth=0.6)
    for place, value in zip(places, rows["difference"], strict=True):
        if value == 0:
            continue  # the best one
        axes.annotate(
            number(float(value), 1, language=language), (value, place), (0, 4),
            textcoords="offset points", ha="center", va="bottom", size=6.5,
        )  # fmt: skip
    axes.margins(x=0.12)
    axes.locator_params(axis="x", nbins=5)
    axes.set_xlabel(phrase("check_axis_elpd", language))
