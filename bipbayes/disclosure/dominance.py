"""Amounts of registers that one or two citizens make up nearly alone."""

from typing import Final

import numpy as np
import pandas as pd

from bipbayes.data.characteristics import Characteristics

ONE: Final = 0.5  # share of the largest contribution from which a mean tells of it
TWO: Final = 0.67


def dominated(counts: pd.DataFrame, people: Characteristics) -> set[tuple[str, str]]:
    """Return column and group of the means that rest on one or two citizens' amounts.

    Parameters
    ----------
    counts
        Responses by citizen and group (`bipbayes.describe.characteristics.citizen_counts`).
    people
        The characteristics, whose citizens `counts` has the order of.
    """
    found = set()
    for entry in people.codebook.characteristics:
        if entry.percent:
            continue
        amounts = people.citizens[entry.column].abs().fillna(0.0).to_numpy(dtype=float)
        for group in counts.columns:
            shares = np.sort(amounts * counts[group].to_numpy(dtype=float))[::-1]
            total = shares.sum()
            if total > 0 and (shares[0] > ONE * total or shares[:2].sum() > TWO * total):
                found.add((entry.column, str(group)))
    return found


def extremes(people: Characteristics, minimum_count: int) -> frozenset[float]:
    """Return the largest and smallest amounts that too few citizens have."""
    found: set[float] = set()
    for entry in people.codebook.characteristics:
        if entry.percent:
            continue
        amounts = people.citizens[entry.column].dropna()
        for value in (amounts.max(), amounts.min()):
            if 0 < int((amounts == value).sum()) < minimum_count:
                found.add(float(value))
    return frozenset(found)
