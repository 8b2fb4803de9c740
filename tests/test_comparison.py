"""OLS and posterior side by side."""

import numpy as np
import pandas as pd
import pytest

from bipbayes.comparison import COLUMNS, compare
from bipbayes.errors import DataError
from bipbayes.intervals import interval_frame, places_moved


def _rows(source: str, estimates: list[float], se: list[float], **more: object) -> pd.DataFrame:
    values = np.array(estimates)
    errors = np.array(se)
    return interval_frame(
        pd.DataFrame(
            {
                "source": source,
                "vcov": "classical" if source == "ols" else "citizen",
                "model": "" if source == "ols" else "hierarchical",
                "estimand": "effect",
                "outcome": "B1",
                "combination": [f"{i:02b}" for i in range(len(values))],
                "n": 30,
                "n_citizens": 20,
                "estimate": values,
                "se": errors,
                "lower": values - 2 * errors,
                "upper": values + 2 * errors,
                "level": 0.95,
                "kind": "confidence" if source == "ols" else "eti",
                **more,
            }
        )
    )


OLS = _rows("ols", [0.5, 0.5, 0.1, -0.5], [0.2, 0.2, 0.2, 0.2])
POSTERIOR = _rows("posterior", [0.3, 0.1, 0.3, 0.3], [0.1, 0.1, 0.1, 0.1])


def test_every_verdict_change_is_reached() -> None:
    """Catches a verdict that looks at one side only."""
    table = compare(OLS, POSTERIOR)
    assert tuple(table.columns) == COLUMNS
    assert table["verdict_change"].tolist() == [
        "stays: excludes zero",
        "excluded zero, now includes it",
        "included zero, now excludes it",
        "excludes zero on the other side",
    ]
    np.testing.assert_allclose(table["pooling_factor"], 0.75)
    np.testing.assert_allclose(table["ols_places_moved"], places_moved(OLS["estimate"]))


def test_order_of_rows_does_not_matter() -> None:
    """Catches a comparison by position instead of by label."""
    shuffled = POSTERIOR.sample(frac=1.0, random_state=3)
    pd.testing.assert_frame_equal(compare(OLS, POSTERIOR), compare(OLS, shuffled))


def test_only_the_asked_errors_are_shown() -> None:
    """Catches several OLS rows for one estimate."""
    both = pd.concat([OLS, OLS.assign(vcov="HC1", se=9.0)])
    assert compare(both, POSTERIOR, vcov_ols="HC1")["ols_se"].tolist() == [9.0] * 4
    assert len(compare(both, POSTERIOR)) == 4


def test_counts_are_those_of_ols() -> None:
    """Catches the posterior's numbers of answers and citizens shown as those of OLS."""
    counted = OLS.assign(n=[31, 47, 52, 68], n_citizens=[11, 13, 17, 19])
    table = compare(counted, POSTERIOR)
    assert table["n"].tolist() == [31, 47, 52, 68]
    assert table["n_citizens"].tolist() == [11, 13, 17, 19]


def test_counts_read_back_as_decimals_stay_whole() -> None:
    """Catches a comparison whose bytes depend on whether its rows come from memory or a file."""
    decimals = OLS.assign(n=30.0, n_citizens=20.0)
    pd.testing.assert_frame_equal(compare(decimals, POSTERIOR), compare(OLS, POSTERIOR))


def test_other_levels_and_other_data_are_refused() -> None:
    """Catches a 90 % interval beside a 95 % one, and an empty comparison."""
    with pytest.raises(DataError, match="level"):
        compare(OLS.assign(level=0.9), POSTERIOR)
    with pytest.raises(DataError, match="in common"):
        compare(OLS.assign(outcome="B2"), POSTERIOR)


def test_missing_side_has_no_verdict() -> None:
    """Catches 'stays: includes zero' for an estimate that does not exist."""
    empty = POSTERIOR.assign(estimate=np.nan, lower=np.nan, upper=np.nan, note="no answers")
    table = compare(OLS, empty)
    assert (table["verdict_change"] == "").all() and (table["note"] == "no answers").all()


def test_without_an_interval_there_is_no_verdict() -> None:
    """Catches False, "stays" or "now excludes it" where OLS has an estimate but no interval."""
    bare = OLS.assign(se=np.nan, lower=np.nan, upper=np.nan)
    table = compare(bare, POSTERIOR)
    assert table["ols_excludes_zero"].isna().all() and (table["verdict_change"] == "").all()
    assert table["posterior_excludes_zero"].notna().all()
