"""Effects from draws: the sum of a model's additive terms, cell by cell."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
import xarray as xr

from bipbayes.cells import CELL
from bipbayes.errors import ModelError
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
