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

Back from the latent scale to expected standardised progression: given the combination's latent
effect x, the expected answer averages over the sample's distribution of previous answers b,

    expected(x) = sum_b share[b] sum_m category[m] P(m | b, x),

and expected standardised progression is ``(expected(x) - mean answer) / sd``: the mean answer is
the mean previous answer plus mean progression. It is increasing in x and bounded by the scale's
ends; ``latent_zero`` is the x where it is 0, average progression. An effect on the latent scale
is counted from there, so that zero means the same on both scales.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import xarray as xr
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq
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
    level_share
        Share of the rows in a level.
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
    mean: float
    sd: float


def indicator_answers(
    progression: xr.Dataset, codebook: Codebook, *, sample: Sample
) -> tuple[Answers, ...]:
    """Take the answers of every indicator out of progression.

    `progression`: as `bipbayes.data.progression.progression` returns it; an answer is the previous
    answer plus the change; `codebook`: its indicators, in order; `sample`: analysed responses of
    this progression.
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
    return Answers(
        indicator=indicator,
        rows=rows,
        category=category.astype("int64"),
        level=code,
        combination=sample.combination[rows],
        categories=categories,
        levels=levels,
        level_share=counts / max(len(rows), 1),
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

    Raises FitError: Newton's method did not converge.
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


# Beyond this latent distance nearly all answers stand at an end of the scale.
FAR: Final = 12.0
_KNOTS: Final = 4801  # spacing 0.005: the spline is exact to 1e-11
VARIABLES: Final = (
    "threshold",
    "step",
    "level_effect",
    "level_share",
    "lowest_answer",
    "mean_answer",
    "latent_zero",
)


@dataclass(frozen=True)
class Translation:
    """What translates one indicator's latent effects.

    Attributes
    ----------
    thresholds, steps
        Thresholds, and the differences of the categories that they part.
    level_effect, level_share
        Effects and shares of the levels of the previous answer.
    lowest, mean_answer, sd
        Lowest category, mean answer of the analysis sample, sd of progression: scale points.
    """

    thresholds: Floats
    steps: Floats
    level_effect: Floats
    level_share: Floats
    lowest: float
    mean_answer: float
    sd: float

    def progress(self, effect: Floats) -> Floats:
        """Return expected standardised progression at latent effects from the reference."""
        above = ndtr(-self._distances(effect))
        expected = np.einsum("b,m,...bm->...", self.level_share, self.steps, above)
        return np.asarray((self.lowest + expected - self.mean_answer) / self.sd)

    def slopes(self, effect: Floats) -> tuple[Floats, Floats, Floats]:
        """Differentiate `progress` by the effect, by thresholds and by level effects.

        Returns
        -------
        tuple
            Shapes (effect,), (effect, threshold) and (effect, level).
        """
        distances = self._distances(effect)
        density = np.exp(-0.5 * distances**2) / np.sqrt(2 * np.pi) / self.sd
        parts = density * self.level_share[:, None] * self.steps
        return parts.sum(axis=(-1, -2)), -parts.sum(axis=-2), parts.sum(axis=-1)

    def zero(self) -> float:
        """Latent effect of average progression."""
        return float(brentq(lambda x: float(self.progress(np.array(x))), -FAR, FAR, xtol=1e-14))

    def _distances(self, effect: Floats) -> Floats:
        location = self.level_effect + np.asarray(effect)[..., None]
        return np.asarray(self.thresholds - location[..., None])


def translation(answers: Answers, fit: ProbitFit) -> Translation:
    """Put together what translates an indicator's latent effects."""
    return Translation(
        thresholds=fit.thresholds,
        steps=np.diff(answers.categories),
        level_effect=fit.level_effect,
        level_share=answers.level_share,
        lowest=float(answers.categories[0]),
        mean_answer=float(answers.categories[answers.category].mean()),
        sd=answers.sd,
    )


def translation_dataset(translations: dict[str, Translation]) -> xr.Dataset:
    """Store translations by indicator; shorter ones are filled up with steps and shares of zero.

    `translations`: by indicator; an indicator without one is left out and gets ``NaN`` on
    reindexing.
    """
    boundaries = max((len(entry.steps) for entry in translations.values()), default=0)
    levels = max((len(entry.level_share) for entry in translations.values()), default=0)
    columns: dict[str, list[Floats]] = {name: [] for name in VARIABLES}
    for entry in translations.values():
        columns["threshold"].append(_filled(entry.thresholds, boundaries))
        columns["step"].append(_filled(entry.steps, boundaries))
        columns["level_effect"].append(_filled(entry.level_effect, levels))
        columns["level_share"].append(_filled(entry.level_share, levels))
        columns["lowest_answer"].append(np.array(entry.lowest))
        columns["mean_answer"].append(np.array(entry.mean_answer))
        columns["latent_zero"].append(np.array(entry.zero()))
    second = {"threshold": "boundary", "step": "boundary"} | {
        "level_effect": "level",
        "level_share": "level",
    }
    return xr.Dataset(
        {
            name: (("indicator", second[name]) if name in second else "indicator", np.stack(values))
            for name, values in columns.items()
        },
        coords={"indicator": list(translations)},
    )


def translate(effect: xr.DataArray, cells: xr.Dataset) -> xr.DataArray:
    """Translate latent effects to expected standardised progression.

    Parameters
    ----------
    effect
        Any dims, one of them ``indicator``; latent, zero is average progression.
    cells
        From `bipbayes.ordinal.cells.ordinal_cells` (or the estimates of `estimate_ordinal`):
        the variables `VARIABLES` and ``sd``. Where its attr ``scale`` is ``progression``, or
        where it is not ordinal, effects are returned as they are.

    Returns
    -------
    xarray.DataArray
        Same dims and coords; in standard deviations of progression.
    """
    if cells.attrs.get("scale") != "latent":
        return effect
    moved = effect.transpose("indicator", ...)
    result = np.full(moved.shape, np.nan)
    for position, code in enumerate(moved["indicator"].to_numpy()):
        stored = stored_translation(cells, str(code))
        if stored is None:
            continue
        zero = float(cells["latent_zero"].sel(indicator=code).item())
        result[position] = _spline(stored)(np.clip(moved.to_numpy()[position] + zero, -FAR, FAR))
    return moved.copy(data=result).transpose(*effect.dims)


def stored_translation(cells: xr.Dataset, indicator: str) -> Translation | None:
    """Read an indicator's translation back (None where the indicator has no answers)."""
    here = cells[list(VARIABLES)].sel(indicator=indicator)
    if bool(here["mean_answer"].isnull()):
        return None
    return Translation(
        thresholds=here["threshold"].to_numpy(),
        steps=here["step"].to_numpy(),
        level_effect=here["level_effect"].to_numpy(),
        level_share=here["level_share"].to_numpy(),
        lowest=float(here["lowest_answer"].item()),
        mean_answer=float(here["mean_answer"].item()),
        sd=float(cells["sd"].sel(outcome=indicator).item()),
    )


def _spline(entry: Translation) -> CubicSpline:
    """Interpolate `progress`: draws are millions, knots a few thousand."""
    knots = np.linspace(-FAR, FAR, _KNOTS)
    return CubicSpline(knots, entry.progress(knots))


def _filled(values: Floats, size: int) -> Floats:
    return np.concatenate([values, np.zeros(size - len(values))])
