"""Residuals of groups, the ribbon and the claimed correlation against brute force."""

import statistics

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from builders import Shape, make_codebook, random_progression
from scipy import stats

from bipbayes.cells import cell_means
from bipbayes.checks.cells import quantile_ribbon, size_groups
from bipbayes.checks.lag import claimed_lag, lag_correlation
from bipbayes.checks.residuals import group_residuals
from bipbayes.sampling.predict import predicted_means

DIMS = ("combination", "jobcenter", "indicator")
CODEBOOK = make_codebook(4, 2)


@pytest.fixture(scope="module")
def changes():
    return random_progression(
        CODEBOOK, seed=3, shape=Shape(citizens=150, lacking=[("11", "site 2")])
    )


@pytest.fixture(scope="module")
def cells(changes):
    return cell_means(changes, CODEBOOK)


@pytest.fixture(scope="module")
def predicted(cells):
    shape = [cells.sizes[dim] for dim in DIMS]
    coords = {dim: cells[dim].to_numpy() for dim in DIMS}
    zero = xr.DataArray(np.zeros((2, 700, *shape)), coords=coords, dims=("chain", "draw", *DIMS))
    return predicted_means(cells, zero, seed=5)


def test_groups_are_weighted_by_answers(cells, predicted):
    """Catches plain means over cells, empty cells that count, and errors taken as independent."""
    frame = group_residuals(cells, predicted, by=["jobcenter"]).set_index("jobcenter")
    site = cells.sel(jobcenter="site 2")
    n, mean = site["n"].to_numpy().astype(float), site["mean"].to_numpy()
    seen = n > 0
    expected = (n[seen] * mean[seen]).sum() / n.sum()
    assert frame.loc["site 2", "n"] == n.sum()
    assert frame.loc["site 2", "mean"] == pytest.approx(expected)
    variance = 0.0
    for place, code in enumerate(cells["combination"].to_numpy()):
        weight = np.where(seen[place], n[place], 0) / n.sum()
        block = np.nan_to_num(site["vcov"].sel(combination=code).to_numpy())
        variance += weight @ block @ weight
    assert frame.loc["site 2", "sd"] == pytest.approx(np.sqrt(variance), rel=0.08)
    distance = frame["mean"] - frame["expected"]
    np.testing.assert_allclose(frame["residual"], distance / frame["sd"])
    pairs = group_residuals(cells, predicted, by=["combination", "jobcenter"])
    assert len(pairs) == 15 and ("11", "site 2") not in set(
        zip(pairs["combination"], pairs["jobcenter"], strict=True)
    )


def test_predictions_of_groups_are_those_of_loops_over_few_draws(cells):
    """Catches predictions that weigh cells alike, another divisor, and the share above."""
    shape = [cells.sizes[dim] for dim in DIMS]
    coords = {dim: cells[dim].to_numpy() for dim in DIMS}
    values = np.random.default_rng(6).normal(0.1, 0.3, (1, 3, *shape))
    predicted = xr.DataArray(values, coords=coords, dims=("chain", "draw", *DIMS))
    found = group_residuals(cells, predicted, by=["jobcenter"])
    n, mean = (cells[name].transpose(*DIMS).to_numpy() for name in ("n", "mean"))
    for site, row in found.iterrows():
        seen = n[:, site] > 0
        weight = n[:, site][seen]
        drawn = [np.average(one[:, site][seen], weights=weight) for one in values[0]]
        observed = np.average(mean[:, site][seen], weights=weight)
        assert row["expected"] == pytest.approx(statistics.mean(drawn))
        assert row["sd"] == pytest.approx(statistics.stdev(drawn))
        assert row["pit"] == pytest.approx(sum(value < observed for value in drawn) / 3)


