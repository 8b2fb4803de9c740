"""Sensitivity to hyperpriors: none where they are flat, much where data say little."""

import numpy as np
import pytest
import xarray as xr
from arviz_stats import psense
from builders import Shape, make_codebook, random_progression
from scipy import stats

from bipbayes.cells import cell_means
from bipbayes.checks.sensitivity import hyperprior_density, power_scaling
from bipbayes.errors import ModelError
from bipbayes.estimands.draws import effect_draws, estimand_draws
from bipbayes.sampling import tree
from bipbayes.sampling.batches import Basis, Batch
from bipbayes.sampling.exact.integrate import integrate
from bipbayes.sampling.exact.posterior import draw
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


def _normal_likelihood(cells, shift):
    """Log likelihood of cell means that all lie `shift` below what a draw says of them."""
    ordered = cells.transpose("combination", "jobcenter", "indicator", "indicator_", ...)
    total = np.zeros(shift.shape)
    for place in np.ndindex(ordered["n"].shape[:2]):
        seen = ordered["n"].to_numpy()[place] > 0
        block = ordered["vcov"].to_numpy()[place][np.ix_(seen, seen)]
        law = stats.multivariate_normal(np.zeros(seen.sum()), block)
        total += law.logpdf(np.broadcast_to(shift[..., None], (*shift.shape, seen.sum())))
    return total


def test_sensitivities_are_those_of_arviz_and_name_what_they_mean(cells):
    """Catches a likelihood of another size, and the two diagnoses exchanged.

    Also the names of quantities without draws, given to those that follow.
    """
    rng, dims = np.random.default_rng(7), ("chain", "draw")
    shift, hyperprior, noise = rng.normal(0, [[[0.06]], [[1.0]], [[1]]], (3, 2, 2000))
    likelihood = _normal_likelihood(cells, shift)
    said_by_both = hyperprior + likelihood / likelihood.std()
    quantities = xr.DataArray(
        np.stack([np.nan * noise, hyperprior, said_by_both, noise], axis=2)[:, :, None],
        dims=(*dims, "outcome", "combination"),
        coords={"outcome": ["q1"], "combination": ["unknown", "prior", "both", "none"]},
    )
    effects = cells["mean"].fillna(0.0) + xr.DataArray(shift, dims=dims)
    prior = xr.DataArray(hyperprior, dims=dims)
    frame = power_scaling({"effect": quantities}, effects, cells, hyperprior=prior)
    frame = frame.set_index("combination")
    assert list(frame.index) == ["prior", "both", "none"]
    assert frame.loc["prior", "diagnosis"] == "the prior matters, the data say little"
    assert frame.loc["both", "diagnosis"] == "prior and data disagree"
    assert frame.loc["none", "diagnosis"] == ""
    made = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset({"value": (dims, said_by_both)}),
            "log_prior": xr.Dataset({"all": prior}),
            "log_likelihood": xr.Dataset({"all": ((*dims, "row"), likelihood[..., None])}),
        }
    )
    for group in ("prior", "likelihood"):
        expected = float(psense(made, group=group)["value"])
        assert frame.loc["both", group] == pytest.approx(expected, rel=1e-6)


def test_no_prior_is_not_no_sensitivity():
    """Catches a sensitivity to nothing, reported as no sensitivity."""
    with pytest.raises(ModelError, match="no standard deviations"):
        hyperprior_density(xr.DataTree.from_dict({"log_prior": xr.Dataset()}))


def test_every_standard_deviation_counts():
    """Catches orders or whole batches left out of the density, or divided by another's scale."""
    labels = ("1", "2")
    basis = Basis("term", "order", labels, labels, np.eye(2), np.array([0, 1]))
    batch = Batch("main_effect", ("combination",), (0.3, 0.1), basis)
    other = Batch("jobcenter_effect", ("jobcenter",), 0.2)
    fixed = Batch("average_effect", (), 0.1, fixed=True)
    spread = np.array([[[0.1, 0.2], [0.05, 0.4]]])
    sds = xr.DataArray(spread, dims=("chain", "draw", "order"), coords={"order": list(labels)})
    second = xr.DataArray([[0.05, 0.6]], dims=("chain", "draw"))
    posterior = xr.Dataset({"main_effect_sd": sds, "jobcenter_effect_sd": second})
    density = tree.log_prior([batch, other, fixed], posterior)
    found = hyperprior_density(xr.DataTree.from_dict({"log_prior": density}))
    expected = stats.halfnorm(scale=[0.3, 0.1]).logpdf(spread).sum(axis=2)
    expected += stats.halfnorm(scale=0.2).logpdf(second)
    np.testing.assert_allclose(found, expected)
