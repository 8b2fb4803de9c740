"""Working covariance of weighted scores and of adjusted cells (see `bipbayes.cells.scores`)."""

import logging
from collections.abc import Sequence
from typing import Final

import numpy as np
import xarray as xr
from scipy.linalg import eigh

from bipbayes.cells import working
from bipbayes.cells.means import cell_means
from bipbayes.cells.repair import Parts, Repair, clipped, repair_attrs, separated
from bipbayes.cells.scores import Moments, Scores, gram_matrices, make_scores, moments
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Floats, analysis_sample

logger = logging.getLogger(__name__)

# The largest share of a response's variance that persists in a citizen.
MOST: Final = 0.9


def persistent_cells(
    progression: xr.Dataset, codebook: Codebook, *, vcov: str = working.CITIZEN
) -> xr.Dataset:
    """Reduce *adjusted* progression to cell means, with what persists in a citizen.

    Parameters
    ----------
    progression
        From `bipbayes.data.adjusted.adjusted_progression`, slopes within cells.
    codebook
        The study's.
    vcov
        ``iid``, ``response`` or ``citizen``.

    Returns
    -------
    xarray.Dataset
        As `bipbayes.cells.means.cell_means`, with ``vcov``, ``residual_covariance`` S0,
        ``lag_covariance`` S1, ``noise_covariance`` N and ``change_covariance`` D of
        `bipbayes.cells.scores`, and ``persistent_covariance`` C ``[indicator, indicator_]``
        as used (zero but for ``citizen``).

    Raises
    ------
    SettingsError
        Unknown working covariance.
    DataError
        Empty analysis sample, or labels that the codebook lacks.
    """
    cells = cell_means(progression, codebook, vcov=vcov)
    sample = analysis_sample(progression, codebook)
    count, codes = len(codebook.indicators), list(codebook.indicator_codes)
    previous = progression["previous"].sel(outcome=codes).transpose("response", ...).to_numpy()
    scores = make_scores(
        sample,
        previous,
        values=sample.values[:, :count],
        weight=sample.observed[:, :count].astype("float64"),
    )
    blocks = (cells.sizes["combination"], cells.sizes["jobcenter"])
    found = score_dataset(scores, codes, vcov=vcov, blocks=blocks)
    return cells.assign(found.data_vars).assign_attrs(found.attrs)


def score_dataset(
    scores: Scores, indicators: Sequence[str], *, vcov: str, blocks: tuple[int, int]
) -> xr.Dataset:
    """Put the working covariance of scores into named arrays.

    Parameters
    ----------
    scores
        From `bipbayes.cells.scores.make_scores`.
    indicators
        Codes, in the scores' order.
    vcov
        ``iid``, ``response`` or ``citizen``.
    blocks
        Number of combinations and of jobcenters.

    Returns
    -------
    xarray.Dataset
        ``vcov[combination, jobcenter, indicator, indicator_]`` and the matrices of
        `persistent_cells`; attrs about repairs as of `cell_means`. No coords.
    """
    grams = gram_matrices(scores)
    found = moments(scores, grams)
    parts, person = score_parts(found, vcov=vcov)
    known = working.both(scores.information > 0)
    divisor = scores.information[:, :, None] * scores.information[:, None, :]
    total = person * grams.person + parts.noise * grams.shared + parts.change * grams.joint
    covariance = np.where(known, total / np.where(known, divisor, 1.0), np.nan)
    count = len(indicators)
    square = ("indicator", "indicator_")
    data = xr.Dataset(
        {
            "vcov": (
                ("combination", "jobcenter", *square),
                covariance.reshape(*blocks, count, count),
            ),
            "residual_covariance": (square, found.response),
            "lag_covariance": (square, found.neighbour),
            "common_starts": (square, found.common),
            "change_covariance": (square, parts.change),
            "noise_covariance": (square, parts.noise),
            "persistent_covariance": (square, person),
        },
        attrs=repair_attrs(parts),
    )
    if parts.repairs:
        logger.info("working covariance %s: %s", vcov, data.attrs["repair"])
    return data


def score_parts(found: Moments, *, vcov: str) -> tuple[Parts, Floats]:
    """Turn moments into D and N (as `Parts`) and C, all positive semi-definite.

    Parameters
    ----------
    found
        From `bipbayes.cells.scores.moments`.
    vcov
        ``iid``, ``response`` or ``citizen``.
    """
    unknown = np.diag(found.response) <= 0
    own = found.response + np.diag(np.where(unknown, 1 - np.diag(found.response), 0.0))
    person, noise = np.zeros((2, *own.shape))
    repairs: dict[str, Repair] = {}
    if vcov == working.IID:
        change = np.diag(np.diag(own))
    elif vcov == working.RESPONSE:
        change, repairs["S0"] = clipped(own)
    else:
        person, repairs["C"] = _persistence(found.person, clipped(own)[0])
        lag = found.neighbour - person
        start, repairs["S0"] = clipped(own - person + (found.common - 1) * lag)
        noise, change, split = separated(start, _negative(lag, start))
        repairs |= split
    parts = Parts(
        vcov=vcov,
        change=change,
        noise=noise,
        repairs={name: entry for name, entry in repairs.items() if entry.raised},
        unknown=int(unknown.sum()),
        pairs=found.neighbours,
    )
    return parts, person


def _negative(lag: Floats, start: Floats) -> Floats:
    """Keep the directions in which neighbours covary less than other changes of a citizen.

    Where they seem to covary more, no answer's noise is left, and C holds what persists.
    """
    roots, vectors = eigh(lag, start)
    axes = start @ vectors  # start = axes axes', lag = (axes * roots) axes'
    return np.asarray((axes * np.minimum(roots, 0.0)) @ axes.T)


def _persistence(person: Floats, own: Floats) -> tuple[Floats, Repair]:
    """Keep C between zero and `MOST` of S0 in every direction."""
    roots, vectors = eigh(person, own)
    axes = own @ vectors  # own = axes axes', person = (axes * roots) axes'
    kept = np.clip(roots, 0.0, MOST)
    repair = Repair(
        raised=int((roots < 0).sum()),
        lowest=float(roots.min()),
        added=float((axes**2).sum(axis=0) / np.trace(own) @ (kept - roots)),
    )
    matrix = (axes * kept) @ axes.T
    return (matrix + matrix.T) / 2, repair
