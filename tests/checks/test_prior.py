"""Prior draws of models against the moments that their formulas give."""

import numpy as np
import pytest
from cell_builders import CellShape, make_cells

from bipbayes.checks.prior import prior_draws, prior_histogram
from bipbayes.errors import ModelError
from bipbayes.sampling.registry import load_model


def test_the_flagships_prior_has_the_variance_of_its_terms():
    """Catches terms that are left out of the sum, and a respondent's effects on the wrong rows."""
    cells = make_cells(CellShape(), seed=2)
    model_file = load_model("hierarchical")
    priors = model_file.Priors(combination=0.3, combination_respondent=0.2)
    effects = prior_draws(model_file, cells, priors=priors, draws=3000, seed=1)
    assert effects.dims == ("chain", "draw", "combination", "jobcenter", "indicator")
    # The square of a half-normal standard deviation has its scale's square for a mean.
    variance = 0.3**2 + 0.2**2 + 4 * 0.08**2
    assert float((effects**2).mean()) == pytest.approx(variance, rel=0.06)
    centred = effects.isel(chain=0, combination=1)
    same = (centred.isel(jobcenter=0, indicator=0) * centred.isel(jobcenter=1, indicator=1)).mean()
    other = (centred.isel(jobcenter=0, indicator=0) * centred.isel(jobcenter=1, indicator=3)).mean()
    assert float(same) == pytest.approx(0.3**2 + 0.2**2, rel=0.15)
    assert float(other) == pytest.approx(0.3**2, rel=0.2)


def test_a_flat_prior_is_refused_and_draws_repeat():
    """Catches numbers drawn from nothing, and a seed that is not used."""
    cells = make_cells(CellShape(), seed=2)
    with pytest.raises(ModelError, match="no_pooling has a flat prior"):
        prior_draws(load_model("no_pooling"), cells)
    first, again, other = (
        prior_draws(load_model("complete_pooling"), cells, draws=5, seed=seed).to_numpy()
        for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_densities_hold_their_share():
    """Catches densities that count what is missing, or leave out what lies beyond the bins."""
    values = np.random.default_rng(1).normal(0, 0.3, 20_000)
    half = np.concatenate([values[:5000], np.full(5000, 9.0), [np.nan]])  # half beyond the bins
    frame = prior_histogram({"effect": values, "observed": half})
    for what, rows in frame.groupby("what"):
        inside = rows[(rows["low"] >= -0.3) & (rows["high"] <= 0.3)]
        share = (inside["density"] * (inside["high"] - inside["low"])).sum()
        width = inside["high"].max() - inside["low"].min()
        expected = np.abs(values) <= width / 2
        expected = expected * (0.5 if what == "observed" else 1.0)
        assert share == pytest.approx(expected.mean(), abs=0.02)


def test_bins_reach_what_the_prior_expects_on_either_side():
    """Catches bins that end where a prior of negative effects begins."""
    frame = prior_histogram({"effect": np.linspace(-3.0, 0.0, 1001)})
    assert frame["low"].min() == pytest.approx(-3.0, abs=0.01)


def test_terms_without_dims_are_drawn():
    """Catches a model with a common average, whose term has no labels."""
    cells = make_cells(CellShape(), seed=2)
    effects = prior_draws(load_model("factorial"), cells, draws=1500, seed=2)
    assert float(effects.std()) == pytest.approx(0.25, rel=0.15)
