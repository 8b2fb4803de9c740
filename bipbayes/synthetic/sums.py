"""Sums of changes by outcome and combination, in whole numbers.

An average's level is counted as the sum of its members, so that every level, change and sum is
a whole number; `divisors` turns them back into scale points.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from bipbayes.data.codebook import Codebook
from bipbayes.synthetic.design import Design, members

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


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
