"""How far each effect of a batch is centred: as far as the data know it.

A centred effect ``x ~ Normal(0, sd)`` mixes well where the data determine ``x``; where they
hardly do, ``x`` and ``sd`` form a funnel, and the non-centred ``x = sd * raw`` mixes well
(Papaspiliopoulos, Roberts and Sköld 2007, section 4). BIP has both in one batch: 1,681
responses to one combination, 24 to another. So each effect gets its own degree of centring, the
share of its prior variance that the data take away:

    centring = 1 - Var(x | data) / Var(x),      Var(x) = sd**2

below the standard deviations that a few steps of MacKay's (1992) evidence maximisation find:
funnels hurt where a standard deviation is small, and a chain that comes near zero in a batch that
is centred too far stays there. So each is taken at the lowest value that agrees with the squares
found: n effects with a share s of their variance determined have, at probability p,

    (lowest / found)**2 = 1 - (1 - n / chi2(n, p)) / s,     zero if negative,

and half at most. Any value between 0 and 1 gives the same posterior; only the sampler's path
depends on it.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from scipy import linalg, stats
from threadpoolctl import threadpool_limits

from bipbayes.cells import whiten
from bipbayes.sampling.batches import Batch
from bipbayes.sampling.labels import CELL, RESPONDENT, respondent_position

_START = 0.5  # of the prior scale
_STEPS = 6  # within a few percent of where they end
_LEAST = 0.05  # of the prior scale: below, a batch is non-centred anyway
_PROBABILITY = 0.999
_NOTHING = 1e-3  # of a standard deviation: not centred at all
_HALF = 0.5  # of what is found, at most: where the data say much, the model may still err


def centring(batches: Sequence[Batch], cells: xr.Dataset) -> dict[str, np.ndarray]:
    """Work out the degree of centring of every effect.

    Parameters
    ----------
    batches
        All additive batches of a model.
    cells
        From `bipbayes.cells.cell_means`.

    Returns
    -------
    dict
        By name of the batch, shape of its effects, 0 (non-centred) to 1 (centred).
    """
    shapes = [batch.shape(cells) for batch in batches]
    counts = np.array([count for batch in batches for count in batch.group_sizes(cells)])
    scales = np.array([scale for batch in batches for scale in batch.scales])
    # Several threads cost more than they save on matrices of this size.
    with threadpool_limits(limits=1, user_api="blas"):
        information, score = _information(batches, cells, shapes=shapes)
        variance, prior = _evidence(information, score, counts=counts, scales=scales)
    shares = np.clip(1.0 - variance / prior, 0.0, 1.0)
    parts = np.split(shares, np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1])
    return {
        batch.name: part.reshape(shape)
        for batch, part, shape in zip(batches, parts, shapes, strict=True)
    }


def _evidence(
    information: np.ndarray, score: np.ndarray, *, counts: np.ndarray, scales: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Posterior and prior variance of every effect, somewhat below the sds found."""
    sds = _START * scales
    starts = np.r_[0, np.cumsum(counts)[:-1]]
    for _ in range(_STEPS):
        mean, variance = _gaussian(information, score, prior=np.repeat(sds**2, counts))
        determined = counts - np.add.reduceat(variance, starts) / sds**2
        squares = np.add.reduceat(mean**2, starts)
        found = np.sqrt(squares / np.maximum(determined, 0.5))
        sds = np.clip(found, _LEAST * scales, 3 * scales)
    shares = 1 - variance / np.repeat(sds**2, counts)
    known = np.sqrt(np.add.reduceat(shares**2, starts) / counts)
    prior = np.repeat((_lowest(counts, known) * sds) ** 2, counts)
    return _gaussian(information, score, prior=prior)[1], prior


def _lowest(counts: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Lowest sd that agrees with what was found, as a share of it; see the module's text."""
    ratio = counts / stats.chi2.ppf(_PROBABILITY, counts)
    square = 1 - (1 - ratio) / np.maximum(known, _NOTHING)
    return np.asarray(np.clip(np.sqrt(np.maximum(square, 0.0)), _NOTHING, _HALF))


def _gaussian(
    information: np.ndarray, score: np.ndarray, *, prior: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of every effect, given the standard deviations."""
    factor = linalg.lapack.dpotrf(information + np.diag(1.0 / prior), lower=1)[0]
    mean = linalg.cho_solve((factor, True), score)
    return mean, np.diag(linalg.lapack.dpotri(factor, lower=1)[0])


def _information(
    batches: Sequence[Batch], cells: xr.Dataset, *, shapes: Sequence[tuple[int, ...]]
) -> tuple[np.ndarray, np.ndarray]:
    """Precision Z' V^-1 Z and score Z' V^-1 m that the data alone give, over all batches."""
    white = whiten(cells)
    whitener = white["whitener"].to_numpy()
    means = np.where(white["observed"], white["whitened"], 0.0)
    size = sum(int(np.prod(shape)) for shape in shapes)
    information, score = np.zeros((size, size)), np.zeros(size)
    alike = _indicator_factors(cells)
    for c, j in np.ndindex(whitener.shape[:2]):
        places, design = _block(batches, alike, block=(c, j), shapes=shapes)
        turned = whitener[c, j] @ design
        information[np.ix_(places, places)] += turned.T @ turned
        score[places] += turned.T @ means[c, j]
    return information, score


def _indicator_factors(cells: xr.Dataset) -> dict[str, np.ndarray]:
    """Weights of the labels of a dim in each indicator, (indicator, label)."""
    respondent = respondent_position(cells)
    return {
        "indicator": np.eye(len(respondent)),
        RESPONDENT: np.eye(respondent.max() + 1)[respondent],
    }


def _block(
    batches: Sequence[Batch],
    alike: Mapping[str, np.ndarray],
    *,
    block: tuple[int, int],
    shapes: Sequence[tuple[int, ...]],
) -> tuple[np.ndarray, np.ndarray]:
    """Effects that one cell block depends on: their positions, and (indicator, effect)."""
    start, places, designs = 0, [], []
    for batch, shape in zip(batches, shapes, strict=True):
        place, design = np.zeros(1, dtype="int64"), np.ones((len(alike["indicator"]), 1))
        for dim, size in zip(batch.dims, shape, strict=True):
            if dim in alike:
                at, weight = np.arange(size), alike[dim]
            elif dim == "combination" and batch.basis is not None:
                at, weight = np.arange(size), batch.basis.matrix[block[0], None]
            else:
                at, weight = np.array([block[CELL.index(dim)]]), np.ones((1, 1))
            place = (place[:, None] * size + at).reshape(-1)
            design = (design[:, :, None] * weight[:, None, :]).reshape(len(design), -1)
        places.append(start + place)
        designs.append(design)
        start += int(np.prod(shape))
    return np.concatenate(places), np.concatenate(designs, axis=1)