def test_the_ribbon_holds_data_of_the_model(cells, predicted):
    """Catches a ribbon of unordered residuals, or of empty cells."""
    ribbon = quantile_ribbon(predicted)
    assert len(ribbon) == int((cells["n"] > 0).sum())
    assert (ribbon["lower"] <= ribbon["upper"]).all() and ribbon["lower"].is_monotonic_increasing
    inside = (ribbon["lower"] < ribbon["normal"]) & (ribbon["normal"] < ribbon["upper"])
    assert inside.mean() > 0.95
    drawn = predicted.transpose("chain", "draw", *DIMS).to_numpy().reshape(1400, -1)
    drawn = drawn[:, np.isfinite(drawn).all(axis=0)]
    ordered = np.sort((drawn - drawn.mean(axis=0)) / drawn.std(axis=0, ddof=1), axis=1)
    within = (ordered >= ribbon["lower"].to_numpy()) & (ordered <= ribbon["upper"].to_numpy())
    np.testing.assert_allclose(within.mean(axis=0), 0.95, atol=0.003)  # at every place
    places = (np.arange(len(ribbon)) + 0.5) / len(ribbon)
    np.testing.assert_allclose(stats.norm.cdf(ribbon["normal"]), places)


def test_cells_are_grouped_by_size():
    """Catches groups of unequal size, ties that end it, and labels that do not say their range."""
    n = pd.Series([1, 1, 2, 9, 30, 31, 50, 80])
    groups = size_groups(n, groups=4)
    assert groups.tolist() == ["1–1", "1–1", "2–9", "2–9", "30–31", "30–31", "50–80", "50–80"]
    assert size_groups(pd.Series([1] * 6 + [2, 3]), groups=4).tolist() == ["1–1"] * 6 + ["2–3"] * 2


def test_the_claimed_correlation_is_that_of_the_working_covariance(changes, cells):
    """Catches the claim of a covariance that knows nothing of neighbours, or of the wrong sign."""
    claimed = claimed_lag(cells).set_index("outcome")["claimed"]
    seen = lag_correlation(changes, outcomes=list(CODEBOOK.indicator_codes)).set_index("outcome")
    np.testing.assert_allclose(claimed, seen["correlation"], atol=0.12)
    assert (claimed < -0.25).all()
    plain = claimed_lag(cell_means(changes, CODEBOOK, vcov="response"))
    assert (plain["claimed"] == 0).all()


def test_the_claimed_correlation_counts_the_noise_of_both_answers_and_what_persists():
    """Catches a claim without what persists, or with the noise of one answer only."""
    names, square = ["q1", "q2"], ("indicator", "indicator_")
    parts = {"noise_covariance": 0.3, "change_covariance": 0.3, "persistent_covariance": 0.1}
    made = xr.Dataset(
        {name: (square, value * np.eye(2)) for name, value in parts.items()},
        coords={"indicator": names, "indicator_": names},
    ).assign(common_starts=(square, np.ones((2, 2))))
    np.testing.assert_allclose(claimed_lag(made)["claimed"], -0.2)  # variances of 1


def test_intervals_of_the_lag_are_those_of_citizens_drawn_anew(changes):
    """Catches pairs drawn as if they were independent citizens, and limits of another level."""
    row = lag_correlation(changes, outcomes=["q2"], seed=1).iloc[0]
    one = changes.sel(outcome="q2")
    value, start = one["standardised"].to_numpy(), one["previous"].to_numpy()
    value = value - pd.Series(value).groupby(changes["combination"].to_numpy()).transform("mean")
    value = value.to_numpy()
    later = np.flatnonzero((start >= 0) & np.isfinite(value) & np.isfinite(value[start]))
    pairs = pd.DataFrame({"x": value[later], "y": value[start[later]],
                          "citizen": changes["citizen"].to_numpy()[later]})  # fmt: skip
    people = [rows for _, rows in pairs.groupby("citizen")]
    rng, drawn = np.random.default_rng(2), []
    for _ in range(300):
        chosen = pd.concat([people[k] for k in rng.integers(len(people), size=len(people))])
        drawn.append(np.corrcoef(chosen["x"], chosen["y"])[0, 1])
    assert row["pairs"] == len(pairs)
    assert row["correlation"] == pytest.approx(np.corrcoef(pairs["x"], pairs["y"])[0, 1])
    np.testing.assert_allclose(
        [row["lower"], row["upper"]], np.quantile(drawn, [0.025, 0.975]), atol=0.03
    )
    narrow = lag_correlation(changes, outcomes=["q2"], seed=1, level=0.6827).iloc[0]
    ratio = (row["upper"] - row["lower"]) / (narrow["upper"] - narrow["lower"])
    assert ratio == pytest.approx(stats.norm.ppf(0.975), rel=0.12)
