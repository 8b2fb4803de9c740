"""Numeric rules for the words by which a report counts: most, several, nearly all, ...

The report never says what its words mean in numbers. The rules below are choices, made once and
used both where data are built to agree with the report and where its statements are audited:

========================== ==================================================================
most, mostly, generally    more than half
several                    at least `SEVERAL` (3)
all                        every one
vast_majority, almost_all  at least `NEARLY_ALL` (80 %)
few                        at least one and at most `FEW` (4)
especially                 a larger share inside the pattern than outside it
========================== ==================================================================
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

SEVERAL: Final = 3
FEW: Final = 4
NEARLY_ALL: Final = 0.8
ESPECIALLY: Final = "especially"
MORE_THAN_HALF: Final = ("most", "mostly", "generally")
NEARLY_EVERY: Final = ("vast_majority", "almost_all")
COUNTING: Final = ("all", *NEARLY_EVERY, *MORE_THAN_HALF, "several", "few")
QUANTIFIERS: Final = (*COUNTING, ESPECIALLY)


def quantifier_holds(quantifier: str, count: ArrayLike, total: int) -> NDArray[np.bool_]:
    """Say whether so many of a total are what a quantifier asks for.

    Parameters
    ----------
    quantifier
        One of `COUNTING` (``especially`` compares two shares: `especially_holds`).
    count
        How many have the property, any shape.
    total
        How many there are.

    Returns
    -------
    numpy.ndarray
        Booleans of the shape of `count`; all False where there is nothing to count.
    """
    number = np.asarray(count)
    if total <= 0:
        return np.zeros(number.shape, dtype=bool)
    if quantifier in MORE_THAN_HALF:
        return np.asarray(2 * number > total)
    if quantifier in NEARLY_EVERY:
        # 16 of 20 are 80 %: counted in whole numbers, so that rounding cannot decide.
        return np.asarray(100 * number >= round(100 * NEARLY_ALL) * total)
    if quantifier == "several":
        return np.asarray(number >= SEVERAL)
    if quantifier == "few":
        return np.asarray((number >= 1) & (number <= FEW))
    if quantifier == "all":
        return np.asarray(number == total)
    raise ValueError(f"{quantifier!r} counts nothing; known: {', '.join(COUNTING)}")


def especially_holds(inside: ArrayLike, outside: ArrayLike) -> NDArray[np.bool_]:
    """Say whether a share inside a pattern is larger than the share outside it."""
    return np.asarray(np.asarray(inside) > np.asarray(outside))
