"""Why a standard error is empty, in words that can stand in a table.

Braces stand for the study's words (`bipbayes.data.study_words`).
"""

import numpy as np
from numpy.typing import NDArray

from bipbayes.data.sample import Booleans, Samples
from bipbayes.regression import covariance as cov
from bipbayes.regression.design import Design, jobcenter_share

Text = NDArray[np.object_]

NOT_OBSERVED = "combination not observed"
JOBCENTER_MISSING = "not observed in every {jobcenter}"
NO_JACKKNIFE = "leaving one {jobcenter} out is not defined for means by {jobcenter}"
ONE_RESPONSE = "rests on one response: no residual"
ONE_JOBCENTER = "rests on one {jobcenter}: without that one nothing is left"
ONE_CITIZEN = "rests on one {citizen}: the residuals sum to zero"
ALL_ALIKE = "all changes behind it are alike: no error can be estimated"
COMMON_VARIANCE = (
    "one regression on all combinations in all {jobcenters}: its residual variance is common to all"
)


def empty(design: Design, samples: Samples, vcov: str) -> Text:
    """Say for each outcome why an estimator is empty throughout (``""``: it is not)."""
    result = np.full(len(design.observations), "", dtype=object)
    if vcov != cov.CLUSTER_JOBCENTER:
        result[design.observations <= design.columns] = "no degrees of freedom"
    if vcov in (cov.CLUSTER_CITIZEN, cov.CLUSTER_JOBCENTER):
        cluster = vcov.removeprefix("cluster_")
        by_citizen = vcov == cov.CLUSTER_CITIZEN
        clusters = design.citizens_all if by_citizen else cov.jobcenter_counts(design)
        result[clusters < 2] = f"fewer than two {{{cluster}s}}"
    result[design.observations == 0] = "outcome not observed"
    return result


def unusable(design: Design, vcov: str) -> Text:
    """Say for each outcome and combination why its standard error is not to be used.

    A residual that is zero by construction yields a standard error of zero, as statsmodels
    prints; an interval of no width would be a false certainty, so intervals leave it empty.
    """
    result = np.full((len(design.observations), design.size), "", dtype=object)
    result[_degenerate(design, vcov).T] = (
        ONE_CITIZEN if vcov == cov.CLUSTER_CITIZEN else ONE_RESPONSE
    )
    if vcov == cov.CLUSTER_JOBCENTER:
        result[cov.sole_jobcenter(design).T] = ONE_JOBCENTER
    result[(design.n == 0).T] = NOT_OBSERVED
    return result


def _degenerate(design: Design, vcov: str) -> Booleans:
    """Say which groups' residuals are zero by construction, shape (group, outcome)."""
    if vcov == cov.CLUSTER_CITIZEN:
        return cov.sole_citizen(design)
    if vcov in (cov.HC1, cov.HC3):
        return np.asarray(design.n == 1)
    return np.zeros_like(design.n, dtype=bool)


def unusable_standardised(saturated: Design, samples: Samples, vcov: str) -> Text:
    """Say the same for averages over jobcenters, shape (outcome, combination)."""
    weighted = jobcenter_share(samples) > 0
    missing = ((samples.by_cell(saturated.n) == 0) & weighted).any(axis=1)
    degenerate = samples.by_cell(_degenerate(saturated, vcov)).any(axis=1)
    result = np.full((len(samples.outcomes), len(samples.combinations)), "", dtype=object)
    result[degenerate.T] = "in one {jobcenter} it " + (
        ONE_CITIZEN if vcov == cov.CLUSTER_CITIZEN else ONE_RESPONSE
    )
    result[missing.T] = JOBCENTER_MISSING
    result[(samples.by_cell(saturated.n).sum(axis=1) == 0).T] = NOT_OBSERVED
    return _filled(result, saturated, samples, vcov)


def unusable_jobcenter(saturated: Design, samples: Samples, vcov: str) -> Text:
    """Say the same for the means of combination x jobcenter, shape (outcome, cell)."""
    return _filled(unusable(saturated, vcov), saturated, samples, vcov)


def _filled(notes: Text, saturated: Design, samples: Samples, vcov: str) -> Text:
    """Fill notes that say nothing with what empties the outcome throughout."""
    if vcov == cov.CLUSTER_JOBCENTER:
        return np.where(notes == "", NO_JACKKNIFE, notes)
    return np.where(notes == "", empty(saturated, samples, vcov)[:, None], notes)
