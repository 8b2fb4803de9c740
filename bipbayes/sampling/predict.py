"""What effects say of cell means, without a model: log likelihoods and predictions."""

from typing import Final

import numpy as np
import xarray as xr

from bipbayes.cells import CELL, error_roots, whiten
from bipbayes.data.sample import Floats
from bipbayes.sampling.labels import SAMPLE

_CHUNK: Final = 128  # draws at a time: fits the processor's cache


def block_log_likelihood(cells: xr.Dataset, effect: Floats) -> Floats:
    """Log likelihood of each cell block's whitened means, shape (draw, block).

    Parameters
    ----------
    cells
        From `bipbayes.cells.cell_means`.
    effect
        Shape (draw, combination x jobcenter x indicator), or its cells in three dims.

    Returns
    -------
    numpy.ndarray
        Blocks are combination x jobcenter (jobcenter runs fastest); 0 in empty ones.
    """
    white = whiten(cells).transpose(..., *CELL, "indicator_")
    observed = white["observed"].to_numpy()
    whitener, means = white["whitener"].to_numpy(), white["whitened"].to_numpy()[..., None]
    squares = np.empty((len(effect), int(np.prod(observed.shape[:2]))))
    for first in range(0, len(effect), _CHUNK):
        # What a model says nothing of stands in cells without answers.
        shaped = np.nan_to_num(effect[first : first + _CHUNK]).reshape(-1, *observed.shape)
        residual = means - np.matmul(whitener, np.moveaxis(shaped, 0, -1))
        residual *= observed[..., None]
        squares[first : first + _CHUNK] = (residual**2).sum(axis=2).reshape(-1, len(shaped)).T
    constant = observed.sum(axis=2).ravel() * np.log(2 * np.pi)
    return np.asarray(-0.5 * (squares + constant))


def log_likelihood(cells: xr.Dataset, effect: Floats) -> Floats:
    """Joint log likelihood of all whitened means, shape (draw,)."""
    return np.asarray(block_log_likelihood(cells, effect).sum(axis=1))


def predicted_means(cells: xr.Dataset, effects: xr.DataArray, *, seed: int = 0) -> xr.DataArray:
    """Draw cell means that the model expects, one for each draw of effects.

    Parameters
    ----------
    cells
        Gives the working covariance and the pattern of answers.
    effects
        Prior or posterior draws, dims ``chain, draw, combination, jobcenter, indicator``.
    seed
        Of the sampling errors.

    Returns
    -------
    xarray.DataArray
        Same dims; ``NaN`` in cells without answers.
    """
    root, observed = error_roots(cells)
    ordered = effects.transpose(*SAMPLE, *CELL)
    noise = np.random.default_rng(seed).standard_normal(ordered.shape)
    error = np.einsum("cjkl,sdcjl->sdcjk", root, noise, optimize=True)
    return ordered.copy(data=np.where(observed, ordered.to_numpy() + error, np.nan))
