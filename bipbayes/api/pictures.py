"""Figures of rows of the long frame, made when asked for; nothing is written.

What draws is named by text: matplotlib and ArviZ are imported with the first figure.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import xarray as xr

from bipbayes.errors import DataError
from bipbayes.plots.catalogue import DODGED, FOREST
from bipbayes.plots.forest_rows import forest_data, inner_limits, jobcenter_data
from bipbayes.wording import Context, capital, outcome_label, phrase

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LAYOUTS: Final = {"columns": FOREST, "dodged": DODGED}
ORDERS: Final = ("codebook", "size")


def forest(
    rows: pd.DataFrame,
    context: Context,
    *,
    outcome: str,
    estimand: str,
    vcov: str,
    draws: Mapping[str, xr.DataArray],
    layout: str = "columns",
    order: str = "codebook",
) -> "Figure":
    """Draw an outcome's combinations, OLS (where `rows` hold it) beside the posterior."""
    _refuse_empty(rows, outcome, estimand)
    own = draws.get(estimand)
    inner = None if own is None else inner_limits(own.sel(outcome=outcome))
    data = forest_data(rows, context, outcome=outcome, estimand=estimand, vcov=vcov, inner=inner)
    if order == "size":
        data = data.by_size()
    title = outcome_label(context.codebook, outcome, language=context.language)
    if estimand != "effect":
        title = f"{title}: {phrase(estimand, context.language)}"
    return _drawn(LAYOUTS[layout], rows=data, context=context, title=title, outcome=outcome)


def jobcenter_forest(
    rows: pd.DataFrame, context: Context, *, outcome: str, combination: str, vcov: str
) -> "Figure":
    """Draw a combination's effect in every jobcenter, then in all and in one not seen."""
    _refuse_empty(rows, outcome, "jobcenter")
    data = jobcenter_data(rows, context, combination=combination, outcome=outcome, vcov=vcov)
    language = context.language
    label = f"{combination} {context.codebook.combination_label(combination, language)}"
    name = outcome_label(context.codebook, outcome, language=language)
    title = phrase("jobcenters_title", language, label=capital(label), outcome=name)
    return _drawn(FOREST, rows=data, context=context, title=title)


def models_forest(rows: pd.DataFrame, context: Context, *, outcome: str) -> "Figure":
    """Draw the effects of one outcome by several models, dodged."""
    _refuse_empty(rows, outcome, "effect")
    asked = {"outcome": outcome, "by": "model"}
    return _drawn("bipbayes.plots.analyses:draw", frame=rows, context=context, **asked)


def report_form(
    rows: pd.DataFrame, context: Context, *, outcome: str, estimand: str, vcov: str
) -> "Figure":
    """Draw OLS by itself: combinations along the x axis, dot and vertical line."""
    _refuse_empty(rows, outcome, estimand)
    asked = {"outcome": outcome, "estimand": estimand, "vcov": vcov}
    return _drawn("bipbayes.plots.interval_figure:draw", frame=rows, context=context, **asked)


def heatmap(rows: pd.DataFrame, context: Context, *, estimand: str, vcov: str) -> "Figure":
    """Draw all outcomes and combinations of what sources the rows hold."""
    asked = {"estimand": estimand, "vcov": vcov}
    return _drawn("bipbayes.plots.heatmap:draw", frame=rows, context=context, **asked)


@contextmanager
def words(context: Context, *, inside: bool) -> Iterator[None]:
    """Draw inside a ``with`` block with title and caption, or with what must stay of them."""
    captions, style = map(import_module, ("bipbayes.plots.captions", "bipbayes.plots.style"))
    with style.drawn_for(apart=None if inside else captions.kept_words(context)):
        yield


def _drawn(function: str, **arguments: Any) -> "Figure":
    module, name = function.split(":")
    figure = getattr(import_module(module), name)(**arguments)
    shown: Figure = import_module("bipbayes.plots.save").shown(figure)
    return shown


def _refuse_empty(rows: pd.DataFrame, outcome: str, estimand: str) -> None:
    """Refuse to draw an outcome of which nothing is estimated, with the reason."""
    own = rows[(rows["outcome"] == outcome) & (rows["estimand"] == estimand)]
    if not own["estimate"].notna().any():
        reasons = [note for note in own["note"].unique() if note]
        why = "; ".join(reasons) or "it has no rows"
        raise DataError(f"nothing is estimated of {outcome} ({estimand}): {why}")
