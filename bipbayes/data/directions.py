"""Do the indicators point the same way? What goes against the rest is named, never turned.

Residual: an indicator's standardised change minus the mean of its combination and jobcenter,
divided by the residuals' root mean square; r[k, l]: mean product over the responses that hold
both. Signs are first chosen so that the items go together:

1. from the items as they are, the item that lowers sum(s[k] s[l] r[k, l]) most is flipped, again
   and again until none lowers it; so blocks that do not hang together stay as they came;
2. the same from the signs of the first principal axis of r, which finds a whole block that runs
   against another; it replaces the first only where the difference of the two sums is clear.

The smaller side is what may be turned. An item of it is named where its mean correlation with the
items of the other side is negative and clear; flips that are not clear are undone, one round after
the other, until all that remain are. Where as many items of the other side are clear against the
named ones, which side is turned cannot be known, and both are named.

Clear: with u[i] the sum of the products of citizen i, sum(u) / sqrt(sum(u^2)) lies beyond the
normal quantile of `ALPHA` divided by the number of items. The form is self-normalised: changes of
a citizen may be dependent, and a single citizen with extreme answers raises no alarm.
How often the rule errs: ``docs/statistics/direction.md``.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import xarray as xr
from scipy.special import ndtri

from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Floats, Integers, Sample, analysis_sample, group_sums

ALPHA: Final = 0.05


@dataclass(frozen=True)
class Against:
    """An indicator that goes against others.

    Attributes
    ----------
    code
        The indicator.
    correlation
        Its mean residual correlation with the items of the other side.
    statistic
        Distance of that from zero in standard errors (negative).
    n_citizens
        Citizens behind it.
    """

    code: str
    correlation: float
    statistic: float
    n_citizens: int


@dataclass(frozen=True)
class Directions:
    """What the look at the directions found.

    Attributes
    ----------
    against
        The named indicators in codebook order; empty where all go together.
    others
        Those of the other side that are clear against the named ones.
    critical
        What an item's `Against.statistic` had to exceed in size.
    """

    against: tuple[Against, ...]
    others: tuple[Against, ...]
    critical: float

    @property
    def undecided(self) -> bool:
        """True where both sides are as large, so that either may be the turned one."""
        return bool(self.against) and len(self.against) == len(self.others)


def directions(progression: xr.Dataset, codebook: Codebook) -> Directions:
    """Find indicators that go against the rest.

    Parameters
    ----------
    progression
        As `bipbayes.data.progression.progression` returns it.
    codebook
        Gives the indicators and their order.

    Returns
    -------
    Directions
        Of the indicators that vary; one without variation goes with none and is not named.

    Raises
    ------
    DataError
        Empty analysis sample.
    """
    sample = analysis_sample(progression, codebook)
    count = len(codebook.indicators)
    products = _products(sample, count)
    critical = float(-ndtri(ALPHA / count))
    signs = _clear_signs(products, _signs(products, critical), critical)
    named, rest = np.flatnonzero(signs < 0).tolist(), np.flatnonzero(signs > 0).tolist()
    others = [_against(products, k, named, sample) for k in rest] if named else []
    return Directions(
        tuple(_against(products, k, rest, sample) for k in named),
        tuple(one for one in others if one.statistic < -critical),
        critical,
    )


@dataclass(frozen=True)
class _Products:
    """Products of residuals: ``values[row, k]`` scaled, ``joint[k, l]`` responses with both."""

    values: Floats
    joint: Floats
    correlation: Floats
    citizen: Integers


def _products(sample: Sample, count: int) -> _Products:
    observed = sample.observed[:, :count].astype(float)
    values = sample.values[:, :count]
    n = group_sums(sample.cell, observed, size=sample.cells)
    means = group_sums(sample.cell, values, size=sample.cells) / np.maximum(n, 1)
    residual = np.where(observed > 0, values - means[sample.cell], 0.0)
    answers = observed.sum(axis=0)
    scale = np.sqrt((residual**2).sum(axis=0) / np.maximum(answers, 1))
    # Rounding error is no variation; standardised changes have a variance of one.
    scaled = np.divide(residual, scale, out=np.zeros_like(residual), where=scale > 1e-6)
    joint = observed.T @ observed
    correlation = np.divide(scaled.T @ scaled, joint, out=np.zeros_like(joint), where=joint > 0)
    np.fill_diagonal(correlation, 0.0)
    return _Products(scaled, joint, correlation, sample.citizen)


def _statistic(products: _Products, weights: Floats) -> float:
    """Distance of ``sum(weights * correlation)`` from zero in standard errors.

    Parameters
    ----------
    weights
        Shape (indicator, indicator).
    """
    zero = np.zeros_like(products.joint)
    shares = np.divide(weights, products.joint, out=zero, where=products.joint > 0)
    rows = ((products.values @ shares) * products.values).sum(axis=1)
    sums = np.bincount(products.citizen, rows)
    return float(sums.sum() / max(np.sqrt((sums**2).sum()), np.finfo(float).tiny))


def _signs(products: _Products, critical: float) -> Integers:
    """Choose signs under which the items go together; the smaller side is negative."""
    correlation = products.correlation
    signs = _ascend(correlation, np.ones(len(correlation), dtype="int64"))
    axis = np.linalg.eigh(correlation)[1][:, -1]
    other = _ascend(correlation, np.where(axis < 0, -1, 1))
    gain = (np.outer(other, other) - np.outer(signs, signs)) / 2
    if gain.any() and _statistic(products, gain) > critical:
        signs = other
    return -signs if (signs < 0).sum() > (signs > 0).sum() else signs


def _ascend(correlation: Floats, signs: Integers) -> Integers:
    """Flip one item after the other until no flip raises ``sum(s[k] s[l] r[k, l])``."""
    signs = signs.copy()
    while True:
        gain = -signs * (correlation @ signs)
        worst = int(np.argmax(gain))
        if gain[worst] <= 1e-12:  # each flip raises a bounded sum, so this ends
            return signs
        signs[worst] *= -1


def _clear_signs(products: _Products, signs: Integers, critical: float) -> Integers:
    """Undo the flips that are not clear, until all that remain are."""
    while True:
        named, rest = np.flatnonzero(signs < 0).tolist(), np.flatnonzero(signs > 0).tolist()
        unclear = [k for k in named if _mean_correlation(products, k, rest)[1] >= -critical]
        if not unclear:
            return signs
        signs = signs.copy()
        signs[unclear] = 1


def _mean_correlation(products: _Products, item: int, rest: list[int]) -> tuple[float, float]:
    """Mean correlation of an item with others, and its distance from zero."""
    weights = np.zeros_like(products.joint)
    weights[item, rest] = products.joint[item, rest] > 0
    total = max(weights.sum(), 1.0)
    mean = float((weights * products.correlation).sum() / total)
    return mean, _statistic(products, weights)


def _against(products: _Products, item: int, rest: list[int], sample: Sample) -> Against:
    correlation, statistic = _mean_correlation(products, item, rest)
    answered = sample.observed[:, item] & sample.observed[:, rest].any(axis=1)
    citizens = len(np.unique(sample.citizen[answered]))
    return Against(sample.outcomes[item], correlation, statistic, citizens)
