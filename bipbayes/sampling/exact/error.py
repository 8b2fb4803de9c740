"""Monte Carlo errors of draws that are independent given their point, and share it in groups."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from bipbayes.data.sample import Booleans, Floats, Integers

TAIL: Final = (0.05, 0.95)


def monte_carlo(
    draws: Floats, point: Integers, *, tails: Sequence[Floats] | None = None
) -> tuple[Floats, Floats, Floats]:
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
    tails
        The 5 % and 95 % quantiles, each of shape (quantity,), where they are known already.

    Returns
    -------
    tuple of numpy.ndarray
        For the mean, for the 5 % and 95 % quantiles (the smaller), and the Monte Carlo error of
        the mean; shape (quantity,). ``NaN`` for quantities that are missing or never vary.
    """
    rows, place = _grouped(np.ascontiguousarray(draws.T), point)
    starts = np.flatnonzero(np.r_[True, np.diff(place) > 0])
    count = len(place)
    lowest, highest = np.quantile(rows, TAIL, axis=1) if tails is None else tails
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = _error_variance(np.add.reduceat(_centred(rows), starts, axis=1), count)
        bulk = rows.var(axis=1, ddof=1) / variance
        sizes = [
            _tail_size(rows <= lowest[:, None], place, starts),
            # The complement errs alike, and is as short a list.
            _tail_size(rows > highest[:, None], place, starts),
        ]
    known = np.isfinite(rows).all(axis=1) & (np.ptp(rows, axis=1) > 0)
    found = np.minimum(bulk, count), np.minimum(np.minimum(*sizes), count), np.sqrt(variance)
    size, tail, error = np.where(known, found, np.nan)
    return size, tail, error


def _grouped(rows: Floats, point: Integers) -> tuple[Floats, Integers]:
    """Bring the draws of a point together; returns them and the number of each one's group."""
    place = np.cumsum(np.r_[0, point[1:] != point[:-1]])
    if place[-1] + 1 == len(np.unique(point)):
        return rows, place
    order = np.argsort(point, kind="stable")
    return np.take(rows, order, axis=1), np.cumsum(np.r_[0, np.diff(point[order]) > 0])


def _centred(rows: Floats) -> Floats:
    return np.asarray(rows - rows.mean(axis=1, keepdims=True))


def _tail_size(inside: Booleans, place: Integers, starts: Integers) -> Floats:
    """Effective size for the share of draws inside, of which there are few."""
    quantities, count = inside.shape
    quantity, draw = np.nonzero(inside)
    groups = len(starts)
    counts = np.bincount(quantity * groups + place[draw], minlength=quantities * groups)
    sums = counts.reshape(quantities, groups)
    share = sums.sum(axis=1) / count
    lengths = np.diff(np.r_[starts, count])
    variance = share * (1 - share) * count / (count - 1)
    return np.asarray(variance / _error_variance(sums - share[:, None] * lengths, count))


def _error_variance(sums: Floats, count: int) -> Floats:
    """Of a mean over so many draws, from the sums of each point's distances to it."""
    return np.asarray((sums**2).sum(axis=1) / count**2)
