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
from scipy import sparse

from bipbayes.data.sample import Booleans, Floats, Integers, group_sums
from bipbayes.ols.design import Design

CLASSICAL: Final = "classical"
HC1: Final = "HC1"
HC3: Final = "HC3"
CLUSTER_CITIZEN: Final = "cluster_citizen"
CLUSTER_JOBCENTER: Final = "cluster_jobcenter"
VCOV: Final = (CLASSICAL, HC1, HC3, CLUSTER_CITIZEN, CLUSTER_JOBCENTER)


def group_variances(design: Design, vcov: str) -> Floats:
    """Variances of a design's estimates without clusters, shape (outcome, group)."""
    influence = design.weight * design.residual
    if vcov == CLASSICAL:
        scale = (design.residual**2).sum(axis=0) / _positive(design.observations - design.columns)
        return (group_sums(design.group, design.weight**2, size=design.size) * scale).T
    if vcov == HC1:
        factor = design.observations / _positive(design.observations - design.columns)
        return (group_sums(design.group, influence**2, size=design.size) * factor).T
    # A response alone in its group has leverage 1: HC3 is 0 / 0 there.
    rest = np.where(design.leverage < 1, 1 - design.leverage, np.nan)
    return group_sums(design.group, (influence / rest) ** 2, size=design.size).T


def cluster_covariance(design: Design, cluster: Integers) -> Floats:
    """Covariance clustered as Stata does, shape (outcome, group, group)."""
    pairs, scores = _scores(design, cluster)
    clusters, groups = pairs // design.size, pairs % design.size
    shape = (int(cluster.max()) + 1, design.size)
    factor = cluster_factor(design, cluster)
    products = []
    for column in range(scores.shape[1]):
        matrix = sparse.csr_array((scores[:, column], (clusters, groups)), shape=shape)
        products.append((matrix.T @ matrix).toarray() * factor[column])
    return np.stack(products)


def cluster_variances(design: Design, cluster: Integers) -> Floats:
    """Diagonal of `cluster_covariance`, shape (outcome, group), for many groups."""
    pairs, scores = _scores(design, cluster)
    squares = group_sums(pairs % design.size, scores**2, size=design.size)
    return (squares * cluster_factor(design, cluster)).T


def crv3_covariance(design: Design, cluster: Integers) -> Floats:
    """Jackknife over clusters around the estimate (CRV3), shape (outcome, group, group).

    ``NaN`` for an outcome where leaving a cluster out empties a group (see `sole_cluster`), or
    with fewer than two clusters.
    """
    size = int(cluster.max()) + 1
    shape = (size, design.size, -1)
    key = cluster * design.size + design.group
    keys = size * design.size
    residuals = group_sums(key, design.residual, size=keys).reshape(shape)
    counts = group_sums(key, (design.weight > 0).astype(float), size=keys).reshape(shape)
    rest = design.n[None] - counts
    # Without cluster g the mean of group c moves by - residuals[g, c] / (n[c] - n[g, c]).
    moved = np.divide(-residuals, rest, out=np.zeros_like(rest), where=rest > 0)
    clusters = cluster_counts(design, cluster)
    covariance = np.einsum("gak,gbk->kab", moved, moved, optimize=True)
    covariance *= ((clusters - 1) / np.maximum(clusters, 1))[:, None, None]
    undefined = (clusters < 2) | sole_cluster(design, cluster).any(axis=0)
    return np.where(undefined[:, None, None], np.nan, covariance)


def sole_cluster(design: Design, cluster: Integers) -> Booleans:
    """Say which groups have all their responses in one cluster, shape (group, outcome)."""
    pairs = np.unique(cluster * design.size + design.group, return_inverse=True)
    answers = group_sums(pairs[1], (design.weight > 0).astype(float), size=len(pairs[0]))
    present = group_sums(pairs[0] % design.size, (answers > 0).astype(float), size=design.size)
    return np.asarray(present == 1)


def cluster_counts(design: Design, cluster: Integers) -> Integers:
    """Count clusters with a response, by outcome."""
    size = int(cluster.max()) + 1
    answers = group_sums(cluster, (design.weight > 0).astype(float), size=size)
    return np.asarray((answers > 0).sum(axis=0))


def cluster_factor(design: Design, cluster: Integers) -> Floats:
    """Stata's small-sample factor by outcome; ``NaN`` where it is not defined."""
    clusters = cluster_counts(design, cluster)
    rest = _positive(design.observations - design.columns)
    return np.asarray(clusters / _positive(clusters - 1) * (design.observations - 1) / rest)


def _scores(design: Design, cluster: Integers) -> tuple[Integers, Floats]:
    """Sum weight x residual within cluster and group; keys are cluster * size + group."""
    pairs, inverse = np.unique(cluster * design.size + design.group, return_inverse=True)
    return pairs, group_sums(inverse, design.weight * design.residual, size=len(pairs))


def _positive(values: Integers) -> Floats:
    return np.where(values > 0, values, np.nan).astype("float64")
