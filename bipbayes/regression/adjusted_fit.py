"""OLS with regressors beside the dummies: one regression, so the slopes' error is in every error.

With dummies D of groups, centred regressors x, group means ``x_mean`` and x within groups W,

    slope    = (W'W)^-1 W'y,      effect[g] = y_mean[g] - x_mean[g] slope,

so an effect is a weighted sum of the responses with weights

    weight[r, g] = [r in g] / n[g] - x_mean[g] (W'W)^-1 W[r]'

and leverage ``1 / n[g(r)] + W[r] (W'W)^-1 W[r]'``. All standard errors are those of
`bipbayes.regression.covariance` with these weights; numbers agree with statsmodels' OLS on (D, x).
"""

from dataclasses import dataclass

import numpy as np

from bipbayes.data.adjusted import within_slopes
from bipbayes.data.sample import Floats, Integers, Sample, group_sums
from bipbayes.regression import covariance as cov


@dataclass(frozen=True)
class AdjustedFit:
    """One outcome regressed on the dummies of groups and on regressors.

    Attributes
    ----------
    estimate, n
        Effects at the average of the regressors and responses, shape (group,); the effect is
        ``NaN`` without responses.
    group, rows
        Group of each row, and its position in the sample.
    slope_weight
        The slopes are its product with the outcome, shape (row, kept regressor).
    group_means, regressors
        Means of the kept regressors, shape (group, kept), and themselves, (row, kept).
    residual, leverage
        Shape (row,).
    """

    estimate: Floats
    n: Floats
    group: Integers
    rows: Integers
    slope_weight: Floats
    group_means: Floats
    regressors: Floats
    residual: Floats
    leverage: Floats

    @property
    def columns(self) -> int:
        """Dummies of observed groups, and regressors."""
        return int((self.n > 0).sum() + self.regressors.shape[1])

    @property
    def degrees(self) -> int:
        """Responses minus columns."""
        return len(self.rows) - self.columns

    def weights(self, average: Floats) -> Floats:
        """Weights of the responses in averages over groups, shape (row, average).

        Parameters
        ----------
        average
            Weights of the groups, shape (average, group).
        """
        share = average / np.maximum(self.n, 1)
        return np.asarray(
            share[:, self.group].T - self.slope_weight @ (average @ self.group_means).T
        )


def fit_adjusted(
    sample: Sample, regressors: Floats, *, position: int, within: str = "combination"
) -> AdjustedFit:
    """Fit one outcome.

    Parameters
    ----------
    sample
        Analysed responses.
    regressors
        Shape (row, regressor), centred over the outcome's own rows.
    position
        Of the outcome in the sample.
    within
        Groups: ``combination`` or ``cell`` (combination x jobcenter).
    """
    size = sample.cells if within == "cell" else len(sample.combinations)
    rows = np.flatnonzero(sample.observed[:, position])
    group = (sample.cell if within == "cell" else sample.combination)[rows]
    values, regressors = sample.values[rows, position], regressors[rows]
    slopes = within_slopes(values, regressors, group=group, size=size)
    n = np.bincount(group, minlength=size).astype("float64")
    direction = slopes.within @ slopes.inverse
    adjusted = values - regressors @ slopes.coefficients
    means = np.bincount(group, weights=adjusted, minlength=size) / np.maximum(n, 1)
    return AdjustedFit(
        estimate=np.where(n > 0, means, np.nan),
        n=n,
        group=group,
        rows=rows,
        slope_weight=direction,
        group_means=slopes.group_means,
        regressors=regressors[:, slopes.kept],
        residual=adjusted - means[group],
        leverage=1 / n[group] + (direction * slopes.within).sum(axis=1),
    )


