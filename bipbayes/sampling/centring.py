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

from collections.abc import Sequence

import numpy as np
import xarray as xr
from scipy import stats
from threadpoolctl import threadpool_limits

from bipbayes.sampling.batches import Batch
from bipbayes.sampling.exact.density import moments
from bipbayes.sampling.exact.reduce import GaussianModel, gaussian_model

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
        All batches of a model; those whose standard deviations are known are no funnels and
        left out.
    cells
        From `bipbayes.cells.cell_means`.

    Returns
    -------
    dict
        By name of the batch, shape of its effects, 0 (non-centred) to 1 (centred).
    """
    # Several threads cost more than they save on matrices of this size.
    with threadpool_limits(limits=1, user_api="blas"):
        model = gaussian_model(cells, batches)
        shares = np.clip(_shares(model), 0.0, 1.0)
    ends = np.cumsum([batch.size(cells) for batch in model.batches])[:-1]
    return {
        batch.name: part.reshape(batch.shape(cells))
        for batch, part in zip(model.batches, np.split(shares, ends), strict=True)
        if not batch.fixed
    }


def _shares(model: GaussianModel) -> np.ndarray:
    """Share of every effect's variance that the data take, somewhat below the sds found."""
    scale = model.scale
    counts = np.bincount(model.group, minlength=len(scale))
    sds = np.where(model.free, _START * scale, scale)

    def sums(values: np.ndarray) -> np.ndarray:
        return np.bincount(model.group, weights=values, minlength=len(scale))

    for _ in range(_STEPS):
        mean, variance = moments(model, sds)
        determined = counts - sums(variance) / sds**2
        found = np.sqrt(sums(mean**2) / np.maximum(determined, 0.5))
        sds = np.where(model.free, np.clip(found, _LEAST * scale, 3 * scale), scale)
    shares = 1 - variance / sds[model.group] ** 2
    known = np.sqrt(sums(shares**2) / counts)
    lowest = np.where(model.free, _lowest(counts, known), 1.0) * sds
    return np.asarray(1 - moments(model, lowest)[1] / lowest[model.group] ** 2)


def _lowest(counts: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Lowest sd that agrees with what was found, as a share of it; see the module's text."""
    ratio = counts / stats.chi2.ppf(_PROBABILITY, counts)
    square = 1 - (1 - ratio) / np.maximum(known, _NOTHING)
    return np.asarray(np.clip(np.sqrt(np.maximum(square, 0.0)), _NOTHING, _HALF))
