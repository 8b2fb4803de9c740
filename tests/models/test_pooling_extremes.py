"""No pooling against cell means, complete pooling against the normal-normal posterior."""

import numpy as np
import xarray as xr
from cell_builders import make_cells
from fits import KNOWN_SD, SHAPE, compiled, compiled_with_known_sd

from bipbayes.cells import whiten
from bipbayes.sampling.fit import draw_posterior
from bipbayes.sampling.settings import SamplerSettings

SETTINGS = SamplerSettings(draws=500, tune=300, seed=11)


def monte_carlo_error(draws: xr.DataArray) -> np.ndarray:
    import arviz_stats

    return np.asarray(arviz_stats.mcse(draws.to_dataset(name="x"), method="mean")["x"])


def test_no_pooling_gives_back_the_cell_means() -> None:
    """Catches a wrong factor or order of entries, and shrinkage where there should be none."""
    cells = make_cells(SHAPE)
    fit = draw_posterior(compiled("no_pooling"), cells, settings=SETTINGS)
    draws = fit["posterior"]["cell_effect"]
    seen = (cells["n"] > 0).to_numpy()
    mean, error = draws.mean(("chain", "draw")).to_numpy(), monte_carlo_error(draws)
    assert np.isnan(mean[~seen]).all()
    assert (np.abs(mean - cells["mean"].to_numpy())[seen] < 4.5 * error[seen]).all()


def test_no_pooling_errs_as_the_cells_do() -> None:
    """Catches a posterior whose covariance is not V (a transposed factor, say)."""
    cells = make_cells(SHAPE)
    fit = draw_posterior(compiled("no_pooling"), cells, settings=SETTINGS)
    draws = fit["posterior"]["cell_effect"].stack(sample=("chain", "draw"))
    c, j = 2, 1
    assert (cells["n"][c, j] > 1).all()
    found = np.cov(draws[c, j].to_numpy())
    expected = cells["vcov"].to_numpy()[c, j]
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    # 2,000 draws: a correlation's standard error is 0.022, a relative variance's 0.032.
    assert np.abs((found - expected) / scale).max() < 5 * 0.032


def normal_normal(cells: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sd of each combination's effect, given its standard deviation."""
    white = whiten(cells)
    rows = white["whitener"].sum("indicator_").to_numpy()  # whitened design of a constant
    precision = (rows**2).sum((1, 2)) + 1 / KNOWN_SD**2
    mean = (rows * white["whitened"].to_numpy()).sum((1, 2)) / precision
    return mean, 1 / np.sqrt(precision)


def test_known_sd_gives_the_normal_normal_posterior() -> None:
    """Catches wrong shrinkage: groups of very unequal size, closed form on the other side.

    The second data set goes through the model compiled for the first (other numbers of
    observed entries), so that data which stayed behind would show.
    """
    for seed in (0, 7):
        cells = make_cells(SHAPE, seed=seed)
        fit = draw_posterior(compiled_with_known_sd(), cells, settings=SETTINGS)
        draws = fit["posterior"]["combination_effect"]
        mean, sd = normal_normal(cells)
        error = monte_carlo_error(draws)
        assert (np.abs(draws.mean(("chain", "draw")).to_numpy() - mean) < 4 * error).all()
        found = draws.std(("chain", "draw")).to_numpy()
        np.testing.assert_allclose(found, sd, rtol=0.12)
