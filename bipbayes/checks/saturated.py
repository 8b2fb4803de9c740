"""Closed form of ``no_pooling``: every observed cell on its own, with a flat prior.

The posterior of the cell means' effects is normal around the means with their covariance, so
that of a weighted sum is, too. It says nothing about cells without answers, nor about a cell or
jobcenter left out: there is no predictive density to compare with other models'.
"""

from typing import Final

import numpy as np
import xarray as xr
from scipy import sparse

from bipbayes.data.sample import Floats

NO_POOLING: Final = "no_pooling"
_CELL: Final = ("combination", "jobcenter", "indicator")


def saturated_posterior(
    cells: xr.Dataset, weights: Floats | sparse.csr_array
) -> tuple[Floats, Floats]:
    """Posterior means and standard deviations of weighted sums of cell effects.

    Parameters
    ----------
    cells
        From `bipbayes.cells.cell_means`.
    weights
        Shape (sum, combination x jobcenter x indicator).

    Returns
    -------
    tuple of numpy.ndarray
        Shape (sum,) each; ``NaN`` where a cell without answers has weight.
    """
    matrix = sparse.csr_array(weights)
    ordered = cells[["mean", "vcov", "n"]].transpose(..., *_CELL, "indicator_")
    size = cells.sizes["indicator"]
    observed = (ordered["n"].to_numpy() > 0).ravel()
    means = np.where(observed, ordered["mean"].to_numpy().ravel(), 0.0)
    blocks = np.nan_to_num(ordered["vcov"].to_numpy()).reshape(-1, size, size)
    places = np.arange(len(blocks) + 1)
    covariance = sparse.bsr_array((blocks, places[:-1], places)).tocsr()
    variance = np.asarray((matrix @ covariance).multiply(matrix).sum(axis=1)).ravel()
    unknown = abs(matrix) @ (~observed).astype(float) > 0
    found = np.where(unknown, np.nan, matrix @ means), np.where(unknown, np.nan, variance)
    return found[0], np.sqrt(found[1])
