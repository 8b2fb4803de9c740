"""Terms of a jobcenter not seen: variances in closed form, independence, user's models."""

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from cell_builders import CellShape, make_cells

from bipbayes.data.factorial import factorial_terms
from bipbayes.sampling.registry import load_model
from bipbayes.sampling.restore import draw_new_jobcenter

DRAWS = 3000
CHAINS = 2


def constant_posterior(model: pm.Model, values: dict[str, np.ndarray | float]) -> xr.Dataset:
    """Draws in which every variable named stays at its value."""
    variables = {}
    for name, value in values.items():
        dims = model.named_vars_to_dims.get(name) or ()
        shape = (CHAINS, DRAWS, *np.shape(value))
        variables[name] = (("chain", "draw", *dims), np.broadcast_to(value, shape))
    return xr.Dataset(variables, coords={"chain": range(CHAINS), "draw": range(DRAWS)})


def covariance(term: xr.DataArray) -> np.ndarray:
    values = term.to_numpy().reshape(CHAINS * DRAWS, -1)
    return np.atleast_2d(np.cov(values.T))


def assert_covariance(term: xr.DataArray, expected: np.ndarray) -> None:
    """Relative to the standard deviations: the standard error of a variance is sqrt(2 / n)."""
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    error = np.sqrt(2 / (CHAINS * DRAWS))
    assert (np.abs(covariance(term) - expected) / scale).max() < 5 * error


def sds(model: pm.Model, value: float) -> dict[str, np.ndarray]:
    names = [str(rv.name) for rv in model.free_RVs if str(rv.name).endswith("_sd")]
    dims = {name: model.named_vars_to_dims.get(name) or () for name in names}
    return {name: np.full([len(model.coords[dim]) for dim in dims[name]], value) for name in names}


def test_hierarchical_terms_have_the_variances_of_their_sds() -> None:
    """Catches a jobcenter's own draws taken for a new one's: they hardly vary where data speak.

    The degrees of centring differ by effect, and none may show in the result; terms are
    independent of each other.
    """
    model = load_model("hierarchical").build(make_cells(CellShape(responses=(30, 60))))
    posterior = constant_posterior(model, sds(model, 0.2))
    names = load_model("hierarchical").terms(make_cells())
    found = draw_new_jobcenter(model, posterior, terms=names, seed=1)
    over = {"combination_jobcenter_effect", "jobcenter_effect", "jobcenter_indicator_effect"}
    assert set(found.data_vars) == over
    for name in over:
        assert_covariance(found[name], 0.04 * np.eye(covariance(found[name]).shape[0]))
    flat = [found[name].to_numpy().reshape(CHAINS * DRAWS, -1) for name in sorted(over)]
    assert_covariance(xr.DataArray(together := np.hstack(flat)), 0.04 * np.eye(together.shape[1]))


def test_factorial_terms_keep_their_structure_over_combinations() -> None:
    """Catches combinations drawn independently: an order's share is sd² signs signs'."""
    cells = make_cells(CellShape(treatments=3))
    model = load_model("factorial").build(cells)
    own = np.array([0.2, 0.1, 0.05, 0.15])
    posterior = constant_posterior(
        model, {**sds(model, 0.3), "combination_jobcenter_effect_sd": own}
    )
    names = load_model("factorial").terms(make_cells())
    found = draw_new_jobcenter(model, posterior, terms=names, seed=2)
    terms = factorial_terms([str(label) for label in cells["combination"].to_numpy()])
    expected = (terms.signs * own[terms.order] ** 2) @ terms.signs.T
    assert_covariance(found["combination_jobcenter_effect"], expected)


