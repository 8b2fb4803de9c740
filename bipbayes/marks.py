"""What a stored frame says of itself: synthetic data, preliminary draws, turned answers."""

from collections.abc import Collection
from typing import Final

import pandas as pd

MARKS: Final = ("synthetic", "preliminary", "reversed")


def marked(
    frame: pd.DataFrame, *, synthetic: bool, preliminary: bool, turned: Collection[str] = ()
) -> pd.DataFrame:
    """Add the columns that say what a frame rests on.

    Parameters
    ----------
    frame
        Any frame; a mark that it has already is kept.
    synthetic
        Whether the data are synthetic; the column is always there.
    preliminary
        Whether draws are too few, or failed their checks; the column is there only then.
    turned
        Indicators whose answers the codebook turns: where there are any, a column ``reversed``
        is true in their rows (column ``outcome``).
    """
    marks: dict[str, bool | pd.Series] = {"synthetic": bool(synthetic)}
    if preliminary:
        marks["preliminary"] = True
    if turned and "outcome" in frame:
        marks["reversed"] = frame["outcome"].isin(list(turned))
    return frame.assign(**{name: value for name, value in marks.items() if name not in frame})


def unmarked(frame: pd.DataFrame) -> pd.DataFrame:
    """Drop the marks: they are the folder's, not the rows'."""
    return frame.drop(columns=list(MARKS), errors="ignore")
