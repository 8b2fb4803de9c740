"""One figure to draw, as what makes its numbers hands it to what draws, on one page or several.

Figures of more rows than a page holds become several, ``_2``, ``_3``, ... behind their name.
Neither matplotlib nor ArviZ is imported here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

ROW_HEIGHT: Final = 0.235  # inches, of a row with a label in one line
TWO_INTERVALS: Final = 0.3  # inches, of a row with two intervals below one another
ANALYSIS_STEP: Final = 0.11  # inches, between two analyses of a combination
ANALYSIS_ROOM: Final = 0.11  # inches, between two combinations
PANELS_A_ROW: Final = 3  # of histograms
PANEL_HEIGHT: Final = 1.65  # inches
ARROWS_SHARE: Final = 0.8  # of a combination's band that its arrows fill
PANEL_OF_ARROWS: Final = 2.9  # inches, with its labels
WIDEST_ARROWS: Final = 10.0  # inches of combinations side by side
SMALLEST_COLUMN: Final = 0.1  # inches, of a column whose label stands upright
BESIDE_INTERVALS: Final = 0.75  # inches, what is not columns in the report's form
BESIDE_CELLS: Final = 1.5  # inches, what is not columns of a heat map in a column
WIDE: Final = 20
"""From so many columns on panels stand below one another rather than side by side."""
PAGE_HEIGHT: Final = 8.7  # inches of rows: with title and caption the height of a sheet


def arrow_band(indicators: int) -> float:
    """Inches that a combination takes with an arrow an indicator, none of which hides another."""
    return max(0.58, 0.023 * indicators / ARROWS_SHARE)


@dataclass(frozen=True)
class Page:
    """One page of a figure: its number, how many there are, and which rows it shows.

    `columns` says the same of what stands side by side, where a page has no room for all of it.
    """

    number: int = 1
    of: int = 1
    rows: slice = slice(None)
    columns: slice = slice(None)


WHOLE: Final = Page()


def pages(count: int, row_height: float = ROW_HEIGHT, *, room: float = PAGE_HEIGHT) -> list[Page]:
    """Divide rows among pages of nearly equal length.

    Parameters
    ----------
    count
        How many rows.
    row_height
        Inches that one takes.
    room
        Inches that all of a page may take.
    """
    most = max(1, int(room / row_height))
    needed = max(1, -(-count // most))
    ends = [round(count * number / needed) for number in range(needed + 1)]
    return [Page(n + 1, needed, slice(ends[n], ends[n + 1])) for n in range(needed)]


def pages_across(found: Sequence[Page], count: int, width: float, *, room: float) -> list[Page]:
    """Divide what stands side by side, too, for every page of rows.

    `found`: pages of rows; `count`, `width`: how many columns, and the inches of one; `room`:
    inches that all of a page may take.
    """
    parts = pages(count, width, room=room)
    crossed = [(page.rows, part.rows) for page in found for part in parts]
    return [Page(n, len(crossed), *shown) for n, shown in enumerate(crossed, 1)]


# Kinds with a figure for each outcome, estimand or check, which have a folder of their own.
_KINDS: Final = (
    *("analyses", "check", "factorial", "forest", "heatmap", "histogram", "intervals"),
    *("jobcenters", "models"),
)


COLUMN: Final = "column"
# Inches across and high: a column and a page of a journal, a slide of 13.3 by 7.5.
SIZES: Final = {COLUMN: (3.5, 9.0), "page": (7.2, 9.0), "slide": (12.3, 6.7)}

PRINT_ROOM: Final = {COLUMN: 5.6, "page": 6.6}
"""Inches of rows on a page of print: captions take more lines in a column."""


@dataclass(frozen=True)
class Printing:
    """How figures are written.

    Attributes
    ----------
    formats
        Endings of the files that each figure is written to; ``txt`` is its title and caption.
    size
        A key of `SIZES`; empty is as large as each was drawn.
    font
        An installed family that letters are taken from first; empty is the one that comes along.
    bare
        True leaves title and caption out of the figure.
    """

    formats: tuple[str, ...] = ("png",)
    size: str = ""
    font: str = ""
    bare: bool = False


def figure_file(name: str) -> str:
    """Return where a figure stands below ``figures``, without ending: ``forest/forest_B1``."""
    kind = next((kind for kind in _KINDS if name.startswith(kind)), "")
    return f"{kind}/{name}" if kind else name


@dataclass(frozen=True)
class FigureTask:
    """One figure to draw: what a drawing process needs, and nothing more.

    Attributes
    ----------
    name
        File name without ending, such as ``forest_B1``.
    function
        ``module:name`` of what takes `arguments` and returns the figure, or that itself.
    arguments
        Small frames and labels, never all draws.
    page
        Number of the page, where rows fill several.
    parts
        Pages by size of print, where that needs more of them.
    """

    name: str
    function: str | Callable[..., Any]
    arguments: Mapping[str, Any]
    page: int = 1
    parts: Mapping[str, list[Page]] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """Its place below ``figures``: further pages have their number behind the name."""
        return figure_file(self.name if self.page == 1 else f"{self.name}_{self.page}")

    def on_pages(
        self, rows: int, row_height: float = ROW_HEIGHT, **printed: float
    ) -> "list[FigureTask]":
        """Return a task for every page that so many rows need.

        Parameters
        ----------
        rows, row_height
            As for `bipbayes.plots.task.pages`.
        **printed
            Other inches of a row by size of print, where that lays the figure out in another way.
        """
        task = self.for_print(rows, **{**dict.fromkeys(PRINT_ROOM, row_height), **printed})
        return task._divided(pages(rows, row_height))

    def for_print(self, rows: int, **heights: float) -> "FigureTask":
        """Return the task, which several pages take in print: rows, and their inches by size."""
        parts = {
            size: pages(rows, height, room=PRINT_ROOM[size]) for size, height in heights.items()
        }
        return replace(self, parts=parts)

    def printed(self, size: str) -> "list[FigureTask]":
        """Return the tasks of the pages that a size of print needs, once for all of them."""
        if size not in self.parts:
            return [self]
        return self._divided(self.parts[size]) if self.page == 1 else []

    def whole(self) -> "FigureTask":
        """Return the task of all rows on one page, however long."""
        given = {name: value for name, value in self.arguments.items() if name != "page"}
        return replace(self, arguments=given)

    def _divided(self, found: list[Page]) -> "list[FigureTask]":
        return [
            replace(self, arguments={**self.arguments, "page": page}, page=page.number)
            for page in found
        ]
