"""Stage 1: cell means and how they err together (DESIGN 4)."""

import logging

import numpy as np
import xarray as xr

from bipbayes.cells import working
from bipbayes.cells.gram import joint_answers, shared_answers
from bipbayes.cells.moments import Moments, Residuals, residual_moments, residuals
from bipbayes.cells.repair import Parts, parts, repair_attrs
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Integers, Sample, analysis_sample, distinct_citizens, group_sums
from bipbayes.errors import SettingsError

logger = logging.getLogger(__name__)

BLOCK = ("combination", "jobcenter")


def cell_means(
    progression: xr.Dataset, codebook: Codebook, *, vcov: str = working.CITIZEN
) -> xr.Dataset:
    """Reduce the responses to cell means and their joint sampling covariance.

    Parameters
    ----------
    progression
        As `bipbayes.data.progression.progression` returns it.
    codebook
        Gives combinations, indicators and averages; all are labels, also the empty ones.
    vcov
        Working covariance: ``iid``, ``response`` or ``citizen`` (`bipbayes.cells.working`).

    Returns
    -------
    xarray.Dataset
        ``mean``, ``n``, ``n_citizens`` ``[combination, jobcenter, indicator]`` and
        ``vcov[combination, jobcenter, indicator, indicator_]`` in standard deviations of
        progression (``NaN`` without answers); ``residual_covariance`` S0 and
        ``lag_covariance`` S1 as estimated, ``common_starts`` s, and as used
        ``noise_covariance`` N (zero but for ``citizen``) and ``change_covariance`` D (S0 but
        for ``citizen``) ``[indicator, indicator_]``; ``n_outcome`` and ``n_citizens_outcome``
        ``[combination, jobcenter, outcome]`` (averages, too); ``sd`` and ``mean_change``
        ``[outcome]`` in scale points. Coord ``respondent(indicator)``. Attrs ``vcov``,
        ``previous``, ``synthetic``, ``study``, ``repair`` (a sentence), and in numbers
        ``repair_added`` (share of the trace of S0), ``repair_lowest``, ``repair_raised``,
        ``neighbouring_pairs``.

    Raises
    ------
    SettingsError
        Unknown working covariance.
    DataError
        Empty analysis sample, or labels that the codebook lacks.
    """
    if vcov not in working.VCOV:
        raise SettingsError(f"vcov {vcov!r} is unknown; known: {', '.join(working.VCOV)}")
    everything = analysis_sample(progression, codebook)
    indicators = list(codebook.indicator_codes)
    previous = progression["previous"].sel(outcome=indicators).transpose("response", ...)
    residual = residuals(_indicators(everything, codebook), previous.to_numpy())
    joint = joint_answers(residual)
    moments = residual_moments(residual, joint)
    found = parts(moments, vcov=vcov)
    if "S0" in found.repairs:
        logger.warning(
            "too few responses for a covariance of %d indicators: %s",
            len(indicators),
            repair_attrs(found)["repair"],
        )
    cells = _dataset(everything, residual, codebook).merge(_parts(moments, found, codebook))
    cells["vcov"] = (
        (*BLOCK, "indicator", "indicator_"),
        _blocks(working_covariance(residual, joint, found), everything),
    )
    cells["sd"] = progression["sd"].sel(outcome=list(codebook.outcomes))
    cells["mean_change"] = progression["mean"].sel(outcome=list(codebook.outcomes))
    cells.attrs = {**progression.attrs, "vcov": vcov, **repair_attrs(found)}
    return cells


def working_covariance(residual: Residuals, joint: np.ndarray, found: Parts) -> np.ndarray:
    """Covariance of the means of every cell, shape (cell, indicator, indicator)."""
    zero = np.zeros_like(found.noise)
    shared = shared_answers(residual) if found.vcov == working.CITIZEN else joint
    noise = found.noise if found.vcov == working.CITIZEN else zero
    return working.mean_covariance(
        joint, shared, change=found.change, noise=noise, n=residual.n.astype(float)
    )


def _indicators(sample: Sample, codebook: Codebook) -> Sample:
    """Return the sample with the indicators as its only outcomes."""
    count = len(codebook.indicators)
    return Sample(
        values=sample.values[:, :count],
        observed=sample.observed[:, :count],
        combination=sample.combination,
        jobcenter=sample.jobcenter,
        citizen=sample.citizen,
        rows=sample.rows,
        combinations=sample.combinations,
        jobcenters=sample.jobcenters,
        outcomes=sample.outcomes[:count],
    )


def _dataset(sample: Sample, residual: Residuals, codebook: Codebook) -> xr.Dataset:
    indicators = list(codebook.indicator_codes)
    counts = group_sums(sample.cell, sample.observed.astype(float), size=sample.cells)
    citizens = distinct_citizens(sample, sample.cell, size=sample.cells)
    each, outcome = (*BLOCK, "indicator"), (*BLOCK, "outcome")
    return xr.Dataset(
        {
            "mean": (each, _blocks(residual.means, sample)),
            "n": (each, _blocks(residual.n, sample)),
            "n_citizens": (each, _blocks(citizens[:, : len(indicators)], sample)),
            "n_outcome": (outcome, _blocks(counts.astype("int64"), sample)),
            "n_citizens_outcome": (outcome, _blocks(citizens, sample)),
        },
        coords={
            "combination": list(sample.combinations),
            "jobcenter": list(sample.jobcenters),
            "indicator": indicators,
            "outcome": list(codebook.outcomes),
            "respondent": ("indicator", [codebook.respondent_of(code) for code in indicators]),
        },
    )


def _parts(moments: Moments, found: Parts, codebook: Codebook) -> xr.Dataset:
    square = ("indicator", "indicator_")
    codes = list(codebook.indicator_codes)
    return xr.Dataset(
        {
            "residual_covariance": (square, moments.residual),
            "lag_covariance": (square, moments.lag),
            "common_starts": (square, moments.common),
            "change_covariance": (square, found.change),
            "noise_covariance": (square, found.noise),
        },
        coords={"indicator": codes, "indicator_": codes},
    )


def _blocks(values: np.ndarray | Integers, sample: Sample) -> np.ndarray:
    """Split the cell axis into combination and jobcenter."""
    return values.reshape(len(sample.combinations), len(sample.jobcenters), *values.shape[1:])
