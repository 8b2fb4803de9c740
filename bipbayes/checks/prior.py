"""Effects drawn from a model's prior, before any data."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from bipbayes.errors import ModelError
from bipbayes.estimands.effects import CELL, SAMPLE, effect_draws
from bipbayes.sampling import tree
from bipbayes.sampling.batches import Batch, is_flat
from bipbayes.sampling.registry import ModelFile


def prior_draws(
    model_file: ModelFile, cells: xr.Dataset, *, priors: Any = None, draws: int = 500, seed: int = 0
) -> xr.DataArray:
    """Draw the effects of all cells from a model's prior.

    Parameters
    ----------
    model_file
        Any model, also a user's own.
    cells
        Give labels and the pattern of answers; their means are not used by the prior.
    priors
        An instance of the file's ``Priors``; default: its defaults.
    draws
        Independent draws.
    seed
        Of the draws.

    Returns
    -------
    xarray.DataArray
        Dims ``chain`` (one), ``draw, combination, jobcenter, indicator``, in standard
        deviations of progression.

    Raises
    ------
    ModelError
        The model has a flat prior, from which nothing can be drawn.
    """
    chosen = model_file.Priors() if priors is None else priors
    if batches := model_file.declared(cells, chosen):
        return _of_batches(model_file.name, batches, cells, draws=draws, seed=seed)
    return _of_graph(model_file, cells, chosen, draws=draws, seed=seed)


def _of_batches(
    name: str, batches: Sequence[Batch], cells: xr.Dataset, *, draws: int, seed: int
) -> xr.DataArray:
    if is_flat(batches):
        raise ModelError(f"{name} has a flat prior, which predicts nothing")
    drawn = tree.prior_draws(batches, cells, draws=draws, seed=seed)
    fit = xr.DataTree.from_dict({"posterior": drawn})
    names = [batch.name for batch in batches]
    return effect_draws(fit, cells, terms=names).transpose(*SAMPLE, *CELL)


def _of_graph(
    model_file: ModelFile, cells: xr.Dataset, chosen: Any, *, draws: int, seed: int
) -> xr.DataArray:
    import pymc as pm  # seconds to import, and only models that build a graph need it

    from bipbayes.sampling.contract import build_model, built_terms

    flat_kinds = (pm.distributions.continuous.FlatRV, pm.distributions.continuous.HalfFlatRV)
    model = build_model(model_file, cells, priors=chosen)
    flat = [rv.name for rv in model.free_RVs if isinstance(rv.owner.op, flat_kinds)]
    if flat:
        raise ModelError(
            f"{model_file.name} has a flat prior ({', '.join(flat)}), which predicts nothing"
        )
    names = built_terms(model, model_file.terms(cells, chosen))
    values = pm.draw(
        [model[name] for name in names], draws=draws, random_seed=seed, mode="FAST_COMPILE"
    )
    found = {
        name: xr.DataArray(
            np.asarray(value)[None],
            dims=[*SAMPLE, *map(str, model.named_vars_to_dims.get(name) or ())],
        )
        for name, value in zip(names, values, strict=True)
    }
    labelled = xr.Dataset(found, coords=_coords(model, draws))
    fit = xr.DataTree.from_dict({"posterior": labelled})
    return effect_draws(fit, cells, terms=names).transpose(*SAMPLE, *CELL)


def _coords(model: Any, draws: int) -> dict[str, Any]:
    named = {name: list(values) for name, values in model.coords.items() if values is not None}
    return {"chain": [0], "draw": np.arange(draws)} | {
        name: named[name] for name in (*CELL, "respondent") if name in named
    }
