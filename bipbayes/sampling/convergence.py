"""How well draws are known: Monte Carlo errors, effective sizes, rank-normalised split R-hat.

Of chains by the definitions of Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021), as in ArviZ,
which goes through quantities one by one; thousands of reported effects need them in one pass (a
test holds the two equal). Draws of the exact engine are independent given their point, and share it
in groups (`monte_carlo`).
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, next_fast_len, rfft
from scipy.special import ndtri

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


MINIMUM_DRAWS: Final = 8
_CHUNK: Final = 64  # fits the processor's cache
_THREADS: Final = 2


@dataclass(frozen=True)
class Convergence:
    """Diagnostics by quantity; ``NaN`` where draws are missing or too few."""

    r_hat: Floats
    ess_bulk: Floats
    ess_tail: Floats
    mcse: Floats


def convergence(draws: Floats, *, point: npt.NDArray[np.int64] | None = None) -> Convergence:
    """Diagnose many quantities.

    Parameters
    ----------
    draws
        Shape (chain, draw, quantity).
    point
        Of the exact engine's draws the point behind each, shape (chain, draw): they are no
        chains, so that R-hat is ``NaN`` (`bipbayes.sampling.convergence`).

    Returns
    -------
    Convergence
        Each of shape (quantity,). ``mcse`` is the Monte Carlo error of the posterior mean.
    """
    if point is None:
        return Convergence(*in_chunks(_chunk, draws))
    behind = point.ravel()

    def errors(block: Floats) -> Floats:
        pooled = block.reshape(-1, block.shape[2])
        return np.stack([np.full(block.shape[2], np.nan), *monte_carlo(pooled, behind)])

    return Convergence(*in_chunks(errors, draws))


def in_chunks(function: Callable[[Floats], Floats], draws: Floats, *, rows: int = 4) -> Floats:
    """Apply a function to chunks of quantities on two cores.

    Parameters
    ----------
    function
        From draws, shape (chain, draw, quantity), to `rows` numbers of each quantity.
    draws
        Shape (chain, draw, quantity).
    rows
        How many numbers.

    Returns
    -------
    numpy.ndarray
        Shape (number, quantity).
    """
    starts = range(0, draws.shape[2], _CHUNK)
    # Sorting and Fourier transforms release the interpreter's lock.
    with ThreadPoolExecutor(_THREADS) as pool:
        found = list(pool.map(lambda start: function(draws[:, :, start : start + _CHUNK]), starts))
    return np.concatenate([np.empty((rows, 0)), *found], axis=1)


def _chunk(draws: Floats) -> Floats:
    result = np.full((4, draws.shape[2]), np.nan)
    if draws.shape[1] < MINIMUM_DRAWS:
        return result
    values = np.ascontiguousarray(np.moveaxis(draws, 2, 0), dtype="float64")
    usable = np.isfinite(values).all(axis=(1, 2)) & (np.ptp(values, axis=(1, 2)) > 0)
    values = values[usable]
    if not len(values):
        return result
    split = _split(values)
    normal, ordered = _normal_scores(split)
    middle = ordered[:, (ordered.shape[1] - 1) // 2] / 2 + ordered[:, ordered.shape[1] // 2] / 2
    folded, _ = _normal_scores(np.abs(split - middle[:, None, None]))
    result[:, usable] = (
        np.maximum(_r_hat(normal), _r_hat(folded)),
        _ess(normal),
        _tail_ess(values),
        values.std(axis=(1, 2), ddof=1) / np.sqrt(_ess(split)),
    )
    return result


def _split(values: Floats) -> Floats:
    """Cut each chain in two halves, shape (quantity, 2 chains, draw // 2)."""
    half = values.shape[2] // 2
    return np.concatenate([values[:, :, :half], values[:, :, -half:]], axis=1)


def _normal_scores(split: Floats) -> tuple[Floats, Floats]:
    """Replace values by normal scores of their ranks over all chains (Blom 1958).

    Tied values share the mean of their ranks. Also returns the values in order, shape (quantity,
    draw of any chain). A table of scores and one sort take a fifth of the time of ranks from
    SciPy and an inverse normal for every draw.
    """
    flat = split.reshape(len(split), -1)
    order = np.argsort(flat, axis=1)
    ordered = np.take_along_axis(flat, order, axis=1)
    scores = np.empty_like(flat)
    np.put_along_axis(scores, order, _scores(flat.shape[1])[_twice_mean_places(ordered)], axis=1)
    return scores.reshape(split.shape), ordered


def _twice_mean_places(ordered: Floats) -> npt.NDArray[np.intp]:
    """Twice the place of each value in order, averaged over those tied with it, from 0."""
    places = np.broadcast_to(np.arange(ordered.shape[1]), ordered.shape)
    differs = ordered[:, 1:] != ordered[:, :-1]
    first, last = places.copy(), places.copy()
    first[:, 1:][~differs] = 0
    last[:, :-1][~differs] = ordered.shape[1]
    first = np.maximum.accumulate(first, axis=1)
    last = np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(first + last)


@cache
def _scores(count: int) -> Floats:
    """Return the normal scores of the ranks 1, 1.5, 2, ..., count."""
    ranks = np.arange(2 * count - 1) / 2 + 1
    return np.asarray(ndtri((ranks - 3 / 8) / (count + 1 / 4)))


def _r_hat(split: Floats) -> Floats:
    draws = split.shape[2]
    between = draws * split.mean(axis=2).var(axis=1, ddof=1)
    within = split.var(axis=2, ddof=1).mean(axis=1)
    return np.asarray(np.sqrt((between / within + draws - 1) / draws))


def _tail_ess(values: Floats) -> Floats:
    limits = np.quantile(values, TAIL, axis=(1, 2), keepdims=True)
    return np.minimum(*(_ess(_split((values <= limit).astype("float64"))) for limit in limits))


def _ess(split: Floats) -> Floats:
    """Effective sample size of chains already split (Geyer's initial monotone sequence)."""
    _, chains, draws = split.shape
    covariance = _autocovariance(split)
    within = covariance[:, :1] * draws / (draws - 1)
    total = covariance[:, 0] + split.mean(axis=2).var(axis=1, ddof=1)
    correlation = 1 - (within - covariance) / total[:, None]
    correlation[:, 0] = 1.0
    last = (draws - 1) // 2  # pairs of lags that the sequence may use
    even, odd = correlation[:, 0 : 2 * last : 2], correlation[:, 1 : 2 * last : 2]
    pairs = even + odd
    ended = pairs <= 0
    ended[:, -1] = True
    end = ended.argmax(axis=1)[:, None]
    inside = np.arange(pairs.shape[1]) < end
    monotone = np.minimum.accumulate(np.where(inside, pairs, np.inf), axis=1)
    final = np.maximum(np.take_along_axis(even, end, axis=1)[:, 0], 0.0)
    time = -1 + 2 * np.where(inside, monotone, 0.0).sum(axis=1) + final
    size = chains * draws
    return np.asarray(size / np.maximum(time, 1 / np.log10(size)))


def _autocovariance(split: Floats) -> Floats:
    """Autocovariance averaged over chains, shape (quantity, lag)."""
    draws = split.shape[2]
    length = next_fast_len(2 * draws, real=True)
    spectrum = rfft(split - split.mean(axis=2, keepdims=True), n=length, axis=2)
    power = (spectrum.real**2 + spectrum.imag**2).mean(axis=1)
    return np.asarray(irfft(power, n=length, axis=1)[:, :draws] / draws)
