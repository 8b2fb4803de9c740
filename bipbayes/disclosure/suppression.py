"""Which further cells of a table must be blank so that its printed sums give none away.

Primary suppression blanks the small cells, secondary suppression the cells without which a small
one could be worked out (Hundepool et al. 2012, Statistical Disclosure Control, chapter 4). A
cell is worked out where the printed sums, as linear equations in the blank cells, have only one
solution for it.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linprog

TOLERANCE: Final = 1e-9


@dataclass(frozen=True)
class Suppression:
    """What must be blank.

    Attributes
    ----------
    cells
        True where the cell must be blank, shape (cells,).
    sums
        True where the sum must be blank too, since all its cells are, shape (sums,).
    """

    cells: NDArray[np.bool_]
    sums: NDArray[np.bool_]


def suppressed(
    citizens: ArrayLike,
    sums: ArrayLike,
    *,
    minimum_count: int,
    numbers: ArrayLike | None = None,
    hidden: ArrayLike | None = None,
) -> Suppression:
    """Say which cells must be blank: the small ones, and the smallest others that hide them.

    Blank cells of one printed sum are at least two, and so many citizens that none of them is
    known to be small. Where sums cross, what all of them together leave open to each small cell
    must be a range of `minimum_count` numbers.

    Parameters
    ----------
    citizens
        Citizens of each cell, shape (cells,); a zero is printed and gives nobody away, so that
        a blank cell is known to hold at least one.
    sums
        Weight of each cell in each printed sum, shape (sums, cells).
    minimum_count
        Fewest citizens that a printed number may rest on.
    numbers
        What is printed of each cell and added up, if that is not its citizens, shape (cells,).
    hidden
        True where a cell is blank for a reason of its own, shape (cells,).
    """
    count = np.asarray(citizens, dtype=float)
    number = count if numbers is None else np.asarray(numbers, dtype=float)
    weights = np.atleast_2d(np.asarray(sums, dtype=float))
    small = (count > 0) & (count < minimum_count)
    blank: NDArray[np.bool_] = small.copy()
    if hidden is not None:
        blank |= np.asarray(hidden, dtype=bool) & (count > 0)
    withheld = np.zeros(len(weights), dtype=bool)
    crossed = bool(((weights != 0).sum(axis=0) > 1).any())
    while True:
        members = (weights != 0) & ~withheld[:, None]
        given = exposed(weights[~withheld], blank)
        told = (members & given).any(axis=1) | _told(members & blank, count, minimum_count)
        if not told.any() and crossed:
            given = narrow(weights[~withheld], blank, number, small, width=minimum_count - 1)
            told = (members & given).any(axis=1)
        if not told.any():
            return Suppression(blank, withheld)
        free = members[told] & ~blank & (count > 0)
        if free.any():
            # The smallest cell of each sum that tells; a sum without one is left to the others.
            best = np.where(free, count, np.inf)
            # Those with fewest blanks first: others tell by them, and would hide too much.
            hidden_there = (members & blank).sum(axis=1)[told]
            open_ones = np.isfinite(best.min(axis=1))
            open_ones &= hidden_there == hidden_there[open_ones].min()
            blank[np.unique(best.argmin(axis=1)[open_ones])] = True
        else:
            totals = np.where(told, (members * count).sum(axis=1), np.inf)
            withheld[np.argmin(totals)] = True


def narrow(
    sums: NDArray[np.float64],
    unknown: NDArray[np.bool_],
    numbers: NDArray[np.float64],
    small: NDArray[np.bool_],
    *,
    width: float,
) -> NDArray[np.bool_]:
    """Say of which small cells the sums leave less than a range of `width` open.

    Parameters
    ----------
    sums
        Shape (sums, cells).
    unknown, small
        Which cells are blank, and which of these need protection, shape (cells,).
    numbers
        The true numbers, shape (cells,); an unknown one is at least 1.
    width
        Largest possible number less the smallest.
    """
    result = np.zeros(unknown.shape, dtype=bool)
    part = sums[:, unknown]
    part = part[(part != 0).any(axis=1)]
    if not part.size:
        return result
    totals, places = part @ numbers[unknown], np.flatnonzero(unknown)
    for column, place in enumerate(places):
        if not small[place]:
            continue
        target = np.zeros(len(places))
        target[column] = 1.0
        ends: list[Any] = [
            linprog(sign * target, A_eq=part, b_eq=totals, bounds=(1, None)) for sign in (1, -1)
        ]
        # Without a bound (or for a solver that gives up) there is nothing to tell.
        known = all(end.status == 0 for end in ends)
        result[place] = known and -ends[1].fun - ends[0].fun < width - TOLERANCE**0.5
    return result


def exposed(sums: NDArray[np.float64], unknown: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say which unknown cells the sums determine.

    Parameters
    ----------
    sums
        Shape (sums, cells).
    unknown
        Shape (cells,).
    """
    result = np.zeros(unknown.shape, dtype=bool)
    part = sums[:, unknown]
    if not part.size:
        return result
    _, sizes, right = np.linalg.svd(part, full_matrices=False)
    known = right[sizes > TOLERANCE * max(1.0, sizes.max())]
    # A cell is determined if its unit vector lies in the space that the equations span.
    result[unknown] = (known**2).sum(axis=0) > 1 - TOLERANCE
    return result


def _told(
    unknown: NDArray[np.bool_], count: NDArray[np.float64], minimum_count: int
) -> NDArray[np.bool_]:
    """Say which sums tell of too few citizens, being the total of their blank cells."""
    some = unknown.any(axis=1)
    cells = unknown.sum(axis=1)
    # Each of the others holds at least one, which leaves this much to any of them.
    most = (unknown * count).sum(axis=1) - (cells - 1)
    few = (cells < 2) | (most < minimum_count)
    return np.asarray(some & few)
