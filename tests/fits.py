"""Compiled models and small fits that several test files share; numba compiles slowly."""

from functools import cache

import pymc as pm
import pytest
import xarray as xr
from builders import Shape, make_codebook, random_progression
from cell_builders import CellShape, make_cells

from bipbayes.cells import cell_means
from bipbayes.sampling import fit as fitting
from bipbayes.sampling.exact import fit as exact
from bipbayes.sampling.fit import CompiledModel, compile_model, draw_posterior
from bipbayes.sampling.registry import load_model
from bipbayes.sampling.settings import SamplerSettings

SHAPE = CellShape()
KNOWN_SD = 0.1
SMALL = SamplerSettings(draws=300, tune=300, seed=5)
RAGGED = make_codebook(6, 3)
UNSEEN = ("011", "111")


@cache
def compiled(name: str) -> CompiledModel:
    """A model of the package, compiled for `SHAPE`; the flagship for `ragged_cells`."""
    cells = ragged_cells() if name == "hierarchical" else make_cells(SHAPE)
    return compile_model(load_model(name), cells)


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
    return draw_posterior(compiled("hierarchical"), ragged_cells(), settings=SMALL)


@cache
def ragged_cells() -> xr.Dataset:
    """Cells of 4 sites, 3 treatments and 6 items with gaps; two combinations occur nowhere."""
    shape = Shape(
        citizens=160,
        waves=(2, 6),
        gaps=0.2,
        combinations=[name for name in RAGGED.combinations if name not in UNSEEN],
        lacking=[("101", "site 2"), ("110", "site 3")],
        unanswered=[("q2", "001", "site 1")],
    )
    return cell_means(random_progression(RAGGED, seed=4, shape=shape), RAGGED)


@cache
def ragged_fit(engine: str, *, seed: int = 11) -> xr.DataTree:
    """The flagship on `ragged_cells` by one engine; tests must not change it."""
    sample = exact.sample if engine == "exact" else fitting.sample
    settings = SamplerSettings(draws=1000, tune=800, seed=seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "compile_model", lambda model, *_, **__: compiled(model.name))
        return sample(load_model("hierarchical"), ragged_cells(), settings=settings)
