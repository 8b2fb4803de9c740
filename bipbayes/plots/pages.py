"""Figures of more rows than a page holds become several, ``_2``, ``_3``, ... behind their name.

Neither matplotlib nor ArviZ is imported here.
"""

from dataclasses import dataclass
from typing import Final

ROW_HEIGHT: Final = 0.235  # inches, of a row with a label in one line
ANALYSIS_STEP: Final = 0.11  # inches, between two analyses of a combination
ANALYSIS_ROOM: Final = 0.11  # inches, between two combinations
PANELS_A_ROW: Final = 3  # of histograms
PANEL_HEIGHT: Final = 1.65  # inches
WIDE: Final = 20
"""From so many columns on panels stand below one another rather than side by side."""
PAGE_HEIGHT: Final = 8.7  # inches of rows: with title and caption the height of a sheet


@dataclass(frozen=True)
class Page:
    """One page of a figure: its number, how many there are, and which rows it shows."""

    number: int = 1
    of: int = 1
    rows: slice = slice(None)


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
