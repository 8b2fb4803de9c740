"""Leaving out by formula against leaving out by hand."""

import statistics

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from builders import Shape, make_codebook, random_progression
from scipy import stats

from bipbayes.cells import cell_means
from bipbayes.checks.leave_out import compare_left_out, leave_out, leave_out_draws, replaced
from bipbayes.sampling.batches import Batch
from bipbayes.sampling.exact.density import spread_root
from bipbayes.sampling.exact.integrate import integrate
from bipbayes.sampling.exact.posterior import draw
from bipbayes.sampling.exact.reduce import design_matrix, gaussian_model

BATCHES = (
    Batch("combination_effect", ("combination",), 0.2, fixed=True),
    Batch("jobcenter_indicator_effect", ("jobcenter", "indicator"), 0.15, fixed=True),
)


@pytest.fixture(scope="module")
def cells():
    codebook = make_codebook(3, 2)
    shape = Shape(citizens=80, lacking=[("11", "site 2")], unanswered=[("q2", "01", "site 1")])
    return cell_means(random_progression(codebook, seed=8, shape=shape), codebook)


@pytest.mark.parametrize("unit", ["cell", "jobcenter"])
def test_predictions_are_those_of_a_refit_without_the_block(cells, unit):
    """Catches a hat matrix of the wrong rows, or a block that still informs its own prediction."""
    found = leave_out(cells, BATCHES, unit=unit)
    row = found.iloc[2]
    where = cells["jobcenter"] == row["jobcenter"]
    if unit == "cell":
        where = where & (cells["combination"] == row["combination"])
    without = cells.assign(
        mean=cells["mean"].where(~where),
        n=cells["n"].where(~where, 0),
        vcov=cells["vcov"].where(~where),
    )
    model = gaussian_model(without, BATCHES)
    design, _ = design_matrix(cells, BATCHES)
    ordered = cells.transpose("combination", "jobcenter", "indicator", "indicator_", ...)
    blocks = ordered["vcov"].to_numpy().reshape(-1, 3, 3)
    left = where.broadcast_like(cells["n"]).transpose(*ordered["n"].dims).to_numpy()
    seen = (left & (ordered["n"].to_numpy() > 0)).ravel()
    noise = np.zeros((len(seen), len(seen)))
    for i, block in enumerate(blocks):
        noise[3 * i : 3 * i + 3, 3 * i : 3 * i + 3] = np.nan_to_num(block)
    mean, spread = spread_root(model, np.array([0.2, 0.15]), design.toarray()[seen])
    own = noise[np.ix_(seen, seen)]
    law = stats.multivariate_normal(mean, spread @ spread.T + own)
    # Whitened means: the density changes by the determinant of the whitener.
    expected = law.logpdf(ordered["mean"].to_numpy().ravel()[seen])
    expected += 0.5 * np.linalg.slogdet(own)[1]
    assert row["means"] == seen.sum()
    assert row["elpd"] == pytest.approx(expected, abs=1e-8)


def test_importance_sampling_agrees_with_the_closed_form(cells):
    """Catches densities of the wrong blocks, or weights in the wrong direction."""
    batches = tuple(Batch(t.name, t.dims, 0.3) for t in BATCHES)
    exact = leave_out(cells, batches, points=256)
    model = gaussian_model(cells, batches)
    drawn = draw(model, integrate(model, points=256), draws=8000, seed=1)
    effect = drawn.coefficients @ model.design.T.toarray()
    dims = ("combination", "jobcenter", "indicator")
    shape = [cells.sizes[dim] for dim in dims]
    coords = {dim: cells[dim].to_numpy() for dim in dims}
    effects = xr.DataArray(
        effect.reshape(2, 4000, *shape), coords=coords, dims=("chain", "draw", *dims)
    )
    sampled = leave_out_draws(cells, effects)
    labels = ["combination", "jobcenter", "means"]
    pd.testing.assert_frame_equal(sampled[labels], exact[labels])
    good = (sampled["diagnostic"] < 0.5) & ~exact["unreliable"]
    assert good.mean() > 0.6
    np.testing.assert_allclose(sampled["elpd"][good], exact["elpd"][good], atol=0.15)


def test_models_are_compared_pairwise_over_units(cells):
    """Catches a difference with the wrong sign, or an error that ignores the pairing."""
    exact = leave_out(cells, BATCHES)
    worse = exact.assign(elpd=exact["elpd"] - 0.5, unreliable=True)
    table = compare_left_out({"worse": worse, "better": exact}).set_index("model")
    assert list(table.index) == ["better", "worse"]
    assert table.loc["worse", "difference"] == pytest.approx(-0.5 * len(exact))
    assert table.loc["worse", "difference_se"] == pytest.approx(0, abs=1e-9)
    assert table.loc["worse", "unreliable"] == len(exact)


def test_errors_of_a_comparison_grow_with_the_number_of_units():
    """Catches the standard deviation of one unit's gap for the error of their sum."""
    better, worse = [-1.0, -2.5, -0.5, -4.0, -3.0], [-1.5, -2.0, -3.5, -4.5, -7.0]
    frames = {
        name: pd.DataFrame({"elpd": values, "unreliable": False})
        for name, values in (("worse", worse), ("better", better))
    }
    table = compare_left_out(frames).set_index("model")
    gaps = [low - high for low, high in zip(worse, better, strict=True)]
    for column, values in (("elpd_se", worse), ("difference_se", gaps)):
        expected = 5**0.5 * statistics.stdev(values)
        assert table.loc["worse", column] == pytest.approx(expected)


def test_the_closed_form_stands_in_where_importance_sampling_fails(cells):
    """Catches rows joined by position, a good prediction replaced, or a bad one kept."""
    exact = leave_out(cells, BATCHES)
    sampled = exact.assign(elpd=exact["elpd"] + 1, diagnostic=0.2, unreliable=False)
    sampled.loc[[1, 4], ["diagnostic", "unreliable"]] = [0.9, True]
    shuffled = exact.sample(frac=1, random_state=1).reset_index(drop=True)
    found = replaced(sampled, shuffled)
    assert found.index[found["method"] == "closed form"].tolist() == [1, 4]
    np.testing.assert_allclose(found["elpd"][[1, 4]], exact["elpd"][[1, 4]])
    np.testing.assert_allclose(found["elpd"].drop([1, 4]), exact["elpd"].drop([1, 4]) + 1)
    assert not found["unreliable"].any()
    alone = replaced(sampled, sampled.assign(elpd=np.nan))
    assert alone["unreliable"].sum() == 2 and (alone["method"] == "psis").all()


def test_predictions_not_to_be_relied_on_are_marked(cells):
    """Catches marks that wait until a single point has all the weight, or k is above 1."""
    batches = tuple(Batch(t.name, t.dims, 0.3) for t in BATCHES)
    rough = leave_out(cells, batches, points=2)
    assert rough["unreliable"].all() and rough["diagnostic"].max() < 0.8
    dims = ("combination", "jobcenter", "indicator")
    mean = cells["mean"].fillna(0.0).transpose(*dims)
    noise = np.random.default_rng(1).normal(0, 0.2, (1, 2000, *mean.shape))
    sampled = leave_out_draws(cells, xr.DataArray(noise, dims=("chain", "draw", *dims)) + mean)
    assert sampled["diagnostic"].between(0.7, 1.0, inclusive="neither").any()
    assert (sampled["unreliable"] == (sampled["diagnostic"] > 0.7)).all()
