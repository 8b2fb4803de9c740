"""OLS with regressors beside the dummies: one regression, so the slopes' error is in every error.

With dummies D of groups, centred regressors x, group means ``x_mean`` and x within groups W,

    slope    = (W'W)^-1 W'y,      effect[g] = y_mean[g] - x_mean[g] slope,

so an effect is a weighted sum of the responses with weights

    weight[r, g] = [r in g] / n[g] - x_mean[g] (W'W)^-1 W[r]'

and leverage ``1 / n[g(r)] + W[r] (W'W)^-1 W[r]'``. All standard errors are those of
`bipbayes.ols.covariance` with these weights; numbers agree with statsmodels' OLS on (D, x).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from bipbayes.data.adjusted import within_slopes
from bipbayes.data.adjustment import Adjustment
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Floats, Integers, Sample, analysis_sample, group_sums
from bipbayes.ols import covariance as cov
from bipbayes.ols.estimates import estimate_ols

SINGULAR = "leaving a jobcenter out is singular: a regressor varies in one jobcenter only"


@dataclass(frozen=True)
class AdjustedFit:
    """One outcome regressed on the dummies of groups and on regressors.

    Attributes
    ----------
    estimate
        Effects at the average of the regressors, shape (group,); ``NaN`` without responses.
    weights
        Shape (row, group): the estimate is their product with the outcome.
    residual, leverage
        Shape (row,).
    design
        Dummies of the observed groups and the regressors kept, shape (row, column).
    observed
        Which groups have responses.
    rows
        Positions of the outcome's rows in the sample.
    """

    estimate: Floats
    weights: Floats
    residual: Floats
    leverage: Floats
    design: Floats
    observed: np.ndarray
    rows: Integers

    @property
    def degrees(self) -> int:
        """Responses minus columns."""
        rows, columns = self.design.shape
        return int(rows - columns)


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
        As for `bipbayes.ols.estimates.estimate_ols`.

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
        fits = {
            "plain": fit_adjusted(sample, regressors, position=position, within="combination"),
            "saturated": fit_adjusted(sample, regressors, position=position, within="cell"),
        }
        _fill_plain(estimates, sample, fit=fits["plain"], outcome=outcome)
        _fill_saturated(estimates, sample, fit=fits["saturated"], outcome=outcome)
    return estimates.assign_attrs(adjust=adjustment.label, adjust_remark=adjustment.remark)


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
    dummies = np.zeros((len(rows), size))
    dummies[np.arange(len(rows)), group] = 1.0
    direction = slopes.within @ slopes.inverse
    weights = dummies / np.maximum(n, 1) - direction @ slopes.group_means.T
    estimate = np.where(n > 0, weights.T @ values, np.nan)
    explained = regressors @ slopes.coefficients
    return AdjustedFit(
        estimate=estimate,
        weights=weights,
        residual=values - explained - estimate[group],
        leverage=1 / n[group] + (direction * slopes.within).sum(axis=1),
        design=np.column_stack([dummies[:, n > 0], regressors[:, slopes.kept]]),
        observed=n > 0,
        rows=rows,
    )


def fit_covariance(fit: AdjustedFit, sample: Sample, vcov: str) -> Floats:
    """Covariance of an outcome's effects, shape (group, group); ``NaN`` where not defined."""
    size = len(fit.observed)
    if fit.degrees < 1:
        return np.full((size, size), np.nan)
    if vcov == cov.CLUSTER_JOBCENTER:
        matrix = _crv3(fit, sample.jobcenter[fit.rows])
    else:
        scores = _scores(fit, sample, vcov)
        matrix = scores.T @ scores
    return np.where(np.outer(fit.observed, fit.observed), matrix, np.nan)


