"""Factorial effects of posterior draws."""

from itertools import product

import builders
import numpy as np
import pytest
import xarray as xr

from bipbayes.cells import cell_means
from bipbayes.estimands.draws import estimand_draws
from bipbayes.estimands.intervals import PRIOR_DRIVEN, posterior_intervals
from bipbayes.intervals import ALL_INDICATORS
from bipbayes.regression import estimate_ols, ols_intervals

CODEBOOK = builders.make_codebook(4, 3)


def study(seed: int = 4, **shape: object) -> tuple[xr.Dataset, xr.Dataset]:
    """Progression and cells of a random study."""
    data = builders.random_progression(CODEBOOK, seed=seed, shape=builders.Shape(**shape))
    return data, cell_means(data, CODEBOOK)


def random_effects(cells: xr.Dataset, draws: int = 20) -> xr.DataArray:
    dims = ("combination", "jobcenter", "indicator")
    shape = (2, draws, *(cells.sizes[dim] for dim in dims))
    coords = {"chain": [0, 1], "draw": np.arange(draws)}
    coords |= {dim: cells[dim].to_numpy() for dim in dims}
    values = np.random.default_rng(0).normal(size=shape)
    return xr.DataArray(values, coords=coords, dims=("chain", "draw", *dims))


def test_terms_are_differences_between_halves_of_the_combinations() -> None:
    """Catches combinations taken by position, or a term matched with another's label."""
    _, cells = study(citizens=200)
    shuffled = cells.isel(combination=[3, 0, 7, 1, 5, 2, 6, 4])
    draws = estimand_draws(random_effects(shuffled), shuffled, CODEBOOK)
    effect, terms = draws["effect"], draws["factorial"]
    a, b, c = CODEBOOK.treatment_codes
    assert list(terms["combination"].to_numpy()) == [
        *(a, b, c), f"{a}:{b}", f"{a}:{c}", f"{b}:{c}", f"{a}:{b}:{c}",
    ]  # fmt: skip
    assert set(terms["outcome"].to_numpy()) == {*CODEBOOK.outcomes, ALL_INDICATORS}

    def mean(combinations: list[str]) -> xr.DataArray:
        return effect.sel(combination=combinations).mean("combination")

    labels = CODEBOOK.combinations
    main = mean([x for x in labels if x[1] == "1"]) - mean([x for x in labels if x[1] == "0"])
    xr.testing.assert_allclose(terms.sel(combination=b, drop=True), main)
    same = [x for x in labels if x[0] == x[2]]
    other = [x for x in labels if x[0] != x[2]]
    interaction = mean(same) - mean(other)
    xr.testing.assert_allclose(terms.sel(combination=f"{a}:{c}", drop=True), interaction)


def test_draws_at_the_cell_means_give_the_terms_of_ols() -> None:
    """Catches jobcenter weights or a scale of averages other than OLS's own."""
    data, cells = study(citizens=300, gaps=0.0, moves=0.0)
    means = cells["mean"].expand_dims(chain=[0], draw=np.arange(2))
    found = estimand_draws(means, cells, CODEBOOK)["factorial"].isel(chain=0, draw=0)
    rows = ols_intervals(estimate_ols(data, CODEBOOK, vcov=("classical",)), CODEBOOK)
    rows = rows[rows["estimand"] == "factorial"].set_index(["outcome", "combination"])
    for outcome, label in product(CODEBOOK.outcomes, found["combination"].to_numpy()):
        expected = rows.loc[(outcome, label), "estimate"]
        assert float(found.sel(outcome=outcome, combination=label)) == pytest.approx(expected)


def test_intervals_carry_counts_of_the_smallest_combination() -> None:
    """Catches rows without counts, which disclosure control could not judge."""
    _, cells = study(citizens=200)
    draws = estimand_draws(random_effects(cells), cells, CODEBOOK)
    frame = posterior_intervals(draws, cells, CODEBOOK, model="test")
    rows = frame[frame["estimand"] == "factorial"]
    smallest = cells["n_outcome"].sum("jobcenter").min("combination").to_series()
    for outcome in CODEBOOK.outcomes:
        assert set(rows.loc[rows["outcome"] == outcome, "n"]) == {smallest[outcome]}
    assert len(rows) == 7 * (len(CODEBOOK.outcomes) + 1)
    assert (rows["note"] == "").all()


def test_an_empty_combination_makes_every_term_prior_driven() -> None:
    """Catches terms that live off the prior without saying so."""
    there = [name for name in CODEBOOK.combinations if name != "011"]
    _, cells = study(citizens=150, combinations=there)
    draws = estimand_draws(random_effects(cells), cells, CODEBOOK)
    frame = posterior_intervals(draws, cells, CODEBOOK, model="test")
    rows = frame[frame["estimand"] == "factorial"]
    assert (rows["note"] == PRIOR_DRIVEN).all()
    assert rows["estimate"].notna().all()
