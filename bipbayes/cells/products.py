"""Products of residuals, and what they share: sums over citizens, from which moments are made."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from bipbayes.cells.scores import Grams, Scores, gram_matrices
from bipbayes.data.sample import Floats, Integers, group_sums

GROUPS: Final = 20  # of citizens, whose differences tell the sampling error of C


@dataclass(frozen=True)
class Pairs:
    """Sums over pairs of one citizen's changes, by group of citizens (group, k, l).

    ``near`` neighbours, ``apart`` pairs that share no answer; ``same`` joint changes with the
    same start, all citizens.
    """

    near: Floats
    apart: Floats
    same: Floats


@dataclass(frozen=True)
class Shared:
    """Sums over a cell's scores, over I, summed over cells; shape (indicator,).

    w is a score's weight, m the weights of its neighbours in the cell, o those of the citizen's
    other scores there: ``wm`` is the sum of w m, and so on.
    """

    wm: Floats
    wo: Floats
    mm: Floats
    mo: Floats
    oo: Floats


@dataclass(frozen=True)
class Products:
    """Sums over responses and pairs of them; those of parts add up.

    ``own`` products of residuals within responses, ``joint`` their number, ``alone`` squared
    weights over I where another indicator is answered; ``residuals`` and ``counts`` of pairs
    of responses, ``rows`` what a score shares with its cell's mean, ``grams`` by cell.
    """

    own: Floats
    joint: Floats
    alone: Floats
    residuals: Pairs
    counts: Pairs
    rows: Shared
    grams: Grams


def residual_products(scores: Scores) -> Products:
    """Add up what the moments need of scores, of all citizens or of a part of them."""
    known = (scores.weight > 0).astype(float)
    inverse = reciprocal(scores.information)
    return Products(
        own=cross_products(scores.residual, scores.residual),
        joint=cross_products(known, known),
        alone=cross_products(scores.weight**2 * inverse[scores.cell], known),
        residuals=_pairs(scores, scores.residual),
        counts=_pairs(scores, known),
        rows=_shared(scores, inverse),
        grams=gram_matrices(scores),
    )


def cross_products(first: Floats, second: Floats) -> Floats:
    """Sum of products over rows, first'second, shape (column, column).

    In one thread: for so thin matrices BLAS's threads cost more than they save on a busy
    machine, and the order of summation must not depend on their number.
    """
    return np.asarray(np.einsum("rk,rl->kl", first, second))


def _shared(scores: Scores, inverse: Floats) -> Shared:
    weight, previous = scores.weight, scores.previous
    row, indicator = np.nonzero(weight)
    start = previous[row, indicator]
    ended, later = np.zeros((2, scores.responses, weight.shape[1]))
    ended_cell, later_cell = np.full((2, *ended.shape), -1)
    ended[scores.rows], ended_cell[scores.rows] = weight, scores.cell[:, None]
    later[start, indicator] = weight[row, indicator]
    later_cell[start, indicator] = scores.cell[row]
    near, here = np.zeros_like(weight), scores.cell[row]
    near[row, indicator] = np.where(
        ended_cell[start, indicator] == here, ended[start, indicator], 0.0
    ) + np.where(
        later_cell[scores.rows[row], indicator] == here, later[scores.rows[row], indicator], 0.0
    )
    keys = scores.cell * len(scores.lots) + scores.citizen
    pairs, inverse_pairs = np.unique(keys, return_inverse=True)
    total = group_sums(inverse_pairs, weight, size=len(pairs))[inverse_pairs]
    other = np.where(weight > 0, total - weight - near, 0.0)
    share = inverse[scores.cell]
    products = (weight * near, weight * other, near**2, near * other, other**2)
    return Shared(*((product * share).sum(axis=0) for product in products))


def _pairs(scores: Scores, values: Floats) -> Pairs:
    """Sum products of values over pairs of changes, each ordered pair once."""
    row, indicator = np.nonzero(scores.weight)
    ended, later = np.zeros((2, scores.responses, values.shape[1]))
    ended[scores.rows] = values
    # At a response: the change that starts there (a citizen has at most one of an indicator).
    starts = scores.previous[row, indicator]
    np.add.at(later, (starts, indicator), values[row, indicator])
    lots = scores.lots % GROUPS
    group = np.full(scores.responses, -1)
    group[scores.rows] = lots[scores.citizen]
    group[starts] = lots[scores.citizen[row]]
    sums = group_sums(scores.citizen, values, size=len(lots))
    near, apart, same = [], [], []
    for part in range(GROUPS):
        mine, rows = group == part, lots[scores.citizen] == part
        forward = cross_products(later[mine], ended[mine])
        near.append(forward + forward.T)
        same.append(_same_start(scores.previous[rows], values[rows]))
        mine_all = sums[lots == part]
        everything = cross_products(mine_all, mine_all)
        own, begun = cross_products(values[rows], values[rows]), later[mine]
        apart.append(everything - own - near[-1] - (cross_products(begun, begun) - same[-1]))
    return Pairs(np.stack(near), np.stack(apart), np.sum(same, axis=0))


def _same_start(previous: Integers, values: Floats) -> Floats:
    """Products of changes in one response that start from the same response."""
    products = np.empty((values.shape[1], values.shape[1]))
    for index in range(len(products)):
        same = (previous == previous[:, [index]]) & (previous >= 0)
        products[index] = values[:, index] @ (values * same)
    return products


def reciprocal(values: Floats) -> Floats:
    """Return 1 / x, and 0 where x is."""
    return np.divide(1.0, values, out=np.zeros_like(values), where=values > 0)
