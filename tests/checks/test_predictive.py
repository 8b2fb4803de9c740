"""Predictive checks: what fits passes, what does not is seen."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from builders import Shape, make_codebook, random_progression
from scipy import stats

from bipbayes.cells import cell_means
from bipbayes.checks.cells import cell_residuals, residual_summary
from bipbayes.checks.lag import lag_correlation
from bipbayes.checks.prior import prior_effects
from bipbayes.sampling.predict import predicted_means

DIMS = ("combination", "jobcenter", "indicator")


@pytest.fixture(scope="module")
def changes():
    codebook = make_codebook(4, 2)
    shape = Shape(citizens=150, lacking=[("11", "site 2")])
    return random_progression(codebook, seed=3, shape=shape)


@pytest.fixture(scope="module")
def cells(changes):
    return cell_means(changes, make_codebook(4, 2))


def _effects(cells, values):
    coords = {dim: cells[dim].to_numpy() for dim in DIMS}
    return xr.DataArray(values, coords=coords, dims=("chain", "draw", *DIMS))


def test_prior_shares_are_those_of_the_normal(cells):
    """Catches shares of the wrong tail, and contrasts taken over the wrong dim."""
    rng = np.random.default_rng(1)
    shape = [cells.sizes[dim] for dim in DIMS]
    common = rng.normal(0, 0.2, (1, 4000, shape[0], 1, 1))
    frame = prior_effects(_effects(cells, np.broadcast_to(common, (1, 4000, *shape))))
    frame = frame.set_index("quantity")
    assert frame.loc["effect of a cell", "sd"] == pytest.approx(0.2, rel=0.03)
    assert frame.loc["effect of a cell", "inside_0.3"] == pytest.approx(0.866, abs=0.01)
    # What all cells share raises every effect and leaves contrasts and differences alone.
    shared = rng.normal(0, 1, (1, 4000, 1, 1, 1))
    raised = prior_effects(_effects(cells, np.broadcast_to(common + shared, (1, 4000, *shape))))
    raised = raised.set_index("quantity")
    assert raised.loc["effect of a cell", "sd"] > 0.9
    unmoved = ["contrast of a cell", "difference between two jobcenters"]
    np.testing.assert_allclose(raised.loc[unmoved, "sd"], frame.loc[unmoved, "sd"], atol=1e-9)
    assert frame.loc["contrast of a cell", "sd"] == pytest.approx(0.2 * np.sqrt(2), rel=0.03)
    assert frame.loc["difference between two jobcenters", "sd"] == 0
    assert frame.loc["difference between two indicators", "sd"] == 0
    apart = prior_effects(_effects(cells, rng.normal(0, 0.2, (1, 4000, *shape))))
    apart = apart.set_index("quantity")["sd"]
    of_means = 0.2 / np.sqrt(shape[1] * shape[2])
    assert apart["combination over all cells"] == pytest.approx(of_means, rel=0.05)
    gaps = np.broadcast_to(common, (1, 4000, *shape)).copy()
    gaps[..., 0, :] = np.nan
    assert prior_effects(_effects(cells, gaps))["sd"].iloc[0] == pytest.approx(0.2, rel=0.03)


def test_predictions_have_the_sampling_error_of_the_cells(cells):
    """Catches errors that are not correlated over indicators, or draws for empty cells."""
    shape = [cells.sizes[dim] for dim in DIMS]
    predicted = predicted_means(cells, _effects(cells, np.zeros((1, 6000, *shape))), seed=2)
    assert (predicted.isnull().any(("chain", "draw")) == (cells["n"] == 0)).all()
    block = predicted.isel(combination=0, jobcenter=0, chain=0).to_numpy()
    wanted = cells["vcov"].isel(combination=0, jobcenter=0).transpose("indicator", ...).to_numpy()
    scale = np.sqrt(np.outer(np.diag(wanted), np.diag(wanted)))
    np.testing.assert_allclose(np.cov(block.T) / scale, wanted / scale, atol=0.07)


def test_residuals_see_a_cell_that_does_not_fit(cells):
    """Catches residuals of the wrong cell, in the wrong unit or with the wrong sign."""
    shape = [cells.sizes[dim] for dim in DIMS]
    fitted = np.broadcast_to(cells["mean"].fillna(0).transpose(*DIMS), (1, 2000, *shape))
    predicted = predicted_means(cells, _effects(cells, fitted), seed=4)
    fine = cell_residuals(cells, predicted)
    assert len(fine) == int((cells["n"] > 0).sum())
    assert fine["residual"].abs().max() < 0.15
    label = {"combination": "01", "jobcenter": "site 3", "indicator": "q2"}
    moved = cells.copy(deep=True)
    moved["mean"].loc[label] += 5 * float(predicted.sel(label).std())
    seen = cell_residuals(moved, predicted)
    worst = seen.loc[seen["residual"].idxmax()]
    assert {name: worst[name] for name in label} == label
    assert worst["residual"] == pytest.approx(5, abs=0.2)
    assert worst["pit"] > 0.99
    summary = residual_summary(seen, by=["respondent"]).set_index("respondent")
    assert summary["cells"].sum() == len(seen)
    assert summary["largest"].max() == pytest.approx(worst["residual"])
    assert summary["outside_95"].max() > 0


def test_what_lies_outside_is_counted_on_both_sides_at_its_level():
    """Catches 90 % or one tail in place of the central 95 %."""
    pit = [0.03, 0.97, 0.01, 0.02, 0.985, 0.2, 0.3, 0.5, 0.6, 0.8]
    made = pd.DataFrame({"pit": pit, "residual": stats.norm.ppf(pit)})
    summary = residual_summary(made).iloc[0]
    assert summary["outside_95"] == pytest.approx(3 / 10)
    assert summary["outside_50"] == pytest.approx(7 / 10)
    two = pd.DataFrame({"pit": 0.5, "residual": [-1.0, 1.0, -1.0, 1.0]})
    assert residual_summary(two)["kurtosis"].item() == pytest.approx(-2)  # of a normal 0
    assert residual_summary(two.assign(residual=[-3, 1, 2, 0]))["largest"].item() == 3


def test_neighbouring_changes_of_noise_correlate_by_minus_one_half(changes):
    """Catches pairs of changes that share no answer."""
    frame = lag_correlation(changes, outcomes=["q1", "q3"])
    assert frame["pairs"].min() > 100
    assert np.abs(frame["correlation"] + 0.45).max() < 0.15