def average_covariance(fit: AdjustedFit, sample: Sample, *, vcov: str, average: Floats) -> Floats:
    """Covariance of averages over groups, shape (average, average); ``NaN`` where not defined.

    Parameters
    ----------
    fit
        From `fit_adjusted`.
    sample
        The same.
    vcov
        Kind of standard error.
    average
        Weights of the groups, shape (average, group); the identity for the groups themselves.
    """
    empty = np.full((len(average), len(average)), np.nan)
    if fit.degrees < 1:
        return empty
    if vcov == cov.CLUSTER_JOBCENTER:
        matrix = _crv3(fit, sample.jobcenter[fit.rows])
        matrix = average @ matrix @ average.T
    else:
        cluster, multiple = _multiples(fit, sample, vcov)
        weights = fit.weights(average)
        parts = np.where(weights != 0, weights * multiple[:, None], 0.0)
        scores = group_sums(cluster, parts, size=int(cluster.max()) + 1)
        matrix = scores.T @ scores
    known = (average[:, fit.n == 0] == 0).all(axis=1)
    return np.where(np.outer(known, known), matrix, np.nan)


def group_variances(fit: AdjustedFit, sample: Sample, *, vcov: str) -> Floats:
    """Diagonal of `average_covariance` for the groups themselves, from grouped sums.

    With s[i, g] the sum over cluster i of multiples in group g and q[i] that of multiples times
    slope weights: ``sum_i (s[i, g] / n[g] - x_mean[g] q[i])²``, where s is mostly zero.
    """
    size = len(fit.n)
    if fit.degrees < 1:
        return np.full(size, np.nan)
    cluster, multiple = _multiples(fit, sample, vcov)
    moved = np.where(fit.slope_weight != 0, fit.slope_weight * multiple[:, None], 0.0)
    shared = group_sums(cluster, moved, size=int(cluster.max()) + 1)
    pairs, inverse = np.unique(cluster * size + fit.group, return_inverse=True)
    sums = np.bincount(inverse, weights=multiple, minlength=len(pairs))
    group, n = pairs % size, np.where(fit.n > 0, fit.n, np.nan)
    own = np.bincount(group, weights=sums**2, minlength=size) / n**2
    cross = group_sums(group, sums[:, None] * shared[pairs // size], size=size) / n[:, None]
    both = np.einsum("gp,pq,gq->g", fit.group_means, shared.T @ shared, fit.group_means)
    return np.asarray(own - 2 * (cross * fit.group_means).sum(axis=1) + both)


def _multiples(fit: AdjustedFit, sample: Sample, vcov: str) -> tuple[Integers, Floats]:
    """Cluster of each row and what its weight is multiplied with before squares are summed."""
    rows, alone = len(fit.rows), np.arange(len(fit.rows))
    if vcov == cov.CLASSICAL:
        return alone, np.full(rows, np.sqrt((fit.residual**2).sum() / fit.degrees))
    if vcov == cov.HC1:
        return alone, fit.residual * np.sqrt(rows / fit.degrees)
    if vcov == cov.HC3:
        # A response with leverage 1 has no residual: HC3 is 0 / 0 there.
        return alone, fit.residual / np.where(fit.leverage < 1 - 1e-12, 1 - fit.leverage, np.nan)
    codes = np.unique(sample.citizen[fit.rows], return_inverse=True)[1]
    clusters = int(codes.max(initial=0)) + 1
    factor = clusters / (clusters - 1) if clusters > 1 else np.nan
    return codes, fit.residual * np.sqrt(factor * (rows - 1) / fit.degrees)


def _crv3(fit: AdjustedFit, cluster: Integers) -> Floats:
    """Jackknife over jobcenters around the estimate, shape (group, group)."""
    size = len(fit.n)
    codes = np.unique(cluster)
    observed = np.flatnonzero(fit.n > 0)
    dummies = (fit.group[:, None] == observed).astype("float64")
    design = np.column_stack([dummies, fit.regressors])
    total = design.T @ design
    moved = np.zeros((len(codes), size))
    for position, code in enumerate(codes):
        part = design[cluster == code]
        rest = total - part.T @ part
        if len(codes) < 2 or np.linalg.cond(rest) > 1e12:
            return np.full((size, size), np.nan)
        change = np.linalg.solve(rest, -part.T @ fit.residual[cluster == code])
        moved[position, observed] = change[: len(observed)]
    return np.asarray((len(codes) - 1) / len(codes) * moved.T @ moved)
