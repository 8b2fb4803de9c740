"""Forest plots as SVG inside the page: OLS and posterior dodged in one panel.

Drawn as text, not by Matplotlib: a study has a hundred of them, they must follow the reader's
light or dark screen, and their letters can be searched and enlarged.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from bipbayes.plots.selection import cut_limits
from bipbayes.wording import number

WIDTH: Final = 760
_LABELS: Final = 190  # left of the panel
_COUNTS: Final = 60  # right of it
_ROW: Final = 22
_TOP: Final = 8
_BOTTOM: Final = 26
_DODGE: Final = 4.5
_TICKS: Final = 7
_LETTERS: Final = 26  # of a label


@dataclass(frozen=True)
class Mark:
    """An interval with its point: of ``ols`` or ``posterior``."""

    source: str
    estimate: float
    lower: float
    upper: float

    @property
    def known(self) -> bool:
        """Whether there is a point to draw."""
        return math.isfinite(self.estimate)


@dataclass(frozen=True)
class ForestRow:
    """A labelled row with its count and one mark a source."""

    label: str
    count: str
    marks: tuple[Mark, ...]


def forest_svg(rows: Sequence[ForestRow], *, alt: str, language: str) -> tuple[Markup, bool]:
    """Draw rows.

    Parameters
    ----------
    rows
        From top to bottom.
    alt
        What a reader who does not see it is told.
    language
        Of the ticks' decimal mark.

    Returns
    -------
    tuple of Markup and bool
        An ``svg`` element, and whether intervals were cut at the axis' ends (the widest OLS
        interval must not squeeze all others).
    """
    axis = _axis(rows)
    ticks = _ticks(axis)
    height = _TOP + _ROW * len(rows) + _BOTTOM
    bottom = height - _BOTTOM
    size = f'viewBox="0 0 {WIDTH} {height}"'
    parts = [f'<svg class="forest" {size} role="img" aria-label="{escape(alt)}">']
    for tick in ticks:
        x = axis.place(tick)
        kind = "zero" if abs(tick) < 1e-12 else "grid"
        text = number(tick, _decimals(ticks), language=language)
        parts.append(f'<path class="{kind}" d="M{x:.1f} {_TOP}V{bottom}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{bottom + 16}">{text}</text>')
    for index, row in enumerate(rows):
        middle = _TOP + _ROW * (index + 0.5)
        label = row.label if len(row.label) <= _LETTERS else f"{row.label[: _LETTERS - 1]}…"
        title = f"<title>{escape(row.label)}</title>" if label != row.label else ""
        parts.append(f'<text class="label" y="{middle + 4:.1f}">{title}{escape(label)}</text>')
        parts.append(
            f'<text class="count" x="{WIDTH}" y="{middle + 4:.1f}">{escape(row.count)}</text>'
        )
        for order, mark in enumerate(row.marks):
            if not mark.known:
                continue
            y = middle + (order - (len(row.marks) - 1) / 2) * 2 * _DODGE
            parts.append(_drawn(mark, y, axis))
    cut = any(axis.cuts(mark) for row in rows for mark in row.marks)
    return Markup("".join([*parts, "</svg>"])), cut


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float

    def place(self, value: float) -> float:
        """Return where a value lies across the picture; beyond the ends at the ends."""
        kept = min(max(value, self.low), self.high)
        share = (kept - self.low) / (self.high - self.low)
        return _LABELS + (WIDTH - _COUNTS - _LABELS) * share

    def cuts(self, mark: Mark) -> bool:
        """Say whether an interval goes on beyond an end."""
        return mark.lower < self.low or mark.upper > self.high


def _drawn(mark: Mark, y: float, axis: _Axis) -> str:
    """Draw an interval, with an arrowhead where it is cut, and its point."""
    parts = []
    if math.isfinite(mark.lower) and math.isfinite(mark.upper):
        left, right = axis.place(mark.lower), axis.place(mark.upper)
        path = f"M{left:.1f} {y:.1f}H{right:.1f}"
        ends = ((left, 5, mark.lower < axis.low), (right, -5, mark.upper > axis.high))
        for x, back, beyond in ends:
            if beyond:
                path += f"M{x + back:.1f} {y - 3:.1f}L{x:.1f} {y:.1f}L{x + back:.1f} {y + 3:.1f}"
        parts.append(f'<path class="{mark.source}" d="{path}"/>')
    if axis.low <= mark.estimate <= axis.high:
        x = axis.place(mark.estimate)
        if mark.source == "ols":  # a square, so that a grey print can be read
            parts.append(
                f'<rect class="ols" x="{x - 3:.1f}" y="{y - 3:.1f}" width="6" height="6"/>'
            )
        else:
            parts.append(f'<circle class="{mark.source}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>')
    return "".join(parts)


def _axis(rows: Sequence[ForestRow]) -> _Axis:
    """Choose an axis for all posterior intervals and OLS points, and zero."""
    marks = [mark for row in rows for mark in row.marks if mark.known]
    needed = [0.0, *(mark.estimate for mark in marks)]
    for mark in marks:
        if mark.source != "ols":
            needed += [end for end in (mark.lower, mark.upper) if math.isfinite(end)]
    ends = [end for mark in marks for end in (mark.lower, mark.upper) if math.isfinite(end)]
    return _Axis(*cut_limits(needed, ends))


def _ticks(axis: _Axis) -> list[float]:
    """Return about seven round numbers, zero among them."""
    rough = (axis.high - axis.low) / _TICKS
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough)
    first, last = math.ceil(axis.low / step), math.floor(axis.high / step)
    return [index * step for index in range(first, last + 1)]


def _decimals(ticks: Sequence[float]) -> int:
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    return max(0, -math.floor(math.log10(step) + 1e-9))
