"""Scores of responses, and sums of their products over citizens, from which moments are made.

A *score* z has variance one times a weight: response r tells ``w[r, k] z[r, k]`` about the effect
of its cell on indicator k, and ``w²`` is its information. Progression, plain or adjusted, has
weights 1; an ordered probit has the root of the information of a response.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from bipbayes.data.sample import Floats, Integers, Sample, group_sums


@dataclass(frozen=True)
class CellSums:
    """Sums of scores by cell, shape (cell, indicator); those of parts add up.

    ``information`` is the sum of squared weights, ``products`` that of weights times scores.
    """

    information: Floats
    products: Floats

    @property
    def estimate(self) -> Floats:
        """The cells' estimates; ``NaN`` where there is no information."""
        known = self.information > 0
        empty = np.full_like(self.products, np.nan)
        return np.asarray(np.divide(self.products, self.information, out=empty, where=known))


@dataclass(frozen=True)
class Scores:
    """Scores of the indicators, rows sorted by cell; all citizens of a study or a part of them.

    Attributes
    ----------
    residual
        Scores minus weight times the cell's estimate, shape (row, indicator); 0 where none.
    weight
        Shape (row, indicator); 0 where there is no score.
    cell, citizen, rows
        By row; `rows` are positions along ``response``.
    previous
        Position along ``response`` of the response a change starts from, shape (row, indicator).
    information
        Of the cells, over all parts, shape (cell, indicator).
    lots
        By citizen, a number drawn from the id.
    responses
        Number of responses in the file, or its part.
    """

    residual: Floats
    weight: Floats
    cell: Integers
    citizen: Integers
    rows: Integers
    previous: Integers
    information: Floats
    lots: Integers
    responses: int


@dataclass(frozen=True)
class Grams:
    """Weighted Gram matrices by cell, shape (cell, indicator, indicator).

    ``joint`` o'o, ``shared`` a'a, ``person`` p'p: o the weights by response, a the net weights
    by answer (plus where it ends a change, minus where one starts; sums telescope), p their
    sums by citizen, all within the cell.
    """

    joint: Floats
    shared: Floats
    person: Floats


def cell_sums(sample: Sample, *, values: Floats, weight: Floats) -> CellSums:
    """Add up scores of unit variance and their information by cell.

    Parameters
    ----------
    sample
        Analysed responses.
    values, weight
        Scores of unit variance and their weights, shape (row, indicator); 0 where none.
    """
    return CellSums(
        group_sums(sample.cell, weight**2, size=sample.cells),
        group_sums(sample.cell, weight * values, size=sample.cells),
    )


def make_scores(
    sample: Sample, *, values: Floats, weight: Floats, sums: CellSums | None = None
) -> Scores:
    """Sort scores by cell and take the cells' estimates out of them.

    Parameters
    ----------
    sample
        Analysed responses; the indicators are the first of its outcomes.
    values, weight
        As of `cell_sums`.
    sums
        Of all parts; default: the sample is all there is.
    """
    sums = cell_sums(sample, values=values, weight=weight) if sums is None else sums
    order = np.argsort(sample.cell, kind="stable")
    order = order[(weight > 0).any(axis=1)[order]]
    cell, weight, values = sample.cell[order], weight[order], values[order]
    expected = np.nan_to_num(sums.estimate)[cell]
    previous = sample.previous[order, : weight.shape[1]]
    return Scores(
        residual=np.where(weight > 0, values - weight * expected, 0.0),
        weight=weight,
        cell=cell,
        citizen=sample.citizen[order],
        rows=sample.rows[order],
        previous=np.where(weight > 0, previous, -1),
        information=sums.information,
        lots=sample.lots,
        responses=sample.responses,
    )


def gram_matrices(scores: Scores) -> Grams:
    """Cross products of the weights by response, by answer and by citizen, within cells."""
    cells = len(scores.information)
    row, indicator = np.nonzero(scores.weight)
    weights = scores.weight[row, indicator]
    ends = scores.cell[row] * scores.responses + scores.rows[row]
    starts = scores.cell[row] * scores.responses + scores.previous[row, indicator]
    answers, position = np.unique(np.concatenate([ends, starts]), return_inverse=True)
    count = scores.weight.shape[1]
    net = np.bincount(
        position * count + np.tile(indicator, 2),
        weights=np.concatenate([weights, -weights]),
        minlength=len(answers) * count,
    ).reshape(-1, count)
    citizens = len(scores.lots)
    pairs, inverse = np.unique(scores.cell * citizens + scores.citizen, return_inverse=True)
    sums = group_sums(inverse, scores.weight, size=len(pairs))
    return Grams(
        joint=_gram(scores.cell, scores.weight, cells),
        shared=_gram(answers // scores.responses, net, cells),
        person=_gram(pairs // citizens, sums, cells),
    )


def _gram(keys: Integers, values: Floats, cells: int) -> Floats:
    """Cross products of the rows with the same key; keys ascend."""
    bounds = np.searchsorted(keys, np.arange(cells + 1))
    gram = np.zeros((cells, values.shape[1], values.shape[1]))
    for cell in np.flatnonzero(np.diff(bounds)):
        block = values[bounds[cell] : bounds[cell + 1]]
        gram[cell] = block.T @ block
    return gram


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
