"""How weighted scores of one citizen err together, beyond neighbouring changes.

A *score* z has variance one times a weight: response r tells ``w[r, k] z[r, k]`` about the effect
of its cell on indicator k, and ``w²`` is its information. Plain progression has weights 1; an
ordered probit has the root of the information of a response.

Given the previous answer, what a citizen's responses leave unexplained keeps something of the
citizen: all of one citizen's scores covary, not only neighbours. So the working covariance
``citizen`` has a third part here, C, the covariance of scores of one citizen that share no answer,

    V[g] = (C * (b'b) + N * (a'a) + D * (o'o)) / (I I'),      I = sum of w²,

``o`` the weights by response, ``a`` the net weights by answer (plus where it ends a change, minus
where one starts), ``b`` their sums by citizen, all within the cell; ``*`` elementwise. With S0 the
covariance within a response, S1 between neighbouring changes and s the share of joint changes that
start from the same response, N = C - S1 and D = S0 - C - (1 + s) N. Without persistence (C = 0,
w = 1) this is `bipbayes.cells.working`. All three are Gram forms, so V is positive definite once C,
N and D are positive semi-definite.

Residuals from a cell's mean covary by about -G[k, l] S0 / (I[k] I[l]) (G = o'o; -1 / n without
gaps); S1 and C, small numbers, are corrected for it.
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

    ``joint`` o'o, ``shared`` a'a, ``person`` b'b.
    """

    joint: Floats
    shared: Floats
    person: Floats


@dataclass(frozen=True)
class Moments:
    """Covariances of unit scores, shape (indicator, indicator), as estimated.

    ``response`` S0 within a response, ``neighbour`` S1, ``person`` C, ``common`` the share of
    joint changes with the same start; and how many pairs of scores S1 and C rest on where they
    are fewest.
    """

    response: Floats
    neighbour: Floats
    person: Floats
    common: Floats
    neighbours: int
    others: int


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


def moments(scores: Scores, grams: Grams) -> Moments:
    """Estimate covariances within responses, between neighbouring changes and between others."""
    known, residual = (scores.weight > 0).astype(float), scores.residual
    inverse = _reciprocal(scores.information)
    # Share of a cell's information that stands in a mean: 1 / n without gaps.
    share = grams.joint * inverse[:, :, None] * inverse[:, None, :]
    own, joint = residual.T @ residual, known.T @ known
    degrees = _degrees(scores, known, inverse=inverse, shared=(grams.joint * share).sum(axis=0))
    response = _ratio(own, degrees)
    same = _same_start(scores)
    (near, apart), (pairs, others) = (
        _between(scores, residual, own=own, same=same[0]),
        _between(scores, known, own=joint, same=same[1]),
    )
    inside = np.maximum(2 * grams.joint - grams.shared, 0.0)
    outside = np.maximum(grams.person - grams.joint - inside, 0.0)
    return Moments(
        response=response,
        neighbour=_ratio(near + response * (inside * share).sum(axis=0), pairs),
        person=_ratio(apart + response * (outside * share).sum(axis=0), others),
        common=np.divide(same[1], joint, out=np.ones_like(joint), where=joint > 0),
        neighbours=int(np.diag(pairs).min(initial=np.inf) // 2),
        others=int(np.diag(others).min(initial=np.inf) // 2),
    )


def _between(scores: Scores, values: Floats, *, own: Floats, same: Floats) -> tuple[Floats, Floats]:
    """Sum products over a citizen's neighbouring changes, and over those that share no answer."""
    row, indicator = np.nonzero(scores.weight)
    ended, later = np.zeros((2, scores.responses, values.shape[1]))
    ended[scores.rows] = values
    # At a response: the change that starts there (a citizen has at most one of an indicator).
    np.add.at(later, (scores.previous[row, indicator], indicator), values[row, indicator])
    near = later.T @ ended
    near = near + near.T
    sums = group_sums(scores.citizen, values, size=int(scores.citizen.max()) + 1)
    return near, sums.T @ sums - own - near - (later.T @ later - same)


def _degrees(scores: Scores, known: Floats, *, inverse: Floats, shared: Floats) -> Floats:
    """Return what residuals' sums of products are expected to be, in units of S0."""
    fraction = scores.weight**2 * inverse[scores.cell]
    alone = fraction.T @ known
    return np.asarray(known.T @ known - alone - alone.T + shared)


def _same_start(scores: Scores) -> tuple[Floats, Floats]:
    """Products and counts of changes in one response that start from the same response."""
    count = scores.residual.shape[1]
    products, pairs = np.zeros((2, count, count))
    for index in range(count):
        same = (scores.previous == scores.previous[:, [index]]) & (scores.previous >= 0)
        products[index] = scores.residual[:, index] @ (scores.residual * same)
        pairs[index] = same.sum(axis=0)
    return products, pairs


def _gram(keys: Integers, values: Floats, cells: int) -> Floats:
    """Cross products of the rows with the same key; keys ascend."""
    bounds = np.searchsorted(keys, np.arange(cells + 1))
    gram = np.zeros((cells, values.shape[1], values.shape[1]))
    for cell in np.flatnonzero(np.diff(bounds)):
        block = values[bounds[cell] : bounds[cell + 1]]
        gram[cell] = block.T @ block
    return gram


def _ratio(products: Floats, counts: Floats) -> Floats:
    # A cell of one response leaves rounding error where its degrees of freedom are zero.
    return np.divide(products, counts, out=np.zeros_like(products), where=counts > 1e-9)


def _reciprocal(values: Floats) -> Floats:
    return np.divide(1.0, values, out=np.zeros_like(values), where=values > 0)
