"""OLS estimates of all outcomes with regressors beside the dummies (`--adjust`).

One regression for each outcome, so that the slopes' error is in every standard error. With dummies
D of groups, centred regressors x, group means ``x_mean`` and x within groups W,

    slope    = (W'W)^-1 W'y,      effect[g] = y_mean[g] - x_mean[g] slope,

so an effect is a weighted sum of the responses with weights

    weight[r, g] = [r in g] / n[g] - x_mean[g] (W'W)^-1 W[r]'

and leverage ``1 / n[g(r)] + W[r] (W'W)^-1 W[r]'``. All standard errors are those of
`bipbayes.regression.covariance` with these weights; numbers agree with statsmodels' OLS on (D, x).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from bipbayes.data.adjustment import Adjustment, within_slopes
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Floats, Integers, Sample, analysis_sample, group_sums
from bipbayes.regression import covariance as cov
from bipbayes.regression.estimates import estimate_ols


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

    `regressors`: shape (row, regressor), centred over the outcome's own rows; `position`: of the
    outcome in the sample; `within`: groups: ``combination`` or ``cell`` (combination x jobcenter).
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

    `fit`: from `fit_adjusted`; `sample`: the same; `vcov`: kind of standard error; `average`:
    weights of the groups, shape (average, group); the identity for the groups themselves.
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


SINGULAR = "leaving one {jobcenter} out is singular: a regressor varies in one {jobcenter} only"


def estimate_adjusted(
    progression: xr.Dataset,
    codebook: Codebook,
    *,
    adjustment: Adjustment,
    vcov: Sequence[str] = cov.VCOV,
) -> xr.Dataset:
    """Regress every outcome on the dummies of combinations and on the adjustment's regressors.

    Parameters
    ----------
    progression
        Unadjusted, as `bipbayes.data.progression.progression` returns it.
    codebook
        Gives combinations and outcomes.
    adjustment
        From `bipbayes.data.adjustment.make_adjustment` for this progression.
    vcov
        As for `bipbayes.regression.estimates.estimate_ols`.

    Returns
    -------
    xarray.Dataset
        Variables, dims and units of `estimate_ols`, so that `ols_intervals` reads it. An
        ``estimate`` is expected standardised progression at the average of the regressors;
        ``jobcenter_*`` and ``standardised_*`` come from the regression on the dummies of
        combination x jobcenter and the same regressors. Covariances between combinations are
        not zero, since the slopes are shared. ``columns`` counts the regressors, too. Attrs
        ``adjust`` and ``adjust_remark``.

    Raises
    ------
    SettingsError
        Unknown standard errors.
    DataError
        Empty analysis sample, or labels that the codebook lacks.
    """
    estimates = estimate_ols(progression, codebook, vcov=vcov).copy(deep=True)
    sample = analysis_sample(progression, codebook)
    for position, outcome in enumerate(sample.outcomes):
        regressors = adjustment.values[outcome][sample.rows]
        plain = fit_adjusted(sample, regressors, position=position, within="combination")
        saturated = fit_adjusted(sample, regressors, position=position, within="cell")
        _fill_plain(estimates, sample, fit=plain, outcome=outcome)
        _fill_saturated(estimates, sample, fit=saturated, outcome=outcome)
    return estimates.assign_attrs(adjust=adjustment.label, **adjustment.remarks)


def _fill_plain(estimates: xr.Dataset, sample: Sample, *, fit: AdjustedFit, outcome: str) -> None:
    here = {"outcome": outcome}
    estimates["estimate"].loc[here] = fit.estimate
    estimates["columns"].loc[here] = fit.columns
    for name in estimates["vcov"].to_numpy():
        place = {"vcov": name, **here}
        estimates["covariance"].loc[place] = average_covariance(
            fit, sample, vcov=name, average=np.eye(len(fit.n))
        )
        if name in (cov.CLASSICAL, cov.HC1, cov.HC3):
            estimates["df"].loc[place] = fit.degrees if fit.degrees > 0 else np.nan
        if name in (cov.HC1, cov.CLUSTER_CITIZEN):
            old = len(fit.rows) - (fit.n > 0).sum()
            ratio = old / fit.degrees if fit.degrees > 0 else np.nan
            estimates["factor"].loc[place] = estimates["factor"].loc[place] * ratio
        _explain(estimates, fit, place)


def _explain(estimates: xr.Dataset, fit: AdjustedFit, place: dict[str, str]) -> None:
    """Say why a covariance is empty that was not empty without regressors."""
    if str(estimates["reason"].loc[place].item()) or not len(fit.rows):
        return
    if fit.degrees < 1:
        estimates["reason"].loc[place] = "no degrees of freedom"
    elif bool(estimates["covariance"].loc[place].isnull().all()):
        estimates["reason"].loc[place] = SINGULAR


def _fill_saturated(
    estimates: xr.Dataset, sample: Sample, *, fit: AdjustedFit, outcome: str
) -> None:
    """Jobcenter means, and their averages with the same weights in all combinations."""
    here = {"outcome": outcome}
    shape = (len(sample.combinations), len(sample.jobcenters))
    means = fit.estimate.reshape(shape)
    share = estimates["jobcenter_share"].sel(outcome=outcome).to_numpy()
    estimates["jobcenter_estimate"].loc[here] = means
    averaged = np.where(share > 0, share * means, 0.0).sum(axis=1)
    estimates["standardised_estimate"].loc[here] = averaged if share.any() else np.nan
    average = np.kron(np.eye(shape[0]), share)
    for name in estimates["vcov"].to_numpy():
        if name == cov.CLUSTER_JOBCENTER:
            continue
        place = {"vcov": name, **here}
        variances = group_variances(fit, sample, vcov=name)
        estimates["jobcenter_variance"].loc[place] = variances.reshape(shape)
        estimates["standardised_covariance"].loc[place] = average_covariance(
            fit, sample, vcov=name, average=average
        )
        if name != cov.CLUSTER_CITIZEN:
            estimates["saturated_df"].loc[place] = fit.degrees if fit.degrees > 0 else np.nan
