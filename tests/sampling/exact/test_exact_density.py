"""Closed forms against brute force: generalised least squares with every matrix written out."""

from types import SimpleNamespace

import numpy as np
import pytest
from builders import Shape, make_codebook, random_progression
from scipy import stats
from terms import HIERARCHICAL, model_terms
from terms import design_matrix as written_design

from bipbayes.cells import cell_means
from bipbayes.sampling import tree
from bipbayes.sampling.batches import Basis, Batch
from bipbayes.sampling.exact.density import (
    draw_coefficients,
    linear_posterior,
    log_density,
    log_density_gradient,
    moments,
    spread_root,
)
from bipbayes.sampling.exact.reduce import design_matrix, gaussian_model
from bipbayes.sampling.registry import load_model

PRIORS = SimpleNamespace(**{name.removesuffix("_effect"): 0.3 for name in HIERARCHICAL})


@pytest.fixture(scope="module")
def cells():
    codebook = make_codebook(5, 2)
    shape = Shape(citizens=90, unanswered=[("q2", "01", "site 1")], lacking=[("11", "site 2")])
    return cell_means(random_progression(codebook, seed=4, shape=shape), codebook)


BATCHES = tuple(
    Batch(name, dims, getattr(PRIORS, name.removesuffix("_effect")))
    for name, dims in HIERARCHICAL.items()
)
ORDERS = ("", "combination", "jobcenter")


@pytest.fixture(scope="module", params=ORDERS)
def model(request, cells):
    return gaussian_model(cells, BATCHES, by=request.param)


def _brute(cells, terms, sds):
    """Means, prior covariance of effects, and sampling covariance, observed entries only."""
    names = list(cells["combination"].values), list(cells["jobcenter"].values)
    indicators = list(cells["indicator"].values)
    respondent = dict(zip(indicators, cells["respondent"].values, strict=True))
    labels = [(c, j, k) for c in names[0] for j in names[1] for k in indicators]
    prior = np.zeros((len(labels), len(labels)))
    for term, sd in zip(terms, sds, strict=True):

        def key(label, term=term):
            c, j, k = label
            parts = {"combination": c, "jobcenter": j, "indicator": k, "respondent": respondent[k]}
            return tuple(parts[dim] for dim in term.dims)

        keys = [key(label) for label in labels]
        prior += sd**2 * np.array([[a == b for b in keys] for a in keys])
    noise = np.zeros_like(prior)
    for a, (c, j, k) in enumerate(labels):
        for b, (c2, j2, k2) in enumerate(labels):
            if (c, j) == (c2, j2):
                noise[a, b] = cells["vcov"].sel(
                    combination=c, jobcenter=j, indicator=k, indicator_=k2
                )
    return cells["mean"].values.ravel(), prior, noise


def test_marginal_and_posterior_are_those_of_generalised_least_squares(cells, model):
    """Catches a wrong design, whitener, gaps handled as data, or a wrong determinant."""
    sds = np.array([0.1, 0.05, 0.08, 0.12, 0.07, 0.2])
    means, prior, noise = _brute(cells, model.batches, sds)
    seen = ~np.isnan(means)
    assert 0 < seen.sum() < len(seen)
    total = (prior + noise)[np.ix_(seen, seen)]
    density = stats.multivariate_normal(np.zeros(seen.sum()), total).logpdf(means[seen])
    # The density of the whitened means differs by the determinant of the whitener.
    density += 0.5 * np.linalg.slogdet(noise[np.ix_(seen, seen)])[1]
    priors = (-0.5 * (sds / 0.3) ** 2).sum()
    assert log_density(model, sds / 0.3) == pytest.approx(density + priors, abs=1e-8)
    gain = np.linalg.solve(total, prior[seen]).T
    covariance = prior - gain @ prior[seen]
    mean, root = spread_root(model, sds, model.design.toarray())
    np.testing.assert_allclose(mean, gain @ means[seen], atol=1e-10)
    np.testing.assert_allclose(root @ root.T, covariance, atol=1e-10)
    again, sd = linear_posterior(model, sds, model.design.toarray())
    np.testing.assert_allclose(again, mean, atol=1e-12)
    np.testing.assert_allclose(sd, np.sqrt(np.diag(covariance)), atol=1e-10)


def test_moments_and_draws_are_those_of_the_dense_precision(cells, model):
    """Catches blocks, border or fillers whose solutions are put in each other's places.

    A draw is linear in its normal numbers: unit numbers give the root of the covariance.
    """
    sds = np.array([0.1, 0.05, 0.0, 0.12, 0.07, 0.2])
    dense = gaussian_model(cells, BATCHES, by="").gram
    scale = sds[model.group]
    precision = np.eye(len(scale)) + dense.corner * scale * scale[:, None]
    covariance = scale * scale[:, None] * np.linalg.inv(precision)
    expected = scale * np.linalg.solve(precision, scale * dense.outer)
    mean, variance = moments(model, sds)
    np.testing.assert_allclose(mean, expected, atol=1e-12)
    np.testing.assert_allclose(variance, np.diag(covariance), atol=1e-12)
    units = np.concatenate([np.zeros((1, len(scale))), np.eye(len(scale))])
    drawn = draw_coefficients(model, sds, units)
    np.testing.assert_allclose(drawn[0], expected, atol=1e-12)
    root = (drawn[1:] - drawn[0]).T
    np.testing.assert_allclose(root @ root.T, covariance, atol=1e-12)


