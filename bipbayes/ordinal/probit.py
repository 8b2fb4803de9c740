"""Ordered probit by Newton's method on counts of (level, group, category).

An answer falls into category m where a latent normal variable with variance one lies between the
thresholds m and m + 1:

    P(category m | level b, group c) = Phi(upper) - Phi(lower),
    upper = threshold[m + 1] - level_effect[b] - group_effect[c],   lower likewise with m.

The first level's and the first group's effect are zero. The log likelihood is concave, and it
depends on the data through the counts alone, so a fit takes milliseconds for any number of
responses. Where it has no finite maximum (all answers of a group in the lowest or highest
category, a group confounded with a level), a weak penalty ``PENALTY / 2 * effect²`` on all
effects makes it finite; `ProbitFit.penalty` says so.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import xarray as xr
from scipy.special import ndtr, ndtri

from bipbayes.data.adjustment import merged_levels
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Floats, Integers, Sample
from bipbayes.errors import FitError

# The prior precision of effects where the likelihood alone leaves one undetermined: normal with
# standard deviation 3 on the latent scale, less than the information of one response.
PENALTY: Final = 1 / 9
# Latent standard errors beyond this mean that the likelihood has no finite maximum.
DIVERGED: Final = 10.0
MOST_STEPS: Final = 100
# What a Newton step still gains in log likelihood; the step after that is exact to rounding.
CONVERGED: Final = 1e-16
_TINY: Final = 1e-300


@dataclass(frozen=True)
class Answers:
    """One indicator's answers in its analysis sample.

    Attributes
    ----------
    indicator
        Code.
    rows
        Positions of the rows in the sample.
    category, level, combination
        Codes by row: of the answer (along `categories`), of the previous answer (along
        `levels`), of the combination (along the sample's).
    categories
        Answers that occur, ascending; those never given are no categories.
    levels
        Previous answers that occur, ascending; rare ones joined (`merged_levels`).
    level_share, level_answer
        Share of the rows in a level and their mean previous answer.
    mean, sd
        Of progression, in scale points: what standardises it.
    """

    indicator: str
    rows: Integers
    category: Integers
    level: Integers
    combination: Integers
    categories: Floats
    levels: tuple[tuple[float, ...], ...]
    level_share: Floats
    level_answer: Floats
    mean: float
    sd: float


def indicator_answers(
    progression: xr.Dataset, codebook: Codebook, *, sample: Sample
) -> tuple[Answers, ...]:
    """Take the answers of every indicator out of progression.

    Parameters
    ----------
    progression
        As `bipbayes.data.progression.progression` returns it; an answer is the previous answer
        plus the change.
    codebook
        Its indicators, in order.
    sample
        Analysed responses of this progression.
    """
    return tuple(
        _answers(progression, sample, indicator=code, position=sample.outcomes.index(code))
        for code in codebook.indicator_codes
    )


def _answers(progression: xr.Dataset, sample: Sample, *, indicator: str, position: int) -> Answers:
    here = progression.sel(outcome=indicator)
    rows = np.flatnonzero(sample.observed[:, position])
    responses = sample.rows[rows]
    baseline = here["baseline"].to_numpy()[responses]
    answer = np.round(baseline + here["change"].to_numpy()[responses], 9)
    categories, category = np.unique(answer, return_inverse=True)
    levels = tuple(tuple(level) for level in merged_levels(baseline))
    code = np.zeros(len(rows), dtype="int64")
    for index, level in enumerate(levels):
        code[np.isin(baseline, level)] = index
    counts = np.bincount(code, minlength=len(levels)).astype("float64")
    sums = np.bincount(code, weights=baseline, minlength=len(levels))
    return Answers(
        indicator=indicator,
        rows=rows,
        category=category.astype("int64"),
        level=code,
        combination=sample.combination[rows],
        categories=categories,
        levels=levels,
        level_share=counts / max(len(rows), 1),
        level_answer=sums / np.maximum(counts, 1),
        mean=float(here["mean"].item()),
        sd=float(here["sd"].item()),
    )


@dataclass(frozen=True)
class ProbitFit:
    """A fitted ordered probit.

    Attributes
    ----------
    thresholds
        Ascending, shape (categories - 1,).
    level_effect, group_effect
        The first of each is 0.
    information
        Observed information of the parameters (thresholds, level effects but the first, group
        effects but the first), penalty included.
    penalty
        0, or `PENALTY`.
    """

    thresholds: Floats
    level_effect: Floats
    group_effect: Floats
    information: Floats
    penalty: float


@dataclass(frozen=True)
class Kinds:
    """The kinds of responses that occur and how often.

    Attributes
    ----------
    level, group, category, count
        Shape (kind,).
    levels, groups, categories
        How many there are of each.
    """

    level: Integers
    group: Integers
    category: Integers
    count: Floats
    levels: int
    groups: int
    categories: int

    @property
    def parameters(self) -> int:
        """Thresholds, and effects but the first."""
        return self.categories - 1 + self.levels - 1 + self.groups - 1


def fit_probit(kinds: Kinds) -> ProbitFit:
    """Maximise the likelihood, with a weak penalty where it has no finite maximum.

    Raises
    ------
    FitError
        Newton's method did not converge.
    """
    try:
        fit = _newton(kinds, 0.0)
        errors = np.sqrt(np.diag(np.linalg.inv(fit.information)))
        if np.isfinite(errors).all() and (errors < DIVERGED).all():
            return fit
    except (np.linalg.LinAlgError, FitError):
        pass
    return _newton(kinds, PENALTY)


def effect_scores(fit: ProbitFit, kinds: Kinds) -> Floats:
    """Differentiate each kind's log probability by its group's effect, shape (kind,)."""
    upper, lower = _limits(_vector(fit), kinds)
    return np.asarray((_density(lower) - _density(upper)) / _probability(upper, lower))


def parameter_scores(fit: ProbitFit, kinds: Kinds) -> Floats:
    """Differentiate each kind's log probability by all parameters, shape (kind, parameter)."""
    vector = _vector(fit)
    upper, lower = _limits(vector, kinds)
    probability = _probability(upper, lower)
    above, below = _designs(kinds)
    return np.asarray(
        (_density(upper) / probability)[:, None] * above
        - (_density(lower) / probability)[:, None] * below
    )


def effect_information(fit: ProbitFit) -> Floats:
    """Return the expected information of one response on an effect, shape (level, group).

    The sum over categories of ``(density(lower) - density(upper))² / probability``.
    """
    location = fit.level_effect[:, None] + fit.group_effect
    borders = np.concatenate([[-np.inf], fit.thresholds, [np.inf]])
    limits = borders - location[..., None]
    slope = np.diff(_density(limits), axis=-1)
    return np.asarray((slope**2 / _probability(limits[..., 1:], limits[..., :-1])).sum(axis=-1))


def _newton(kinds: Kinds, penalty: float) -> ProbitFit:
    vector = _start(kinds)
    ridge = np.zeros(kinds.parameters)
    ridge[kinds.categories - 1 :] = penalty
    found = _likelihood(vector, kinds, ridge)
    for _ in range(MOST_STEPS):
        value, gradient, information = found
        step = np.linalg.solve(information, gradient)
        size = 1.0
        found = _likelihood(vector + step, kinds, ridge)
        # Rounding may take a hair off at the maximum.
        while found[0] < value - 1e-12 * abs(value) and size > 1e-10:
            size /= 2
            found = _likelihood(vector + size * step, kinds, ridge)
        vector = vector + size * step
        if gradient @ step < CONVERGED:
            return _unpacked(vector, found[2], kinds, penalty)
    raise FitError(
        f"the ordered probit did not converge in {MOST_STEPS} steps; "
        "the categories may be too sparse for an ordinal analysis"
    )


def _start(kinds: Kinds) -> Floats:
    """Thresholds of all answers together, effects zero."""
    counts = np.bincount(kinds.category, weights=kinds.count, minlength=kinds.categories)
    vector = np.zeros(kinds.parameters)
    vector[: kinds.categories - 1] = ndtri(np.cumsum(counts)[:-1] / counts.sum())
    return vector


def _likelihood(vector: Floats, kinds: Kinds, ridge: Floats) -> tuple[float, Floats, Floats]:
    """Penalised log likelihood, gradient and negative Hessian (-inf where impossible)."""
    upper, lower = _limits(vector, kinds)
    if (upper <= lower).any():
        return -np.inf, vector, np.eye(len(vector))
    probability = _probability(upper, lower)
    first, second = _density(upper) / probability, _density(lower) / probability
    above, below = _designs(kinds)
    value = kinds.count @ np.log(probability) - 0.5 * ridge @ vector**2
    gradient = above.T @ (kinds.count * first) - below.T @ (kinds.count * second)
    outer = kinds.count * (_times(upper, first) + first**2)
    inner = kinds.count * (second**2 - _times(lower, second))
    cross = above.T @ ((kinds.count * first * second)[:, None] * below)
    information = (
        above.T @ (outer[:, None] * above)
        + below.T @ (inner[:, None] * below)
        - (cross + cross.T)
        + np.diag(ridge)
    )
    return float(value), gradient - ridge * vector, information


def _limits(vector: Floats, kinds: Kinds) -> tuple[Floats, Floats]:
    """Distance of each kind's thresholds from its location."""
    cuts, rest = kinds.categories - 1, vector[kinds.categories - 1 :]
    level = np.concatenate([[0.0], rest[: kinds.levels - 1]])
    group = np.concatenate([[0.0], rest[kinds.levels - 1 :]])
    borders = np.concatenate([[-np.inf], vector[:cuts], [np.inf]])
    location = level[kinds.level] + group[kinds.group]
    return borders[kinds.category + 1] - location, borders[kinds.category] - location


def _designs(kinds: Kinds) -> tuple[Floats, Floats]:
    """Differentiate the upper and the lower limits by the parameters, shape (kind, parameter)."""
    cuts = kinds.categories - 1
    effects = np.zeros((len(kinds.count), kinds.parameters))
    rows = np.arange(len(kinds.count))
    for code, offset in ((kinds.level, cuts), (kinds.group, cuts + kinds.levels - 1)):
        some = code > 0
        effects[rows[some], offset + code[some] - 1] = -1.0
    above, below = effects.copy(), effects.copy()
    some = kinds.category < cuts
    above[rows[some], kinds.category[some]] = 1.0
    some = kinds.category > 0
    below[rows[some], kinds.category[some] - 1] = 1.0
    return above, below


def _probability(upper: Floats, lower: Floats) -> Floats:
    """Phi(upper) - Phi(lower), accurate in the upper tail, too."""
    flip = lower > 0
    first = np.where(flip, ndtr(-lower), ndtr(upper))
    second = np.where(flip, ndtr(-upper), ndtr(lower))
    return np.asarray(np.maximum(first - second, _TINY))


def _density(limits: Floats) -> Floats:
    return np.asarray(np.exp(-0.5 * limits**2) / np.sqrt(2 * np.pi))


def _times(limits: Floats, values: Floats) -> Floats:
    """Product that is zero at infinite limits."""
    return np.asarray(np.where(np.isfinite(limits), limits, 0.0) * values)


def _vector(fit: ProbitFit) -> Floats:
    return np.concatenate([fit.thresholds, fit.level_effect[1:], fit.group_effect[1:]])


def _unpacked(vector: Floats, information: Floats, kinds: Kinds, penalty: float) -> ProbitFit:
    cuts, levels = kinds.categories - 1, kinds.levels - 1
    return ProbitFit(
        thresholds=vector[:cuts],
        level_effect=np.concatenate([[0.0], vector[cuts : cuts + levels]]),
        group_effect=np.concatenate([[0.0], vector[cuts + levels :]]),
        information=information,
        penalty=penalty,
    )
