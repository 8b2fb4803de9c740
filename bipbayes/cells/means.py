"""Stage 1: cell means, how they err together, and how they are weighted into estimands."""

from dataclasses import replace

import numpy as np
import xarray as xr

from bipbayes.cells import covariance
from bipbayes.cells.covariance import working_covariance
from bipbayes.cells.products import CellSums, Products, Scores, make_scores, residual_products
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Integers, Sample, Samples, samples_of
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
        (`bipbayes.data.adjustment.adjusted_progression`), or in parts.
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


def observed_weights(cells: xr.Dataset) -> xr.DataArray:
    """Jobcenter weights as observed in a combination: OLS's own estimand.

    Returns
    -------
    xarray.DataArray
        Dims ``combination, jobcenter, outcome``; sums to one over jobcenters, all zero where
        the combination has no answer of that outcome. Averages have weights of their own.
    """
    n = cells["n_outcome"].astype("float64")
    total = n.sum("jobcenter")
    return (n / total.where(total > 0)).fillna(0.0)


def standard_weights(cells: xr.Dataset) -> xr.DataArray:
    """Jobcenter weights that are the same in all combinations: shares of all responses.

    Returns
    -------
    xarray.DataArray
        Dims ``jobcenter, outcome``; sums to one over jobcenters.
    """
    n = cells["n_outcome"].astype("float64").sum("combination")
    total = n.sum("jobcenter")
    return (n / total.where(total > 0)).fillna(0.0)


def average_weights(cells: xr.Dataset, codebook: Codebook) -> tuple[xr.DataArray, xr.DataArray]:
    """Weights and shifts that turn indicators' effects into an average's on the report's scale.

    The report standardises the average of the answers, which is not the average of the
    standardised indicators: member k has weight ``sd[k] / (K sd[average])``. The average's mean
    change is that of its complete rows, hence the shift ``(mean over members of mean_change[k]
    - mean_change[average]) / sd[average]``.

    Returns
    -------
    tuple of xarray.DataArray
        Weights with dims ``outcome, indicator`` (0 for indicators that are no members) and
        shifts with dim ``outcome``; outcomes are the averages.
    """
    sd, mean = cells["sd"], cells["mean_change"]
    averages, indicators = list(codebook.average_codes), list(codebook.indicator_codes)
    weights = np.zeros((len(averages), len(indicators)))
    shifts = np.zeros(len(averages))
    for row, average in enumerate(averages):
        members = list(codebook.members(average))
        scale = float(sd.sel(outcome=average))
        columns = [indicators.index(code) for code in members]
        weights[row, columns] = sd.sel(outcome=members).to_numpy() / (len(members) * scale)
        expected = float(mean.sel(outcome=members).mean())
        shifts[row] = (expected - float(mean.sel(outcome=average))) / scale
    coords = {"outcome": averages, "indicator": indicators}
    return (
        xr.DataArray(weights, coords=coords, dims=("outcome", "indicator")),
        xr.DataArray(shifts, coords={"outcome": averages}, dims="outcome"),
    )
