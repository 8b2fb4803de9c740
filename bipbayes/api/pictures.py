"""Figures of rows of the long frame, drawn when asked for; nothing is written.

matplotlib and ArviZ are imported with the first figure.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any, Final, TypedDict

import pandas as pd
import xarray as xr

from bipbayes.api.choices import one_of, whole_number_of
from bipbayes.errors import DataError, SettingsError, unknown
from bipbayes.plots.catalogue import FigureInputs, forest_form
from bipbayes.plots.pool import figure_of, warn_of
from bipbayes.plots.task import SIZES, FigureTask
from bipbayes.wording import Context

if TYPE_CHECKING:
    from matplotlib.figure import Figure

logger = logging.getLogger(__name__)

_NEAR: Final = 0.5  # ``figure_size`` is meant to be ``size``


class FigureOptions(TypedDict, total=False):
    """Options of every method that draws, named as those of the command line.

    Attributes
    ----------
    size
        ``column``, ``page`` or ``slide``: laid out for, and saved within, 3.5 x 9, 7.2 x 9 or
        12.3 x 6.7 inches; default: as large as its rows need.
    font
        An installed family that letters are taken from first.
    title
        False leaves title and caption out; that data are synthetic stays.
    page
        Which page, where the rows of a figure of that size take several; default: the first.

    Examples
    --------
    >>> both.forest("q1", size="column", title=False).get_size_inches()[0].item()
    3.5
    >>> both.forest("q1", sise="column")
    Traceback (most recent call last):
    ...
    bipbayes.errors.SettingsError: option 'sise' is unknown; known: outcome, estimand, dodged, \
by_size, size, font, title, page; did you mean 'size'?
    """

    size: str
    font: str
    title: bool
    page: int


def inputs(
    context: Context,
    rows: pd.DataFrame,
    options: FigureOptions,
    *,
    vcov: str,
    draws: Mapping[str, xr.DataArray] | None = None,
    dodged: bool = False,
    by_size: bool = False,
) -> FigureInputs:
    """Return what the catalogue draws from, in the form that a size takes."""
    form = forest_form(dodged=dodged, size=options.get("size", ""))
    return FigureInputs(context, rows, vcov=vcov, draws=draws or {}, forest=form, by_size=by_size)


def drawn(
    method: Callable[..., Any], options: FigureOptions, tasks: Sequence[FigureTask]
) -> "Figure":
    """Draw a figure of the catalogue for the caller of a method.

    Parameters
    ----------
    method
        Its arguments and `FigureOptions` are all that may be given.
    options
        What else was given.
    tasks
        The figure, a task a page.
    """
    _check(method, options)
    size, font = options.get("size", ""), options.get("font", "")
    names = ("captions", "save", "style")
    captions, save, style = (import_module(f"bipbayes.plots.{name}") for name in names)
    if font:
        style.require_font(font, "font")
    task = _page(tasks, options) if size else tasks[0].whole()
    apart = None if options.get("title", True) else captions.kept_words(task.arguments["context"])
    with style.drawn_for(apart=apart, size=size, font=font):
        figure = figure_of(task)
        inches = save.misfit(figure, size)
        unfit = [f"{task.name} ({inches})"] if inches else []
        warn_of(style.undrawn(figure), unfit, size, option="size=")
        shown: Figure = save.shown(figure, size=size, font=font)
    return shown


def _check(method: Callable[..., Any], options: FigureOptions) -> None:
    """Refuse options that are none, and values that they do not take."""
    own = [
        name for name, each in signature(method).parameters.items() if each.kind != each.VAR_KEYWORD
    ]
    known = list(FigureOptions.__annotations__)
    for name in options:
        if name not in known:
            raise SettingsError(unknown("option", name, [*own, *known], near=_NEAR))
    if "size" in options:
        one_of("size", options["size"], tuple(SIZES))
    if not isinstance(options.get("font") or "", str):
        raise SettingsError("font must be the name of a family, such as 'DejaVu Serif'")
    if options.get("page") is not None:
        whole_number_of("page", options["page"], least=1)
        if "size" not in options:
            raise SettingsError("page is of a size: give size='column', 'page' or 'slide', too")


def _page(tasks: Sequence[FigureTask], options: FigureOptions) -> FigureTask:
    """Return the page asked for, or the first, and say that there are others."""
    size = options["size"]
    pages = [page for task in tasks for page in task.printed(size)]
    number = options.get("page") or 1
    if number > len(pages):
        raise SettingsError(f"page must be at most {len(pages)}, not {number}: size={size!r}")
    if len(pages) > 1 and options.get("page") is None:
        told = "the figure takes %d pages of size=%r: page=2 is the next"
        logger.warning(told, len(pages), size)
    return pages[number - 1]


def refuse_empty(rows: pd.DataFrame, outcome: str, estimand: str) -> None:
    """Refuse to draw an outcome of which nothing is estimated, with the reason."""
    own = rows[(rows["outcome"] == outcome) & (rows["estimand"] == estimand)]
    if not own["estimate"].notna().any():
        reasons = [note for note in own["note"].unique() if note]
        why = "; ".join(reasons) or "it has no rows"
        raise DataError(f"nothing is estimated of {outcome} ({estimand}): {why}")
