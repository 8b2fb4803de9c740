"""Scores of responses, and which of them share responses, answers and citizens.

A *score* z has variance one times a weight: response r tells ``w[r, k] z[r, k]`` about the effect
of its cell on indicator k, and ``w²`` is its information. Progression, plain or adjusted, has
weights 1; an ordered probit has the root of the information of a response.
"""

from dataclasses import dataclass

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
