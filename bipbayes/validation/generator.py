"""Responses with known truth, from a generator that is not the model.

Citizen i, occasion t, indicator k of respondent r, in scale points:

    answer[i,t,k] = round(level[i,k] + walk[i,t,k] + noise[i,t,k]), cut to the scale
    level[i,k]    = middle[k] + person[i] + view[i,r] + own[i,k]
    walk[i,t,k]   = walk[i,t-1,k] + drift[combination, jobcenter, k] + step[i,t,k]
                    + slope[i,k] + shock[jobcenter, quarter]
    noise[i,t,k]  = steadiness[i,r] * (mood[i,t] + impression[i,t,r] + error[i,t,k])

All parts are normal but steadiness, which is log-normal with mean square one (some citizens'
answers jump about more than others'). ``drift`` carries the effects. With ``cut=False`` answers
are the continuous levels with their noise. Activities persist, answers have gaps, and citizens
respond two to eight times (`bipbayes.synthetic.design`). Slopes (Student with 4 degrees) and
shocks are zero unless asked for. With ``selection`` treatment follows low answers: the log-odds of
every treatment rise by that much for each standard deviation by which the mean of the citizen's
answers on the occasion before lies below the others', and by ``loyalty`` where it was given then.

`population_truth` is what estimates estimate: expected standardised progression.

A large population with the same effects, drawn anew, is averaged by cell. An answer enters by
its expectation given the latent level before the last step (a sum of normal probabilities over
the scale's thresholds), so that neither noise nor step adds Monte Carlo error. Standard
deviations come from the population's drawn answers.

Where treatment follows low answers, the truth of a cell is causal: what everybody in the jobcenter
would have changed by, had the last step been taken under the combination.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Floats, Integers, group_sums
from bipbayes.data.study import Study
from bipbayes.synthetic.design import (
    Design,
    first_rows,
    members,
    random_design,
    respondent_positions,
)
from bipbayes.synthetic.simulate import EffectSds, hierarchical_effects
from bipbayes.synthetic.streams import Stream

MEAN_CHANGE: Final = 0.02  # scale points a step; Table 1 of the report has 0.00 to 0.06
TYPICAL_SD: Final = 0.96  # of a change in scale points
TRUTH_STREAM: Final = 101
ANSWER_STREAM: Final = 102
DESIGN_STREAM: Final = 103
CHOICE_STREAM: Final = 104
DEFAULT_SDS: Final = EffectSds()
SLOPE_DEGREES: Final = 4
QUARTER: Final = 91  # days
BLOCK: Final = 20_000  # citizens of the population drawn at a time


@dataclass(frozen=True)
class Generator:
    """Sizes of the parts, standard deviations in points of a scale of 1 to 5.

    Attributes
    ----------
    person, view, own, step, mood, impression, error
        See the module; the defaults give changes with a standard deviation near 0.95, correlated
        0.25 within a respondent.
    steadiness
        Standard deviation of the logarithm, by respondent in turn; 0 makes all citizens alike.
    slope, shock
        Standard deviations, in those of a change, of what a citizen's answers to a question move
        by on every occasion, and of what all changes of a jobcenter in a quarter share.
    selection, loyalty
        Log-odds of treatment for each standard deviation of low last answers (``None``:
        treatments come in runs, whatever the answers), and where it was given before.
    responses
        Fewest and most responses of a citizen; default: two to eight.
    cut
        Round and cut answers to the scale.
    sds
        Standard deviations of the effects, in standard deviations of progression.
    """

    person: float = 0.31
    view: float = 0.47
    own: float = 0.62
    step: float = 0.16
    mood: float = 0.23
    impression: float = 0.33
    error: float = 0.59
    steadiness: tuple[float, ...] = (0.66, 0.78)
    slope: float = 0.0
    shock: float = 0.0
    selection: float | None = None
    loyalty: float = 0.0
    responses: tuple[int, int] | None = None
    cut: bool = True
    sds: EffectSds = DEFAULT_SDS

    @property
    def noise(self) -> float:
        """Standard deviation of an answer's noise where steadiness is one."""
        return float(np.sqrt(self.mood**2 + self.impression**2 + self.error**2))

    @property
    def surprise(self) -> float:
        """Standard deviation of what moves a level beside the drift, scale points."""
        lasting = TYPICAL_SD * np.hypot(self.slope, self.shock)
        return float(np.hypot(self.step, lasting))


@dataclass(frozen=True)
class Latent:
    """What lies behind the answers of a design; rows are responses, columns indicators.

    Attributes
    ----------
    base
        Level plus walk.
    drift
        Expected latent change into the response (0 at a citizen's first).
    steadiness
        Factor of the noise.
    """

    base: Floats
    drift: Floats
    steadiness: Floats


