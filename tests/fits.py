"""Compiled models and small fits that several test files share; numba compiles slowly."""

from functools import cache

import pymc as pm
import xarray as xr
from cell_builders import CellShape, make_cells

from bipbayes.sampling.fit import CompiledModel, compile_model, draw_posterior
from bipbayes.sampling.registry import load_model
from bipbayes.sampling.settings import SamplerSettings

SHAPE = CellShape()
KNOWN_SD = 0.1
SMALL = SamplerSettings(draws=300, tune=300, seed=5)


@cache
def compiled(name: str) -> CompiledModel:
    """A model of the package, compiled for `SHAPE`."""
    return compile_model(load_model(name), make_cells(SHAPE))


@cache
def compiled_with_known_sd() -> CompiledModel:
    """Complete pooling with its standard deviation given: the normal-normal model."""
    import nutpie
    import pytensor

    model_file = load_model("complete_pooling")
    model = model_file.build(make_cells(SHAPE), model_file.Priors())
    model = pm.do(model, {"combination_effect_sd": KNOWN_SD})
    with pytensor.config.change_flags(numba__fastmath=False):
        ready = nutpie.compile_pymc_model(model, var_names=[v.name for v in model.free_RVs])
    return CompiledModel(model_file, model_file.Priors(), model, ready, ("combination_effect",))


@cache
def hierarchical_fit() -> xr.DataTree:
    """A short fit of the flagship; tests must not change it."""
    return draw_posterior(compiled("hierarchical"), make_cells(SHAPE), settings=SMALL)
