"""Figures of rows of the long frame, made when asked for; nothing is written."""

from collections.abc import Mapping

import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from bipbayes.api.show import shown
from bipbayes.errors import DataError
from bipbayes.plots.forest import forest_figure
from bipbayes.plots.forest_rows import forest_data, inner_limits, jobcenter_data
from bipbayes.plots.heatmap import heatmap_data, heatmap_figure
from bipbayes.plots.interval_figure import interval_data, interval_figure
from bipbayes.wording import Context, capital, outcome_label, phrase

ESTIMANDS = ("effect", "contrast")


def forest(
    rows: pd.DataFrame,
    context: Context,
    *,
    outcome: str,
    estimand: str,
    vcov: str,
    draws: Mapping[str, xr.DataArray],
) -> Figure:
    """Draw an outcome's combinations, OLS (where `rows` hold it) beside the posterior."""
    _refuse_empty(rows, outcome, estimand)
    own = draws.get(estimand)
    inner = None if own is None else inner_limits(own.sel(outcome=outcome))
    data = forest_data(rows, context, outcome=outcome, estimand=estimand, vcov=vcov, inner=inner)
    title = outcome_label(context.codebook, outcome, language=context.language)
    if estimand != "effect":
        title = f"{title}: {phrase(estimand, context.language)}"
    return shown(forest_figure(data, context=context, title=title, outcome=outcome))


def jobcenter_forest(
    rows: pd.DataFrame, context: Context, *, outcome: str, combination: str, vcov: str
) -> Figure:
    """Draw a combination's effect in every jobcenter, then in all and in one not seen."""
    _refuse_empty(rows, outcome, "jobcenter")
    data = jobcenter_data(rows, context, combination=combination, outcome=outcome, vcov=vcov)
    language = context.language
    label = f"{combination} {context.codebook.combination_label(combination, language)}"
    name = outcome_label(context.codebook, outcome, language=language)
    title = phrase("jobcenters_title", language, label=capital(label), outcome=name)
    return shown(forest_figure(data, context=context, title=title))


def report_form(
    rows: pd.DataFrame, context: Context, *, outcome: str, estimand: str, vcov: str
) -> Figure:
    """Draw OLS by itself: combinations along the x axis, dot and vertical line."""
    _refuse_empty(rows, outcome, estimand)
    data = interval_data(rows, context, outcome=outcome, vcov=vcov, estimand=estimand)
    return shown(interval_figure(data, context=context, outcome=outcome))


def heatmap(rows: pd.DataFrame, context: Context, *, estimand: str, vcov: str) -> Figure:
    """Draw all outcomes and combinations of what sources the rows hold."""
    data = heatmap_data(rows, context, estimand=estimand, vcov=vcov)
    return shown(heatmap_figure(data, context=context))


def _refuse_empty(rows: pd.DataFrame, outcome: str, estimand: str) -> None:
    """Refuse to draw an outcome of which nothing is estimated, with the reason."""
    own = rows[(rows["outcome"] == outcome) & (rows["estimand"] == estimand)]
    if not own["estimate"].notna().any():
        reasons = [note for note in own["note"].unique() if note]
        why = "; ".join(reasons) or "it has no rows"
        raise DataError(f"nothing is estimated of {outcome} ({estimand}): {why}")
