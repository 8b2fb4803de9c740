"""What PyMC computes after sampling: named terms, and a jobcenter not seen.

Every free variable over jobcenters is drawn afresh, given the draws of all other variables; the
terms are then computed from these as in the model. So any model file can be used whose free
variables over jobcenters say so by their dims: independent or correlated, normal or not, centred
or not, with any structure over combinations.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import xarray as xr
from pytensor.graph.replace import graph_replace, vectorize_graph
from pytensor.graph.traversal import ancestors
from pytensor.tensor.random.op import RandomVariable
from pytensor.tensor.type import TensorType

from bipbayes.sampling.labels import SAMPLE, pooled
from bipbayes.sampling.likelihood import Tensor


def restore(
    model: pm.Model, posterior: xr.Dataset, *, names: Sequence[str]
) -> dict[str, xr.DataArray]:
    """Compute deterministic variables for all draws at once.

    The sampler leaves them out: they would only make its compiled code larger. Here their
    graph is given a dim for draws and evaluated chain by chain by NumPy, which takes a fraction
    of a second, where compiling `pymc.compute_deterministics` takes several.

    `model`: the model that was sampled; `posterior`: all its free variables, dims ``chain, draw,
    ...``; `names`: deterministic variables of the model. Returns: by name, dims ``chain, draw`` and
    the variable's own.
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


logger = logging.getLogger(__name__)

JOBCENTER: Final = "jobcenter"


def draw_new_jobcenter(
    model: pm.Model, posterior: xr.Dataset, *, terms: Sequence[str], seed: int
) -> xr.Dataset:
    """Draw the terms of a jobcenter that is not among the data.

    `model`: the model that was sampled; `posterior`: all variables without jobcenters that the
    terms need, dims ``chain, draw, ...``; `terms`: names of the additive terms that the model has;
    `seed`: of the new draws.

    Returns: the terms over jobcenters, without the dim ``jobcenter``, one new jobcenter a draw. It
    has no variable where the model has no variation over jobcenters to draw from; attribute
    ``reason`` then says why.
    """
    names = [name for name in terms if JOBCENTER in _dims(model, name)]
    if not names:
        return _none("its terms do not vary over sites")
    needed = [rv for rv in model.free_RVs if rv in set(ancestors([model[n] for n in names]))]
    anew = [variable for variable in needed if JOBCENTER in _dims(model, variable.name)]
    if reason := _obstacle(needed, anew, posterior):
        return _none(reason)
    given = [variable for variable in needed if variable not in anew]
    values = _evaluate([model[name] for name in names], anew, given, posterior, seed)
    found = {
        name: _labelled(array, name, model, posterior)
        for name, array in zip(names, values, strict=True)
    }
    return xr.Dataset(found)


def _obstacle(needed: list[Any], anew: list[Any], posterior: xr.Dataset) -> str:
    """Say why a jobcenter cannot be drawn; ``""`` where it can."""
    if not anew:
        return "its variation over sites has no distribution to draw from"
    missing = [rv.name for rv in needed if rv not in anew and rv.name not in posterior]
    if missing:
        return f"{', '.join(missing)} is not stored, and is no variable over sites"
    for variable in anew:
        operation = variable.owner.op
        if not isinstance(operation, RandomVariable) or "flat" in operation.name:
            return f"{variable.name} has no distribution that new values can be drawn from"
    return ""


def _evaluate(
    outputs: list[Any], anew: list[Any], given: list[Any], posterior: xr.Dataset, seed: int
) -> list[np.ndarray]:
    """Compute the terms for all draws at once, each with values of its own for `anew`."""
    # What does not depend on a draw would be drawn once for all of them; adding zeros with a
    # dim for draws makes everything depend on them.
    nothing = pt.dscalar("nothing")
    seeds = np.random.SeedSequence(seed).spawn(len(anew))
    fresh = dict(_redrawn(variable, nothing, seeds[i]) for i, variable in enumerate(anew))
    replaced = list(outputs)
    for variable in reversed(anew):  # one may depend on another that was declared before it
        replaced = graph_replace(replaced, {variable: fresh[variable]}, strict=False)
    batched = [
        TensorType(variable.dtype, shape=(None, *variable.type.shape))(variable.name)
        for variable in given
    ]
    zeros = pt.dvector("zeros")
    pairs = dict(zip([*given, nothing], [*batched, zeros], strict=True))
    vectorised = vectorize_graph(replaced, replace=pairs)
    function = pytensor.function(
        [*batched, zeros], vectorised, mode="FAST_COMPILE", on_unused_input="ignore"
    )
    draws = [pooled(posterior[variable.name]) for variable in given]
    size = posterior.sizes["chain"] * posterior.sizes["draw"]
    return [np.asarray(values) for values in function(*draws, np.zeros(size))]


def _redrawn(variable: Any, nothing: Any, seed: np.random.SeedSequence) -> tuple[Any, Any]:
    """Return a variable and its twin with a random state of its own."""
    node = variable.owner
    state = pytensor.shared(np.random.Generator(np.random.PCG64(seed)))
    first, *others = node.op.dist_params(node)
    size = node.op.size_param(node)
    twin = node.op.make_node(state, size, first + nothing, *others)
    return variable, twin.outputs[1]


def _labelled(
    values: np.ndarray, name: str, model: pm.Model, posterior: xr.Dataset
) -> xr.DataArray:
    dims = _dims(model, name)
    # Jobcenters are exchangeable, so that any of those drawn is a new one.
    values = np.take(values, 0, axis=1 + dims.index(JOBCENTER))
    others = [dim for dim in dims if dim != JOBCENTER]
    shaped = values.reshape(*(posterior.sizes[dim] for dim in SAMPLE), *values.shape[1:])
    return labelled(shaped, others, model, posterior)


def _dims(model: pm.Model, name: str) -> list[str]:
    return [str(dim) for dim in model.named_vars_to_dims.get(name) or ()]


def _none(reason: str) -> xr.Dataset:
    logger.info("nothing is drawn of a site not seen: %s", reason)
    return xr.Dataset(attrs={"reason": reason})
