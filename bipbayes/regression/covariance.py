"""Covariance estimators of dummy designs, equal to statsmodels' but from grouped sums.

With weights w, residuals e, leverages h, N responses and k columns of one outcome:

========================  ==================================================================
``classical``             s² sum w² within a group, s² = sum e² / (N - k); t with N - k
``HC1``                   N / (N - k) sum (w e)²; t with N - k
``HC3``                   sum (w e / (1 - h))²; t with N - k
``cluster_citizen``       Stata's ``vce(cluster citizen)``: G / (G - 1) (N - 1) / (N - k) times
                          the cross products of the citizens' sums of w e; t with G - 1
``cluster_jobcenter``     CRV3 (MacKinnon, Nielsen and Webb 2023; statsmodels'
                          ``cluster-crv3``): (G - 1) / G times the cross products of the
                          changes of the estimates when one jobcenter is left out; t with G - 1
========================  ==================================================================
"""

from typing import Final

import numpy as np

from bipbayes.data.sample import Booleans, Floats, Integers, group_sums
from bipbayes.regression.design import Design

CLASSICAL: Final = "classical"
HC1: Final = "HC1"
HC3: Final = "HC3"
CLUSTER_CITIZEN: Final = "cluster_citizen"
CLUSTER_JOBCENTER: Final = "cluster_jobcenter"
VCOV: Final = (CLASSICAL, HC1, HC3, CLUSTER_CITIZEN, CLUSTER_JOBCENTER)


def group_variances(design: Design, vcov: str) -> Floats:
    """Variances of a design's estimates without clusters, shape (outcome, group)."""
    rest = _positive(design.observations - design.columns)
    squares, weight = design.residuals.squares, design.weight
    if vcov == CLASSICAL:
        parts = design.counts * weight**2 * (squares.sum(axis=0) / rest)
    elif vcov == HC1:
        parts = weight**2 * squares * (design.observations / rest)
    else:
        # A response alone in its group has leverage 1: HC3 is 0 / 0 there.
        parts = (
            weight**2 * squares / np.where(design.leverage < 1, 1 - design.leverage, np.nan) ** 2
        )
    return group_sums(design.group, parts, size=design.size).T


def full_covariance(design: Design, vcov: str) -> Floats:
    """Covariance of all estimates, shape (outcome, group, group); ``NaN`` without responses."""
    if vcov == CLUSTER_CITIZEN:
        matrix = cluster_covariance(design)
    elif vcov == CLUSTER_JOBCENTER:
        matrix = crv3_covariance(design)
    else:
        variances = group_variances(design, vcov)
        matrix = np.zeros((*variances.shape, design.size))
        matrix[:, np.arange(design.size), np.arange(design.size)] = variances
    known = ~np.isnan(design.estimate.T)
    return np.where(known[:, :, None] & known[:, None, :], matrix, np.nan)


def cluster_covariance(design: Design) -> Floats:
    """Covariance clustered by citizen as Stata does, of the shape of the residuals' products."""
    factor = cluster_factor(design)
    return design.residuals.products * factor.reshape(
        -1, *[1] * (design.residuals.products.ndim - 1)
    )


def crv3_covariance(design: Design) -> Floats:
    """Jackknife over jobcenters around the estimate (CRV3), shape (outcome, group, group).

    ``NaN`` with fewer than two jobcenters, and for a group that leaving a jobcenter out empties:
    the other groups' means do not hang on it.
    """
    size = int(design.jobcenter.max()) + 1
    key = design.jobcenter * design.size + design.group
    shape, keys = (size, design.size, -1), size * design.size
    residuals = group_sums(key, design.residuals.sums, size=keys).reshape(shape)
    counts = group_sums(key, design.counts, size=keys).reshape(shape)
    rest = design.n[None] - counts
    # Without jobcenter g the mean of group c moves by - residuals[g, c] / (n[c] - n[g, c]).
    moved = np.divide(-residuals, rest, out=np.zeros_like(rest), where=rest > 0)
    clusters = jobcenter_counts(design)
    covariance = np.einsum("gak,gbk->kab", moved, moved, optimize=True)
    covariance *= ((clusters - 1) / np.maximum(clusters, 1))[:, None, None]
    undefined = (clusters < 2)[:, None] | sole_jobcenter(design).T
    return np.where(undefined[:, :, None] | undefined[:, None, :], np.nan, covariance)


def sole_jobcenter(design: Design) -> Booleans:
    """Say which groups have all their responses in one jobcenter, shape (group, outcome)."""
    return np.asarray(design.jobcenters == 1)


def sole_citizen(design: Design) -> Booleans:
    """Say which groups have all their responses from one citizen, shape (group, outcome)."""
    return np.asarray(design.citizens == 1)


def jobcenter_counts(design: Design) -> Integers:
    """Count jobcenters with a response, by outcome."""
    size = int(design.jobcenter.max()) + 1
    return np.asarray((group_sums(design.jobcenter, design.counts, size=size) > 0).sum(axis=0))


def cluster_factor(design: Design) -> Floats:
    """Stata's small-sample factor by outcome, citizens as clusters; ``NaN`` if not defined."""
    clusters, observations = design.citizens_all, design.observations
    rest = _positive(observations - design.columns)
    return np.asarray(clusters / _positive(clusters - 1) * (observations - 1) / rest)


def _positive(values: Integers) -> Floats:
    return np.where(values > 0, values, np.nan).astype("float64")
