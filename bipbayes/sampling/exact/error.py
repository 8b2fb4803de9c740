"""Monte Carlo errors of draws that are independent given their point, and share it in groups."""

from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np

from bipbayes.data.sample import Floats, Integers

TAIL: Final = (0.05, 0.95)
_CHUNK: Final = 128
_THREADS: Final = 2


def monte_carlo(draws: Floats, point: Integers) -> tuple[Floats, Floats, Floats]:
    """Effective sample sizes and error of the mean of many quantities.

    Draw i of point j is ``x = m_j + e`` with independent e of variance v, and a point has the
    share w_j of the draws. The mean over N draws then errs by

        Σ_j w_j² (m_j - m)² + v / N,

    the first term limited by the effective number of points, the second by the number of draws.
    Sums of the draws of one point estimate it without knowing m_j: the mean of
    ``(Σ_i (x_i - m))² / N²``, summed over points, is just that. Sobol points and systematic
    resampling do better than independent ones, so that it errs to the safe side.

    Parameters
    ----------
    draws
        Shape (draw, quantity).
    point
        Point behind each draw, shape (draw,).

    Returns
    -------
    tuple of numpy.ndarray
        For the mean, for the 5 % and 95 % quantiles (the smaller), and the Monte Carlo error of
        the mean; shape (quantity,). ``NaN`` for quantities that are missing or never vary.
    """
    order = np.argsort(point, kind="stable")
    ordered = point[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    chunks = [slice(first, first + _CHUNK) for first in range(0, draws.shape[1], _CHUNK)]
    with ThreadPoolExecutor(_THREADS) as pool:
        parts = list(pool.map(lambda part: _chunk(draws[order, part], starts), chunks))
    size, tail, error = np.concatenate([np.empty((3, 0)), *parts], axis=1)
    return size, tail, error


def _chunk(draws: Floats, starts: Integers) -> Floats:
    count = len(draws)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = _error_variance(draws, starts)
        bulk = draws.var(axis=0, ddof=1) / variance
        limits = np.quantile(draws.T.copy(), TAIL, axis=1, overwrite_input=True)
        tails = [
            below.var(axis=0, ddof=1) / _error_variance(below, starts)
            for below in ((draws <= limit).astype("float64") for limit in limits)
        ]
    found = np.stack([np.minimum(bulk, count), np.minimum(np.minimum(*tails), count)])
    known = np.isfinite(draws).all(axis=0) & (np.ptp(draws, axis=0) > 0)
    return np.where(known, np.concatenate([found, np.sqrt(variance)[None]]), np.nan)


def _error_variance(values: Floats, starts: Integers) -> Floats:
    sums = np.add.reduceat(values - values.mean(axis=0), starts, axis=0)
    return np.asarray((sums**2).sum(axis=0) / len(values) ** 2)
