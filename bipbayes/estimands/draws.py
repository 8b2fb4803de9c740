"""Draws of every estimand (``docs/statistics/estimands.md``): of cells, and weighted sums."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from bipbayes.cells import CELL
from bipbayes.cells.means import average_weights, observed_weights, standard_weights
from bipbayes.data.codebook import Codebook
from bipbayes.data.factorial import factorial_contrasts
from bipbayes.errors import ModelError
from bipbayes.intervals import ALL_INDICATORS
from bipbayes.sampling.labels import SAMPLE

_THREADS: Final = 2


def term_names(fit: xr.DataTree) -> tuple[str, ...]:
    """Return the names of a fit's additive terms."""
    return tuple(json.loads(str(fit.attrs["terms"])))


def hyperparameters(fit: xr.DataTree) -> xr.Dataset:
    """Return the draws of what is no additive term: standard deviations, most often."""
    return fit["posterior"].to_dataset().drop_vars(term_names(fit), errors="ignore")


def effect_draws(
    fit: xr.DataTree, cells: xr.Dataset, *, terms: Sequence[str] | None = None
) -> xr.DataArray:
    """Add up a model's terms to the effect of every cell.

    Parameters
    ----------
    fit
        A stored fit; its ``posterior`` holds the terms, each with dims out of
        ``combination, respondent, indicator, jobcenter`` (beside ``chain, draw``).
    cells
        The cells it was fitted to; gives labels and each indicator's respondent.
    terms
        Some of the terms only; default: all.

    Returns
    -------
    xarray.DataArray
        Dims ``chain, draw, combination, jobcenter, indicator``, in standard deviations of
        progression; ``NaN`` in cells that a model without pooling says nothing about.

    Raises
    ------
    ModelError
        A term has a dim that cells do not have.
    """
    names = term_names(fit) if terms is None else tuple(terms)
    posterior = fit["posterior"].to_dataset()
    sizes = [posterior.sizes[dim] for dim in SAMPLE] + [cells.sizes[dim] for dim in CELL]
    total = np.zeros(sizes)
    parts = [_by_cell(posterior[name], cells) for name in names]

    def add(chain: int) -> None:
        for part in parts:
            total[chain] += part[chain]

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(add, range(len(total))))
    coords = {dim: posterior[dim].to_numpy() for dim in SAMPLE}
    coords |= {dim: cells[dim].to_numpy() for dim in CELL}
    return xr.DataArray(total, coords=coords, dims=(*SAMPLE, *CELL), name="effect")


def _by_cell(term: xr.DataArray, cells: xr.Dataset) -> np.ndarray:
    """Bring a term to the dims of the cells, by label, with length one where it lacks one."""
    if "respondent" in term.dims:
        respondent = cells["respondent"].drop_vars("respondent")
        term = term.sel(respondent=respondent)
    unknown = set(term.dims) - {*SAMPLE, *CELL}
    if unknown:
        raise ModelError(
            f"term {term.name!r} has dims {sorted(map(str, unknown))} unknown to cells"
        )
    labels = {dim: cells[dim].to_numpy() for dim in CELL if dim in term.dims}
    aligned = term.reindex(labels)
    absent = [dim for dim in CELL if dim not in aligned.dims]
    return aligned.expand_dims(absent).transpose(*SAMPLE, *CELL).to_numpy()


OVERALL_DIMS: Final = (*SAMPLE, "combination", "outcome")
JOBCENTER_DIMS: Final = (*SAMPLE, "combination", "jobcenter", "outcome")


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
    matrix, shifts = _weight_matrix(weights, cells, codebook)
    return _overall(_product(effects.to_numpy(), matrix) + shifts, effects, codebook)


def _weight_matrix(
    weights: xr.DataArray, cells: xr.Dataset, codebook: Codebook
) -> tuple[np.ndarray, np.ndarray]:
    """Weights of cells in outcomes, (combination, jobcenter, indicator, outcome), and shifts.

    An indicator without a standard deviation has no weights, but ``NaN``.
    """
    indicators, averages = list(codebook.indicator_codes), list(codebook.average_codes)
    scaled = scaled_indicators(cells).sel(indicator=indicators).to_numpy()
    single = _weight_array(weights, indicators)
    members, shifts = average_weights(cells, codebook)
    count = len(indicators)
    matrix = np.zeros((*single.shape, count + len(averages) + 1))
    places = np.arange(count)
    matrix[..., places, places] = np.where(scaled, single, np.nan)
    for place, average in enumerate(averages, start=count):
        share = members.sel(outcome=average).to_numpy()
        jobcenters = _weight_array(weights, [average])
        matrix[..., place] = jobcenters * np.where(share > 0, share, 0.0)
    matrix[..., -1] = single * scaled / scaled.sum() if scaled.any() else np.nan
    return matrix, np.array([*np.zeros(count), *shifts.sel(outcome=averages).to_numpy(), 0.0])


