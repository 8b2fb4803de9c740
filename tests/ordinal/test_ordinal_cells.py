"""Ordinal cells: one step equals the cell's own probit, their covariance, their translation."""

import numpy as np
import pytest
import xarray as xr
from builders import Shape, make_codebook, random_progression

from bipbayes.cells import VCOV, cell_means, whiten
from bipbayes.data.sample import analysis_sample
from bipbayes.errors import SettingsError
from bipbayes.ordinal import ordinal_cells, translate
from bipbayes.ordinal.estimates import fit_indicator, fit_indicators
from bipbayes.ordinal.probit import indicator_answers, stored_translation

CODEBOOK = make_codebook(4, 2, jobcenters=("b", "a", "c"))
SHAPE = Shape(citizens=250, waves=(2, 4), lacking=[("01", "c")], unanswered=[("q2", "10", "a")])


@pytest.fixture(scope="module")
def progression() -> xr.Dataset:
    return random_progression(CODEBOOK, seed=3, shape=SHAPE)


@pytest.fixture(scope="module")
def latent(progression: xr.Dataset) -> xr.Dataset:
    return ordinal_cells(progression, CODEBOOK)


def test_one_step_is_near_the_full_maximum(progression: xr.Dataset, latent: xr.Dataset) -> None:
    """Catches a step of the wrong size or sign, or from the wrong start.

    The full maximum: an ordered probit with one effect for every cell. The difference must be a
    small part of a cell's standard error.
    """
    sample = analysis_sample(progression, CODEBOOK)
    answers = indicator_answers(progression, CODEBOOK, sample=sample)[0]
    cell = sample.cell[answers.rows]
    full = fit_indicator(
        type(answers)(**{**vars(answers), "combination": cell}), combinations=sample.cells
    )
    assert full is not None and full.probit.penalty == 0
    mine = latent["mean"].sel(indicator="q1").to_numpy().ravel()
    known = ~np.isnan(mine)
    assert (known == full.observed).all()
    theirs = full.effect - full.translation.zero()
    information = latent["information"].sel(indicator="q1").to_numpy().ravel()[known]
    distance = abs(theirs - mine)[known] * np.sqrt(information)
    assert distance.max() < 0.25
    assert np.corrcoef(theirs[known], mine[known])[0, 1] > 0.99


def test_weighted_cells_give_the_combination(progression: xr.Dataset, latent: xr.Dataset) -> None:
    """Catches scores that do not belong to their cell: at the maximum they sum to zero."""
    sample = analysis_sample(progression, CODEBOOK)
    for code, entry in fit_indicators(progression, CODEBOOK, sample=sample).items():
        cells = latent.sel(indicator=code)
        weights = cells["information"].where(cells["information"] > 0, 0.0)
        total = weights.sum("jobcenter")
        mean = (cells["mean"].fillna(0.0) * weights).sum("jobcenter") / total
        zero = float(cells["latent_zero"])
        np.testing.assert_allclose(mean, entry.effect - zero, atol=1e-9)
        information = np.bincount(entry.answers.combination, entry.information, len(mean))
        np.testing.assert_allclose(total, information)


@pytest.mark.parametrize("vcov", VCOV)
@pytest.mark.parametrize("scale", ["latent", "progression"])
def test_cells_of_the_usual_kind(progression: xr.Dataset, vcov: str, scale: str) -> None:
    """Catches cells that the models cannot read, or a covariance that is not one."""
    plain = cell_means(progression, CODEBOOK, vcov=vcov)
    cells = ordinal_cells(progression, CODEBOOK, vcov=vcov, scale=scale)
    for name, variable in plain.items():
        assert cells[name].dims == variable.dims, name
    for name in ("n", "n_citizens", "n_outcome", "n_citizens_outcome", "sd", "mean_change"):
        np.testing.assert_array_equal(cells[name], plain[name])
    assert set(plain.attrs) <= set(cells.attrs)
    assert (cells["mean"].isnull() == (cells["n"] == 0)).all()
    # Scores over the root of their information have variance one where the probit holds.
    assert np.diag(cells["residual_covariance"]) == pytest.approx(np.ones(4), abs=0.1)
    whitened = whiten(cells)
    assert int(whitened["observed"].sum()) == int((plain["n"] > 0).sum())
    assert 0.3 < float((whitened["whitened"] ** 2).mean()) < 3.0


