"""OLS of standardised progression on the dummies of combinations (the report's Figures 3-24)."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import (
    Floats,
    Integers,
    Sample,
    analysis_sample,
    distinct_citizens,
    unscaled_rows,
)
from bipbayes.errors import SettingsError
from bipbayes.intervals import NO_SPREAD
from bipbayes.ols import covariance as cov
from bipbayes.ols import reasons
from bipbayes.ols.design import Design, dummy_design
from bipbayes.ols.saturated import saturated_estimates

Text = NDArray[np.object_]


def estimate_ols(
    progression: xr.Dataset, codebook: Codebook, *, vcov: Sequence[str] = cov.VCOV
) -> xr.Dataset:
    """Regress every outcome on the dummies of combinations, without intercept.

    Each outcome has its own sample. All numbers agree with statsmodels; the formulas of the
    standard errors stand in `bipbayes.ols.covariance`.

    Parameters
    ----------
    progression
        As `bipbayes.data.progression.progression` returns it.
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
    sample = analysis_sample(progression, codebook)
    design = dummy_design(sample, sample.combination, size=len(sample.combinations))
    estimates = xr.merge(
        [
            _estimates(design, sample),
            _errors(design, sample, tuple(vcov)),
            saturated_estimates(sample, tuple(vcov)),
        ]
    )
    _count_without_scale(estimates, progression)
    estimates.attrs = {key: progression.attrs[key] for key in sorted(progression.attrs)}
    return estimates


def _count_without_scale(estimates: xr.Dataset, progression: xr.Dataset) -> None:
    """Give outcomes without a standard deviation their true n, and the reason why all is empty."""
    for outcome, rows in unscaled_rows(progression).items():
        if outcome not in estimates["outcome"]:
            continue
        here = {"outcome": outcome}
        estimates["observations"].loc[here] = len(rows)
        estimates["reason"].loc[here] = NO_SPREAD
        for prefix, by in (("", ["combination"]), ("jobcenter_", ["combination", "jobcenter"])):
            citizens = rows.groupby(by)["citizen"].agg(["size", "nunique"]).to_xarray()
            like = estimates[f"{prefix}n"].loc[here]
            citizens = citizens.reindex_like(like, fill_value=0).transpose(*like.dims)
            estimates[f"{prefix}n"].loc[here] = citizens["size"]
            estimates[f"{prefix}n_citizens"].loc[here] = citizens["nunique"]
            note = estimates[f"{prefix}note"].loc[here]
            told = note.where(citizens["size"] == 0, NO_SPREAD).transpose(*note.dims)
            estimates[f"{prefix}note"].loc[here] = told
        estimates["standardised_note"].loc[here] = estimates["note"].loc[here]


def _estimates(design: Design, sample: Sample) -> xr.Dataset:
    citizens = distinct_citizens(sample, sample.combination, size=design.size)
    dims = ("outcome", "combination")
    return xr.Dataset(
        {
            "estimate": (dims, design.estimate.T),
            "n": (dims, design.n.T),
            "n_citizens": (dims, citizens.T),
            "observations": ("outcome", design.observations),
            "columns": ("outcome", design.columns),
        },
        coords={
            "outcome": list(sample.outcomes),
            "combination": list(sample.combinations),
            "combination_": list(sample.combinations),
        },
    )


def _errors(design: Design, sample: Sample, vcov: tuple[str, ...]) -> xr.Dataset:
    matrices = [_covariance(design, sample, name) for name in vcov]
    clusters = [_clusters(design, sample, name) for name in vcov]
    plain = design.observations - design.columns
    degrees = [plain if count is None else count - 1 for count in clusters]
    counts = [np.full(len(plain), np.nan) if count is None else count for count in clusters]
    factors = [_factor(design, sample, name) for name in vcov]
    each = ("vcov", "outcome")
    return xr.Dataset(
        {
            "covariance": ((*each, "combination", "combination_"), np.stack(matrices)),
            "df": (each, np.where(np.stack(degrees) > 0, np.stack(degrees), np.nan)),
            "clusters": (each, np.stack(counts).astype("float64")),
            "factor": (each, np.stack(factors)),
            "reason": (each, np.stack([reasons.empty(design, sample, name) for name in vcov])),
            "note": (
                (*each, "combination"),
                np.stack([reasons.unusable(design, sample, name) for name in vcov]),
            ),
        },
        coords={"vcov": list(vcov)},
    )


def _covariance(design: Design, sample: Sample, vcov: str) -> Floats:
    """Covariance of all estimates, shape (outcome, combination, combination)."""
    if vcov == cov.CLUSTER_CITIZEN:
        matrix = cov.cluster_covariance(design, sample.citizen)
    elif vcov == cov.CLUSTER_JOBCENTER:
        matrix = cov.crv3_covariance(design, sample.jobcenter)
    else:
        variances = cov.group_variances(design, vcov)
        matrix = np.zeros((*variances.shape, design.size))
        matrix[:, np.arange(design.size), np.arange(design.size)] = variances
    known = ~np.isnan(design.estimate.T)
    return np.where(known[:, :, None] & known[:, None, :], matrix, np.nan)


def _clusters(design: Design, sample: Sample, vcov: str) -> Integers | None:
    """Count clusters by outcome; None without clusters."""
    if vcov == cov.CLUSTER_CITIZEN:
        return cov.cluster_counts(design, sample.citizen)
    if vcov == cov.CLUSTER_JOBCENTER:
        return cov.cluster_counts(design, sample.jobcenter)
    return None


def _factor(design: Design, sample: Sample, vcov: str) -> Floats:
    """Small-sample factor by outcome, for the output that says what was done."""
    ones = np.ones(len(design.observations))
    if vcov == cov.CLUSTER_CITIZEN:
        return cov.cluster_factor(design, sample.citizen)
    if vcov == cov.CLUSTER_JOBCENTER:
        clusters = cov.cluster_counts(design, sample.jobcenter)
        return np.asarray((clusters - 1) / np.maximum(clusters, 1))
    if vcov == cov.HC1:
        return np.asarray(design.observations / np.maximum(design.observations - design.columns, 1))
    return ones
