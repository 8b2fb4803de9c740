"""Stage 1: cell means and how they err together."""

from dataclasses import replace

import numpy as np
import xarray as xr

from bipbayes.cells import covariance
from bipbayes.cells.covariance import working_covariance
from bipbayes.cells.scores import Scores, make_scores
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import (
    Floats,
    Integers,
    Sample,
    analysis_sample,
    distinct_citizens,
    group_sums,
    unscaled_rows,
)
from bipbayes.errors import SettingsError

BLOCK = ("combination", "jobcenter")


def cell_means(
    progression: xr.Dataset, codebook: Codebook, *, vcov: str = covariance.CITIZEN
) -> xr.Dataset:
    """Reduce the responses to cell means and their joint sampling covariance.

    Parameters
    ----------
    progression
        As `bipbayes.data.progression.progression` returns it, or adjusted
        (`bipbayes.data.adjusted.adjusted_progression`, slopes within cells).
    codebook
        Gives combinations, indicators and averages; all are labels, also the empty ones.
    vcov
        Working covariance: ``iid``, ``response`` or ``citizen`` (`bipbayes.cells.covariance`).

    Returns
    -------
    xarray.Dataset
        ``mean``, ``n``, ``n_citizens`` ``[combination, jobcenter, indicator]`` and
        ``vcov[combination, jobcenter, indicator, indicator_]`` in standard deviations of
        progression (``NaN`` without answers), with the matrices and attrs of
        `bipbayes.cells.covariance.working_covariance`; ``n_outcome`` and
        ``n_citizens_outcome`` ``[combination, jobcenter, outcome]`` (averages, too, and outcomes
        whose changes are all alike: these have no ``n``, no ``mean`` and no ``sd``); ``sd`` and
        ``mean_change`` ``[outcome]`` in scale points. Coord ``respondent(indicator)``. Attrs
        also ``vcov``, ``previous``, ``synthetic``, ``study``.

    Raises
    ------
    SettingsError
        Unknown working covariance.
    DataError
        Empty analysis sample, or labels that the codebook lacks.
    """
    sample = analysis_sample(progression, codebook)
    codes = list(codebook.indicator_codes)
    scores = make_scores(
        sample,
        starts(progression, codes),
        values=sample.values[:, : len(codes)],
        weight=sample.observed[:, : len(codes)].astype("float64"),
    )
    cells = score_cells(sample, scores, codebook, vcov=vcov)
    shape = tuple(cells.sizes[dim] for dim in (*BLOCK, "indicator"))
    cells["mean"] = ((*BLOCK, "indicator"), scores.estimate.reshape(shape))
    return described(cells, progression)


def starts(progression: xr.Dataset, codes: list[str]) -> np.ndarray:
    """Where the indicators' changes start, shape (response, indicator)."""
    return progression["previous"].sel(outcome=codes).transpose("response", ...).to_numpy()


def score_cells(sample: Sample, scores: Scores, codebook: Codebook, *, vcov: str) -> xr.Dataset:
    """Count answers and citizens by cell and add the working covariance of the scores.

    Parameters
    ----------
    sample
        Analysed responses.
    scores
        Of the indicators, from `bipbayes.cells.scores.make_scores`; what an indicator without
        information has does not count.
    codebook
        The study's.
    vcov
        ``iid``, ``response`` or ``citizen``.

    Returns
    -------
    xarray.Dataset
        As of `cell_means`, without ``mean``, ``sd`` and ``mean_change``.

    Raises
    ------
    SettingsError
        Unknown working covariance.
    """
    if vcov not in covariance.VCOV:
        raise SettingsError(f"vcov {vcov!r} is unknown; known: {', '.join(covariance.VCOV)}")
    codes, respondents = list(codebook.indicator_codes), codebook.respondents
    own = [codebook.respondent_of(code) for code in codes]
    counts = group_sums(sample.cell, sample.observed.astype(float), size=sample.cells)
    citizens = distinct_citizens(sample, sample.cell, size=sample.cells)
    used = scores.information > 0
    each, outcome = (*BLOCK, "indicator"), (*BLOCK, "outcome")
    data = xr.Dataset(
        {
            "n": (each, _blocks(counts[:, : len(codes)].astype("int64") * used, sample)),
            "n_citizens": (each, _blocks(citizens[:, : len(codes)] * used, sample)),
            "n_outcome": (outcome, _blocks(counts.astype("int64"), sample)),
            "n_citizens_outcome": (outcome, _blocks(citizens, sample)),
        },
        coords={
            "combination": list(sample.combinations),
            "jobcenter": list(sample.jobcenters),
            "indicator": codes,
            "outcome": list(codebook.outcomes),
            "respondent": ("indicator", own),
        },
    )
    known = np.flatnonzero(used.any(axis=0))
    found = working_covariance(
        _chosen(scores, known),
        [codes[place] for place in known],
        respondent=np.array([respondents.index(own[place]) for place in known]),
        vcov=vcov,
        blocks=(len(sample.combinations), len(sample.jobcenters)),
    )
    found = found.reindex(indicator=codes, indicator_=codes)
    return data.merge(found, join="exact").assign_attrs(vcov=vcov, **found.attrs)


def _chosen(scores: Scores, indicators: Integers) -> Scores:
    """Keep some indicators: one without information must not count in the others' covariance."""
    names = ("residual", "weight", "estimate", "information", "previous")
    return replace(scores, **{name: getattr(scores, name)[:, indicators] for name in names})


def described(cells: xr.Dataset, progression: xr.Dataset) -> xr.Dataset:
    """Add scale and mean of progression, numbers of outcomes without a scale, and attrs."""
    outcomes = cells["outcome"].to_numpy()
    for name, source in (("sd", "sd"), ("mean_change", "mean")):
        cells[name] = progression[source].sel(outcome=outcomes)
    for outcome, rows in unscaled_rows(progression).items():
        counts = rows.groupby(list(BLOCK))["citizen"].agg(["size", "nunique"]).to_xarray()
        for name, column in (("n_outcome", "size"), ("n_citizens_outcome", "nunique")):
            values = counts[column].reindex_like(cells[name].sel(outcome=outcome), fill_value=0)
            cells[name].loc[{"outcome": outcome}] = values.transpose(*BLOCK)
    return cells.assign_attrs({**progression.attrs, **cells.attrs})


def _blocks(values: Floats | np.ndarray, sample: Sample) -> np.ndarray:
    """Split the cell axis into combination and jobcenter."""
    return values.reshape(len(sample.combinations), len(sample.jobcenters), *values.shape[1:])
