"""What a built model must be, so that sampling, estimands and checks can work with it."""

from collections.abc import Iterator

import pymc as pm
import xarray as xr

from bipbayes.errors import ModelError, raise_all
from bipbayes.sampling.labels import TERM_DIMS, labels
from bipbayes.sampling.likelihood import OBSERVED
from bipbayes.sampling.registry import ModelFile


def build_model(model_file: ModelFile, cells: xr.Dataset, *, priors: object) -> pm.Model:
    """Build a model and check what came out.

    Parameters
    ----------
    model_file
        From `bipbayes.sampling.registry.load_model`.
    cells
        From `bipbayes.cells.cell_means`.
    priors
        An instance of the file's ``Priors``.

    Raises
    ------
    ModelError
        ``build`` returns no model, a term is missing or has dims of its own, or the likelihood
        is no observed variable ``whitened_mean``; all faults are named.
    """
    model = model_file.build(cells, priors)
    if not isinstance(model, pm.Model):
        raise ModelError(f"build of {model_file.name} returns no PyMC model")
    heading = f"The model {model_file.name} was refused:"
    raise_all(ModelError, heading, list(_faults(model, model_file.terms(cells, priors), cells)))
    return model


def built_terms(model: pm.Model, terms: tuple[str, ...]) -> tuple[str, ...]:
    """Return the terms that the model has, in the file's order."""
    return tuple(name for name in terms if name in model.named_vars)


def _faults(model: pm.Model, terms: tuple[str, ...], cells: xr.Dataset) -> Iterator[str]:
    there = built_terms(model, terms)
    # A batch over a dim of length one may be left out; else a name is misspelt.
    single = any(len(values) == 1 for values in labels(cells).values())
    missing = [name for name in terms if name not in there]
    if missing and not (single and there):
        yield f"TERMS names {', '.join(missing)}, which the model does not have"
    for name in there:
        if model[name].ndim:  # a single number counts in every cell
            yield from _dim_faults(name, model.named_vars_to_dims.get(name))
    observed = [variable.name for variable in model.observed_RVs]
    if observed != [OBSERVED]:
        yield (
            f"its observed variables are {observed}; there must be one, {OBSERVED!r}: "
            "call bipbayes.sampling.likelihood.observe(effect, cells)"
        )
    if model.discrete_value_vars:
        yield "it has discrete free variables, which the sampler cannot draw"


def _dim_faults(name: str, dims: tuple[str | None, ...] | None) -> Iterator[str]:
    if dims is None:
        yield f"term {name} has no dims; name them out of {', '.join(TERM_DIMS)}"
        return
    unknown = [str(dim) for dim in dims if dim not in TERM_DIMS]
    if unknown:
        yield f"term {name} has dims {unknown}; allowed: {', '.join(TERM_DIMS)}"
