"""Room for words: how wide a text is, and labels in lines.

Widths are those of the letters themselves, at no resolution: the same everywhere, and known before
anything is drawn.
"""

import textwrap
from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from matplotlib.ticker import FixedLocator

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
    font = FontProperties(size=size)
    lines = text.split("\n")
    widths = (text_to_path.get_text_width_height_descent(line, font, False)[0] for line in lines)
    return float(_HINTING * max(widths) / _POINTS)


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
