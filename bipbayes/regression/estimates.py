"""OLS of standardised progression on the dummies of combinations (the report's Figures 3-24).

``cluster_jobcenter`` is not defined for the dummies of combination x jobcenter: without a jobcenter
the dummies of that jobcenter have no responses. Its standardised errors are empty with that reason;
jobcenter means have none.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Floats, Integers, Samples, samples_of
from bipbayes.errors import SettingsError
from bipbayes.intervals import NO_SPREAD
from bipbayes.regression import covariance as cov
from bipbayes.regression import reasons
from bipbayes.regression.design import Design, Designs, fit_designs, jobcenter_share


def saturated_estimates(
    designs: Designs[Design], samples: Samples, vcov: tuple[str, ...]
) -> xr.Dataset:
    """Estimate combination x jobcenter means and their averages over jobcenters.

    `designs`: fitted; `samples`: what they were fitted to; `vcov`: names of standard errors.

    Returns: ``jobcenter_estimate``, ``jobcenter_n``, ``jobcenter_n_citizens`` ``[outcome,
    combination, jobcenter]``, ``jobcenter_variance`` and ``jobcenter_note`` with ``vcov`` before;
    ``standardised_estimate[outcome, combination]``, ``standardised_covariance[vcov, outcome,
    combination, combination_]``, ``standardised_note[vcov, outcome, combination]``;
    ``saturated_df[vcov, outcome]``; ``jobcenter_share[outcome, jobcenter]``, the weights.
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


def estimate_ols(
    progression: xr.Dataset | Samples, codebook: Codebook, *, vcov: Sequence[str] = cov.VCOV
) -> xr.Dataset:
    """Regress every outcome on the dummies of combinations, without intercept.

    Each outcome has its own sample. All numbers agree with statsmodels; the formulas of the
    standard errors stand in `bipbayes.regression.covariance`.

    Parameters
    ----------
    progression
        As `bipbayes.data.progression.progression` returns it, or in parts.
    codebook
        Gives combinations and outcomes; all of them are labels, also the empty ones.
    vcov
        Any of ``classical``, ``HC1``, ``HC3``, ``cluster_citizen``, ``cluster_jobcenter``.

    Returns
    -------
    xarray.Dataset
        In standard deviations of progression: ``estimate[outcome, combination]`` (``NaN``: not
        observed), ``covariance[vcov, outcome, combination, combination_]``,
        ``df[vcov, outcome]`` of t, ``clusters`` and ``factor`` ``[vcov, outcome]``,
        ``n`` and ``n_citizens`` ``[outcome, combination]``, ``observations`` and ``columns``
        ``[outcome]``, ``reason[vcov, outcome]`` why an estimator is empty throughout,
        ``note[vcov, outcome, combination]`` why one standard error is not to be used.
        Beside them ``jobcenter_*`` (combination x jobcenter means) and ``standardised_*``
        (jobcenters weighted by ``jobcenter_share[outcome, jobcenter]`` in every combination)
        from the regression on the dummies of combination x jobcenter.

    Raises
    ------
    SettingsError
        Unknown standard errors.
    DataError
        Empty analysis sample, or labels that the codebook lacks.
    """
    unknown = sorted(set(vcov) - set(cov.VCOV))
    if unknown or not vcov:
        raise SettingsError(f"vcov {unknown} is unknown for OLS; known: {', '.join(cov.VCOV)}")
    samples = samples_of(progression, codebook)
    designs = fit_designs(samples)
    estimates = xr.merge(
        [
            _estimates(designs.plain, samples),
            _errors(designs.plain, samples, tuple(vcov)),
            saturated_estimates(designs, samples, tuple(vcov)),
        ]
    )
    _count_without_scale(estimates, samples)
    estimates.attrs = {key: samples.scale.attrs[key] for key in sorted(samples.scale.attrs)}
    return estimates


def _count_without_scale(estimates: xr.Dataset, samples: Samples) -> None:
    """Give outcomes without a standard deviation their true n, and the reason why all is empty."""
    totals, cells = samples.totals, samples.by_cell
    counts = {
        "": (cells(totals.n).sum(axis=1), totals.citizens_combination),
        "jobcenter_": (cells(totals.n), cells(totals.citizens)),
    }
    for place in np.flatnonzero(~samples.scaled & totals.n.any(axis=0)):
        here = {"outcome": samples.outcomes[place]}
        estimates["observations"].loc[here] = totals.n[:, place].sum()
        estimates["reason"].loc[here] = NO_SPREAD
        for prefix, (n, citizens) in counts.items():
            estimates[f"{prefix}n"].loc[here] = n[..., place]
            estimates[f"{prefix}n_citizens"].loc[here] = citizens[..., place]
            note = estimates[f"{prefix}note"].loc[here]
            estimates[f"{prefix}note"].loc[here] = np.where(n[..., place] == 0, note, NO_SPREAD)
        estimates["standardised_note"].loc[here] = estimates["note"].loc[here]


def _estimates(design: Design, samples: Samples) -> xr.Dataset:
    dims = ("outcome", "combination")
    return xr.Dataset(
        {
            "estimate": (dims, design.estimate.T),
            "n": (dims, design.n.T),
            "n_citizens": (dims, design.citizens.T),
            "observations": ("outcome", design.observations),
            "columns": ("outcome", design.columns),
        },
        coords={
            "outcome": list(samples.outcomes),
            "combination": list(samples.combinations),
            "combination_": list(samples.combinations),
        },
    )


def _errors(design: Design, samples: Samples, vcov: tuple[str, ...]) -> xr.Dataset:
    matrices = [cov.full_covariance(design, name) for name in vcov]
    clusters = [_clusters(design, name) for name in vcov]
    plain = design.observations - design.columns
    degrees = [plain if count is None else count - 1 for count in clusters]
    counts = [np.full(len(plain), np.nan) if count is None else count for count in clusters]
    factors = [_factor(design, name) for name in vcov]
    each = ("vcov", "outcome")
    return xr.Dataset(
        {
            "covariance": ((*each, "combination", "combination_"), np.stack(matrices)),
            "df": (each, np.where(np.stack(degrees) > 0, np.stack(degrees), np.nan)),
            "clusters": (each, np.stack(counts).astype("float64")),
            "factor": (each, np.stack(factors)),
            "reason": (each, np.stack([reasons.empty(design, samples, name) for name in vcov])),
            "note": (
                (*each, "combination"),
                np.stack([reasons.unusable(design, name) for name in vcov]),
            ),
        },
        coords={"vcov": list(vcov)},
    )


def _clusters(design: Design, vcov: str) -> Integers | None:
    """Count clusters by outcome; None without clusters."""
    if vcov == cov.CLUSTER_CITIZEN:
        return design.citizens_all
    if vcov == cov.CLUSTER_JOBCENTER:
        return cov.jobcenter_counts(design)
    return None


def _factor(design: Design, vcov: str) -> Floats:
    """Small-sample factor by outcome, for the output that says what was done."""
    ones = np.ones(len(design.observations))
    if vcov == cov.CLUSTER_CITIZEN:
        return cov.cluster_factor(design)
    if vcov == cov.CLUSTER_JOBCENTER:
        clusters = cov.jobcenter_counts(design)
        return np.asarray((clusters - 1) / np.maximum(clusters, 1))
    if vcov == cov.HC1:
        return np.asarray(design.observations / np.maximum(design.observations - design.columns, 1))
    return ones
