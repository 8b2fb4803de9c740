"""Residuals of groups as a map; changes that share an answer, or a jobcenter's quarter, as rows."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from bipbayes.plots.check_parts import ROW, finish, label_rows
from bipbayes.plots.style import (
    DIVERGING,
    GREY,
    POSTERIOR_COLOUR,
    LanguageFormatter,
    figure_style,
    ink_on,
)
from bipbayes.wording import Context, combination_text, number, outcome_label, percent, phrase

_LIMIT = 3.0  # at which the colours end


def residual_map(groups: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Arrange residuals by combination and jobcenter, with both margins.

    Parameters
    ----------
    groups
        ``by`` (``combination``, ``jobcenter`` or both joined by a space), ``combination``,
        ``jobcenter`` (empty in a margin), ``residual``.
    context
        Order of the combinations.

    Returns
    -------
    pandas.DataFrame
        Index combinations, then ``""`` (all); columns jobcenters, then ``""``.
    """
    wide = groups.pivot(index="combination", columns="jobcenter", values="residual")
    jobcenters = [name for name in groups["jobcenter"].drop_duplicates() if name]
    used = [code for code in context.codebook.combinations if code in wide.index]
    return wide.reindex(index=[*used, ""], columns=[*jobcenters, ""])


def residuals_figure(groups: pd.DataFrame, *, context: Context, model: str) -> Figure:
    """Draw the residuals of all blocks of cells, with the margins at the ends.

    Parameters
    ----------
    groups
        As for `residual_map`.
    context
        Codebook, language and what the caption must say.
    model
        Its name.
    """
    language = context.language
    wide = residual_map(groups, context)
    values = wide.to_numpy(dtype="float64")
    everything = phrase("check_everything", language)
    with figure_style():
        figure = Figure(figsize=(2.6 + 0.46 * values.shape[1], 1.9 + 0.24 * values.shape[0]))
        axes = figure.add_subplot()
        axes.set_facecolor("#D9D9D9")
        image = axes.imshow(values, cmap=DIVERGING, norm=Normalize(-_LIMIT, _LIMIT), aspect="auto")
        for row, column in np.argwhere(np.isfinite(values)):
            value = values[row, column]
            axes.text(
                column, row, number(value, 1, language=language), ha="center", va="center",
                size=6, color=ink_on(image.to_rgba(value)),
            )  # fmt: skip
        names = [c and combination_text(context.codebook, c, language=language) for c in wide.index]
        axes.set_yticks(range(len(names)), [name or everything for name in names])
        axes.set_xticks(range(len(wide.columns)), [name or everything for name in wide.columns])
        axes.tick_params(length=0, labelrotation=0)
        axes.add_patch(Rectangle((values.shape[1] - 1.5, len(names) - 1.5), 1, 1, color="white"))
        axes.axhline(len(names) - 1.5, color="white", linewidth=3)
        axes.axvline(len(wide.columns) - 1.5, color="white", linewidth=3)
        axes.spines[:].set_visible(False)
        axes.set_xlabel(phrase("check_column_by_jobcenter", language))
        finish(
            figure, "residuals_figure", context, values={"model": model}, left=1.35, right=0.75,
        )  # fmt: skip
        width, place = figure.get_size_inches()[0], axes.get_position()
        bar = figure.colorbar(
            image,
            cax=figure.add_axes((place.x1 + 0.1 / width, place.y0, 0.12 / width, place.height)),
            extend="both",
        )
        bar.ax.yaxis.set_major_formatter(LanguageFormatter(language))
        bar.outline.set_visible(False)
    return figure


def lag_figure(frame: pd.DataFrame, *, context: Context, vcov: str, level: float) -> Figure:
    """Draw the lag-one correlation of every indicator beside what is claimed.

    Parameters
    ----------
    frame
        ``outcome, pairs, correlation, lower, upper, claimed``.
    context
        Codebook, language and what the caption must say.
    vcov
        Name of the working covariance that claims.
    level
        Of the intervals.
    """
    language = context.language
    claims = phrase(vcov, language)
    with figure_style():
        figure, axes, rows = _outcome_rows(frame, context)
        axes.plot(
            frame["correlation"], rows, "o", color="black", markersize=3.5,
            label=phrase("check_lag_observed", language),
        )  # fmt: skip
        axes.plot(
            frame["claimed"], rows, "D", color=POSTERIOR_COLOUR, markersize=4.5,
            markerfacecolor="none", label=phrase("check_lag_claimed", language, vcov=claims),
        )  # fmt: skip
        for value in (-0.5, 0.0):
            axes.axvline(value, color=GREY, linewidth=0.7, linestyle="--")
        axes.legend(loc="center right", bbox_to_anchor=(0.85, 0.5))
        axes.set_xlabel(phrase("check_axis_lag", language))
        finish(
            figure, "lag_figure", context,
            values={"vcov": claims, "level": percent(level, language)}, left=2.3,
        )  # fmt: skip
    return figure


def _outcome_rows(frame: pd.DataFrame, context: Context) -> tuple[Figure, Axes, NDArray[np.int64]]:
    """Begin a figure with a labelled row and its interval for every outcome of a frame."""
    labels = [
        outcome_label(context.codebook, outcome, language=context.language)
        for outcome in frame["outcome"]
    ]
    figure = Figure(figsize=(7.2, 1.9 + ROW * len(frame)))
    axes, rows = figure.add_subplot(), np.arange(len(frame))
    label_rows(axes, labels)
    axes.hlines(rows, frame["lower"], frame["upper"], color="black", linewidth=1.0)
    return figure, axes, rows


def calendar_figure(
    frame: pd.DataFrame, *, context: Context, values: Mapping[str, object]
) -> Figure:
    """Draw the size of shocks by jobcenter and quarter, and how large chance makes them.

    Parameters
    ----------
    frame
        From `bipbayes.checks.calendar.calendar_shocks`.
    context
        Codebook, language and what the caption must say.
    values
        What the braces of its words stand for.
    """
    language = context.language
    with figure_style():
        figure, axes, rows = _outcome_rows(frame, context)
        axes.plot(
            frame["shock"], rows, "o", color="black", markersize=3.5,
            label=phrase("check_calendar_estimated", language),
        )  # fmt: skip
        axes.plot(
            frame["limit"], rows, "|", color=POSTERIOR_COLOUR, markersize=8, markeredgewidth=1.5,
            label=phrase("check_column_limit", language, **values),
        )  # fmt: skip
        axes.set_xlim(left=-0.005)
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, borderaxespad=0.2)
        axes.set_xlabel(phrase("check_axis_calendar", language))
        finish(figure, "calendar_figure", context, values=values, left=2.3)
    return figure
