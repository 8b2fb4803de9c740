"""How figures look: one style applied inside a context, never to the global settings.

Colours are Okabe and Ito's, told apart by the colour-blind; OLS and posterior also differ in
marker (square, circle), so that a grey print can be read. Widths of texts are those of the letters
themselves, at no resolution: the same everywhere, and known before anything is drawn.
"""

import math
import textwrap
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib.resources import as_file, files
from itertools import pairwise
from typing import Any, Final

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.image import AxesImage
from matplotlib.text import Text
from matplotlib.textpath import text_to_path
from matplotlib.ticker import AutoLocator, FixedLocator, Formatter, MaxNLocator
from numpy.typing import ArrayLike

from bipbayes.errors import SettingsError
from bipbayes.intervals import excludes_zero
from bipbayes.plots.task import SIZES
from bipbayes.wording import number

LABEL_LINE: Final = 0.14  # inches, a further line of the words at an axis
_POINTS: Final = 72.0  # in an inch
_HINTING: Final = 1.05  # letters are moved to whole pixels
_SPACING: Final = 1.2  # of lines, in letter heights
_EDGE: Final = 0.12  # inches, between the page's edge and what is written first
_PAD: Final = 0.08  # inches, between a tick's label and its axis
_AXIS_WORDS: Final = 0.2  # inches
_FEWEST_LETTERS: Final = 12  # of a line


def text_width(text: str, size: float) -> float:
    """Width in inches of the longest line of a text, at a font size in points."""
    families = tuple(mpl.rcParams["font.family"])
    gap = _letters_width("n n", families) - 2 * _letters_width("n", families)

    def width(line: str) -> float:
        words = line.split(" ")
        return sum(_letters_width(word, families) for word in words) + gap * (len(words) - 1)

    return _HINTING * size * max(map(width, text.split("\n"))) / _POINTS


@lru_cache(maxsize=20_000)  # breaking captions into lines asks for the same words all the time
def _letters_width(text: str, families: tuple[str, ...]) -> float:
    """Width of letters in points at a font size of one, in the fonts that are asked for."""
    font = FontProperties(family=list(families), size=1)
    return float(text_to_path.get_text_width_height_descent(text, font, False)[0])


def text_height(text: str, size: float) -> float:
    """Height in inches of the lines of a text, at a font size in points."""
    return (text.count("\n") + 1) * _SPACING * size / _POINTS


def in_lines(text: str, width: float, size: float) -> str:
    """Break a text into lines of at most so many inches, at a font size in points."""
    whole = text_width(text, size)
    if whole <= width:
        return text
    letters = int(1.15 * len(text) * width / whole)
    while letters > _FEWEST_LETTERS:
        lines = textwrap.fill(text, letters)
        if text_width(lines, size) <= width:
            return lines
        letters -= 1
    return textwrap.fill(text, _FEWEST_LETTERS)


def row_labels(labels: Sequence[str], width: float, size: float) -> tuple[list[str], float]:
    """Break the labels of rows into lines.

    Returns
    -------
    tuple
        The labels, and the height in inches that a row needs for the one of most lines.
    """
    broken = [in_lines(label, width, size) for label in labels]
    return broken, max((text_height(label, size) for label in broken), default=0.0) + 0.03


def room_for_labels(figure: Figure) -> tuple[float, float]:
    """Inches that the written labels of ticks need, left of the first axes and under the last."""
    left, bottom = 0.0, 0.0
    for axes in figure.axes:
        place = axes.get_subplotspec()
        if place is None or not axes.get_visible():
            continue
        if place.is_first_col():
            left = max(left, _room(axes, axes.yaxis, along=True))
        if place.is_last_row():
            bottom = max(bottom, _room(axes, axes.xaxis, along=False))
    return left, bottom


def _room(axes: Axes, axis: Axis, *, along: bool) -> float:
    """Room for the labels and the words of one axis; 0 where its ticks were not set."""
    labels = axis.get_ticklabels() if isinstance(axis.get_major_locator(), FixedLocator) else []
    if not labels:
        return 0.0
    size, turned = float(labels[0].get_fontsize()), labels[0].get_rotation() == 90
    measure = text_width if along != turned else text_height
    words = axes.get_ylabel() if along else axes.get_xlabel()
    room = (
        max(measure(label.get_text(), size) for label in labels) + _PAD + (_EDGE if along else 0.0)
    )
    return room + (_AXIS_WORDS + LABEL_LINE * words.count("\n") if words else 0.0)


