"""Closed forms against brute force: generalised least squares with every matrix written out."""

from types import SimpleNamespace

import numpy as np
import pytest
from builders import Shape, make_codebook, random_progression
from scipy import stats

from bipbayes.cells import cell_means
from bipbayes.checks.gaussian import (
    conditional,
    effect_sample,
    find_mode,
    gaussian_model,
    integrate,
    log_density,
)
from bipbayes.checks.terms import HIERARCHICAL, Term, design_matrix, model_terms

PRIORS = SimpleNamespace(**{name.removesuffix("_effect"): 0.3 for name in HIERARCHICAL})


@pytest.fixture(scope="module")
def cells():
    codebook = make_codebook(5, 2)
    shape = Shape(citizens=90, unanswered=[("q2", "01", "site 1")], lacking=[("11", "site 2")])
    return cell_means(random_progression(codebook, seed=4, shape=shape), codebook)


@pytest.fixture(scope="module")
def model(cells):
    return gaussian_model(cells, model_terms("hierarchical", cells, priors=PRIORS))


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
    means, prior, noise = _brute(cells, model.terms, sds)
    seen = ~np.isnan(means)
    assert 0 < seen.sum() < len(seen)
    total = (prior + noise)[np.ix_(seen, seen)]
    density = stats.multivariate_normal(np.zeros(seen.sum()), total).logpdf(means[seen])
    # The density of the whitened means differs by the determinant of the whitener.
    density += 0.5 * np.linalg.slogdet(noise[np.ix_(seen, seen)])[1]
    priors = (-0.5 * (sds / 0.3) ** 2).sum()
    assert log_density(model, sds / 0.3)[0] == pytest.approx(density + priors, abs=1e-8)
    gain = np.linalg.solve(total, prior[seen]).T
    mean, root = conditional(model, sds)
    np.testing.assert_allclose(model.design @ mean, gain @ means[seen], atol=1e-10)
    covariance = prior - gain @ prior[seen]
    turned = model.design @ root
    np.testing.assert_allclose(turned @ turned.T, covariance, atol=1e-10)


def test_gradient_is_that_of_the_density(model):
    """Catches a wrong trace or a forgotten prior in the gradient."""
    point = np.array([0.3, 0.2, 0.3, 0.4, 0.2, 0.7])
    step = 1e-5
    numeric = [
        (log_density(model, point + e)[0] - log_density(model, point - e)[0]) / (2 * step)
        for e in step * np.eye(len(point))
    ]
    np.testing.assert_allclose(log_density(model, point)[1], numeric, rtol=1e-5)


def test_integration_over_one_sd_is_that_of_a_fine_grid(cells):
    """Catches wrong importance weights (a proposal not folded, or of other degrees)."""
    terms = [
        Term("combination_jobcenter_effect", ("combination", "jobcenter"), 0.5),
        Term("jobcenter_effect", ("jobcenter",), 0.1, fixed=True),
    ]
    model = gaussian_model(cells, terms)
    mixtures = [integrate(model, points=1024, seed=seed) for seed in range(8)]
    grid = (np.arange(1000) + 0.5) / 500
    density = np.array([log_density(model, np.array([x]))[0] for x in grid])
    weight = np.exp(density - density.max())
    weight /= weight.sum()
    exact = weight @ grid
    spread = np.sqrt(weight @ (grid - exact) ** 2)
    found = [(m.weight, m.sds[:, 0] / terms[0].scale) for m in mixtures]
    mean = np.mean([w @ x for w, x in found])
    assert mean == pytest.approx(exact, abs=0.02 * spread)
    wide = np.mean([w @ (x - exact) ** 2 for w, x in found])
    assert np.sqrt(wide) == pytest.approx(spread, rel=0.03)
    assert (mixtures[0].sds[:, 1] == 0.1).all()
    assert find_mode(model)[0] == pytest.approx(grid[density.argmax()], abs=0.01)


