"""Joint statements from made-up draws whose answers are known by hand."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bipbayes.checks.statements import (
    count_improved,
    rank_combinations,
    significant_under_posterior,
)
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
    with pytest.raises(SettingsError, match="beyond 3 outcomes"):
        count_improved(draws, outcomes=OUTCOMES, at_least=[4])


def test_ranks_put_the_best_first(draws):
    """Catches ranks in the wrong direction, or a ranking with unknown effects in it."""
    frame = rank_combinations(draws, outcomes=["a", "c"], level=0.5)
    a = frame[frame["outcome"] == "a"].set_index("combination")
    assert a.loc["01", "p_best"] == 0.5
    assert a.loc["01", "rank"] == 1.5
    c = frame[frame["outcome"] == "c"]
    assert c["combination"].tolist() == ["01"]
    assert c["p_best"].tolist() == [1.0]


def test_errors_of_significant_estimates(draws):
    """Catches insignificant rows that are judged, or a sign read from the posterior mean."""
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
