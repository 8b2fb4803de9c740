"""What a stored frame says of itself: whether its data are synthetic, its draws preliminary."""

from typing import Final

import pandas as pd

MARKS: Final = ("synthetic", "preliminary")


def marked(frame: pd.DataFrame, *, synthetic: bool, preliminary: bool) -> pd.DataFrame:
    """Add the columns that say what a frame rests on.

    Parameters
    ----------
    frame
        Any frame; a mark that it has already is kept.
    synthetic
        Whether the data are synthetic; the column is always there.
    preliminary
        Whether draws are too few, or failed their checks; the column is there only then.
    """
    marks = {"synthetic": bool(synthetic), **({"preliminary": True} if preliminary else {})}
    return frame.assign(**{name: value for name, value in marks.items() if name not in frame})


def unmarked(frame: pd.DataFrame) -> pd.DataFrame:
    """Drop the marks: they are the folder's, not the rows'."""
    return frame.drop(columns=list(MARKS), errors="ignore")
