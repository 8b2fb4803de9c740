"""How the indicators' changes of one response go together, beyond combination and jobcenter."""

import math
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from bipbayes.plots.captions import caption, titled
from bipbayes.plots.style import (
    DIVERGING,
    across,
    bar_room,
    colour_bar,
    figure_style,
    furnish,
    ink_on,
    is_narrow,
)
from bipbayes.wording import Context, number, outcome_label, phrase

_CELL: Final = 0.25  # inches
_SMALLEST_CELL: Final = 0.155  # inches, as a label needs
_SMALLEST_NARROW: Final = 0.1  # inches, in a column: as a label needs that stands upright
_NUMBER_CELL: Final = 0.155  # inches, of a cell that a number of six points fits
_LARGEST_SIDE: Final = 9.0  # inches, from which cells become smaller
_NUMBER_SIZE: Final = 6.0


def correlation_data(covariance: xr.DataArray, context: Context) -> pd.DataFrame:
    """Return the correlation matrix in codebook order.

    Returns
    -------
    pandas.DataFrame
        Indicators by indicators; NaN where a pair was never answered together.
    """
    present = set(covariance["indicator"].to_numpy().tolist())
    codes = [code for code in context.codebook.indicator_codes if code in present]
    ordered = covariance.sel(indicator=codes, indicator_=codes)
    values = ordered.transpose("indicator", "indicator_").to_numpy().astype(float)
    scale = np.sqrt(np.diag(values))
    scale = np.where(scale > 0, scale, np.nan)  # an indicator that never changes has none
    return pd.DataFrame(values / np.outer(scale, scale), index=codes, columns=codes)


def _draw_correlation(
    axes: Axes, data: pd.DataFrame, *, context: Context, size: float
) -> AxesImage:
    """Draw the lower triangle with its numbers (times 100) of `size` points, none of 0."""
    values = data.to_numpy()
    shown = np.where(np.tri(len(values), k=-1, dtype=bool), values, np.nan)
    image = axes.imshow(shown, cmap=DIVERGING, norm=Normalize(-1, 1))
    if is_narrow():
        axes.set_aspect("auto")  # labels of two lines need higher rows
    for row, column in np.argwhere(np.isfinite(shown)) if size else ():
        text = number(100 * shown[row, column], 0, language=context.language)
        ink = ink_on(image.to_rgba(shown[row, column]))
        axes.text(column, row, text, ha="center", va="center", size=size, color=ink)
    codes = [str(code) for code in data.columns]
    names = [outcome_label(context.codebook, code, language=context.language) for code in codes]
    axes.set_yticks(range(len(names)), names)
    axes.set_xticks(range(len(names)), codes, rotation=90)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    respondents = [context.codebook.respondent_of(code) for code in codes]
    turns = [k for k in range(1, len(names)) if respondents[k] != respondents[k - 1]]
    if len(turns) < len(set(respondents)):  # in turn, they would be a line each
        for place in turns:
            axes.axhline(place - 0.5, color="black", linewidth=0.5)
            axes.axvline(place - 0.5, color="black", linewidth=0.5)
    return image


def correlation_figure(data: pd.DataFrame, *, context: Context) -> Figure:
    """Draw the figure with its colour bar."""
    language = context.language
    with figure_style():
        side = max(2.0, len(data) * _cell(len(data)))
        size = _NUMBER_SIZE * _cell(len(data)) / _CELL
        width = across(side + 3.3)
        # What a column or page leaves beside labels and bar; the picture stays square.
        side = min(side, width - (1.5 if is_narrow() else 2.9 if width < side + 3.3 else 0.0))
        side = max(side, _SMALLEST_NARROW * len(data)) if is_narrow() else side
        figure = Figure(figsize=(max(width, side + 1.5), side + 1.6 + bar_room()))
        axes = figure.add_subplot()
        if not math.isinf(across(math.inf)):
            size = _NUMBER_SIZE if side >= _NUMBER_CELL * len(data) else 0.0
        image = _draw_correlation(axes, data, context=context, size=size)
        marks = phrase("correlation_marks" if size else "correlation_colours", language)
        furnish(
            figure,
            title=titled(context, phrase("correlation_title", language)),
            caption=caption(context, [marks]),
            left=2.3,
            right=0.12 if is_narrow() else 0.9,
            top=0.45 + bar_room(),
        )
        bar = colour_bar(figure, image, axes, language=language)
        bar.set_label(phrase("correlation", language))
    return figure


def _cell(count: int) -> float:
    """Inches of a cell: those of many indicators are smaller, so that a page holds them."""
    return min(_CELL, max(_SMALLEST_CELL, _LARGEST_SIDE / max(1, count)))


def draw(covariance: xr.DataArray, *, context: Context) -> Figure:
    """Draw the indicators' residual correlation from their covariance."""
    return correlation_figure(correlation_data(covariance, context), context=context)
