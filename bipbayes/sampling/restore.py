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
    graph is given a dim for draws and evaluated by NumPy, which takes a fraction of a second,
    where compiling `pymc.compute_deterministics` takes several.

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
    draws = {variable: pooled(posterior[variable.name]) for variable in model.free_RVs}
    found = _for_draws(list(outputs.values()), draws)
    labelled = {}
    for name, values in zip(outputs, found, strict=True):
        own = _dims(model, name) or [f"{name}_dim_{axis}" for axis in range(values.ndim - 1)]
        labelled[name] = _labelled(values, own, model, posterior)
    return labelled


def _for_draws(outputs: list[Any], draws: Mapping[Any, np.ndarray]) -> list[np.ndarray]:
    """Evaluate graphs, given draws (draw, ...) of what they are of, for all draws at once."""
    batched = [TensorType(v.dtype, shape=(None, *v.type.shape))(v.name) for v in draws]
    vectorised = vectorize_graph(outputs, replace=dict(zip(draws, batched, strict=True)))
    function = pytensor.function(batched, vectorised, mode="FAST_COMPILE", on_unused_input="ignore")
    return [np.asarray(values) for values in function(*draws.values())]


def _labelled(
    values: np.ndarray, dims: Sequence[str], model: pm.Model, posterior: xr.Dataset
) -> xr.DataArray:
    """Label draws, (draw, ...) of all chains: dims that the model knows by its coords."""
    shaped = values.reshape(*(posterior.sizes[dim] for dim in SAMPLE), *values.shape[1:])
    coords = {dim: list(model.coords[dim] or ()) for dim in dims if dim in model.coords}
    sample = {dim: posterior[dim] for dim in SAMPLE}
    return xr.DataArray(shaped, dims=[*SAMPLE, *dims], coords={**sample, **coords})


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
    found = {}
    for name, array in zip(names, values, strict=True):
        dims = _dims(model, name)
        # Jobcenters are exchangeable, so that any of those drawn is a new one.
        one = np.take(array, 0, axis=1 + dims.index(JOBCENTER))
        others = [dim for dim in dims if dim != JOBCENTER]
        found[name] = _labelled(one, others, model, posterior)
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
    size = posterior.sizes["chain"] * posterior.sizes["draw"]
    draws = {variable: pooled(posterior[variable.name]) for variable in given}
    return _for_draws(replaced, {**draws, nothing: np.zeros(size)})


def _redrawn(variable: Any, nothing: Any, seed: np.random.SeedSequence) -> tuple[Any, Any]:
    """Return a variable and its twin with a random state of its own."""
    node = variable.owner
    state = pytensor.shared(np.random.Generator(np.random.PCG64(seed)))
    first, *others = node.op.dist_params(node)
    size = node.op.size_param(node)
    twin = node.op.make_node(state, size, first + nothing, *others)
    return variable, twin.outputs[1]


def _dims(model: pm.Model, name: str) -> list[str]:
    return [str(dim) for dim in model.named_vars_to_dims.get(name) or ()]


def _none(reason: str) -> xr.Dataset:
    logger.info("nothing is drawn of a site not seen: %s", reason)
    return xr.Dataset(attrs={"reason": reason})
