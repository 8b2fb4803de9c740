"""Dummy designs: their OLS estimates are means, so every standard error has a closed form.

An estimate of group c is a weighted sum of the responses of c,

    estimate[c] = sum_r weight[r] y[r],   r in c,

with weight 1 / n[c] in the regression on the dummies of combinations, and
share[j] / n[c, j] where the means of combination x jobcenter are averaged over jobcenters.
Weights and leverages are alike within a cell (combination x jobcenter), so the covariance
estimators need sums of residuals and of their squares by cell and, where citizens are clusters,
products of each citizen's sums of weighted residuals: all of them sums over parts of the citizens.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from bipbayes.data.sample import Floats, Integers, Sample, Samples, group_sums


@dataclass(frozen=True)
class Residuals:
    """Sums of residuals over the responses.

    Attributes
    ----------
    sums, squares
        By cell, shape (cell, outcome).
    products
        Over citizens, of their sums of weighted residuals by group, shape (outcome, group,
        group); the diagonal alone, (outcome, group), where groups are cells.
    """

    sums: Floats
    squares: Floats
    products: Floats


@dataclass(frozen=True)
class Design:
    """A dummy design fitted to every outcome at once.

    Attributes
    ----------
    group, jobcenter
        Codes by cell, shape (cell,).
    size
        Number of groups.
    counts, weight, leverage
        Responses of a cell, and the weight and leverage of each, shape (cell, outcome).
    residuals
        Sums of the residuals.
    estimate, n, citizens, jobcenters
        Shape (group, outcome): the estimate (``NaN`` without responses), responses, and the
        citizens and jobcenters that they come from.
    observations, columns, citizens_all
        By outcome: responses, dummies (observed ones only), citizens.
    """

    group: Integers
    jobcenter: Integers
    size: int
    counts: Floats
    weight: Floats
    leverage: Floats
    residuals: Residuals
    estimate: Floats
    n: Integers
    citizens: Integers
    jobcenters: Integers
    observations: Integers
    columns: Integers
    citizens_all: Integers


@dataclass(frozen=True)
class Designs[Entry]:
    """The regression on combinations, that on cells, and the latter averaged over jobcenters."""

    plain: Entry
    saturated: Entry
    averaged: Entry


def fit_designs(samples: Samples) -> Designs[Design]:
    """Regress every outcome on the dummies, without intercept, each in its own sample.

    Returns: each a `Design`; an averaged estimate is ``NaN`` where a jobcenter with positive weight
    has no response in the combination.
    """
    totals, jobcenters = samples.totals, len(samples.jobcenters)
    combinations, cells = len(samples.combinations), samples.cells
    combination, jobcenter = np.divmod(np.arange(cells), jobcenters)
    counts = totals.n * samples.scaled.astype(float)
    n = group_sums(combination, counts, size=combinations)
    inverse, own = _reciprocal(n), _reciprocal(counts)
    means = group_sums(combination, totals.sums, size=combinations) * inverse
    cell_means = totals.sums * own
    share = jobcenter_share(samples)
    plain, averaged = inverse[combination], own * share[jobcenter]
    weights = Designs(plain, own, averaged)
    residuals: Designs[Residuals] = samples.total(_residuals, means, cell_means, weights)
    present = (samples.by_cell(counts) > 0).sum(axis=1)
    by_combination: dict[str, Any] = {
        "group": combination,
        "size": combinations,
        "n": n.astype("int64"),
        "citizens": totals.citizens_combination * samples.scaled,
        "jobcenters": present,
    }
    shared: dict[str, Any] = {
        "jobcenter": jobcenter,
        "counts": counts,
        "observations": counts.sum(axis=0).astype("int64"),
        "citizens_all": totals.citizens_outcome * samples.scaled,
    }
    filled = np.where(counts > 0, cell_means, np.nan)
    weighted = np.where(share > 0, share * samples.by_cell(filled), 0.0)  # NaN stays if weighted
    return Designs(
        plain=Design(
            weight=plain,
            leverage=plain,
            residuals=residuals.plain,
            estimate=np.where(n > 0, means, np.nan),
            columns=(n > 0).sum(axis=0),
            **by_combination,
            **shared,
        ),
        saturated=Design(
            group=np.arange(cells),
            size=cells,
            weight=own,
            leverage=own,
            residuals=residuals.saturated,
            estimate=filled,
            n=counts.astype("int64"),
            citizens=totals.citizens * samples.scaled,
            jobcenters=(counts > 0).astype("int64"),
            columns=(counts > 0).sum(axis=0),
            **shared,
        ),
        averaged=Design(
            weight=averaged,
            leverage=own,
            residuals=residuals.averaged,
            estimate=np.where(share.sum(axis=0) > 0, weighted.sum(axis=1), np.nan),
            columns=(counts > 0).sum(axis=0),
            **by_combination,
            **shared,
        ),
    )


def jobcenter_share(samples: Samples) -> Floats:
    """Each jobcenter's share of an outcome's responses, shape (jobcenter, outcome)."""
    counts = samples.by_cell(samples.totals.n * samples.scaled.astype(float)).sum(axis=0)
    return np.asarray(counts * _reciprocal(counts.sum(axis=0)))


def _residuals(
    sample: Sample, means: Floats, cell_means: Floats, weights: Designs[Floats]
) -> Designs[Residuals]:
    """Sum the residuals of a part, given means and weights by cell."""
    cell, combination = sample.cell, sample.combination
    around = np.where(sample.observed, sample.values - means[combination], 0.0)
    within = np.where(sample.observed, sample.values - cell_means[cell], 0.0)
    squares = group_sums(cell, within**2, size=sample.cells)
    sums, size = group_sums(cell, within, size=sample.cells), len(sample.combinations)
    averaged = _products(sample, combination, within * weights.averaged[cell], size=size)
    return Designs(
        plain=Residuals(
            sums=group_sums(cell, around, size=sample.cells),
            squares=group_sums(cell, around**2, size=sample.cells),
            products=_products(sample, combination, around * weights.plain[cell], size=size),
        ),
        saturated=Residuals(sums, squares, _squares(sample, within * weights.saturated[cell])),
        averaged=Residuals(sums, squares, averaged),
    )


def _products(sample: Sample, group: Integers, values: Floats, *, size: int) -> Floats:
    """Sum over citizens the products of their sums by group, shape (outcome, group, group)."""
    pairs, inverse = np.unique(sample.citizen * size + group, return_inverse=True)
    scores = group_sums(inverse, values, size=len(pairs))
    shape, places = (len(sample.lots), size), (pairs // size, pairs % size)
    matrices = [sparse.csr_array((column, places), shape=shape) for column in scores.T]
    return np.stack([(matrix.T @ matrix).toarray() for matrix in matrices])


def _squares(sample: Sample, values: Floats) -> Floats:
    """Sum over citizens the squares of their sums by cell, shape (outcome, cell)."""
    pairs, inverse = np.unique(sample.citizen * sample.cells + sample.cell, return_inverse=True)
    scores = group_sums(inverse, values, size=len(pairs))
    return group_sums(pairs % sample.cells, scores**2, size=sample.cells).T


def _reciprocal(n: Floats) -> Floats:
    return np.divide(1.0, n, out=np.zeros_like(n), where=n > 0)
