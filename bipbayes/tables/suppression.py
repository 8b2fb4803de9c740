"""Which further cells of a table must be blank so that its printed sums give none away.

Primary suppression blanks the small cells, secondary suppression the cells without which a small
one could be worked out (Hundepool et al. 2012, Statistical Disclosure Control, chapter 4). A
cell is worked out where the printed sums, as linear equations in the blank cells, have only one
solution for it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

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


def suppressed(citizens: ArrayLike, sums: ArrayLike, *, minimum_count: int) -> Suppression:
    """Say which cells must be blank: the small ones, and the smallest others that hide them.

    Parameters
    ----------
    citizens
        Citizens of each cell, shape (cells,); a zero is printed and gives nobody away.
    sums
        Weight of each cell in each printed sum, shape (sums, cells).
    minimum_count
        Fewest citizens that a printed number may rest on. Blank cells of one printed sum hold
        as many together: their total is known.
    """
    count = np.asarray(citizens, dtype=float)
    weights = np.atleast_2d(np.asarray(sums, dtype=float))
    blank: NDArray[np.bool_] = (count > 0) & (count < minimum_count)
    withheld = np.zeros(len(weights), dtype=bool)
    while True:
        members = (weights != 0) & ~withheld[:, None]
        given = exposed(weights[~withheld], blank)
        told = (members & given).any(axis=1) | _told(members & blank, count, minimum_count)
        if not told.any():
            return Suppression(blank, withheld)
        free = members[told].any(axis=0) & ~blank & (count > 0)
        if free.any():
            blank[np.argmin(np.where(free, count, np.inf))] = True
        else:
            totals = np.where(told, (members * count).sum(axis=1), np.inf)
            withheld[np.argmin(totals)] = True


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
    few = (unknown.sum(axis=1) < 2) | ((unknown * count).sum(axis=1) < minimum_count)
    return np.asarray(some & few)