FAMILY: Final = "Bipbayes Sans"  # cut out of DejaVu Sans by scripts/maintenance/cut_font.py
FILE_NAME: Final = "BipbayesSans.ttf"
OLS_COLOUR: Final = "#B34A00"
POSTERIOR_COLOUR: Final = "#0072B2"
OLS_MARKER: Final = "s"
POSTERIOR_MARKER: Final = "o"
GREY: Final = "#5A5A5A"
BAND: Final = "#F1F1F1"
DIVERGING: Final = "PuOr_r"

_BRIGHTNESS: Final = (0.299, 0.587, 0.114)  # how bright red, green and blue seem to the eye
_HALF_BRIGHT: Final = 0.5
_CAPTION_SIZE: Final = 6.5
_CAPTION_LINE: Final = 0.125  # inches
_TITLE_SIZE: Final = 11.0
_TITLE_LINE: Final = 0.18  # inches
_NARROW: Final = 5.0  # inches: anything less is a column
_PANEL_SIZE: Final = 7.5  # points, of the title of one of several panels
_SLACK: Final = 0.45  # inches of a panel that its title may not take: the axis' numbers
_SIDE: Final = 1.25  # inches, of labels beside a picture in a column
_NUMBERS: Final = 0.62  # inches, of a column's numbers and words at an axis
_FEW_TICKS: Final = 4
_LEAST_AXES: Final = 0.6  # inches
_TITLE_ROOM: Final = 0.28  # inches, of a title in one line


@dataclass(frozen=True)
class _Asked:
    """What `drawn_for` was asked for."""

    apart: str | None = None
    room: float = math.inf
    font: str = ""


_ASKED: Final = ContextVar("asked", default=_Asked())  # noqa: B039 -- frozen

# Where one is installed it draws the letters that the two which come along lack.
_FURTHER_FAMILIES: Final = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Noto Sans JP", "Noto Sans"),
    *("Microsoft YaHei", "PingFang SC", "Hiragino Sans", "WenQuanYi Zen Hei", "SimSun"),
    *("Arial Unicode MS", "Segoe UI", "Segoe UI Emoji", "Noto Emoji"),
)

STYLE: Final[dict[Any, Any]] = {
    "lines.solid_capstyle": "butt",  # a line must end where its interval does
    "font.family": [FAMILY, "DejaVu Sans"],  # both come along: the same look everywhere
    "text.parse_math": False,  # a study's labels may hold dollar signs
    "font.size": 8.0,
    "axes.titlesize": 8.0,
    "axes.labelsize": 8.0,
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.unicode_minus": True,
    "axes.axisbelow": True,
    "axes.grid": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "savefig.bbox": None,
    "figure.constrained_layout.use": False,
    "figure.autolayout": False,
    "legend.frameon": False,
    "legend.fontsize": 7.0,
    "pdf.fonttype": 42,  # letters stay letters in the PDF
    "svg.hashsalt": "bipbayes",
}


@contextmanager
def figure_style() -> Iterator[None]:
    """Apply the style inside a ``with`` block; the user's own settings come back after it."""
    families = [*filter(None, [_ASKED.get().font]), *_families()]
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # `undrawn` names them
        mpl.rcdefaults()
        mpl.rcParams.update({**STYLE, "font.family": families})
        yield


@contextmanager
def drawn_for(*, apart: str | None = None, size: str = "", font: str = "") -> Iterator[None]:
    """Draw inside a ``with`` block as a journal wants it.

    Parameters
    ----------
    apart
        Leaves title and caption out, but for these words, which stand under the figure all the
        same: that data are synthetic. ``None`` leaves nothing out.
    size
        What the figure will be printed as: it is laid out for that width.
    font
        An installed family that letters are taken from first.
    """
    room = SIZES[size][0] if size else math.inf
    before = _ASKED.set(_Asked(apart, room, font))
    try:
        yield
    finally:
        _ASKED.reset(before)


def is_narrow() -> bool:
    """Say whether what is drawn now must fit a column of a journal."""
    return _ASKED.get().room < _NARROW


