"""The posterior does not depend on how jobcenters are called or ordered."""

import numpy as np
import xarray as xr
from fits import compiled, hierarchical_fit, ragged_cells

from bipbayes.estimands.draws import effect_draws
from bipbayes.sampling.convergence import convergence
from bipbayes.sampling.fit import draw_posterior
from bipbayes.sampling.settings import SamplerSettings


def _summary(draws: xr.DataArray) -> tuple[np.ndarray, np.ndarray]:
    """Posterior means and their Monte Carlo errors, flat over cells."""
    values = draws.to_numpy().reshape(*draws.shape[:2], -1)
    return values.mean(axis=(0, 1)), convergence(values).mcse


def test_reordered_jobcenters_change_the_posterior_by_monte_carlo_error_only() -> None:
    """Catches effects that are tied to the position of a jobcenter instead of its label."""
    cells = ragged_cells()
    turned = cells.isel(jobcenter=slice(None, None, -1))
    renamed = turned.assign_coords(jobcenter=cells["jobcenter"].to_numpy())
    settings = SamplerSettings(draws=300, tune=300, seed=6)
    other = draw_posterior(compiled("hierarchical"), renamed, settings=settings)
    effects = effect_draws(other, renamed).isel(jobcenter=slice(None, None, -1))
    mean, error = _summary(effect_draws(hierarchical_fit(), cells))
    other_mean, other_error = _summary(effects)
    distance = np.abs(mean - other_mean) / np.hypot(error, other_error)
    assert (distance < 4.5).all()
