"""Gram matrices by cell: who answered what together, and which answers the changes share."""

import numpy as np

from bipbayes.cells.moments import Residuals
from bipbayes.data.sample import Floats, Integers


def joint_answers(residual: Residuals) -> Floats:
    """Count responses with progression of both indicators, o'o, shape (cell, k, l)."""
    return _gram(residual.cell, residual.observed.astype(float), cells=len(residual.n))


def shared_answers(residual: Residuals) -> Floats:
    """Gram matrix a'a of the answers' net coefficients in a cell's sum of changes.

    ``a`` has a row for every answer occasion and cell: +1 where an answer ends a change of the
    cell, -1 where a change of the cell starts from it, 0 where both (sums telescope).

    Returns
    -------
    numpy.ndarray
        Shape (cell, indicator, indicator).
    """
    row, indicator = np.nonzero(residual.observed)
    cell, responses = residual.cell[row], residual.responses
    ends = cell * responses + residual.rows[row]
    starts = cell * responses + residual.previous[row, indicator]
    occasions, position = np.unique(np.concatenate([ends, starts]), return_inverse=True)
    count = residual.values.shape[1]
    coefficient = np.bincount(
        position * count + np.tile(indicator, 2),
        weights=np.repeat([1.0, -1.0], len(row)),
        minlength=len(occasions) * count,
    )
    return _gram(occasions // responses, coefficient.reshape(-1, count), cells=len(residual.n))


def _gram(cell: Integers, values: Floats, *, cells: int) -> Floats:
    """Cross products of the rows within each cell; rows are sorted by cell."""
    bounds = np.searchsorted(cell, np.arange(cells + 1))
    gram = np.zeros((cells, values.shape[1], values.shape[1]))
    for index in np.flatnonzero(np.diff(bounds)):
        block = values[bounds[index] : bounds[index + 1]]
        gram[index] = block.T @ block
    return gram