def row_label_size() -> dict[str, Any]:
    """Return the size of labels beside many rows, smaller in a column: for `Axes.set_yticks`."""
    return {"size": 6.0} if is_narrow() else {}


def across(width: float) -> float:
    """Return so many inches, or as many as there are where fewer were asked for."""
    return min(width, _ASKED.get().room)


def beside(count: int, each: float, *, besides: float = 0.0) -> int:
    """Return how many of `count` panels of so many inches stand side by side; others go below.

    `besides` are the inches that labels and margins take.
    """
    room = _ASKED.get().room
    return count if math.isinf(room) else max(1, min(count, int((room - besides) / each + 1e-9)))


def require_font(name: str, option: str = "--figure-font") -> None:
    """Refuse a family that is not installed, by the name of the option that asked for it.

    Raises
    ------
    SettingsError
        With the nearest that is.
    """
    installed = {entry.name for entry in font_manager.fontManager.ttflist}
    if name not in installed:
        near = get_close_matches(name, installed)
        told = f"; did you mean {', '.join(map(repr, near))}?" if near else ""
        raise SettingsError(f"{option} {name!r} is not installed here{told}")


@cache
def _families() -> list[str]:
    """Return the fonts by which letters are looked for, ours first."""
    with as_file(files("bipbayes") / "resources" / "fonts" / FILE_NAME) as path:
        font_manager.fontManager.addfont(path)
    installed = {entry.name for entry in font_manager.fontManager.ttflist}
    return [*STYLE["font.family"], *(name for name in _FURTHER_FAMILIES if name in installed)]


@cache
def _letters() -> frozenset[str]:
    """Return what these fonts can draw."""
    paths = [font_manager.findfont(name) for name in _families()]
    return frozenset(
        chr(code) for path in paths for code in font_manager.get_font(path).get_charmap()
    )


def undrawn(figure: Figure) -> set[str]:
    """Return the texts of a figure with letters that no font here has: boxes stand for them."""
    texts = {text.get_text() for text in figure.findobj(Text)}
    return {text for text in texts if any(x.isprintable() and x not in _letters() for x in text)}


class LanguageFormatter(Formatter):
    """Tick labels with the language's decimal mark, a real minus and no digit too few."""

    def __init__(self, language: str) -> None:
        self.language = language

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Write all ticks of an axis with as many decimals as their distances need."""
        decimals = next((d for d in range(1, 6) if np.allclose(values, np.round(values, d))), 6)
        return [number(float(value), decimals, language=self.language) for value in values]

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Write one value."""
        return self.format_ticks([x])[0]


def decimal_axis(axes: Axes, which: str, *, language: str) -> None:
    """Write an axis' tick labels with the language's decimal mark and a real minus.

    Parameters
    ----------
    axes
        Axes to change.
    which
        ``x`` or ``y``.
    """
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(LanguageFormatter(language))


def colour_bar(
    figure: Figure,
    image: AxesImage,
    axes: Axes,
    *,
    language: str,
    gap: float = 0.12,
    width: float = 0.12,
    above: Axes | None = None,
    **look: Any,
) -> Colorbar:
    """Add a colour bar right of axes (inches), up to the top of those `above` where there are.

    In a column it lies above them, for which `bar_room` is needed at the top.
    """
    (wide, high), place = figure.get_size_inches(), axes.get_position()
    top = place if above is None else above.get_position()
    box = (place.x1 + gap / wide, place.y0, width / wide, top.y1 - place.y0)
    if is_narrow():
        under = above or axes
        lines = 1 + under.get_title(loc="left").count("\n")
        box = (top.x0, top.y1 + (0.28 + LABEL_LINE * lines) / high, top.width, 0.1 / high)
        look["orientation"] = "horizontal"
    bar = figure.colorbar(image, cax=figure.add_axes(box), **look)
    bar.ax.yaxis.set_major_formatter(LanguageFormatter(language))
    if is_narrow():
        bar.ax.xaxis.set_major_formatter(LanguageFormatter(language))
        bar.ax.xaxis.set_label_position("top")
    if look:
        bar.outline.set_visible(False)
    return bar


