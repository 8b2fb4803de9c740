"""Effects in a jobcenter not seen, by outcome."""

import json

import builders
import numpy as np
import pytest
import xarray as xr

from bipbayes.cells import cell_means
from bipbayes.data.codebook import Codebook
from bipbayes.estimands.draws import new_jobcenter_draws, new_jobcenter_effects
from bipbayes.estimands.intervals import posterior_intervals
from bipbayes.intervals import ALL_INDICATORS

CODEBOOK = builders.make_codebook(4, 2)
SAMPLE = ("chain", "draw")
CHAINS, DRAWS = 2, 10


@pytest.fixture(scope="module")
def cells() -> xr.Dataset:
    data = builders.random_progression(CODEBOOK, seed=4, shape=builders.Shape(citizens=120))
    return cell_means(data, CODEBOOK)


def random_term(cells: xr.Dataset, *dims: str, seed: int) -> xr.DataArray:
    labels = {dim: cells[dim].to_numpy() for dim in dims}
    labels |= {"chain": np.arange(CHAINS), "draw": np.arange(DRAWS)}
    shape = [len(labels[dim]) for dim in (*SAMPLE, *dims)]
    values = np.random.default_rng(seed).normal(size=shape)
    return xr.DataArray(values, coords=labels, dims=(*SAMPLE, *dims))


def make_fit(cells: xr.Dataset, *, anew: bool = True) -> xr.DataTree:
    """Terms of a small model, and the jobcenters' ones drawn anew."""
    posterior = xr.Dataset(
        {
            "combination_effect": random_term(cells, "combination", seed=1),
            "combination_indicator_effect": random_term(cells, "combination", "indicator", seed=2),
            "jobcenter_effect": random_term(cells, "jobcenter", seed=3),
            "combination_jobcenter_effect": random_term(cells, "combination", "jobcenter", seed=4),
        }
    )
    new = xr.Dataset(
        {
            "jobcenter_effect": random_term(cells, seed=5),
            "combination_jobcenter_effect": random_term(cells, "combination", seed=6),
        }
    )
    groups = {"posterior": posterior, "new_jobcenter": new if anew else xr.Dataset()}
    fit = xr.DataTree.from_dict(groups)
    fit.attrs["terms"] = json.dumps([str(name) for name in posterior.data_vars])
    return fit


def new_draws(cells: xr.Dataset, codebook: Codebook = CODEBOOK) -> xr.DataArray:
    effects = new_jobcenter_effects(make_fit(cells), cells)
    assert effects is not None
    return new_jobcenter_draws(effects, cells, codebook)


def test_population_part_plus_a_new_jobcenters_own(cells: xr.Dataset) -> None:
    """Catches the data's jobcenters in a new one, and a term that is left out or added twice."""
    fit, found = make_fit(cells), new_draws(cells)
    stored, new = fit["posterior"].to_dataset(), fit["new_jobcenter"].to_dataset()
    expected = (
        stored["combination_effect"]
        + stored["combination_indicator_effect"].sel(indicator="q2", drop=True)
        + new["jobcenter_effect"]
        + new["combination_jobcenter_effect"]
    )
    xr.testing.assert_allclose(found.sel(outcome="q2", drop=True), expected)


def test_averages_are_on_the_scale_of_the_report(cells: xr.Dataset) -> None:
    """Catches the plain mean of standardised indicators in place of the standardised average."""
    found = new_draws(cells)
    average = CODEBOOK.average_codes[0]
    members = list(CODEBOOK.members(average))
    sd, change = cells["sd"], cells["mean_change"]
    points = found.sel(outcome=members) * sd.sel(outcome=members) + change.sel(outcome=members)
    expected = (points.mean("outcome") - change.sel(outcome=average)) / sd.sel(outcome=average)
    ours = found.sel(outcome=average, drop=True)
    xr.testing.assert_allclose(ours, expected.drop_vars("outcome").transpose(*ours.dims))
    single = found.sel(outcome=list(CODEBOOK.indicator_codes)).mean("outcome")
    xr.testing.assert_allclose(found.sel(outcome=ALL_INDICATORS, drop=True), single)


def test_rows_of_the_long_frame(cells: xr.Dataset) -> None:
    """Catches rows without counts or diagnostics."""
    draws = {"new_jobcenter": new_draws(cells)}
    frame = posterior_intervals(draws, cells, CODEBOOK, model="test")
    outcomes = len(CODEBOOK.outcomes) + 1
    assert len(frame) == len(CODEBOOK.combinations) * outcomes
    assert set(frame["estimand"]) == {"new_jobcenter"}
    assert frame[["n", "n_citizens", "lower", "upper", "r_hat"]].notna().all(axis=None)
    assert set(frame["jobcenter"]) == {""}


def test_nothing_where_nothing_was_drawn_anew(cells: xr.Dataset) -> None:
    """Catches a new jobcenter without variation, for models or files that have none."""
    assert new_jobcenter_effects(make_fit(cells, anew=False), cells) is None
    fit = make_fit(cells)
    del fit["new_jobcenter"]
    assert new_jobcenter_effects(fit, cells) is None