def test_an_sd_near_zero_is_integrated_over(cells):
    """Catches weights that break down where the data say that a term is hardly there."""
    flat = cells.assign(mean=0.3 * cells["mean"])
    terms = [Term("combination_indicator_effect", ("combination", "indicator"), 0.5)]
    model = gaussian_model(flat, terms)
    mixture = integrate(model, points=256, seed=1)
    grid = (np.arange(1000) + 0.5) / 500
    density = np.array([log_density(model, np.array([x]))[0] for x in grid])
    assert grid[density.argmax()] < 0.4
    weight = np.exp(density - density.max())
    exact = (weight @ grid) / weight.sum()
    assert mixture.weight @ (mixture.sds[:, 0] / 0.5) == pytest.approx(exact, rel=0.02)
    assert mixture.ess > 128


def test_draws_have_the_mixtures_moments(model):
    """Catches draws that ignore the weights or the covariance between coefficients."""
    mixture = integrate(model, points=64, seed=2)
    effects, sds = effect_sample(model, mixture, draws=4000, seed=3)
    parts = [conditional(model, row) for row in mixture.sds]
    means = np.stack([model.design @ mean for mean, _ in parts])
    expected = mixture.weight @ means
    spread = np.stack([((model.design @ root) ** 2).sum(axis=1) for _, root in parts])
    variance = mixture.weight @ (spread + (means - expected) ** 2)
    z = (effects.mean(axis=0) - expected) / np.sqrt(variance / len(effects))
    assert np.abs(z).max() < 4.5
    np.testing.assert_allclose(effects.var(axis=0), variance, rtol=0.15)
    np.testing.assert_allclose(sds.mean(axis=0), mixture.weight @ mixture.sds, rtol=0.05)


def test_a_basis_replaces_the_combinations(cells):
    """Catches a basis applied on the wrong side of the Kronecker product."""
    basis = np.arange(8.0).reshape(4, 2)
    term = Term("main_effect", ("combination", "jobcenter"), 1.0, basis=basis)
    matrix, _ = design_matrix(cells, [term])
    sites, indicators = cells.sizes["jobcenter"], cells.sizes["indicator"]
    coefficient = np.random.default_rng(1).normal(size=(2, sites))
    effect = (matrix @ coefficient.ravel()).reshape(4, sites, indicators)
    expected = np.einsum("cb,bj->cj", basis, coefficient)
    np.testing.assert_allclose(effect, np.repeat(expected[:, :, None], indicators, axis=2))


def test_factorial_prior_covariance_is_that_of_the_models_draws(cells):
    """Catches an order with another's scale, and signs in another order than the model's.

    The prior covariance of all effects: closed forms on one side, draws from the PyMC model's
    own prior on the other.
    """
    import pymc as pm

    from bipbayes.sampling.registry import load_model

    model_file = load_model("factorial")
    terms = model_terms("factorial", cells, priors=model_file.Priors())
    design, group = design_matrix(cells, terms)
    scale = np.array([term.scale for term in terms])
    # The mean of sd² under a half-normal prior is its scale squared.
    expected = (design * scale[group] ** 2) @ design.T.toarray()
    model = model_file.build(cells, model_file.Priors())
    draws = 4000
    effect = _prior_effects(model, model_file.terms(cells), cells, draws)
    found = effect.T @ effect / draws
    spread = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    fourth = np.einsum("da,db->ab", effect**2, effect**2) / draws - found**2
    assert (np.abs(found - expected) < 5.5 * np.sqrt(fourth / draws) + 1e-12 * spread).all()
    free = {name for name in pm.modelcontext(model).named_vars if name.endswith("_sd")}
    assert {term.sd_name.partition("[")[0] for term in terms if not term.fixed} == free


def _prior_effects(model, names, cells, draws):
    """Sum of the terms by label, from the model's prior."""
    import pymc as pm

    prior = pm.sample_prior_predictive(
        draws=draws, model=model, var_names=list(names), random_seed=3
    )["prior"].to_dataset()
    total = 0
    for name in names:
        term = prior[name].isel(chain=0)
        if "respondent" in term.dims:
            term = term.sel(respondent=cells["respondent"]).drop_vars("respondent")
        total = total + term
    return total.transpose("draw", "combination", "jobcenter", "indicator").values.reshape(
        draws, -1
    )
