"""Sensitivity to hyperpriors: none where they are flat, much where data say little."""

import numpy as np
import pytest
import xarray as xr
from builders import Shape, make_codebook, random_progression
from scipy import stats

from bipbayes.cells import cell_means
from bipbayes.checks.power_scaling import hyperprior_density, power_scaling
from bipbayes.errors import ModelError
from bipbayes.estimands.draws import estimand_draws
from bipbayes.estimands.effects import effect_draws
from bipbayes.sampling import tree
from bipbayes.sampling.batches import Basis, Batch
from bipbayes.sampling.exact.draws import draw
from bipbayes.sampling.exact.integrate import integrate
from bipbayes.sampling.exact.reduce import gaussian_model


@pytest.fixture(scope="module")
def cells():
    shape = Shape(citizens=60)
    return cell_means(
        random_progression(make_codebook(3, 2), seed=2, shape=shape), make_codebook(3, 2)
    )


def _fit(cells, scale):
    batches = (Batch("combination_effect", ("combination",), scale),)
    model = gaussian_model(cells, batches)
    drawn = draw(model, integrate(model), draws=2000, seed=3)
    posterior = tree.batch_draws(
        batches,
        cells,
        coefficients=drawn.coefficients.reshape(2, 1000, -1),
        sds=drawn.sds.reshape(2, 1000, -1),
    )
    fit = xr.DataTree.from_dict(
        {"posterior": posterior, "log_prior": tree.log_prior(batches, posterior)}
    )
    return fit, effect_draws(fit, cells, terms=["combination_effect"])


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


def test_no_prior_is_not_no_sensitivity():
    """Catches a sensitivity to nothing, reported as no sensitivity."""
    with pytest.raises(ModelError, match="no standard deviations"):
        hyperprior_density(xr.DataTree.from_dict({"log_prior": xr.Dataset()}))


def test_every_standard_deviation_of_a_batch_counts():
    """Catches orders of a batch left out of the density, or divided by another's scale."""
    labels = ("1", "2")
    basis = Basis("term", "order", labels, labels, np.eye(2), np.array([0, 1]))
    batch = Batch("main_effect", ("combination",), (0.3, 0.1), basis)
    fixed = Batch("average_effect", (), 0.1, fixed=True)
    spread = np.array([[[0.1, 0.2], [0.05, 0.4]]])
    sds = xr.DataArray(spread, dims=("chain", "draw", "order"), coords={"order": list(labels)})
    density = tree.log_prior([batch, fixed], xr.Dataset({"main_effect_sd": sds}))
    found = hyperprior_density(xr.DataTree.from_dict({"log_prior": density}))
    expected = stats.halfnorm(scale=[0.3, 0.1]).logpdf(spread).sum(axis=2)
    np.testing.assert_allclose(found, expected)