def _scores(fit: AdjustedFit, sample: Sample, vcov: str) -> Floats:
    """Matrix whose cross product is the covariance."""
    rows = len(fit.rows)
    if vcov == cov.CLASSICAL:
        return np.asarray(fit.weights * np.sqrt((fit.residual**2).sum() / fit.degrees))
    if vcov == cov.HC3:
        # A response with leverage 1 has no residual: HC3 is 0 / 0 there.
        rest = np.where(fit.leverage < 1 - 1e-12, 1 - fit.leverage, np.nan)
        parts = np.where(fit.weights != 0, fit.weights * (fit.residual / rest)[:, None], 0.0)
        return np.asarray(parts)
    influence = fit.weights * fit.residual[:, None]
    if vcov == cov.HC1:
        return np.asarray(influence * np.sqrt(rows / fit.degrees))
    codes = np.unique(sample.citizen[fit.rows], return_inverse=True)[1]
    clusters = int(codes.max(initial=0)) + 1
    if clusters < 2:
        return np.full((1, fit.weights.shape[1]), np.nan)
    factor = clusters / (clusters - 1) * (rows - 1) / fit.degrees
    return np.asarray(group_sums(codes, influence, size=clusters) * np.sqrt(factor))


def _crv3(fit: AdjustedFit, cluster: Integers) -> Floats:
    """Jackknife over jobcenters around the estimate, shape (group, group)."""
    size, groups = len(fit.observed), int(fit.observed.sum())
    codes = np.unique(cluster)
    total = fit.design.T @ fit.design
    moved = np.zeros((len(codes), size))
    for position, code in enumerate(codes):
        part = fit.design[cluster == code]
        rest = total - part.T @ part
        if len(codes) < 2 or np.linalg.cond(rest) > 1e12:
            return np.full((size, size), np.nan)
        change = np.linalg.solve(rest, -part.T @ fit.residual[cluster == code])
        moved[position, fit.observed] = change[:groups]
    return np.asarray((len(codes) - 1) / len(codes) * moved.T @ moved)


def _fill_plain(estimates: xr.Dataset, sample: Sample, *, fit: AdjustedFit, outcome: str) -> None:
    here = {"outcome": outcome}
    estimates["estimate"].loc[here] = fit.estimate
    estimates["columns"].loc[here] = fit.design.shape[1]
    for name in estimates["vcov"].to_numpy():
        place = {"vcov": name, **here}
        estimates["covariance"].loc[place] = fit_covariance(fit, sample, name)
        if name in (cov.CLASSICAL, cov.HC1, cov.HC3):
            estimates["df"].loc[place] = fit.degrees if fit.degrees > 0 else np.nan
        if name in (cov.HC1, cov.CLUSTER_CITIZEN):
            old = fit.design.shape[0] - fit.observed.sum()
            ratio = old / fit.degrees if fit.degrees > 0 else np.nan
            estimates["factor"].loc[place] = estimates["factor"].loc[place] * ratio
        _explain(estimates, fit, place)


def _explain(estimates: xr.Dataset, fit: AdjustedFit, place: dict[str, str]) -> None:
    """Say why a covariance is empty that was not empty without regressors."""
    if str(estimates["reason"].loc[place].item()) or not fit.observed.any():
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
    estimates["standardised_estimate"].loc[here] = averaged
    average = np.kron(np.eye(shape[0]), share)
    known = ~np.isnan(averaged)
    for name in estimates["vcov"].to_numpy():
        if name == cov.CLUSTER_JOBCENTER:
            continue
        place = {"vcov": name, **here}
        matrix = fit_covariance(fit, sample, name)
        estimates["jobcenter_variance"].loc[place] = np.diag(matrix).reshape(shape)
        combined = average @ np.nan_to_num(matrix) @ average.T
        undefined = average @ np.isnan(np.diag(matrix)) > 0
        known_pair = np.outer(known & ~undefined, known & ~undefined)
        estimates["standardised_covariance"].loc[place] = np.where(known_pair, combined, np.nan)
        if name != cov.CLUSTER_CITIZEN:
            estimates["saturated_df"].loc[place] = fit.degrees if fit.degrees > 0 else np.nan
