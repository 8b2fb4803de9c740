"""Draws of every estimand, computed from draws of effects as weighted sums (DESIGN 4)."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import xarray as xr

from bipbayes.data.codebook import Codebook
from bipbayes.data.factorial import factorial_contrasts
from bipbayes.estimands.weights import average_weights, observed_weights, standard_weights
from bipbayes.intervals import ALL_INDICATORS

OVERALL_DIMS: Final = ("chain", "draw", "combination", "outcome")
JOBCENTER_DIMS: Final = ("chain", "draw", "combination", "jobcenter", "outcome")


def estimand_draws(
    effects: xr.DataArray, cells: xr.Dataset, codebook: Codebook
) -> dict[str, xr.DataArray]:
    """Compute the draws of all estimands of one model.

    Parameters
    ----------
    effects
        Effects of cells, dims ``chain, draw, combination, jobcenter, indicator``.
    cells
        The cells they belong to: numbers of answers, standard deviations, mean changes.
    codebook
        Names averages and their members.

    Returns
    -------
    dict
        ``effect``, ``contrast``, ``standardised_effect``, ``standardised_contrast`` with dims
        ``chain, draw, combination, outcome``, ``jobcenter`` with ``jobcenter`` before
        ``outcome``, and ``factorial`` with terms such as ``J:S`` in place of the combinations
        (main effects and interactions of ``effect``, see
        `bipbayes.data.factorial.factorial_contrasts`). Outcomes: indicators, averages (on the
        report's scale) and ``all_indicators``, the mean over indicators of their standardised
        effects. ``NaN`` where a model says nothing about a cell that has weight, and for an
        indicator whose changes are all alike (it has no standard deviation, and does not count
        in ``all_indicators``). A contrast is the difference to the combination without
        treatment, which it leaves out.
    """
    parts: dict[str, list[xr.DataArray]] = {}
    for name, part in estimand_parts(effects, cells, codebook):
        parts.setdefault(name, []).append(part)
    return {name: xr.concat(found, dim="combination") for name, found in parts.items()}


def estimand_parts(
    effects: xr.DataArray, cells: xr.Dataset, codebook: Codebook
) -> Iterator[tuple[str, xr.DataArray]]:
    """Compute the draws of one estimand after the other, as they are asked for.

    Parameters are those of `estimand_draws`. ``jobcenter`` comes combination by combination:
    whole, it takes as much memory as the effects.
    """
    observed = observed_weights(cells)
    effect = outcome_draws(effects, observed, cells, codebook=codebook)
    yield "effect", effect
    yield "contrast", _contrast(effect, codebook)
    standard = standard_weights(cells).broadcast_like(observed).transpose(*observed.dims)
    standardised = outcome_draws(effects, standard, cells, codebook=codebook)
    yield "standardised_effect", standardised
    yield "standardised_contrast", _contrast(standardised, codebook)
    for place in range(effects.sizes["combination"]):
        yield "jobcenter", _by_jobcenter(effects.isel(combination=[place]), cells)
    yield "factorial", _factorial(effect, codebook)


def scaled_indicators(cells: xr.Dataset) -> xr.DataArray:
    """Say which indicators have a standard deviation, dim ``indicator``."""
    sd = cells["sd"].sel(outcome=cells["indicator"].to_numpy())
    return xr.DataArray(sd.notnull().to_numpy(), {"indicator": cells["indicator"].to_numpy()})


def outcome_draws(
    effects: xr.DataArray, weights: xr.DataArray, cells: xr.Dataset, *, codebook: Codebook
) -> xr.DataArray:
    """Average over jobcenters by outcome: indicators, averages, all indicators.

    Parameters
    ----------
    effects
        Effects of cells, dims ``chain, draw, combination, jobcenter, indicator``.
    weights
        Dims ``combination, jobcenter, outcome``.
    cells
        Standard deviations and mean changes of the outcomes.
    codebook
        Names averages and their members.

    Returns
    -------
    xarray.DataArray
        Dims ``chain, draw, combination, outcome``.
    """
    values = effects.to_numpy()
    indicators = list(codebook.indicator_codes)
    single = _total(values, _weight_array(weights, indicators))
    scaled = scaled_indicators(cells).sel(indicator=indicators).to_numpy()
    single[..., ~scaled] = np.nan
    members, shifts = average_weights(cells, codebook)
    columns = [single]
    for average in codebook.average_codes:
        share = members.sel(outcome=average).to_numpy()
        belongs = share > 0
        jobcenters = np.repeat(_weight_array(weights, [average]), belongs.sum(), axis=2)
        total = _total(values, jobcenters, chosen=belongs) @ share[belongs]
        columns.append((total + float(shifts.sel(outcome=average)))[..., None])
    columns.append(single[..., scaled].mean(axis=-1, keepdims=True))
    return _overall(np.concatenate(columns, axis=-1), effects, codebook)


def _weight_array(weights: xr.DataArray, outcomes: list[str]) -> np.ndarray:
    ordered = weights.sel(outcome=outcomes).transpose("combination", "jobcenter", "outcome")
    return np.asarray(ordered.to_numpy())


def _total(
    values: np.ndarray, weights: np.ndarray, *, chosen: np.ndarray | slice = slice(None)
) -> np.ndarray:
    """Sum over jobcenters; a cell without weight does not count, even if it is unknown.

    An outcome without any weight in a combination (nobody there) gets the plain mean over
    jobcenters: what the hierarchy expects, flagged as prior-driven where it is reported.
    `chosen` are the indicators that `weights` belong to.
    """
    empty = weights.sum(axis=1, keepdims=True) == 0
    weights = np.where(empty, 1.0 / weights.shape[1], weights)
    # Chain by chain, since all draws of all cells are large and are copied on the way.
    return np.stack([_chain_total(chain[..., chosen], weights) for chain in values])


def _chain_total(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    if not np.isnan(values).any():
        return np.asarray(np.einsum("dcjk,cjk->dck", values, weights, optimize=True))
    counted = np.where(weights == 0, 0.0, values)
    return np.asarray((counted * weights).sum(axis=2))


def _overall(values: np.ndarray, effects: xr.DataArray, codebook: Codebook) -> xr.DataArray:
    coords = {
        "chain": effects["chain"],
        "draw": effects["draw"],
        "combination": effects["combination"],
        "outcome": [*codebook.outcomes, ALL_INDICATORS],
    }
    return xr.DataArray(values, coords=coords, dims=OVERALL_DIMS)


def _contrast(effect: xr.DataArray, codebook: Codebook) -> xr.DataArray:
    others = [code for code in codebook.combinations if code != codebook.no_treatment]
    reference = effect.sel(combination=codebook.no_treatment, drop=True)
    return (effect.sel(combination=others) - reference).transpose(*OVERALL_DIMS)


def _factorial(effect: xr.DataArray, codebook: Codebook) -> xr.DataArray:
    labels, weights = factorial_contrasts(codebook)
    ordered = effect.sel(combination=list(codebook.combinations)).transpose(*OVERALL_DIMS)
    terms = np.einsum("sdco,tc->sdto", ordered.to_numpy(), weights, optimize=True)
    coords = {**ordered.drop_vars("combination").coords, "combination": list(labels)}
    return xr.DataArray(terms, coords=coords, dims=OVERALL_DIMS)


def _by_jobcenter(effects: xr.DataArray, cells: xr.Dataset) -> xr.DataArray:
    """Effects by jobcenter, with the mean over indicators as a further outcome."""
    single = effects.drop_vars("respondent", errors="ignore").rename(indicator="outcome")
    scaled = scaled_indicators(cells).sel(indicator=effects["indicator"]).to_numpy()
    counted = single if scaled.all() else single.isel(outcome=scaled)
    mean = counted.mean("outcome", skipna=False).expand_dims(outcome=[ALL_INDICATORS])
    both = xr.concat([single, mean], dim="outcome").transpose(*JOBCENTER_DIMS)
    both[..., np.flatnonzero(~scaled)] = np.nan
    return both
