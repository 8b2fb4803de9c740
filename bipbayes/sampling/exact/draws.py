"""Draws from a mixture over the standard deviations: exact ones of the effects, given a point."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
from threadpoolctl import threadpool_limits

from bipbayes.data.sample import Floats, Integers
from bipbayes.sampling.exact.density import draw_coefficients
from bipbayes.sampling.exact.integrate import Mixture
from bipbayes.sampling.exact.reduce import GaussianModel

_THREADS: Final = 2


@dataclass(frozen=True)
class Draws:
    """Draws of all parameters.

    Those of one point stand side by side, so that autocorrelation shows what they share; the
    points themselves come in random order.

    Attributes
    ----------
    coefficients
        Shape (draw, coefficient).
    sds
        Shape (draw, sd).
    point
        Point of the mixture behind each draw, shape (draw,).
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