def draw_drift(codebook: Codebook, jobcenters: int, *, generator: Generator, seed: int) -> Floats:
    """Draw effects on the latent change, shape (combination, jobcenter, indicator)."""
    stream = Stream(seed, TRUTH_STREAM)
    effects = hierarchical_effects(stream, codebook, jobcenters=jobcenters, sds=generator.sds)
    return np.asarray(MEAN_CHANGE + TYPICAL_SD * effects)


def draw_design(
    codebook: Codebook,
    *,
    citizens: int,
    jobcenters: int | None,
    seed: int,
    responses: tuple[int, int] | None = None,
) -> Design:
    """Draw who answers what and when, under which activities."""
    own = int(Stream(seed, DESIGN_STREAM).words(1)[0] >> np.uint64(2))
    return random_design(
        codebook, own, citizens=citizens, jobcenters=jobcenters, responses=responses
    )


def draw_responses(
    design: Design, *, drift: Floats, generator: Generator, seed: int | list[int]
) -> tuple[Design, Latent, Floats]:
    """Draw levels and answers, and who is treated where treatment follows low answers.

    `design`: who answers what and when; its combinations are replaced under selection; `drift`:
    shape (combination, jobcenter, indicator), scale points; `generator`: sizes of the parts;
    `seed`: of levels, answers and treatments.

    Returns: the design, what lies behind the answers, and the answers of all indicators, also where
    the design leaves a question out.
    """
    begin = first_rows(design.citizen)
    occasion = np.arange(len(begin)) - begin
    selected = generator.selection is not None
    later = range(1, int(occasion.max()) + 1) if selected else ()
    root = np.random.SeedSequence(seed, spawn_key=(ANSWER_STREAM,))
    choice = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(CHOICE_STREAM,)))
    weights = _shares(design, drift.shape[:2]) if selected else np.empty(0)
    for number in later:
        # The same numbers as before: only what follows from the new treatments changes.
        _, answers = _draw(np.random.default_rng(root), design, drift, generator)
        rows = np.flatnonzero(occasion == number)
        chosen = _choose(choice, design, rows, answers, weights=weights, generator=generator)
        combination = design.combination.copy()
        combination[rows] = chosen
        design = replace(design, combination=combination)
    return (design, *_draw(np.random.default_rng(root), design, drift, generator))


def _draw(
    rng: np.random.Generator, design: Design, drift: Floats, generator: Generator
) -> tuple[Latent, Floats]:
    latent = draw_latent(rng, design, drift=drift, generator=generator)
    return latent, draw_answers(rng, design, latent=latent, generator=generator)


def _shares(design: Design, shape: tuple[int, ...]) -> Floats:
    """Shares of the combinations in each jobcenter before selection, (jobcenter, combination)."""
    counts = np.zeros(shape)
    np.add.at(counts, (design.combination, design.site[design.citizen]), 1.0)
    return np.asarray((counts / counts.sum(axis=0)).T)


def _choose(
    rng: np.random.Generator,
    design: Design,
    rows: Integers,
    answers: Floats,
    *,
    weights: Floats,
    generator: Generator,
) -> Integers:
    """Choose the combinations of responses given the answers one row before each."""
    names = design.codebook.combinations
    treated = np.array([[int(digit) for digit in name] for name in names])
    asked = design.answered[rows - 1, : answers.shape[1]]
    seen = np.where(asked, answers[rows - 1], 0.0).sum(axis=1)
    mean = np.divide(
        seen, asked.sum(axis=1), out=np.full(len(rows), np.nan), where=asked.any(axis=1)
    )
    low = np.nan_to_num((np.nanmean(mean) - mean) / np.nanstd(mean))
    before = treated[design.combination[rows - 1]]
    with np.errstate(divide="ignore"):  # a combination that a jobcenter does not have
        logit = np.log(weights)[design.site[design.citizen[rows]]]
    logit = logit + (generator.selection or 0.0) * low[:, None] * treated.sum(axis=1)
    logit = logit + generator.loyalty * (before @ treated.T)
    return np.asarray((logit + rng.gumbel(size=logit.shape)).argmax(axis=1))


