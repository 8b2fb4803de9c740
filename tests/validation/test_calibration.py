"""Calibration passes a right analysis and fails wrong ones: the test of the test."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from builders import Shape, make_codebook, random_progression

from bipbayes.cells import cell_means
from bipbayes.sampling import tree
from bipbayes.sampling.batches import Batch
from bipbayes.sampling.exact.integrate import integrate
from bipbayes.sampling.exact.posterior import draw
from bipbayes.sampling.exact.reduce import gaussian_model
from bipbayes.sampling.predict import log_likelihood
from bipbayes.validation.calibration import (
    KEPT,
    calibration_verdict,
    known_draws,
    rank_shares,
    simulate_means,
)

BATCHES = (
    Batch("combination_effect", ("combination",), 0.3),
    Batch("jobcenter_indicator_effect", ("jobcenter", "indicator"), 0.2),
)
ROUNDS = 100


def closed_truths(cells, batches, *, draws, seed):
    """Draw parameters from the prior of a model of batches."""
    prior = tree.prior_draws(batches, cells, draws=draws, seed=seed)
    return known_draws(prior, cells, terms=[batch.name for batch in batches])


def closed_fit(batches, *, points):
    """Return a function that fits simulated cells by closed forms."""

    def fit(cells, seed):
        model = gaussian_model(cells, batches)
        mixture = integrate(model, points=points, seed=seed)
        drawn = draw(model, mixture, draws=KEPT, seed=seed)
        order = np.random.default_rng(seed).permutation(KEPT)
        named = tree.batch_draws(
            model.batches,
            cells,
            coefficients=drawn.coefficients[None, order],
            sds=drawn.sds[None, order],
        )
        return known_draws(named, cells, terms=[batch.name for batch in model.batches])

    return fit


@pytest.fixture(scope="module")
def cells():
    codebook = make_codebook(3, 2)
    shape = Shape(citizens=120, lacking=[("11", "site 2")])
    return cell_means(random_progression(codebook, seed=8, shape=shape), codebook)


@pytest.fixture(scope="module")
def truths(cells):
    return closed_truths(cells, BATCHES, draws=ROUNDS, seed=3)


@pytest.mark.slow
def test_the_right_model_passes(cells, truths):
    """Catches a biased posterior, wrong sampling errors, or ranks that are not uniform."""
    shares = rank_shares(cells, truths, closed_fit(BATCHES, points=32), seed=4)
    verdict = calibration_verdict(shares)
    assert len(verdict) == 6
    assert verdict["passed"].all()
    assert (verdict["rounds"] == ROUNDS).all()


@pytest.mark.parametrize(
    "fault",
    [
        "prior sd halved",
        pytest.param("noise halved", marks=pytest.mark.slow),
        pytest.param("shifted", marks=pytest.mark.slow),
    ],
)
def test_a_broken_model_is_caught(cells, truths, fault):
    """Catches a check without teeth: three faults that an analysis could have."""

    def fit(simulated, seed):
        batches = BATCHES
        if fault == "prior sd halved":
            batches = tuple(replace(batch, scale=batch.scale / 2) for batch in BATCHES)
        elif fault == "noise halved":
            simulated = simulated.assign(vcov=simulated["vcov"] / 4)
        else:
            simulated = simulated.assign(mean=simulated["mean"] + 0.15)
        return closed_fit(batches, points=16)(simulated, seed)

    verdict = calibration_verdict(rank_shares(cells, truths, fit, seed=4)).set_index("quantity")
    assert not verdict["passed"].all()
    if fault == "prior sd halved":
        assert verdict.loc["combination_effect_sd", "mean"] > 0.55
    if fault == "noise halved":
        assert verdict.loc["best known effect", "spread"] > 1.1
    if fault == "shifted":
        assert verdict.loc["mean of all effects", "mean"] < 0.4


def test_simulated_means_have_the_working_covariance(cells):
    """Catches noise that is turned with the wrong root of V, or put into empty cells."""
    effect = np.zeros(int(np.prod(cells["n"].shape)))
    draws = np.stack([simulate_means(cells, effect, seed=s)["mean"].values for s in range(1500)])
    assert (np.isnan(draws[0]) == (cells["n"].values == 0)).all()
    block = draws[:, 0, 0]
    wanted = cells["vcov"].transpose("combination", "jobcenter", ...).values[0, 0]
    scale = np.sqrt(np.outer(np.diag(wanted), np.diag(wanted)))
    np.testing.assert_allclose(np.cov(block.T) / scale, wanted / scale, atol=0.08)


def test_log_likelihood_is_that_of_the_whitened_means(cells):
    """Catches empty cells that count, or a wrong constant."""
    effect = np.full((2, int(np.prod(cells["n"].shape))), 0.1)
    values = log_likelihood(cells, effect)
    total = 0.0
    ordered = cells.transpose("combination", "jobcenter", "indicator", "indicator_", ...)
    for c, j in np.ndindex(ordered["n"].shape[:2]):
        seen = ordered["n"].values[c, j] > 0
        residual = ordered["mean"].values[c, j][seen] - 0.1
        block = ordered["vcov"].values[c, j][np.ix_(seen, seen)]
        if seen.any():
            total += -0.5 * (residual @ np.linalg.solve(block, residual))
            total += -0.5 * seen.sum() * np.log(2 * np.pi)
    np.testing.assert_allclose(values, total, rtol=1e-10)


def test_uniform_shares_pass_and_skewed_ones_fail():
    """Catches a band so wide, or so narrow, that the verdict says nothing."""
    rng = np.random.default_rng(1)
    passed = []
    for seed in range(20):
        values = np.random.default_rng(seed).uniform(size=100)
        frame = pd.DataFrame({"quantity": "q", "share": values})
        passed.append(bool(calibration_verdict(frame)["passed"].iloc[0]))
    assert sum(passed) >= 18
    skewed = pd.DataFrame({"quantity": "q", "share": rng.beta(1.6, 1, size=100)})
    assert not calibration_verdict(skewed)["passed"].iloc[0]
