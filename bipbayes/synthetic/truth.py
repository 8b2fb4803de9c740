"""What the estimates estimate: expected standardised progression under the generator.

Not the latent effects, but what their consequences look like on the answers' scale, by Monte
Carlo over new answers for the same design (citizens, jobcenters, dates, activities and gaps
stay), standardised in every replicate as the analysis does. Replicates come in mirrored pairs
(all normal numbers negated in the second), which cancels most of the noise.

Changes are summed in whole numbers: an average's level is counted as the sum of its members, so
that every level, change and sum is one; `divisors` turns them back into scale points.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Floats, Integers
from bipbayes.intervals import ALL_INDICATORS
from bipbayes.synthetic.design import Design, members
from bipbayes.synthetic.latent import Process, draw_answers
from bipbayes.synthetic.streams import MirroredStream, Stream

PAIRS: Final = 30
COLUMNS: Final = ("outcome", "combination", "jobcenter", "estimand", "value", "mcse")


@dataclass(frozen=True)
class Sums:
    """Changes summed over the analysis sample, whole numbers.

    Attributes
    ----------
    count, total
        Number and sum of changes, shape (outcome, combination).
    squares
        Sum of squared changes by outcome.
    """

    count: Integers
    total: Integers
    squares: Integers

    def sd(self, outcome: int) -> float:
        """Return the standard deviation (n - 1) of an outcome's changes, in its whole units."""
        n, total = int(self.count[outcome].sum()), int(self.total[outcome].sum())
        return sqrt((n * int(self.squares[outcome]) - total * total) / (n * (n - 1)))


def divisors(codebook: Codebook) -> Integers:
    """Whole units of a scale point by outcome: 1, or an average's number of members."""
    sizes = [len(places) for places in members(codebook)]
    return np.array([1] * len(codebook.indicators) + sizes, dtype=np.int64)


def changes(design: Design, answers: Integers, *, rows: Integers | None = None) -> Integers:
    """Return changes by response and outcome in whole units; meaningless outside the sample.

    Parameters
    ----------
    design
        Gives the responses that changes run between.
    answers
        Shape (response, question).
    rows
        The responses asked for; default all.
    """
    indicators = len(design.codebook.indicators)
    rows = np.arange(len(answers)) if rows is None else rows
    start = np.maximum(design.questions.previous[rows], 0)
    own = answers[rows, :indicators] - np.take_along_axis(
        answers[:, :indicators], start[:, :indicators], axis=0
    )
    averages = []
    for outcome, places in enumerate(members(design.codebook), start=indicators):
        difference = answers[np.ix_(rows, places)] - answers[np.ix_(start[:, outcome], places)]
        averages.append(difference.sum(axis=1))
    return np.column_stack([own, *averages])


def sum_changes(design: Design, answers: Integers) -> Sums:
    """Sum changes over the analysis sample by outcome and combination."""
    sample = design.questions.sample
    change = np.where(sample, changes(design, answers), 0)
    groups = len(design.codebook.combinations)
    count, total = (
        by_group(design.combination, values, groups=groups) for values in (sample, change)
    )
    return Sums(count, total, np.asarray((change * change).sum(axis=0)))


def combination_totals(design: Design, answers: Integers, combination: int) -> Integers:
    """Sum changes of one combination's analysed responses, by outcome."""
    rows = np.flatnonzero(design.combination == combination)
    change = changes(design, answers, rows=rows)
    return np.asarray(np.where(design.questions.sample[rows], change, 0).sum(axis=0))


def by_group(group: Integers, values: NDArray[np.generic], *, groups: int) -> Integers:
    """Sum columns within groups; whole numbers below 2**53 stay exact. Shape (column, group)."""
    columns = [np.bincount(group, weights=column, minlength=groups) for column in values.T]
    return np.array(columns, dtype=np.float64).astype(np.int64)


@dataclass(frozen=True)
class Expected:
    """Expected standardised progression with its Monte Carlo error; NaN where no change is.

    Attributes
    ----------
    effect, effect_mcse
        Shape (outcome, combination).
    cell, cell_mcse
        Shape (outcome, combination, jobcenter).
    """

    effect: Floats
    effect_mcse: Floats
    cell: Floats
    cell_mcse: Floats