def test_draws_follow_the_draw_of_their_standard_deviation() -> None:
    """Catches values drawn once for all draws, or matched with another draw's sd, or with none."""
    model = load_model("hierarchical").build(make_cells())
    posterior = constant_posterior(model, sds(model, 0.1))
    spread = np.where(np.arange(DRAWS) < DRAWS // 2, 0.01, 1.0)
    posterior["jobcenter_effect_sd"] = (("chain", "draw"), np.tile(spread, (CHAINS, 1)))
    names = load_model("hierarchical").terms(make_cells())
    found = draw_new_jobcenter(model, posterior, terms=names, seed=3)["jobcenter_effect"]
    halves = found.to_numpy()[:, : DRAWS // 2], found.to_numpy()[:, DRAWS // 2 :]
    assert halves[0].std() == pytest.approx(0.01, rel=0.1)
    assert halves[1].std() == pytest.approx(1.0, rel=0.1)
    assert np.unique(found).size == CHAINS * DRAWS
    turned = draw_new_jobcenter(
        model, posterior.transpose("draw", "chain", ...), terms=names, seed=3
    )
    xr.testing.assert_identical(turned["jobcenter_effect"], found)
    without = posterior.drop_vars("jobcenter_effect_sd")
    refused = draw_new_jobcenter(model, without, terms=names, seed=3)
    assert not refused.data_vars
    assert "jobcenter_effect_sd is not stored" in refused.attrs["reason"]


def test_seed_decides() -> None:
    """Catches random states that come from the clock."""
    model = load_model("hierarchical").build(make_cells())
    posterior = constant_posterior(model, sds(model, 0.1))
    names = load_model("hierarchical").terms(make_cells())
    first, again, other = (
        draw_new_jobcenter(model, posterior, terms=names, seed=seed) for seed in (4, 4, 5)
    )
    xr.testing.assert_identical(first, again)
    assert not np.allclose(first["jobcenter_effect"], other["jobcenter_effect"])


def test_a_users_two_levels_of_jobcenters() -> None:
    """Catches levels of the data's jobcenters that stay in a new one's indicators.

    Also fixed scales: without a variable to depend on, all draws would share one value; and
    levels that keep the random numbers of the model, whatever the seed.
    """
    with pm.Model(coords={"jobcenter": ["a", "b", "c"], "indicator": ["x", "y"]}) as model:
        level = pm.Normal("level_raw", 0.0, 0.3, dims="jobcenter")
        pm.Normal("own", level[:, None], 0.4, dims=("jobcenter", "indicator"))
    posterior = xr.Dataset(coords={"chain": range(CHAINS), "draw": range(DRAWS)})
    found = draw_new_jobcenter(model, posterior, terms=("own",), seed=6)
    assert_covariance(found["own"], np.array([[0.25, 0.09], [0.09, 0.25]]))
    other = draw_new_jobcenter(model, posterior, terms=("own",), seed=7)
    first, second = (each["own"].to_numpy()[..., 0].ravel() for each in (found, other))
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / np.sqrt(CHAINS * DRAWS)


@pytest.mark.parametrize(
    "name, reason",
    [("complete_pooling", "do not vary over sites"), ("no_pooling", "no distribution")],
)
def test_models_without_such_variation_say_so(name: str, reason: str) -> None:
    """Catches rows for a new jobcenter where a model has nothing to say about one."""
    model = load_model(name).build(make_cells())
    posterior = constant_posterior(model, sds(model, 0.1))
    found = draw_new_jobcenter(model, posterior, terms=load_model(name).terms(make_cells()), seed=1)
    assert not found.data_vars
    assert reason in found.attrs["reason"]


def test_flat_variation_is_refused_with_its_name() -> None:
    """Catches a crash where a user's jobcenters have flat priors."""
    with pm.Model(coords={"jobcenter": ["a", "b"]}) as model:
        pm.Flat("level", dims="jobcenter")
    posterior = xr.Dataset(coords={"chain": range(CHAINS), "draw": range(DRAWS)})
    found = draw_new_jobcenter(model, posterior, terms=("level",), seed=1)
    assert "level has no distribution" in found.attrs["reason"]
