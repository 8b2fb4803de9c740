"""Stage 1: cell means and how they err together."""

from dataclasses import replace

import numpy as np
import xarray as xr

from bipbayes.cells import covariance
from bipbayes.cells.covariance import working_covariance
from bipbayes.cells.products import Products, residual_products
from bipbayes.cells.scores import CellSums, Scores, make_scores
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Integers, Sample
from bipbayes.data.totals import Samples, samples_of
from bipbayes.errors import SettingsError, unknown

BLOCK = ("combination", "jobcenter")


def cell_means(
    progression: xr.Dataset | Samples, codebook: Codebook, *, vcov: str = covariance.CITIZEN
) -> xr.Dataset:
    """Reduce the responses to cell means and their joint sampling covariance.

    Parameters
    ----------
    progression
        As `bipbayes.data.progression.progression` returns it, or adjusted
        (`bipbayes.data.adjusted.adjusted_progression`), or in parts.
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
    samples, count = samples_of(progression, codebook), len(codebook.indicators)
    totals = samples.totals
    information = (totals.n * samples.scaled)[:, :count].astype("float64")
    sums = CellSums(information, totals.sums[:, :count])  # each change tells as much as another
    known = known_indicators(sums)
    products: Products = samples.total(_plain_products, count, known, sums)
    cells = score_cells(samples, products, sums, codebook, vcov=vcov)
    cells["mean"] = ((*BLOCK, "indicator"), samples.by_cell(sums.estimate))
    return cells


def _plain_products(sample: Sample, count: int, known: Integers, sums: CellSums) -> Products:
    values, weight = sample.values[:, :count], sample.observed[:, :count].astype("float64")
    return residual_products(
        chosen(make_scores(sample, values=values, weight=weight, sums=sums), known)
    )


def known_indicators(sums: CellSums) -> Integers:
    """Positions of the indicators with information in some cell."""
    return np.flatnonzero((sums.information > 0).any(axis=0))


def chosen(scores: Scores, indicators: Integers) -> Scores:
    """Keep some indicators: one without information must not count in the others' covariance."""
    names = ("residual", "weight", "information", "previous")
    return replace(scores, **{name: getattr(scores, name)[:, indicators] for name in names})


def score_cells(
    samples: Samples, products: Products, sums: CellSums, codebook: Codebook, *, vcov: str
) -> xr.Dataset:
    """Count answers and citizens by cell and add the working covariance of the scores.

    Parameters
    ----------
    samples
        Analysed responses.
    products
        Of the indicators with information, from `bipbayes.cells.products.residual_products`.
    sums
        Of all indicators' scores by cell.
    codebook
        The study's.
    vcov
        ``iid``, ``response`` or ``citizen``.

    Returns
    -------
    xarray.Dataset
        As of `cell_means`, without ``mean``.

    Raises
    ------
    SettingsError
        Unknown working covariance.
    """
    if vcov not in covariance.VCOV:
        raise SettingsError(unknown("vcov", vcov, covariance.VCOV))
    codes, respondents = list(codebook.indicator_codes), codebook.respondents
    own = [codebook.respondent_of(code) for code in codes]
    used, totals = sums.information > 0, samples.totals
    each, outcome = (*BLOCK, "indicator"), (*BLOCK, "outcome")
    indicators = slice(len(codes))
    data = xr.Dataset(
        {
            "n": (each, samples.by_cell(totals.n[:, indicators] * used)),
            "n_citizens": (each, samples.by_cell(totals.citizens[:, indicators] * used)),
            "n_outcome": (outcome, samples.by_cell(totals.n)),
            "n_citizens_outcome": (outcome, samples.by_cell(totals.citizens)),
        },
        coords={
            "combination": list(samples.combinations),
            "jobcenter": list(samples.jobcenters),
            "indicator": codes,
            "outcome": list(codebook.outcomes),
            "respondent": ("indicator", own),
        },
    )
    known = known_indicators(sums)
    found = working_covariance(
        products,
        sums.information[:, known],
        [codes[place] for place in known],
        respondent=np.array([respondents.index(own[place]) for place in known]),
        vcov=vcov,
        blocks=(len(samples.combinations), len(samples.jobcenters)),
        say=codebook.say,
    )
    found = found.reindex(indicator=codes, indicator_=codes)
    cells = data.merge(found, join="exact").assign_attrs(
        {**samples.scale.attrs, **found.attrs, "vcov": vcov}
    )
    for name, source in (("sd", "sd"), ("mean_change", "mean")):
        cells[name] = samples.scale[source].sel(outcome=cells["outcome"].to_numpy())
    return cells
