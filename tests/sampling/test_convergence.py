"""Diagnostics in one pass against ArviZ, one quantity at a time."""

import numpy as np
import pytest
from arviz_stats.base.array import BaseArray

from bipbayes.sampling.convergence import convergence

ARVIZ = BaseArray()


def _chains(draws: int, seed: int = 1) -> np.ndarray:
    """Quantities from antithetic to sticky, one skewed, one with ties, one with a stuck chain."""
    rng = np.random.default_rng(seed)
    slopes = np.array([-0.6, 0.0, 0.3, 0.9, 0.99, 0.0, 0.0, 0.5])
    values = rng.normal(size=(4, draws, len(slopes)))
    for step in range(1, draws):
        values[:, step] += slopes * values[:, step - 1]
    values[:, :, 5] = np.exp(values[:, :, 5])
    values[:, :, 6] = np.round(values[:, :, 6])
    values[3, :, 7] += 3
    return values


@pytest.mark.parametrize("draws", [20, 101, 500])
def test_equal_to_arviz(draws: int) -> None:
    """Catches a slip in ranks, splitting (odd lengths), pairs of lags or the monotone sequence."""
    values = _chains(draws)
    found = convergence(values)
    axes = {"chain_axis": 0, "draw_axis": 1}
    np.testing.assert_allclose(found.r_hat, ARVIZ.rhat(values, **axes), rtol=1e-10)
    np.testing.assert_allclose(found.ess_bulk, ARVIZ.ess(values, **axes), rtol=1e-8)
    tail = ARVIZ.ess(values, method="tail", prob=(0.05, 0.95), **axes)
    np.testing.assert_allclose(found.ess_tail, tail, rtol=1e-8)
    np.testing.assert_allclose(found.mcse, ARVIZ.mcse(values, **axes), rtol=1e-8)


def test_diagnostics_fire() -> None:
    """Catches a diagnosis that passes whatever it is given."""
    found = convergence(_chains(500))
    assert found.r_hat[7] > 1.1
    assert found.ess_bulk[4] < 400 < found.ess_bulk[1]


def test_missing_constant_and_few_draws_have_no_diagnosis() -> None:
    """Catches NaN that spreads to neighbours, and a constant quantity called converged."""
    values = _chains(100)
    values[:, :, 0] = np.nan
    values[:, :, 1] = 2.0
    found = convergence(values)
    assert np.isnan(found.r_hat[:2]).all() and np.isnan(found.ess_bulk[:2]).all()
    assert np.isfinite(found.r_hat[2:]).all()
    assert np.isnan(convergence(values[:, :5]).r_hat).all()
    assert convergence(np.empty((4, 100, 0))).r_hat.shape == (0,)
