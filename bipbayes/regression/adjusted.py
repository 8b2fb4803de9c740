"""OLS estimates of all outcomes with regressors beside the dummies (`--adjust`).

One regression for each outcome, so that the slopes' error is in every standard error; formulas
stand in `bipbayes.regression.adjusted_fit`.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from bipbayes.data.adjustment import Adjustment
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Sample, analysis_sample
from bipbayes.regression import covariance as cov
from bipbayes.regression.adjusted_fit import (
    AdjustedFit,
    average_covariance,
    fit_adjusted,
    group_variances,
)
from bipbayes.regression.estimates import estimate_ols

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
    return estimates.assign_attrs(adjust=adjustment.label, adjust_remark=adjustment.remark)


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
