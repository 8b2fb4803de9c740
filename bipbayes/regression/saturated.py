"""The regression on the dummies of combination x jobcenter and what is averaged from it.

``cluster_jobcenter`` is not defined here: without a jobcenter the dummies of that jobcenter
have no responses. Its standardised errors are empty with that reason; jobcenter means have none.
"""

import numpy as np
import xarray as xr

from bipbayes.data.sample import Floats
from bipbayes.data.totals import Samples
from bipbayes.regression import covariance as cov
from bipbayes.regression import reasons
from bipbayes.regression.design import Design, Designs, jobcenter_share


def saturated_estimates(designs: Designs, samples: Samples, vcov: tuple[str, ...]) -> xr.Dataset:
    """Estimate combination x jobcenter means and their averages over jobcenters.

    Parameters
    ----------
    designs
        Fitted.
    samples
        What they were fitted to.
    vcov
        Names of standard errors.

    Returns
    -------
    xarray.Dataset
        ``jobcenter_estimate``, ``jobcenter_n``, ``jobcenter_n_citizens``
        ``[outcome, combination, jobcenter]``, ``jobcenter_variance`` and ``jobcenter_note``
        with ``vcov`` before; ``standardised_estimate[outcome, combination]``,
        ``standardised_covariance[vcov, outcome, combination, combination_]``,
        ``standardised_note[vcov, outcome, combination]``; ``saturated_df[vcov, outcome]``;
        ``jobcenter_share[outcome, jobcenter]``, the weights.
    """
    saturated, averaged = designs.saturated, designs.averaged
    each = ("vcov", "outcome")
    data = xr.Dataset(
        {
            "standardised_estimate": (("outcome", "combination"), averaged.estimate.T),
            "standardised_covariance": (
                (*each, "combination", "combination_"),
                np.stack([_standardised(averaged, name) for name in vcov]),
            ),
            "standardised_note": (
                (*each, "combination"),
                np.stack([reasons.unusable_standardised(saturated, samples, v) for v in vcov]),
            ),
            "saturated_df": (each, np.stack([_degrees(saturated, v) for v in vcov])),
            "jobcenter_share": (("jobcenter", "outcome"), jobcenter_share(samples)),
        },
        coords={
            "vcov": list(vcov),
            "outcome": list(samples.outcomes),
            "combination": list(samples.combinations),
            "combination_": list(samples.combinations),
            "jobcenter": list(samples.jobcenters),
        },
    )
    return data.merge(_jobcenter_means(saturated, samples, vcov)).transpose(
        "vcov", "outcome", ..., missing_dims="ignore"
    )


def _standardised(averaged: Design, vcov: str) -> Floats:
    """Covariance of the averages, shape (outcome, combination, combination)."""
    if vcov == cov.CLUSTER_JOBCENTER:
        return np.full((len(averaged.observations), averaged.size, averaged.size), np.nan)
    return cov.full_covariance(averaged, vcov)


def _degrees(saturated: Design, vcov: str) -> Floats:
    if vcov == cov.CLUSTER_JOBCENTER:
        return np.full(len(saturated.observations), np.nan)
    if vcov == cov.CLUSTER_CITIZEN:
        degrees = saturated.citizens_all - 1
    else:
        degrees = saturated.observations - saturated.columns
    return np.where(degrees > 0, degrees, np.nan)


def _jobcenter_means(saturated: Design, samples: Samples, vcov: tuple[str, ...]) -> xr.Dataset:
    cells = (len(samples.combinations), len(samples.jobcenters))
    dims = ("combination", "jobcenter", "outcome")
    variances = [_cell_variances(saturated, name) for name in vcov]
    notes = [reasons.unusable_jobcenter(saturated, samples, name) for name in vcov]
    return xr.Dataset(
        {
            "jobcenter_estimate": (dims, samples.by_cell(saturated.estimate)),
            "jobcenter_n": (dims, samples.by_cell(saturated.n)),
            "jobcenter_n_citizens": (dims, samples.by_cell(saturated.citizens)),
            "jobcenter_variance": (
                ("vcov", "outcome", *dims[:2]),
                np.stack(variances).reshape(len(vcov), -1, *cells),
            ),
            "jobcenter_note": (
                ("vcov", "outcome", *dims[:2]),
                np.stack(notes).reshape(len(vcov), -1, *cells),
            ),
        }
    )


def _cell_variances(saturated: Design, vcov: str) -> Floats:
    """Variances of the cell means, shape (outcome, cell)."""
    if vcov == cov.CLUSTER_JOBCENTER:
        return np.full(saturated.estimate.T.shape, np.nan)
    if vcov == cov.CLUSTER_CITIZEN:
        variances = cov.cluster_covariance(saturated)
    else:
        variances = cov.group_variances(saturated, vcov)
    return np.where(np.isnan(saturated.estimate.T), np.nan, variances)