def draw_latent(
    rng: np.random.Generator, design: Design, *, drift: Floats, generator: Generator
) -> Latent:
    """Draw levels, walks and steadiness.

    `design`: who answers what and when; `drift`: shape (combination, jobcenter, indicator);
    `generator`: sizes of the parts.
    """
    indicators = drift.shape[2]
    respondent = respondent_positions(design.codebook)[:indicators]
    citizens, views = len(design.site), int(respondent.max()) + 1
    level = _middles(design.codebook, indicators) + generator.person * rng.normal(
        size=(citizens, 1)
    )
    level = level + generator.view * rng.normal(size=(citizens, views))[:, respondent]
    level = level + generator.own * rng.normal(size=(citizens, indicators))
    begin = first_rows(design.citizen)
    later = (begin != np.arange(len(begin)))[:, None]
    moves = np.where(later, drift[design.combination, design.site[design.citizen]], 0.0)
    steps = moves + generator.step * rng.normal(size=moves.shape)
    steps = np.where(later, steps + _lasting(rng, design, indicators, generator=generator), 0.0)
    total = np.cumsum(steps, axis=0)
    walk = total - total[begin]
    spread = np.resize(np.asarray(generator.steadiness or (0.0,)), views)
    logs = spread * rng.normal(size=(citizens, views)) - spread**2
    return Latent(
        base=level[design.citizen] + walk,
        drift=moves,
        steadiness=np.exp(logs)[design.citizen][:, respondent],
    )


def _lasting(
    rng: np.random.Generator, design: Design, indicators: int, *, generator: Generator
) -> Floats:
    """Draw citizens' slopes and shocks of jobcenters by quarter, scale points by response."""
    moves = np.zeros((len(design.citizen), indicators))
    if generator.slope:
        unit = rng.standard_t(SLOPE_DEGREES, size=(len(design.site), indicators))
        unit = unit * np.sqrt((SLOPE_DEGREES - 2) / SLOPE_DEGREES)
        moves += TYPICAL_SD * generator.slope * unit[design.citizen]
    if generator.shock:
        quarter = (design.days - design.days.min()) // QUARTER
        unit = rng.normal(size=(int(design.site.max()) + 1, int(quarter.max()) + 1))
        shared = unit[design.site[design.citizen], quarter]
        moves += TYPICAL_SD * generator.shock * shared[:, None]
    return moves


def draw_answers(
    rng: np.random.Generator, design: Design, *, latent: Latent, generator: Generator
) -> Floats:
    """Draw answers of all indicators, also where the design leaves a question out."""
    rows, indicators = latent.base.shape
    respondent = respondent_positions(design.codebook)[:indicators]
    noise = generator.mood * rng.normal(size=(rows, 1))
    noise = noise + (
        generator.impression * rng.normal(size=(rows, int(respondent.max()) + 1))[:, respondent]
    )
    noise = noise + generator.error * rng.normal(size=(rows, indicators))
    answers = latent.base + latent.steadiness * noise
    if not generator.cut:
        return np.asarray(answers)
    low, high = design.codebook.scale
    return np.asarray(np.clip(np.floor(answers + 0.5), low, high))


def simulate_study(design: Design, *, drift: Floats, generator: Generator, seed: int) -> Study:
    """Draw the answers of a design and wrap them as a checked study.

    `design`: who answers what and when; `drift`: shape (combination, jobcenter, indicator), scale
    points; `generator`: sizes of the parts; `seed`: of levels and answers.
    """
    design, _, answers = draw_responses(design, drift=drift, generator=generator, seed=seed)
    codes = list(design.codebook.indicator_codes)
    answers = np.where(design.answered[:, : len(codes)], answers, np.nan)
    names = np.array(design.codebook.combinations)[design.combination]
    frame = pd.DataFrame(answers, columns=codes)
    frame.insert(0, "citizen", design.citizen.astype(str))
    frame.insert(1, "jobcenter", np.array(design.jobcenters)[design.site[design.citizen]])
    frame.insert(2, "date", pd.to_datetime(design.days, unit="D"))
    frame["combination"] = np.where(design.known, names, "")
    return Study(frame, design.codebook, digest=f"seed {seed}", synthetic=True, name="validation")


def _middles(codebook: Codebook, indicators: int) -> Floats:
    """Middle of each indicator's answers: around the scale's middle, 0.3 points up or down."""
    low, high = codebook.scale
    return np.asarray((low + high) / 2 + ((np.arange(indicators) * 5) % 9 - 4) * 0.075)


@dataclass(frozen=True)
class Truth:
    """Expected standardised progression of the population.

    Attributes
    ----------
    cell
        Shape (combination, jobcenter, outcome); NaN where the population has no change.
    error
        Its Monte Carlo standard error.
    mean, sd
        Of change in scale points by outcome.
    """

    cell: Floats
    error: Floats
    mean: Floats
    sd: Floats


@dataclass
class _Sums:
    """Sums over the population so far; ``treated`` counts changes under each combination."""

    count: Floats
    treated: Floats
    total: Floats
    square: Floats
    drawn: Floats
    drawn_square: Floats


