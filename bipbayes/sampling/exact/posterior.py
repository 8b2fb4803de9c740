"""What a mixture over the standard deviations says: draws, and sums of cells without any."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

import numpy as np
import xarray as xr
from scipy import sparse
from threadpoolctl import threadpool_limits

from bipbayes.cells import CELL
from bipbayes.data.sample import Floats, Integers
from bipbayes.sampling.batches import Batch, is_flat
from bipbayes.sampling.exact.density import draw_coefficients, linear_posterior
from bipbayes.sampling.exact.integrate import POINTS, Mixture, integrate
from bipbayes.sampling.exact.reduce import GaussianModel, gaussian_model

_THREADS: Final = 2


class Draws(NamedTuple):
    """Draws of all parameters: coefficients (draw, coefficient) and standard deviations (draw, sd).

    ``point`` is the point of the mixture behind each draw, (draw,). Those of one point stand side
    by side, so that autocorrelation shows what they share; points come in random order.
    """

    coefficients: Floats
    sds: Floats
    point: Integers


def draw(model: GaussianModel, mixture: Mixture, *, draws: int, seed: int = 0) -> Draws:
    """Draw parameters; equal weights, as many draws of a point as its weight asks for.

    Parameters
    ----------
    model, mixture
        From `gaussian_model` and `integrate`.
    draws
        How many.
    seed
        Of points and effects.
    """
    rng = np.random.default_rng(seed)
    # Systematic resampling: a point's count differs from its share by less than one.
    order = rng.permutation(len(mixture.weight))
    edges = np.cumsum(mixture.weight[order])
    place = np.searchsorted(edges, (np.arange(draws) + rng.random()) / draws)
    point = order[np.minimum(place, len(order) - 1)]
    normal = rng.standard_normal((draws, len(model.group)))
    starts = np.flatnonzero(np.r_[True, point[1:] != point[:-1]])
    parts = list(zip(point[starts], np.split(normal, starts[1:]), strict=True))
    with (
        threadpool_limits(limits=1, user_api="blas"),
        ThreadPoolExecutor(_THREADS) as pool,
    ):
        found = pool.map(
            lambda pair: draw_coefficients(model, mixture.sds[pair[0]], pair[1]), parts
        )
        return Draws(np.concatenate(list(found)), mixture.sds[point], point)


def normal_mixture(
    cells: xr.Dataset,
    batches: Sequence[Batch],
    weights: Floats | sparse.csr_array,
    *,
    points: int = POINTS,
) -> tuple[Floats, Floats, Floats]:
    """Posterior of weighted sums of cell effects.

    Parameters
    ----------
    cells
        From `bipbayes.cells.cell_means`.
    batches
        The model's, as `bipbayes.sampling.registry.ModelFile.declared` returns them.
    weights
        Shape (sum, combination x jobcenter x indicator).
    points
        As for `bipbayes.sampling.exact.integrate.integrate`.

    Returns
    -------
    tuple of numpy.ndarray
        Means and standard deviations by point, shape (point, sum), and the points' weights. One
        point where no standard deviation is to be integrated over; ``NaN`` where a flat model
        says nothing about a cell that has weight.
    """
    if is_flat(batches):
        mean, sd = saturated_posterior(cells, weights)
        return mean[None], sd[None], np.ones(1)
    model = gaussian_model(cells, batches)
    mixture = integrate(model, points=points)
    return (*sums_by_point(model, mixture, weights), mixture.weight)


def sums_by_point(
    model: GaussianModel, mixture: Mixture, weights: Floats | sparse.csr_array
) -> tuple[Floats, Floats]:
    """Means and standard deviations of weighted sums of cell effects at every point."""
    matrix = sparse.csr_array(sparse.csr_array(weights) @ model.design).toarray()
    found = [linear_posterior(model, sds, matrix) for sds in mixture.sds]
    return np.stack([mean for mean, _ in found]), np.stack([sd for _, sd in found])


def saturated_posterior(
    cells: xr.Dataset, weights: Floats | sparse.csr_array
) -> tuple[Floats, Floats]:
    """Posterior of weighted sums where every observed cell is on its own, with a flat prior.

    The effects are normal around the cell means with their covariance.

    Parameters
    ----------
    cells, weights
        As for `normal_mixture`.

    Returns
    -------
    tuple of numpy.ndarray
        Means and standard deviations, shape (sum,); ``NaN`` where a cell without answers has
        weight.
    """
    matrix = sparse.csr_array(weights)
    ordered = cells[["mean", "vcov", "n"]].transpose(..., *CELL, "indicator_")
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
