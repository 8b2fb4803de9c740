"""Decimals follow the Monte Carlo error."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bipbayes.tables.rounding import decimals, limit_factor, row_decimals


def test_the_factor_of_the_limits() -> None:
    """Catches a limit taken to be as certain as the mean, or a factor for 95 % only."""
    assert limit_factor(0.95) == pytest.approx(2.67, abs=0.005)
    assert limit_factor(0.5) == pytest.approx(np.sqrt(3) / 4 / 0.31778, rel=1e-4)


def test_the_factor_holds_in_simulation() -> None:
    """Catches a wrong density: the spread of simulated limits is the factor over sqrt(n)."""
    rng = np.random.default_rng(1)
    limits = np.quantile(rng.normal(size=(2000, 1000)), 0.05, axis=1)
    assert limits.std() * np.sqrt(1000) == pytest.approx(limit_factor(0.9), rel=0.06)


@pytest.mark.parametrize(
    ("mcse", "expected"),
    [(0.0006, 3), (0.0049, 3), (0.0051, 2), (0.049, 2), (0.051, 1), (0.6, 0), (7.0, 0)],
)
def test_decimals(mcse: float, expected: int) -> None:
    """Catches ceil for floor, a missing factor of 2, and negative decimals."""
    assert decimals(mcse) == expected


def test_decimals_are_capped_and_unknown_errors_cut_nothing() -> None:
    """Catches ten decimals from long runs, and OLS rows (no error) without any."""
    assert decimals([1e-9, np.nan, 0.0]).tolist() == [3, 3, 3]
    assert decimals(1e-9, most=5) == 5


def test_a_row_follows_its_least_certain_number() -> None:
    """Catches limits printed with the mean's decimals: sd 0.05 at ESS 1000 and 100."""
    rows = pd.DataFrame({"sd": 0.05, "level": 0.95, "ess_bulk": [4000.0, 4000.0, 4000.0]})
    rows["ess_tail"] = [4000.0, 300.0, 5.0]
    assert row_decimals(rows, sd="sd").tolist() == [3, 2, 1]


def test_the_mcse_of_the_mean_gives_the_effective_sample_size() -> None:
    """Catches data/comparison.csv, which has no ESS, being rounded otherwise."""
    with_ess = pd.DataFrame({"sd": [0.05], "level": 0.95, "ess_bulk": 300.0, "ess_tail": 300.0})
    with_mcse = pd.DataFrame({"sd": [0.05], "level": 0.95, "mcse": 0.05 / np.sqrt(300)})
    assert row_decimals(with_ess, sd="sd") == row_decimals(with_mcse, sd="sd")