def expected_answers(
    mean: Floats, spread: Floats, *, scale: tuple[int, int], cut: bool
) -> NDArray[np.float64]:
    """Return the expectation of an answer whose latent value is normal.

    `mean`, `spread`: of the latent value, same shape; `scale`: lowest and highest answer; `cut`:
    whether answers are rounded and cut to the scale.
    """
    if not cut:
        return mean
    low, high = scale
    expected = np.full(mean.shape, float(low))
    for threshold in range(low, high):
        expected += ndtr((mean - threshold - 0.5) / spread)
    return expected


def population_truth(
    codebook: Codebook,
    *,
    drift: Floats,
    generator: Generator,
    citizens: int,
    seed: int,
) -> Truth:
    """Average the population.

    `codebook`: outcomes are its indicators, then its averages; `drift`: shape (combination,
    jobcenter, indicator); `generator`: sizes of the parts; `citizens`: size of the population;
    `seed`: of the population; not that of any study.
    """
    shape = (drift.shape[0] * drift.shape[1], len(codebook.outcomes))
    cells, columns = [np.zeros(shape) for _ in range(4)], np.zeros((2, shape[1]))
    sums = _Sums(*cells, *columns)
    for block in range(max(1, -(-citizens // BLOCK))):
        size = min(BLOCK, citizens)
        design = draw_design(
            codebook,
            citizens=size,
            jobcenters=drift.shape[1],
            seed=seed + 7919 * (block + 1),
            responses=generator.responses,
        )
        _add(sums, design, drift=drift, generator=generator, seed=[seed, block])
    return _truth(sums, drift.shape[:2])


def _add(
    sums: _Sums, design: Design, *, drift: Floats, generator: Generator, seed: list[int]
) -> None:
    design, latent, answers = draw_responses(design, drift=drift, generator=generator, seed=seed)
    site, jobcenters = design.site[design.citizen], drift.shape[1]
    before, there = _expectations(latent, design.codebook.scale, generator)
    questions = design.questions
    positions: list[NDArray[np.int64]] = [np.array([k]) for k in range(drift.shape[2])]
    causal = generator.selection is not None
    everybody = range(drift.shape[0]) if causal else (None,)
    columns = list(enumerate([*positions, *members(design.codebook)]))
    for combination in everybody:
        own = design.combination if combination is None else np.full_like(site, combination)
        here = _expected(before + drift[own, site], design, latent, generator=generator)
        for column, places in columns:
            rows = np.flatnonzero(questions.sample[:, column])
            start = questions.previous[rows, column]
            change = (here[rows][:, places] - there[start][:, places]).mean(axis=1)
            moments = np.column_stack([np.ones(len(rows)), change, change**2])
            cell = own[rows] * jobcenters + site[rows]
            grouped = group_sums(cell, moments, size=len(sums.count))
            sums.count[:, column] += grouped[:, 0]
            sums.total[:, column] += grouped[:, 1]
            sums.square[:, column] += grouped[:, 2]
    for column, places in columns:
        rows = np.flatnonzero(questions.sample[:, column])
        start = questions.previous[rows, column]
        drawn = (answers[rows][:, places] - answers[start][:, places]).mean(axis=1)
        cell = design.combination[rows] * jobcenters + site[rows]
        sums.treated[:, column] += np.bincount(cell, minlength=len(sums.treated))
        sums.drawn[column] += drawn.sum()
        sums.drawn_square[column] += (drawn**2).sum()


def _expectations(
    latent: Latent, scale: tuple[int, int], generator: Generator
) -> tuple[Floats, Floats]:
    """Return latent levels before the last step, and expected answers given the level itself."""
    before = np.vstack([latent.base[:1], latent.base[:-1]])
    noise = generator.noise * latent.steadiness
    return before, expected_answers(latent.base, noise, scale=scale, cut=generator.cut)


def _expected(level: Floats, design: Design, latent: Latent, *, generator: Generator) -> Floats:
    """Return expected answers where only the drift of the last step is known."""
    moved = np.hypot(generator.noise * latent.steadiness, generator.surprise)
    return expected_answers(level, moved, scale=design.codebook.scale, cut=generator.cut)


def _truth(sums: _Sums, shape: tuple[int, int]) -> Truth:
    size = sums.treated.sum(axis=0)
    drawn = sums.drawn / size
    sd = np.sqrt(sums.drawn_square / size - drawn**2)
    count = np.where(sums.count > 0, sums.count, np.nan)
    average = sums.total / count
    # Effects count from average progress, under the combinations that were given.
    mean = (np.nan_to_num(average) * sums.treated).sum(axis=0) / size
    # Several changes of a citizen err together a little; this error is that of independent ones.
    error = np.sqrt(np.maximum(sums.square / count - average**2, 0) / count)
    return Truth(
        cell=((average - mean) / sd).reshape(*shape, -1),
        error=(error / sd).reshape(*shape, -1),
        mean=mean,
        sd=sd,
    )
