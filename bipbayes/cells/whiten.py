"""Whitening: cell means become independent with variance one."""

from typing import Final

import numpy as np
import xarray as xr

from bipbayes.cells.covariance import both
from bipbayes.errors import DataError

CELL: Final = ("combination", "jobcenter", "indicator")


def whiten(cells: xr.Dataset) -> xr.Dataset:
    """Factor the working covariance, V = L L', and turn the means with the inverse of L.

    Parameters
    ----------
    cells
        From `bipbayes.cells.means.cell_means`.

    Returns
    -------
    xarray.Dataset
        ``whitener[combination, jobcenter, indicator, indicator_]`` is the inverse of L on the
        observed block and 0 elsewhere; ``whitened[combination, jobcenter, indicator]`` is
        whitener times means (0 where not observed); ``observed`` (bool), same shape.

    Raises
    ------
    DataError
        V is not positive definite in some cell.
    """
    dims = (*CELL, "indicator_")
    covariance = cells["vcov"].transpose(*dims).to_numpy()
    observed = (cells["n"] > 0).transpose(*CELL)
    inverse = _inverse_factors(covariance, observed.to_numpy())
    mean = np.where(observed, cells["mean"].transpose(*CELL), 0.0)
    return xr.Dataset(
        {
            "whitener": (dims, inverse),
            "whitened": (CELL, np.einsum("cjkl,cjl->cjk", inverse, mean)),
            "observed": observed,
        },
        coords=cells.coords,
    )


def error_roots(cells: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return L of every cell block, an error of the means as L z, and where there are answers.

    Returns
    -------
    tuple of numpy.ndarray
        Shape (combination, jobcenter, indicator, indicator_), ones on the diagonal of what is
        not observed; and (combination, jobcenter, indicator).
    """
    white = whiten(cells)
    observed = white["observed"].to_numpy()
    idle = np.eye(observed.shape[-1]) * ~observed[..., None]
    return np.linalg.inv(white["whitener"].to_numpy() + idle), observed


def _inverse_factors(covariance: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Inverse Cholesky factors of the observed blocks, zero elsewhere."""
    count = covariance.shape[-1]
    shape = covariance.shape
    block = both(observed.reshape(-1, count)).reshape(shape)
    # Ones on the diagonal of what is not observed leave the observed block's factor untouched.
    filled = np.where(block, covariance, 0.0)
    filled += np.eye(count) * ~observed[..., None]
    try:
        factor = np.linalg.cholesky(filled)
    except np.linalg.LinAlgError:
        lowest = np.linalg.eigvalsh(filled)[..., 0]
        raise DataError(
            f"the covariance of the means is not positive definite in {int((lowest <= 0).sum())} "
            "of the cells; compute the cells again with cell_means"
        ) from None
    inverse = np.tril(np.linalg.solve(factor, np.broadcast_to(np.eye(count), shape)))
    return np.where(block, inverse, 0.0)
