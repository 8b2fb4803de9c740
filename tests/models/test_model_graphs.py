"""Every model file: what is in the graph, and that its density can be used."""

import numpy as np
import pymc as pm
import pytest
from cell_builders import CellShape, make_cells
from pytensor.graph.traversal import ancestors

from bipbayes.cells import whiten
from bipbayes.sampling.graph import build_model
from bipbayes.sampling.labels import labels
from bipbayes.sampling.registry import load_model, model_names

SHAPES = {
    "usual": CellShape(),
    "seven indicators, four sites": CellShape(jobcenters=4, indicators=7),
    "one treatment": CellShape(treatments=1),
    "empty combination": CellShape(empty=("01",)),
}
FITTING = [
    pytest.param(name, shape, id=f"{name}-{title}")
    for name in model_names()
    for title, shape in SHAPES.items()
    if (name, title) != ("factorial", "one treatment")  # refused: see test_factorial.py
]


def built(name: str, shape: CellShape, *, seed: int = 1) -> pm.Model:
    model_file = load_model(name)
    return build_model(model_file, make_cells(shape, seed=seed), priors=model_file.Priors())


def points(model: pm.Model, count: int, *, seed: int = 0) -> list[dict[str, np.ndarray]]:
    """Random points in the sampler's coordinates; `initial_point()` would compile the graph."""
    rng = np.random.default_rng(seed)
    shapes = {
        model.rvs_to_values[variable].name: tuple(
            len(model.coords[dim]) for dim in model.named_vars_to_dims.get(variable.name, ())
        )
        for variable in model.free_RVs
    }
    return [
        {name: rng.normal(0, 0.5, shape) for name, shape in shapes.items()} for _ in range(count)
    ]


@pytest.mark.parametrize("name, shape", FITTING)
def test_every_free_variable_reaches_the_likelihood(name: str, shape: CellShape) -> None:
    """Catches a batch that is declared but forgotten in the sum."""
    model = built(name, shape)
    reached = set(ancestors(model.observed_RVs))
    assert [variable.name for variable in model.free_RVs if variable not in reached] == []


# The usual study is that of the empty combination without its holes: compiled once is enough.
@pytest.mark.parametrize("name, shape", [case for case in FITTING if "usual" not in case.id])
def test_density_and_gradient_are_finite(name: str, shape: CellShape) -> None:
    """Catches NaN of unobserved cells leaking into density or gradient."""
    model = built(name, shape)
    both = model.compile_fn([model.logp(), model.dlogp()], mode="FAST_COMPILE")
    for point in points(model, 3):
        density, gradient = both(point)
        assert np.isfinite(density)
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("name", model_names())
def test_terms_have_labelled_dims(name: str) -> None:
    """Catches terms that estimands could not add up by label."""
    model, cells = built(name, SHAPES["usual"]), make_cells(SHAPES["usual"], seed=1)
    for term in load_model(name).terms(cells):
        dims = model.named_vars_to_dims.get(term, ())
        assert model[term].ndim == len(dims)
        for dim in dims:
            assert list(model.coords[dim]) == labels(cells)[dim]


@pytest.mark.parametrize("name", model_names())
def test_only_observed_entries_are_observations(name: str) -> None:
    """Catches empty cells that enter the likelihood as zeros."""
    cells = make_cells(SHAPES["empty combination"], seed=1)
    model = built(name, SHAPES["empty combination"])
    (observed,) = model.observed_RVs
    assert observed.name == "whitened_mean"
    values = model.rvs_to_values[observed].eval(mode="FAST_COMPILE")
    white = whiten(cells)
    assert values.shape == (int((cells["n"] > 0).sum()),)
    np.testing.assert_array_equal(values, white["whitened"].to_numpy()[white["observed"]])


@pytest.mark.parametrize(
    "shape, left_out",
    [
        (CellShape(jobcenters=1), {"combination_jobcenter", "jobcenter", "jobcenter_indicator"}),
        (
            CellShape(indicators=1),
            {"combination_respondent", "combination_indicator", "jobcenter_indicator"},
        ),
    ],
)
def test_batches_over_a_dim_of_length_one_are_left_out(
    shape: CellShape, left_out: set[str]
) -> None:
    """Catches two batches that say the same: their sds would not be identified."""
    model = built("hierarchical", shape)
    missing = {
        name.removesuffix("_effect")
        for name in load_model("hierarchical").terms(make_cells())
        if name not in model.named_vars
    }
    assert missing == left_out
    assert not any(f"{name}_effect_sd" in model.named_vars for name in left_out)
