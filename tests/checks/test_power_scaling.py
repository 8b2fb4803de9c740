"""Sensitivity to hyperpriors: none where they are flat, much where data say little."""

import json

import numpy as np
import pytest
import xarray as xr
from builders import Shape, make_codebook, random_progression

from bipbayes.cells import cell_means
from bipbayes.checks.gaussian import effect_sample, gaussian_model, integrate
from bipbayes.checks.power_scaling import hyperprior_density, power_scaling
from bipbayes.checks.terms import Term
from bipbayes.errors import ModelError
from bipbayes.estimands.draws import estimand_draws

DIMS = ("combination", "jobcenter", "indicator")


@pytest.fixture(scope="module")
def cells():
    shape = Shape(citizens=60)
    return cell_means(
        random_progression(make_codebook(3, 2), seed=2, shape=shape), make_codebook(3, 2)
    )


def _fit(cells, scale):
    terms = (Term("combination_effect", ("combination",), scale),)
    model = gaussian_model(cells, terms)
    effect, sds = effect_sample(model, integrate(model, points=256), draws=2000, seed=3)
    shape = [cells.sizes[dim] for dim in DIMS]
    sample = {"chain": [0, 1], "draw": np.arange(1000)}
    coords = {**sample, **{dim: cells[dim].to_numpy() for dim in DIMS}}
    effects = xr.DataArray(
        effect.reshape(2, 1000, *shape), coords=coords, dims=("chain", "draw", *DIMS)
    )
    sd = xr.DataArray(sds[:, 0].reshape(2, 1000), coords=sample, dims=("chain", "draw"))
    fit = xr.DataTree.from_dict({"posterior": xr.Dataset({"combination_effect_sd": sd})})
    fit.attrs["priors"] = json.dumps({"combination": scale})
    return fit, effects


def test_a_tight_hyperprior_matters_and_a_flat_one_does_not(cells):
    """Catches weights from the wrong density, or likelihood and prior exchanged."""
    found = {}
    for scale in (0.02, 20.0):
        fit, effects = _fit(cells, scale)
        draws = estimand_draws(effects, cells, make_codebook(3, 2))
        frame = power_scaling(draws, effects, cells, hyperprior=hyperprior_density(fit))
        found[scale] = frame[frame["estimand"] == "effect"]
        assert not frame.duplicated(["estimand", "outcome", "combination", "jobcenter"]).any()
    assert found[20.0]["prior"].max() < 0.01
    assert (found[20.0]["diagnosis"] == "").all()
    assert found[0.02]["prior"].mean() > 5 * found[20.0]["prior"].mean()
    assert found[20.0]["likelihood"].min() > 5 * found[20.0]["prior"].max()


def test_priors_that_are_not_stored_are_named(cells):
    """Catches a sensitivity to nothing, reported as no sensitivity."""
    fit, _ = _fit(cells, 0.1)
    fit.attrs["priors"] = json.dumps({"other": 1.0})
    with pytest.raises(ModelError, match="combination_effect_sd"):
        hyperprior_density(fit)


def test_every_standard_deviation_of_a_batch_counts(cells):
    """Catches orders of a batch left out of the density, or divided by another's scale."""
    fit, _ = _fit(cells, 0.3)
    posterior = fit["posterior"].to_dataset()
    one = posterior["combination_effect_sd"]
    both = xr.concat([one, 2 * one], dim="order").assign_coords(order=["1", "2"])
    fit["posterior"] = xr.DataTree(posterior.assign(combination_effect_sd=both))
    with pytest.raises(ModelError, match=r"combination_effect_sd\[1\], .*\[2\]"):
        hyperprior_density(fit)
    scales = {"combination_effect_sd[1]": 0.3, "combination_effect_sd[2]": 0.1}
    expected = -0.5 * ((one / 0.3) ** 2 + (2 * one / 0.1) ** 2)
    np.testing.assert_allclose(hyperprior_density(fit, scales=scales), expected)
