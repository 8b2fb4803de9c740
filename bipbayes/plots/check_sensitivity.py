"""Power scaling: a map of the prior's part in every effect, and all quantities at once."""

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from bipbayes.checks.power_scaling import THRESHOLD
from bipbayes.plots.check_parts import finish
from bipbayes.plots.style import LanguageFormatter, decimal_axis, figure_style, ink_on
from bipbayes.wording import Context, capital, combination_text, number, outcome_label, phrase

_LOOKS: Final[dict[str, dict[str, Any]]] = {
    "jobcenter": {"marker": ".", "color": "#BBBBBB", "s": 8},
    "standardised_effect": {"marker": "s", "color": "#56B4E9", "s": 10},
    "standardised_contrast": {"marker": "D", "color": "#E69F00", "s": 10},
    "effect": {"marker": "o", "color": "#0072B2", "s": 12},
    "contrast": {"marker": "^", "color": "#B34A00", "s": 12},
}

_OTHER: Final[dict[str, Any]] = {"marker": "x", "color": "#009E73", "s": 8}


def sensitivity_figure(frame: pd.DataFrame, *, context: Context, model: str) -> Figure:
    """Draw the map for effects beside all quantities' sensitivities to prior and likelihood.

    Parameters
    ----------
    frame
        From `bipbayes.checks.power_scaling.power_scaling`.
    context
        Codebook, language and what the caption must say.
    model
        Its name.
    """
    language = context.language
    effects = frame[frame["estimand"] == "effect"]
    wide = effects.pivot(index="outcome", columns="combination", values="prior")
    outcomes = [o for o in (*context.codebook.outcomes, "all_indicators") if o in wide.index]
    codes = [code for code in context.codebook.combinations if code in wide.columns]
    with figure_style():
        height = 2.5 + 0.2 * len(outcomes)
        figure = Figure(figsize=(6.6 + 0.26 * len(codes), height))
        left, right = figure.subplots(1, 2, gridspec_kw={"width_ratios": [0.26 * len(codes), 3.4]})
        image = _map(left, wide.reindex(index=outcomes, columns=codes).to_numpy(), language)
        labels = [combination_text(context.codebook, c, language=language) for c in codes]
        left.set_xticks(range(len(codes)), labels, rotation=90)
        left.set_yticks(
            range(len(outcomes)),
            [outcome_label(context.codebook, o, language=language) for o in outcomes],
        )
        left.set_title(phrase("check_sensitivity_map", language), loc="left")
        _scatter(right, frame, language)
        values = {"model": model, "threshold": number(THRESHOLD, 2, language=language)}
        finish(
            figure, "sensitivity_figure", context, values=values, left=2.3, right=0.2, top=0.65,
            bottom=1.0, gap=0.62,
        )  # fmt: skip
        _bar(figure, left, image, language)
    return figure


def _map(axes: Axes, values: np.ndarray, language: str) -> AxesImage:
    image = axes.imshow(values, cmap="Greys", vmin=0, vmax=THRESHOLD, aspect="auto")
    for row, column in np.argwhere(values >= THRESHOLD):
        text = number(values[row, column], 2, language=language)
        colour = ink_on(image.to_rgba(values[row, column]))
        axes.text(column, row, text, ha="center", va="center", size=5.5, color=colour)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return image


def _scatter(axes: Axes, frame: pd.DataFrame, language: str) -> None:
    others = {name: _OTHER for name in frame["estimand"] if name not in _LOOKS}
    for estimand, look in {**others, **_LOOKS}.items():
        rows = frame[frame["estimand"] == estimand]
        if len(rows):
            axes.scatter(
                rows["prior"], rows["likelihood"], linewidths=look is _OTHER, alpha=0.7,
                label=capital(phrase(estimand, language)), **look,
            )  # fmt: skip
    for line in (axes.axvline, axes.axhline):
        line(THRESHOLD, color="black", linewidth=0.7, linestyle="--")
    axes.set_xlim(0, max(1.5 * THRESHOLD, 1.08 * float(frame["prior"].max())))
    axes.set_ylim(0, 1.45 * max(THRESHOLD, float(frame["likelihood"].max())))
    axes.set_xlabel(phrase("check_axis_prior", language))
    axes.set_ylabel(phrase("check_axis_likelihood", language))
    axes.legend(
        loc="upper right", fontsize=6, borderaxespad=0.0, handletextpad=0.2, frameon=True,
        framealpha=1.0, edgecolor="white",
    )  # fmt: skip
    decimal_axis(axes, "y", language=language)


def _bar(figure: Figure, axes: Axes, image: AxesImage, language: str) -> None:
    width, place = figure.get_size_inches()[0], axes.get_position()
    box = (place.x1 + 0.08 / width, place.y0, 0.1 / width, place.height)
    bar = figure.colorbar(image, cax=figure.add_axes(box), extend="max")
    bar.ax.yaxis.set_major_formatter(LanguageFormatter(language))
    bar.outline.set_visible(False)