def _weight_array(weights: xr.DataArray, outcomes: list[str]) -> np.ndarray:
    """Weights of jobcenters by outcome.

    An outcome without any weight in a combination (nobody there) gets the plain mean over
    jobcenters: what the hierarchy expects, flagged as prior-driven where it is reported.
    """
    ordered = weights.sel(outcome=outcomes).transpose("combination", "jobcenter", "outcome")
    given = ordered.to_numpy()
    empty = given.sum(axis=1, keepdims=True) == 0
    return np.where(empty, 1.0 / given.shape[1], given)


def _product(values: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Sum cells by weight; one without weight does not count, even if it is unknown."""
    lost = np.zeros((matrix.shape[0], matrix.shape[-1]), dtype="bool")
    if np.isnan(values.sum()):
        unknown = np.isnan(values).any(axis=(0, 1))
        values = np.where(unknown, 0.0, values)
        lost = (unknown[..., None] & (matrix != 0)).any(axis=(1, 2))
    flat = matrix.reshape(matrix.shape[0], -1, matrix.shape[-1])
    cells = np.moveaxis(values.reshape(-1, *flat.shape[:2]), 1, 0)  # (combination, draw, cell)
    # One thread of linear algebra: numbers then do not depend on the number of cores.
    with threadpool_limits(limits=1, user_api="blas"):
        sums = np.moveaxis(cells @ flat, 0, 1)
    return np.where(lost, np.nan, sums).reshape(*values.shape[:2], *lost.shape)


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
    scaled = scaled_indicators(cells).sel(indicator=effects["indicator"]).to_numpy()
    values = np.empty((*effects.shape[:-1], len(scaled) + 1))
    values[..., :-1] = effects.to_numpy()
    counted = values[..., :-1] if scaled.all() else values[..., :-1][..., scaled]
    values[..., -1] = counted.mean(axis=-1)
    values[..., np.flatnonzero(~scaled)] = np.nan
    coords: dict[str, object] = {dim: effects[dim] for dim in JOBCENTER_DIMS[:-1]}
    coords["outcome"] = [*effects["indicator"].to_numpy(), ALL_INDICATORS]
    return xr.DataArray(values, coords=coords, dims=JOBCENTER_DIMS)


GROUP: Final = "new_jobcenter"
JOBCENTER: Final = "jobcenter"


def new_jobcenter_effects(fit: xr.DataTree, cells: xr.Dataset) -> xr.DataArray | None:
    """Add up the terms for a jobcenter that is not among the data.

    Parameters
    ----------
    fit
        A stored fit; its group ``new_jobcenter`` holds the terms over jobcenters, drawn anew
        (`bipbayes.sampling.restore`).
    cells
        The cells it was fitted to.

    Returns
    -------
    xarray.DataArray or None
        Dims ``chain, draw, combination, jobcenter, indicator`` with one jobcenter (under the
        label of the first one of `cells`), or None where the model has no variation over
        jobcenters that a new one could be drawn from.
    """
    anew = fit[GROUP].to_dataset() if GROUP in fit.children else xr.Dataset()
    if not anew.data_vars:
        return None
    one = cells.isel(jobcenter=[0])
    label = one[JOBCENTER].to_numpy()
    posterior = fit["posterior"].to_dataset()
    terms = {
        name: anew[name].expand_dims({JOBCENTER: label}) if name in anew else posterior[name]
        for name in term_names(fit)
    }
    # From a dict of arrays without the others' jobcenters, which would be joined by label.
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(terms)})
    tree.attrs["terms"] = fit.attrs["terms"]
    return effect_draws(tree, one)


def new_jobcenter_draws(
    effects: xr.DataArray, cells: xr.Dataset, codebook: Codebook
) -> xr.DataArray:
    """Return effects in a jobcenter not seen, by outcome.

    Parameters
    ----------
    effects
        From `new_jobcenter_effects`.
    cells
        Those of the fit: standard deviations and mean changes of the outcomes.
    codebook
        Names averages and their members.

    Returns
    -------
    xarray.DataArray
        Dims ``chain, draw, combination, outcome``; outcomes as in
        `bipbayes.estimands.draws.estimand_draws`.
    """
    one = cells["n_outcome"].isel(jobcenter=[0])
    weights = xr.ones_like(one, dtype="float64")
    return outcome_draws(effects, weights, cells, codebook=codebook)
