"""Forest plots inside the page: OLS and posterior dodged in one panel, labels and counts beside.

Drawn as text, not by Matplotlib: a study has a hundred of them, they must follow the reader's
light or dark screen, and their letters can be searched and enlarged. Places across the panel are
shares of its width, so that a phone shows whole intervals between letters of full size.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from bipbayes.plots.selection import cut_limits
from bipbayes.wording import number

_ROW: Final = 22  # pixels, as in page.css
_BOTTOM: Final = 22
_DODGE: Final = 4.5
_TICKS: Final = 7
_ZERO: Final = 1e-12


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


def forest_html(rows: Sequence[ForestRow], *, alt: str, language: str) -> tuple[Markup, bool]:
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
        An element with three columns, and whether intervals were cut at the axis' ends (the widest
        OLS interval must not squeeze all others).
    """
    axis = _axis(rows)
    bottom = _ROW * len(rows)
    parts = [f'<svg height="{bottom + _BOTTOM}">', *_scale(axis, bottom, language)]
    for index, row in enumerate(rows):
        for order, mark in enumerate(row.marks):
            y = _ROW * (index + 0.5) + (order - (len(row.marks) - 1) / 2) * 2 * _DODGE
            parts += [_drawn(mark, y, axis)] if mark.known else []
    names = "".join(f'<b title="{escape(row.label)}">{escape(row.label)}</b>' for row in rows)
    counts = "".join(f"<i>{escape(row.count)}</i>" for row in rows)
    cut = any(axis.cuts(mark) for row in rows for mark in row.marks)
    panel = "".join([*parts, "</svg>"])
    return Markup(
        f'<div class="forest" role="img" aria-label="{escape(alt)}">'
        f"<div>{names}</div>{panel}<div>{counts}</div></div>"
    ), cut


def _scale(axis: "_Axis", bottom: float, language: str) -> list[str]:
    """Draw lines and numbers of the ticks; every second one is left out where there is no room."""
    ticks, parts = _ticks(axis), []
    zero = next((place for place, tick in enumerate(ticks) if abs(tick) < _ZERO), 0)
    for place, tick in enumerate(ticks):
        x, kind = axis.place(tick), "zero" if abs(tick) < _ZERO else "grid"
        text = number(tick, _decimals(ticks), language=language)
        further = " further" * ((place - zero) % 2)
        parts.append(f'<line class="{kind}" x1="{x}" x2="{x}" y2="{bottom}"/>')
        parts.append(f'<text class="tick{further}" x="{x}" y="{bottom + 16}">{text}</text>')
    return parts


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float

    def place(self, value: float) -> str:
        """Return where a value lies across the panel; beyond the ends at the ends."""
        kept = min(max(value, self.low), self.high)
        return f"{100 * (kept - self.low) / (self.high - self.low):.2f}%"

    def cuts(self, mark: Mark) -> bool:
        """Say whether an interval goes on beyond an end."""
        return mark.lower < self.low or mark.upper > self.high


def _drawn(mark: Mark, y: float, axis: _Axis) -> str:
    """Draw an interval, with an arrowhead where it is cut, and its point."""
    parts = []
    if math.isfinite(mark.lower) and math.isfinite(mark.upper):
        left, right = axis.place(mark.lower), axis.place(mark.upper)
        across = f'x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"'
        parts.append(f'<line class="{mark.source}" {across}/>')
        ends = ((left, 5, mark.lower < axis.low), (right, -5, mark.upper > axis.high))
        for x, back, beyond in ends:
            if beyond:  # pixels around a share of the width
                path = f'<path class="{mark.source}" d="M{back} -3L0 0L{back} 3"/>'
                parts.append(f'<svg x="{x}" y="{y:.1f}">{path}</svg>')
    if axis.low <= mark.estimate <= axis.high:
        x = axis.place(mark.estimate)
        if mark.source == "ols":  # a square, so that a grey print can be read
            parts.append(f'<rect class="ols" x="{x}" y="{y:.1f}" width="6" height="6"/>')
        else:
            parts.append(f'<circle class="{mark.source}" cx="{x}" cy="{y:.1f}" r="3.5"/>')
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
