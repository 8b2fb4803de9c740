"""Residual moments over all cells: S0 within a response, S1 between neighbouring changes."""

from dataclasses import dataclass

import numpy as np

from bipbayes.data.sample import Booleans, Floats, Integers, Sample, group_sums


@dataclass(frozen=True)
class Residuals:
    """Indicators' progression minus their cell means.

    Attributes
    ----------
    values
        Shape (row, indicator); 0 where there is no progression.
    observed
        Where there is one.
    means, n
        Shape (cell, indicator); the mean is ``NaN`` in an empty cell.
    cell
        Cell of each row, codes 0..cells-1, ascending (rows are sorted by cell).
    rows
        Position of each row along ``response`` of the progression.
    previous
        Position along ``response`` of the response that a change starts from, -1 for none.
    responses
        Number of responses in the file.
    """

    values: Floats
    observed: Booleans
    means: Floats
    n: Integers
    cell: Integers
    rows: Integers
    previous: Integers
    responses: int


@dataclass(frozen=True)
class Moments:
    """Covariances of the residuals, pooled over all cells.

    Attributes
    ----------
    residual
        S0, changes at one response; shape (indicator, indicator).
    lag
        S1, neighbouring changes, symmetrised; 0 for pairs that never occur.
    common
        Share of the joint changes that start from the same response (1 without gaps, and 1 for
        pairs that never occur); 1 on the diagonal.
    pairs
        Neighbouring changes of the indicator with the fewest.
    """

    residual: Floats
    lag: Floats
    common: Floats
    pairs: int


def residuals(sample: Sample, previous: Integers) -> Residuals:
    """Subtract cell means from the indicators' progression.

    Parameters
    ----------
    sample
        Analysed responses; `outcomes` are the indicators alone.
    previous
        ``previous`` of the progression for the same outcomes, shape (response, indicator).
    """
    order = np.argsort(sample.cell, kind="stable")
    cell, observed = sample.cell[order], sample.observed[order]
    n = group_sums(cell, observed.astype(float), size=sample.cells)
    sums = group_sums(cell, sample.values[order], size=sample.cells)
    means = np.divide(sums, n, out=np.full_like(sums, np.nan), where=n > 0)
    return Residuals(
        values=np.where(observed, sample.values[order] - means[cell], 0.0),
        observed=observed,
        means=means,
        n=n.astype("int64"),
        cell=cell,
        rows=sample.rows[order],
        previous=np.where(observed, previous[sample.rows[order]], -1),
        responses=len(previous),
    )


def residual_moments(residual: Residuals, joint: Floats) -> Moments:
    """Compute S0, S1 and the share of common starts.

    Parameters
    ----------
    residual
        Residuals from the cell means.
    joint
        Joint answers by cell, shape (cell, indicator, indicator).
    """
    lag, pairs = lag_covariance(residual)
    return Moments(residual_covariance(residual, joint), lag, common_starts(residual), pairs)


def residual_covariance(residual: Residuals, joint: Floats) -> Floats:
    """Pooled within-cell covariance S0 of one response's changes, shape (indicator, indicator).

    Pairwise complete. The sum of products over the responses with both k and l is divided by

        sum over cells of  n[kl] (1 - 1 / n[k] - 1 / n[l] + n[kl] / (n[k] n[l])),

    n[kl] joint answers in the cell, which makes it unbiased where responses are independent,
    with any gaps (n - 1 for each cell without gaps). Pairs never answered together get 0.

    Parameters
    ----------
    residual
        Residuals from the cell means.
    joint
        Joint answers by cell, shape (cell, indicator, indicator).
    """
    inverse = np.divide(1.0, residual.n, out=np.zeros(residual.n.shape), where=residual.n > 0)
    first, second = inverse[:, :, None], inverse[:, None, :]
    degrees = (joint * (1 - first - second + joint * first * second)).sum(axis=0)
    products = cross_products(residual.values, residual.values)
    # A cell of one response leaves rounding error where its degrees of freedom are zero.
    usable = degrees > 1e-9
    covariance = np.divide(products, degrees, out=np.zeros_like(products), where=usable)
    return np.asarray((covariance + covariance.T) / 2)  # exactly symmetric


def lag_covariance(residual: Residuals) -> tuple[Floats, int]:
    """Covariance S1 of neighbouring changes, symmetrised, and how many pairs the scarcest has.

    For indicators k and l: k's change starts at the response where l's change ended; both in
    the analysis sample, in the same or in different cells. Pooled over (k, l) and (l, k).

    Returns
    -------
    tuple
        Shape (indicator, indicator), 0 for pairs that never occur; and the smallest number of
        pairs of neighbouring changes of one indicator.
    """
    ended = np.zeros((residual.responses, residual.values.shape[1]))
    ended[residual.rows] = residual.values
    present = np.zeros_like(ended)
    present[residual.rows] = residual.observed
    start, indicator = residual.previous, np.arange(residual.values.shape[1])
    change = start >= 0
    where = (start[change], np.broadcast_to(indicator, start.shape)[change])
    # At a response: the change of k that starts there (a citizen has at most one).
    later, follows = np.zeros_like(ended), np.zeros_like(ended)
    np.add.at(later, where, residual.values[change])
    np.add.at(follows, where, 1.0)
    products, pairs = cross_products(later, ended), cross_products(follows, present)
    products, pairs = products + products.T, pairs + pairs.T
    covariance = np.divide(products, pairs, out=np.zeros_like(products), where=pairs > 0)
    return covariance, int(np.diag(pairs).min(initial=np.inf) // 2)


def cross_products(first: Floats, second: Floats) -> Floats:
    """Sum of products over rows, first'second, shape (column, column).

    In one thread: for so thin matrices BLAS's threads cost more than they save on a busy
    machine, and the order of summation must not depend on their number.
    """
    return np.asarray(np.einsum("rk,rl->kl", first, second))


def common_starts(residual: Residuals) -> Floats:
    """Share of joint changes that start from the same response, shape (indicator, indicator)."""
    start, observed = residual.previous, residual.observed.astype(float)
    joint = cross_products(observed, observed)
    same = np.empty_like(joint)
    for column in range(start.shape[1]):
        same[column] = ((start == start[:, [column]]) & residual.observed).sum(axis=0)
    return np.asarray(np.divide(same, joint, out=np.ones_like(same), where=joint > 0))
