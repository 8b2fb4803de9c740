"""Named terms from free variables, after sampling."""

from collections.abc import Mapping, Sequence

import numpy as np
import pymc as pm
import pytensor
import xarray as xr
from pytensor.graph.replace import vectorize_graph
from pytensor.tensor.type import TensorType

from bipbayes.sampling.labels import SAMPLE
from bipbayes.sampling.likelihood import Tensor


def restore(
    model: pm.Model, posterior: xr.Dataset, *, names: Sequence[str]
) -> dict[str, xr.DataArray]:
    """Compute deterministic variables for all draws at once.

    The sampler leaves them out: they would only make its compiled code larger. Here their
    graph is given a dim for draws and evaluated chain by chain by NumPy, which takes a fraction
    of a second, where compiling `pymc.compute_deterministics` takes several.

    Parameters
    ----------
    model
        The model that was sampled.
    posterior
        All its free variables, dims ``chain, draw, ...``.
    names
        Deterministic variables of the model.

    Returns
    -------
    dict
        By name, dims ``chain, draw`` and the variable's own.
    """
    return evaluate(model, posterior, outputs={name: model[name] for name in names})


def evaluate(
    model: pm.Model, posterior: xr.Dataset, *, outputs: Mapping[str, Tensor]
) -> dict[str, xr.DataArray]:
    """Compute symbolic arrays of free variables for all draws at once, as `restore` does."""
    if not outputs:
        return {}
    free = list(model.free_RVs)
    batched = [
        TensorType(variable.dtype, shape=(None, *variable.type.shape))(variable.name)
        for variable in free
    ]
    vectorised = vectorize_graph(
        list(outputs.values()), replace=dict(zip(free, batched, strict=True))
    )
    function = pytensor.function(batched, vectorised, mode="FAST_COMPILE", on_unused_input="ignore")
    draws = [posterior[variable.name].to_numpy() for variable in free]
    chains = [function(*(values[c] for values in draws)) for c in range(posterior.sizes["chain"])]
    return {
        name: _named(np.stack([chain[place] for chain in chains]), name, model, posterior)
        for place, name in enumerate(outputs)
    }


def _named(values: np.ndarray, name: str, model: pm.Model, posterior: xr.Dataset) -> xr.DataArray:
    own = [str(dim) for dim in model.named_vars_to_dims.get(name, ())]
    dims = own or [f"{name}_dim_{axis}" for axis in range(values.ndim - 2)]
    return labelled(values, dims, model, posterior)


def labelled(
    values: np.ndarray, dims: Sequence[str], model: pm.Model, posterior: xr.Dataset
) -> xr.DataArray:
    """Label draws, (chain, draw) and `dims`: those that the model knows by its coords."""
    coords = {dim: list(model.coords[dim] or ()) for dim in dims if dim in model.coords}
    sample = {dim: posterior[dim] for dim in SAMPLE}
    return xr.DataArray(values, dims=[*SAMPLE, *dims], coords={**sample, **coords})