def panel_titles(figure: Figure, width: float) -> float:
    """Set titles of panels to the left, in lines of so many inches at most in a column.

    Returns the inches that further lines need.
    """
    titles = {axes: axes.get_title() for axes in figure.axes if axes.get_title()}
    for axes, text in titles.items():
        axes.set_title("")
        broken = in_lines(text, width - _SLACK, _PANEL_SIZE) if math.isfinite(width) else text
        titles[axes] = broken
        axes.set_title(broken, loc="left", size=_PANEL_SIZE)
    return LABEL_LINE * max((text.count("\n") for text in titles.values()), default=0)


def bar_room() -> float:
    """Inches that a colour bar above a picture takes; 0 where it stands at its right."""
    return 0.6 if is_narrow() else 0.0


def bands(axes: Axes, rows: Iterable[float]) -> None:
    """Shade every second row, so that the eye keeps to them."""
    for row in list(rows)[::2]:
        axes.axhspan(row - 0.5, row + 0.5, color=BAND, linewidth=0, zorder=0)


def interval_marks(
    axes: Axes,
    rows: pd.DataFrame,
    places: ArrayLike,
    *,
    colour: str,
    upright: bool = False,
    width: float = 1.1,
    **look: Any,
) -> None:
    """Draw ``lower`` to ``upper`` and ``estimate``, filled where the interval excludes zero.

    Parameters
    ----------
    axes, rows
        Where to draw what.
    places
        Of the rows along the other axis, which is the horizontal one where `upright`.
    colour, width
        Of lines and marks.
    **look
        ``marker``, ``s`` (its size) and ``label``.
    """
    lines = axes.vlines if upright else axes.hlines
    lines(places, rows["lower"], rows["upper"], color=colour, linewidth=width + 0.1)
    faces = np.where(excludes_zero(rows), colour, "white").tolist()
    x, y = (places, rows["estimate"]) if upright else (rows["estimate"], places)
    axes.scatter(x, y, c=faces, edgecolors=colour, linewidths=width, zorder=3, **look)


def ink_on(colour: ArrayLike) -> str:
    """Return black or white, whichever can be read on a colour (red, green, blue from 0 to 1)."""
    brightness = float(np.asarray(colour)[:3] @ _BRIGHTNESS)
    return "black" if brightness > _HALF_BRIGHT else "white"


def wrapped_caption(text: str, width: float) -> str:
    """Break a caption into lines that fit a figure `width` inches wide."""
    return in_lines(text, width - 2 * _EDGE, _CAPTION_SIZE)


def _squeeze(figure: Figure, left: float, right: float) -> float:
    """Break words and thin ticks for a column; return the inches that labels at the left need."""
    width = figure.get_size_inches()[0]
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if type(axis.get_major_locator()) in (MaxNLocator, AutoLocator):
                place = axes.get_subplotspec()
                columns = place.get_gridspec().ncols if place and axis is axes.xaxis else 1
                axis.set_major_locator(MaxNLocator(max(2, _FEW_TICKS - columns + 1)))
        # Axes on the scale of their neighbour's have its labels, which are not shown.
        place = axes.get_subplotspec()
        fixed = isinstance(axes.yaxis.get_major_locator(), FixedLocator)
        if fixed and place is not None and place.is_first_col():
            written = axes.get_yticklabels()
            broken = [in_lines(t.get_text(), _SIDE, float(t.get_fontsize())) for t in written]
            axes.set_yticks(axes.get_yticks(), broken)
    labels = room_for_labels(figure)[0]
    left = labels or min(left, _NUMBERS)
    for axes in figure.axes:
        place = axes.get_subplotspec()
        columns = place.get_gridspec().ncols if place else 1
        room = (width - left - right) / columns
        if "\n" not in axes.get_title(loc="left"):
            title = in_lines(axes.get_title(loc="left"), room, float(axes.title.get_fontsize()))
            axes.set_title(title, loc="left", size=axes.title.get_fontsize())
        if axes.get_xlabel():
            axes.set_xlabel(
                in_lines(axes.get_xlabel(), room + right, float(axes.xaxis.label.get_fontsize()))
            )
    return left


