"""Descriptive frames without the numbers that rest on too few citizens."""

from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from bipbayes.describe.description import NAMES, Description

COUNTS: Final = ("n_citizens", "n", "n_with", "n_without", "n_previous")
NOTE: Final = "note"
KEPT: Final = ("number", "centre", "table", "level")  # labels that happen to be numbers


def protected_description(description: Description, *, minimum_count: int) -> Description:
    """Blank every number of a description that rests on fewer than `minimum_count` citizens.

    Parameters
    ----------
    description
        Of data that are not synthetic.
    minimum_count
        Fewest citizens behind a printed number; where a frame counts responses only, these
        are counted, which is the stricter reading of the same rule.

    Returns
    -------
    Description
        The same frames with a ``note`` that says what was blanked. One blank number in a
        group can be had back from a printed total, so that the next smallest of the frame is
        blanked with it.
    """
    frames = {
        name: _blanked(frame, minimum_count)
        for name in NAMES
        if (frame := getattr(description, name)) is not None
    }
    return replace(description, **frames)


def _blanked(frame: pd.DataFrame, minimum_count: int) -> pd.DataFrame:
    counts = [column for column in COUNTS if column in frame.columns]
    if not counts:
        return frame
    least = frame[counts].astype("float64").min(axis=1).to_numpy()
    few = (least > 0) & (least < minimum_count)
    if few.sum() == 1:
        others = np.where(few | (least == 0), np.inf, least)
        few |= (others == others.min()) & np.isfinite(others)
    bins = ("lower", "upper") if "centre" in frame.columns else ()
    numbers = frame.select_dtypes("number").columns.difference([*KEPT, *bins])
    result = frame.astype(dict.fromkeys(numbers, "float64"))
    result.loc[few, numbers] = np.nan
    if few.any():
        result[NOTE] = np.where(few, f"blank: fewer than {minimum_count} citizens", "")
    return result