def test_the_cheaper_order_is_chosen(cells):
    """Catches a count of operations that prefers the dense way, or blocks that are not apart."""
    model = gaussian_model(cells, BATCHES)
    combinations, jobcenters = cells.sizes["combination"], cells.sizes["jobcenter"]
    assert len(model.gram.place) in (combinations, jobcenters)
    everything = np.concatenate([model.gram.place.ravel(), model.gram.border])
    np.testing.assert_array_equal(np.sort(everything), np.arange(len(model.group)))


@pytest.mark.parametrize("name", ["hierarchical", "factorial", "complete_pooling"])
def test_designs_are_those_written_down_by_hand(cells, name):
    """Catches signs, scales or dims in another order than the formulas say."""
    priors = load_model(name).Priors()
    batches = load_model(name).declared(cells)
    terms = model_terms(name, cells, priors=priors)
    design, group = design_matrix(cells, batches)
    written, terms_of = written_design(cells, terms)
    scale = np.array([scale for batch in batches for scale in batch.scales])[group]
    expected = np.array([term.scale for term in terms])[terms_of]
    found = (design * scale**2) @ design.T.toarray()
    np.testing.assert_allclose(found, (written * expected**2) @ written.T.toarray(), atol=1e-14)
    assert [n for b in batches if not b.fixed for n in b.sd_names] == [
        term.sd_name for term in terms if not term.fixed
    ]


def test_gradient_is_that_of_the_density(model):
    """Catches a wrong trace or a forgotten prior in the gradient."""
    point = np.array([0.3, 0.2, 0.3, 0.4, 0.2, 0.7])
    step = 1e-5
    numeric = [
        (log_density(model, point + e) - log_density(model, point - e)) / (2 * step)
        for e in step * np.eye(len(point))
    ]
    value, gradient = log_density_gradient(model, point)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-5)
    assert value == log_density(model, point)


def test_a_basis_replaces_the_combinations(cells):
    """Catches a basis applied on the wrong side of the Kronecker product."""
    basis = np.arange(8.0).reshape(4, 2)
    labels = ("a", "b")
    batch = Batch(
        "main_effect",
        ("combination", "jobcenter"),
        (1.0, 2.0),
        Basis("term", "order", labels, labels, basis, np.array([0, 1])),
    )
    matrix, group = design_matrix(cells, [batch])
    sites, indicators = cells.sizes["jobcenter"], cells.sizes["indicator"]
    coefficient = np.random.default_rng(1).normal(size=(2, sites))
    effect = (matrix @ coefficient.ravel()).reshape(4, sites, indicators)
    expected = np.einsum("cb,bj->cj", basis, coefficient)
    assert group.tolist() == [0] * sites + [1] * sites
    np.testing.assert_allclose(effect, np.repeat(expected[:, :, None], indicators, axis=2))


@pytest.mark.parametrize("name", ["hierarchical", "factorial"])
def test_both_engines_draw_from_one_prior(cells, name):
    """Catches an order with another's scale, and signs in another order, in one of the engines.

    The prior covariance of all effects: the declared batches on one side, draws from the PyMC
    model's own prior on the other; and draws of the package's own.
    """
    model_file = load_model(name)
    batches = model_file.declared(cells)
    design, group = design_matrix(cells, batches)
    scale = np.array([scale for batch in batches for scale in batch.scales])
    # The mean of sd² under a half-normal prior is its scale squared.
    expected = (design * scale[group] ** 2) @ design.T.toarray()
    draws, names = 4000, model_file.terms(cells)
    sampled = _graph_prior(model_file.build(cells), names, draws)
    own = tree.prior_draws(batches, cells, draws=draws, seed=3)
    assert set(own.data_vars) == set(sampled.data_vars)
    for prior in (sampled, own):
        effect = _prior_effects(prior, names, cells)
        found = effect.T @ effect / draws
        spread = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
        fourth = np.einsum("da,db->ab", effect**2, effect**2) / draws - found**2
        assert (np.abs(found - expected) < 5.5 * np.sqrt(fourth / draws) + 1e-12 * spread).all()


def _graph_prior(model, names, draws):
    import pymc as pm

    sds = [rv.name for rv in model.free_RVs if rv.name.endswith("_sd")]
    return pm.sample_prior_predictive(
        draws=draws,
        model=model,
        var_names=[*names, *sds],
        random_seed=3,
        compile_kwargs={"mode": "FAST_COMPILE"},
    )["prior"].to_dataset()


def _prior_effects(prior, names, cells):
    """Sum of the terms by label."""
    total = 0
    for name in names:
        term = prior[name].isel(chain=0)
        if "respondent" in term.dims:
            term = term.sel(respondent=cells["respondent"]).drop_vars("respondent")
        total = total + term
    ordered = total.transpose("draw", "combination", "jobcenter", "indicator")
    return ordered.values.reshape(ordered.sizes["draw"], -1)
