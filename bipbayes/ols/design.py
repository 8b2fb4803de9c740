"""Dummy designs: their OLS estimates are means, so every standard error has a closed form.

An estimate of group c is a weighted sum of the responses of c,

    estimate[c] = sum_r weight[r] y[r],   r in c,

with weight 1 / n[c] in the regression on the dummies of combinations, and
share[j] / n[c, j] where the means of combination x jobcenter are averaged over jobcenters.
The covariance estimators need no more than weights, residuals and leverages.
"""

from dataclasses import dataclass

import numpy as np

from bipbayes.data.sample import Floats, Integers, Sample, group_sums


@dataclass(frozen=True)
class Design:
    """A dummy design fitted to every outcome at once.

    Attributes
    ----------
    group
        Group of each row that its estimate belongs to, codes 0..size-1.
    size
        Number of groups.
    weight, residual, leverage
        Shape (row, outcome); 0 where the outcome has no progression.
    estimate, n
        Shape (group, outcome); the estimate is ``NaN`` without responses.
    observations, columns
        Responses and dummies (observed ones only) by outcome.
    """

    group: Integers
    size: int
    weight: Floats
    residual: Floats
    leverage: Floats
    estimate: Floats
    n: Integers
    observations: Integers
    columns: Integers


def dummy_design(sample: Sample, group: Integers, *, size: int) -> Design:
    """Regress every outcome on the dummies of `group`, without intercept, each in its own sample.

    Parameters
    ----------
    sample
        Analysed responses.
    group
        Group of each row, codes 0..size-1.
    size
        Number of groups.
    """
    n = group_sums(group, sample.observed.astype(float), size=size)
    inverse = _reciprocal(n)
    estimate = group_sums(group, sample.values, size=size) * inverse
    leverage = np.where(sample.observed, inverse[group], 0.0)
    return Design(
        group=group,
        size=size,
        weight=leverage,
        residual=np.where(sample.observed, sample.values - estimate[group], 0.0),
        leverage=leverage,
        estimate=np.where(n > 0, estimate, np.nan),
        n=n.astype("int64"),
        observations=n.sum(axis=0).astype("int64"),
        columns=(n > 0).sum(axis=0),
    )


def standardised_design(sample: Sample, saturated: Design, share: Floats) -> Design:
    """Average the means of combination x jobcenter with the same weights in all combinations.

    Parameters
    ----------
    sample
        Analysed responses.
    saturated
        Design on the dummies of combination x jobcenter.
    share
        Weights, shape (jobcenter, outcome), sum 1 over jobcenters.

    Returns
    -------
    Design
        Groups are combinations; the estimate is ``NaN`` where a jobcenter with positive weight
        has no response in the combination.
    """
    combinations, jobcenters = len(sample.combinations), len(sample.jobcenters)
    means = saturated.estimate.reshape(combinations, jobcenters, -1)
    weighted = np.where(share > 0, share * means, 0.0)  # NaN stays where a weighted cell is empty
    return Design(
        group=sample.combination,
        size=combinations,
        weight=saturated.weight * share[sample.jobcenter],
        residual=saturated.residual,
        leverage=saturated.leverage,
        estimate=np.where(share.sum(axis=0) > 0, weighted.sum(axis=1), np.nan),
        n=saturated.n.reshape(combinations, jobcenters, -1).sum(axis=1),
        observations=saturated.observations,
        columns=saturated.columns,
    )


def jobcenter_share(sample: Sample) -> Floats:
    """Each jobcenter's share of an outcome's responses, shape (jobcenter, outcome)."""
    counts = group_sums(
        sample.jobcenter, sample.observed.astype(float), size=len(sample.jobcenters)
    )
    return counts * _reciprocal(counts.sum(axis=0))


def _reciprocal(n: Floats) -> Floats:
    return np.divide(1.0, n, out=np.zeros_like(n), where=n > 0)
