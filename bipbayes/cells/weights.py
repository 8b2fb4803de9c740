"""How cells are weighted into estimands (``docs/statistics/estimands.md``), as labelled arrays."""

import numpy as np
import xarray as xr

from bipbayes.data.codebook import Codebook


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