def test_iid_errors_are_the_information(progression: xr.Dataset) -> None:
    """Catches weights that are squared once too often."""
    cells = ordinal_cells(progression, CODEBOOK, vcov="iid")
    unit = np.diag(cells["residual_covariance"])
    variance = np.einsum("cjkk->cjk", cells["vcov"].to_numpy())
    expected = unit / cells["information"].where(cells["information"] > 0)
    np.testing.assert_allclose(variance, expected)


def test_both_scales_say_the_same(progression: xr.Dataset, latent: xr.Dataset) -> None:
    """Catches a translation from another zero, or a slope from another combination."""
    moved = ordinal_cells(progression, CODEBOOK, scale="progression")
    back = translate(latent["mean"], latent)
    step = latent["mean"] - _starts(latent)
    # They differ by curvature alone, which grows with the square of the step.
    assert float(abs(step).max()) > 0.1
    gap = (abs(back - moved["mean"]) - 0.3 * step**2).max()
    assert float(gap) < 1e-9
    xr.testing.assert_identical(translate(moved["mean"], moved), moved["mean"])


def test_errors_on_the_scale_of_progression_are_turned_by_the_slope(
    progression: xr.Dataset, latent: xr.Dataset
) -> None:
    """Catches variances times the slope once, or times another combination's or indicator's."""
    moved = ordinal_cells(progression, CODEBOOK, scale="progression")
    start, step = _starts(latent).drop_vars("respondent"), 1e-3
    slope = (translate(start + step, latent) - translate(start - step, latent)) / (2 * step)
    expected = latent["vcov"] * slope * slope.rename(indicator="indicator_")
    assert float(slope.max() / slope.min()) > 1.05
    np.testing.assert_allclose(
        moved["vcov"], expected.transpose(*moved["vcov"].dims), rtol=1e-4, equal_nan=True
    )


def _starts(latent: xr.Dataset) -> xr.DataArray:
    weights = latent["information"]
    return (latent["mean"].fillna(0.0) * weights).sum("jobcenter") / weights.sum("jobcenter")


def test_draws_are_translated_in_any_order_of_dims(latent: xr.Dataset) -> None:
    """Catches labels lost on the way, and a spline that is not the function itself."""
    rng = np.random.default_rng(0)
    draws = xr.DataArray(
        rng.normal(0, 1.5, size=(2, 3, 4, 5)),
        dims=("chain", "combination", "indicator", "draw"),
        coords={"indicator": ["q4", "q2", "q1", "q3"], "draw": range(5)},
    )
    moved = translate(draws, latent)
    assert moved.dims == draws.dims
    one = moved.sel(indicator="q2").to_numpy()
    alone = translate(draws.sel(indicator=["q2"]), latent).squeeze("indicator").to_numpy()
    np.testing.assert_array_equal(one, alone)
    entry = stored_translation(latent, "q2")
    assert entry is not None
    zero = latent["latent_zero"].sel(indicator="q2").item()
    exact = entry.progress(draws.sel(indicator="q2").to_numpy() + zero)
    np.testing.assert_allclose(one, exact, atol=1e-9)
    assert float(abs(translate(draws * 0, latent)).max()) < 1e-9
    ends = translate(draws * 0 + 50.0, latent)
    assert float(ends.max()) < 5.0


def test_other_shapes_and_an_unanswered_indicator() -> None:
    """Catches counts on five categories, on every indicator, on two jobcenters."""
    codebook = make_codebook(3, 1, jobcenters=("only",), scale=(0, 2))
    data = random_progression(codebook, seed=1, shape=Shape(citizens=120, waves=(2, 4)))
    here = data["outcome"] != "q2"
    data = data.assign(standardised=data["standardised"].where(here))
    cells = ordinal_cells(data, codebook)
    assert (cells["n"].sel(indicator="q2") == 0).all()
    assert cells["mean"].sel(indicator="q2").isnull().all()
    assert translate(cells["mean"], cells).sel(indicator="q2").isnull().all()
    assert cells["threshold"].sel(indicator="q1").sizes == {"boundary": 2}
    assert np.isfinite(whiten(cells)["whitened"]).all()


def test_unknown_words_are_refused(progression: xr.Dataset) -> None:
    """Catches silent defaults."""
    with pytest.raises(SettingsError, match="scale"):
        ordinal_cells(progression, CODEBOOK, scale="probit")
    with pytest.raises(SettingsError, match="vcov"):
        ordinal_cells(progression, CODEBOOK, vcov="classical")
