"""Joint statements from made-up draws whose answers are known by hand."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from bipbayes.checks.improved import count_improved
from bipbayes.checks.ranks import rank_combinations
from bipbayes.checks.signs import significant_under_posterior
from bipbayes.errors import SettingsError

OUTCOMES = ["a", "b", "c"]


@pytest.fixture
def draws():
    """Four draws, two combinations; the second is unknown in outcome c."""
    first = [[0.1, 0.2, 0.3], [0.1, -0.2, 0.3], [-0.1, -0.2, 0.3], [-0.1, -0.2, -0.3]]
    second = [[0.0, 0.3, np.nan]] * 4
    values = np.stack([first, second], axis=1).reshape(2, 2, 2, 3)
    coords = {"combination": ["01", "10"], "outcome": OUTCOMES}
    return xr.DataArray(values, coords=coords, dims=("chain", "draw", "combination", "outcome"))


def test_counts_are_made_within_each_draw(draws):
    """Catches products of marginal probabilities, and unknown effects counted as not improved."""
    frame = count_improved(draws, outcomes=OUTCOMES, at_least=[2, 3]).set_index("combination")
    assert frame.loc["01", "expected"] == pytest.approx((3 + 2 + 1 + 0) / 4)
    assert frame.loc["01", "p_at_least_2"] == 0.5
    assert frame.loc["01", "p_at_least_3"] == 0.25
    assert frame.loc["10", ["expected", "p_at_least_2"]].isna().all()
    beyond = count_improved(draws, outcomes=["a"], at_least=[1], beyond=0.15)
    assert beyond["p_at_least_1"].tolist() == [0, 0]
    at_zero = count_improved(draws, outcomes=["a"], at_least=[0, 1]).set_index("combination")
    assert at_zero.loc["10", "expected"] == 0  # no change is no improvement
    half = count_improved(draws, outcomes=OUTCOMES, at_least=[0], level=0.5)
    counts = [3, 2, 1, 0]
    assert half.loc[0, ["lower", "upper"]].tolist() == np.quantile(counts, [0.25, 0.75]).tolist()
    with pytest.raises(SettingsError, match="beyond 3 outcomes"):
        count_improved(draws, outcomes=OUTCOMES, at_least=[4])


def test_ranks_put_the_best_first():
    """Catches ranks in the wrong direction, limits on the wrong tails, or unknown effects ranked.

    Ranks are counted by brute force; no combination is the mirror image of another.
    """
    effects = {
        "00": [0.0, 0.1, 0.0, 0.2, 0.1, 0.0, -0.1, 0.3],
        "01": [0.5, 0.4, 0.6, 0.1, 0.5, 0.4, 0.5, 0.6],  # the best but in one draw
        "10": [0.1, 0.2, -0.1, 0.4, 0.2, 0.1, 0.0, 0.2],
        "11": [0.9, 0.9, 0.9, np.nan, 0.9, 0.9, 0.9, 0.9],
    }
    values = np.array(list(effects.values())).T.reshape(2, 4, 4, 1)
    coords = {"combination": list(effects), "outcome": ["a"]}
    draws = xr.DataArray(values, coords=coords, dims=("chain", "draw", "combination", "outcome"))
    known = np.array([effects[code] for code in ("00", "01", "10")])
    ranks = 1 + (known[None] > known[:, None]).sum(axis=1)
    frame = rank_combinations(draws, outcomes=["a"], level=0.5)
    assert frame["combination"].tolist() == ["01", "10", "00"]
    found = frame.set_index("combination").loc[["00", "01", "10"]]
    assert found["p_best"].tolist() == [0, 7 / 8, 1 / 8]
    assert found["rank"].tolist() == ranks.mean(axis=1).tolist()
    assert found["rank_lower"].tolist() == np.quantile(ranks, 0.25, axis=1).tolist()
    assert found["rank_upper"].tolist() == np.quantile(ranks, 0.75, axis=1).tolist()
    assert found["combinations"].tolist() == [3, 3, 3]


def test_ranks_are_those_of_a_plain_sort():
    """Catches the best ranked as the lowest, places in place of ranks, and limits exchanged."""
    rng = np.random.default_rng(3)
    means = np.array([0.0, 1.2, -0.8, 0.5])[:, None] * [1.0, -1.0]
    values = rng.normal(means, 1.0, (2, 30, 4, 2))
    names = ["00", "01", "10", "11"]
    made = xr.DataArray(
        values,
        coords={"combination": names, "outcome": ["a", "b"]},
        dims=("chain", "draw", "combination", "outcome"),
    )
    found = rank_combinations(made, outcomes=["b", "a"], level=0.8)
    for place, outcome in enumerate(["a", "b"]):
        ranks = stats.rankdata(-values[..., place].reshape(-1, 4), axis=1)
        rows = found[found["outcome"] == outcome].set_index("combination")
        assert list(rows.index) == [names[k] for k in np.argsort(ranks.mean(axis=0))]
        rows = rows.loc[names]
        np.testing.assert_allclose(rows["rank"], ranks.mean(axis=0))
        np.testing.assert_allclose(rows["p_best"], (ranks == 1).mean(axis=0))
        np.testing.assert_allclose(rows["rank_lower"], np.quantile(ranks, 0.1, axis=0))
        np.testing.assert_allclose(rows["rank_upper"], np.quantile(ranks, 0.9, axis=0))


def test_the_interval_of_a_count_is_equal_tailed():
    """Catches limits of another level: of 0 to 9 improved outcomes, each as often."""
    improved = np.arange(9) < np.arange(10)[:, None]
    made = xr.DataArray(
        np.where(improved, 0.5, -0.5)[None, :, None],
        coords={"combination": ["01"], "outcome": [f"q{k}" for k in range(9)]},
        dims=("chain", "draw", "combination", "outcome"),
    )
    outcomes = list(made["outcome"].to_numpy())
    row = count_improved(made, outcomes=outcomes, at_least=[9], level=0.8).iloc[0]
    assert row[["expected", "lower", "upper"]].tolist() == pytest.approx([4.5, 0.9, 8.1])
    assert row["p_at_least_9"] == pytest.approx(0.1)


def test_errors_of_significant_estimates(draws):
    """Catches insignificant rows that are judged, or a sign read from the posterior mean.

    And a traceback where no estimate is significant, as in a small study.
    """
    frame = pd.DataFrame(
        {
            "source": "ols",
            "vcov": "classical",
            "estimand": "effect",
            "outcome": ["a", "b", "c"],
            "combination": "01",
            "n": 30,
            "estimate": [0.4, -0.3, 0.1],
            "lower": [0.1, -0.5, -0.1],
            "upper": [0.7, -0.1, 0.3],
        }
    )
    found = significant_under_posterior(frame, draws, vcov="classical", estimand="effect")
    assert found["outcome"].tolist() == ["a", "b"]
    assert found["type_s"].tolist() == [0.5, 0.25]
    assert found["type_m"].tolist() == pytest.approx([4.0, 1.5])
    none = significant_under_posterior(frame, draws, vcov="classical", estimand="contrast")
    assert list(none.columns) == list(found.columns) and not len(none)