def _arrange(
    figure: Figure,
    size: tuple[float, float],
    around: tuple[float, float, float, float],
    gap: float | tuple[float, float],
) -> None:
    """Set size and margins (left, right, top, bottom), all in inches but for `gap`."""
    beside, between = gap if isinstance(gap, tuple) else (gap, None)
    (width, height), (left, right, top, bottom) = size, around
    figure.set_size_inches(width, height)
    more: dict[str, float] = {}
    grids = [axes.get_gridspec() for axes in figure.axes]
    rows = max((grid.nrows for grid in grids if grid is not None), default=1)
    if between is not None and rows > 1:
        each = (height - top - bottom - between * (rows - 1)) / rows
        more["hspace"] = between / each
    figure.subplots_adjust(
        left=left / width,
        right=1 - right / width,
        top=1 - top / height,
        bottom=bottom / height,
        wspace=beside,
        **more,
    )


def _crowded(figure: Figure) -> float:
    """Return how many times as high axes must be so that the labels of their rows are whole."""
    height, most = figure.get_size_inches()[1], 1.0
    for axes in figure.axes:
        if isinstance(axes.yaxis.get_major_locator(), FixedLocator) and axes.get_visible():
            labels = [t for t in axes.get_yticklabels() if t.get_text()]
            low, high = sorted(axes.get_ylim())
            row = axes.get_position().height * height / max(high - low, 1e-9)
            need = [text_height(t.get_text(), float(t.get_fontsize())) + 0.02 for t in labels]
            need = [
                room + 0.02 * ("\n" in t.get_text()) for room, t in zip(need, labels, strict=True)
            ]
            most = max(most, max((sum(two) / 2 for two in pairwise(need)), default=0.0) / row)
    return most


def _stacked(figure: Figure) -> float:
    """Return what axes below one another take of a figure's height."""
    places = [(axes.get_subplotspec(), axes.get_position().height) for axes in figure.axes]
    return sum(height for place, height in places if place is not None and place.is_first_col())


def furnish(
    figure: Figure,
    *,
    title: str,
    caption: str,
    left: float,
    right: float = 0.15,
    top: float = 0.45,
    bottom: float = 0.5,
    gap: float | tuple[float, float] = 0.05,
) -> None:
    """Set margins (inches), the title at the top left and the caption under the picture.

    Margins follow from the letters rather than from a solver: the same figure has the same bytes
    everywhere, and a solver would take longer than the drawing. Where words need more room than
    given the figure grows, not its words over one another.

    Parameters
    ----------
    figure
        Figure with all its axes and the labels of their ticks.
    title, caption
        Text; both are broken into lines, the caption is given room below `bottom`. They are the
        figure's label, too, for a file beside it (`drawn_for`).
    left, right, top, bottom
        Room around the axes, at least; further lines of an axis' words get their own.
    gap
        Room between neighbouring axes, as a share of their width, and in inches between those
        that stand below one another.
    """
    width, height = figure.get_size_inches()
    if is_narrow():
        left = _squeeze(figure, left, right)
    given = left + LABEL_LINE * max(axes.get_ylabel().count("\n") for axes in figure.axes)
    under = bottom + LABEL_LINE * max(axes.get_xlabel().count("\n") for axes in figure.axes)
    needed = room_for_labels(figure)
    left, bottom = max(given, needed[0]), max(under, needed[1])
    width = max(width, across(width + left - given))
    head = in_lines(title, width - 2 * _EDGE, _TITLE_SIZE)
    further = _TITLE_LINE * head.count("\n")
    text = wrapped_caption(caption, width)
    below = 0.1 + _CAPTION_LINE * (text.count("\n") + 1)
    figure.set_label(f"{title}\n\n{caption}\n")
    if (kept := _ASKED.get().apart) is not None:
        height -= _TITLE_ROOM + below
        below = 0.1 + _CAPTION_LINE if kept else 0.0
        height += below
        top, further, head, text = top - _TITLE_ROOM, 0.0, "", kept
    height += bottom - under + further
    around = (left, right, top + further, bottom + below)
    height = max(height, sum(around[2:]) + _LEAST_AXES)  # long words over few rows
    _arrange(figure, (width, height), around, gap)
    if is_narrow() and (more := _crowded(figure)) > 1.0:
        height += (more - 1.0) * height * _stacked(figure)  # what is between axes stays
        _arrange(figure, (width, height), around, gap)
    figure.text(_EDGE / width, 1 - 0.08 / height, head, va="top", fontsize=_TITLE_SIZE)
    figure.text(
        _EDGE / width,
        0.06 / height,
        text,
        va="bottom",
        fontsize=_CAPTION_SIZE,
        color="#333333",
        linespacing=1.25,
    )