def expected_progression(
    design: Design, drift: Floats, *, process: Process, seed: int, pairs: int = PAIRS
) -> Expected:
    """Average the standardised cell means over replicates.

    Parameters
    ----------
    design
        Who answers what; kept in all replicates.
    drift
        Expected latent change in scale points, shape (combination, jobcenter, indicator).
    process
        Sizes of the latent parts.
    seed
        Seed of the replicates.
    pairs
        Number of mirrored pairs.
    """
    effects, cells = [], []
    for pair in range(pairs):
        halves = [
            _standardised(
                design, draw_answers(kind(seed, 9, pair), design, drift=drift, process=process)
            )
            for kind in (Stream, MirroredStream)
        ]
        effects.append((halves[0][0] + halves[1][0]) / 2)
        cells.append((halves[0][1] + halves[1][1]) / 2)
    return Expected(*_mean(effects), *_mean(cells))


def _mean(values: list[Floats]) -> tuple[Floats, Floats]:
    stack = np.stack(values)
    error = stack.std(axis=0, ddof=1) / np.sqrt(len(stack)) if len(stack) > 1 else stack[0] * np.nan
    return stack.mean(axis=0), error


def _standardised(design: Design, answers: Integers) -> tuple[Floats, Floats]:
    """Standardised means by combination, and by combination and jobcenter."""
    combinations, sites = len(design.codebook.combinations), len(design.jobcenters)
    sample = design.questions.sample
    change = np.where(sample, changes(design, answers), 0)
    cell = design.combination * sites + design.site[design.citizen]
    shape = (sample.shape[1], combinations, sites)
    n = by_group(cell, sample, groups=combinations * sites).reshape(shape).astype(float)
    total = by_group(cell, change, groups=combinations * sites).reshape(shape).astype(float)
    size = n.sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):  # cells without changes stay NaN
        mean = total.sum(axis=(1, 2)) / size
        variance = ((change**2).sum(axis=0) - size * mean**2) / (size - 1)
        sd = np.sqrt(variance)
        effect = (total.sum(axis=2) / n.sum(axis=2) - mean[:, None]) / sd[:, None]
        by_cell = (total / n - mean[:, None, None]) / sd[:, None, None]
    return effect, by_cell


def shifted(expected: Expected, targets: Floats) -> Expected:
    """Move cells so that the combinations' effects are the targets.

    The repair of the calibrated data moves answers at random within combinations until their
    means are the targets, so its effects are known without Monte Carlo error, and differences
    between jobcenters stay.
    """
    shift = targets - expected.effect
    return Expected(
        targets, np.zeros_like(targets), expected.cell + shift[:, :, None], expected.cell_mcse
    )


def truth_frame(design: Design, expected: Expected) -> pd.DataFrame:
    """Write expected progression as a long frame.

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`; `estimand` is ``effect`` (jobcenter ``""``) or ``jobcenter``;
        outcomes are indicators, averages and ``all_indicators`` (the plain mean over the
        indicators; its Monte Carlo error is not known). Cells without a change are left out.
    """
    codebook = design.codebook
    indicators = len(codebook.indicators)
    outcomes = [*codebook.outcomes, ALL_INDICATORS]
    frames = []
    for estimand, values, errors in (
        ("effect", expected.effect[:, :, None], expected.effect_mcse[:, :, None]),
        ("jobcenter", expected.cell, expected.cell_mcse),
    ):
        overall = values[:indicators].mean(axis=0, keepdims=True)
        unknown = np.full_like(overall, np.nan)
        jobcenters = [""] if estimand == "effect" else list(design.jobcenters)
        labels = pd.MultiIndex.from_product(
            [outcomes, list(codebook.combinations), jobcenters],
            names=["outcome", "combination", "jobcenter"],
        )
        frame = pd.DataFrame(
            {
                "value": np.concatenate([values, overall]).ravel(),
                "mcse": np.concatenate([errors, unknown]).ravel(),
            },
            index=labels,
        ).reset_index()
        frames.append(frame.assign(estimand=estimand))
    return pd.concat(frames, ignore_index=True)[list(COLUMNS)].dropna(
        subset=["value"], ignore_index=True
    )


def joined_truth(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Average the truths of parts, whose citizens and sites differ by chance.

    Returns
    -------
    pandas.DataFrame
        As `truth_frame`; of several parts ``mcse`` is the standard error of their mean.
    """
    if len(parts) == 1:
        return parts[0]
    keys = ["outcome", "combination", "jobcenter", "estimand"]
    groups = pd.concat(parts).groupby(keys, sort=False)["value"]
    return groups.agg(value="mean", mcse="sem").reset_index()[list(COLUMNS)]
