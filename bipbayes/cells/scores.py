"""Scores of responses, and which of them share responses, answers and citizens.

A *score* z has variance one times a weight: response r tells ``w[r, k] z[r, k]`` about the effect
of its cell on indicator k, and ``w²`` is its information. Progression, plain or adjusted, has
weights 1; an ordered probit has the root of the information of a response.
"""

from dataclasses import dataclass

import numpy as np

from bipbayes.data.sample import Floats, Integers, Sample, group_sums


@dataclass(frozen=True)
class Scores:
    """Scores of the indicators, rows sorted by cell.

    Attributes
    ----------
    residual
        Scores minus weight times the cell's estimate, shape (row, indicator); 0 where none.
    weight
        Shape (row, indicator); 0 where there is no score.
    estimate, information
        By cell, shape (cell, indicator): sum of ``w z`` over I, and I; ``NaN`` where I is 0.
    cell, citizen, rows
        By row; `rows` are positions along ``response``.
    previous
        Position along ``response`` of the response a change starts from, shape (row, indicator).
    responses
        Number of responses in the file.
    """

    residual: Floats
    weight: Floats
    estimate: Floats
    information: Floats
    cell: Integers
    citizen: Integers
    rows: Integers
    previous: Integers
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


def make_scores(sample: Sample, previous: Integers, *, values: Floats, weight: Floats) -> Scores:
    """Sort scores by cell and take the cells' estimates out of them.

    Parameters
    ----------
    sample
        Analysed responses.
    previous
        ``previous`` of the progression for the indicators, shape (response, indicator).
    values, weight
        Scores of unit variance and their weights, shape (row, indicator); 0 where none.
    """
    order = np.argsort(sample.cell, kind="stable")
    cell, weight, values = sample.cell[order], weight[order], values[order]
    information = group_sums(cell, weight**2, size=sample.cells)
    sums = group_sums(cell, weight * values, size=sample.cells)
    estimate = np.divide(sums, information, out=np.full_like(sums, np.nan), where=information > 0)
    rows = sample.rows[order]
    return Scores(
        residual=np.where(weight > 0, values - weight * np.nan_to_num(estimate)[cell], 0.0),
        weight=weight,
        estimate=estimate,
        information=information,
        cell=cell,
        citizen=sample.citizen[order],
        rows=rows,
        previous=np.where(weight > 0, previous[rows], -1),
        responses=len(previous),
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
    citizens = int(scores.citizen.max()) + 1
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
