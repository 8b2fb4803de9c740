"""Weeks since the last answer and the regression on them, against statsmodels by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from bipbayes.describe.progress import weeks_between_responses, weeks_regression, weeks_since_last


def long_frame(small, outcome: str) -> pd.DataFrame:
    """Change, weeks and citizen of the sample, built from dates and start positions."""
    data = small.progression.sel(outcome=outcome)
    starts, change = data["previous"].to_numpy(), data["change"].to_numpy()
    analysed, citizens = data["analysed"].to_numpy(), data["citizen"].to_numpy()
    dates = small.study.responses["date"].tolist()
    rows = [
        (change[place], (dates[place] - dates[start]).days / 7, citizens[place])
        for place, start in enumerate(starts)
        if start >= 0 and analysed[place]
    ]
    return pd.DataFrame(rows, columns=["change", "weeks", "citizen"])


def test_weeks_start_where_the_change_starts(small) -> None:
    """Catches weeks since the last response where that one left the question empty."""
    weeks = weeks_since_last(small.progression)
    skipped = 0
    for outcome in small.codebook.indicator_codes:
        expected = long_frame(small, outcome)["weeks"].to_numpy()
        kept = small.progression["analysed"] & (small.progression["previous"] >= 0)
        found = weeks.sel(outcome=outcome).to_numpy()[kept.sel(outcome=outcome).to_numpy()]
        np.testing.assert_allclose(found, expected)
        assert (found > 0).all()
        skipped += int((found > 250 / 7).sum())
    assert skipped  # the study has changes over a gap


def test_slopes_against_the_formula_interface(small) -> None:
    """Catches another sample, normal instead of t quantiles, or clusters by position."""
    level = 0.8
    table = weeks_regression(small.progression, small.codebook, level=level)
    table = table.set_index(["outcome", "vcov"])
    for outcome in ("q2", "q5", "citizen_mean"):
        frame = long_frame(small, outcome)
        model = smf.ols("change ~ weeks", frame)
        fits = {
            "classical": model.fit(),
            "cluster_citizen": model.fit(
                cov_type="cluster", cov_kwds={"groups": frame["citizen"]}, use_t=True
            ),
        }
        for vcov, fit in fits.items():
            row = table.loc[(outcome, vcov)]
            lower, upper = fit.conf_int(alpha=1 - level).loc["weeks"]
            expected = [fit.params["weeks"], fit.bse["weeks"], lower, upper, fit.pvalues["weeks"]]
            found = row[["slope", "se", "lower", "upper", "p_value"]].astype(float)
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
            assert row["n"] == len(frame) and row["n_citizens"] == frame["citizen"].nunique()
            assert row["kind"] == "confidence" and row["level"] == level
            assert row["mean_weeks"] == pytest.approx(frame["weeks"].mean())
    gap = table["se"].xs("classical", level="vcov") / table["se"].xs(
        "cluster_citizen", level="vcov"
    )
    assert (gap - 1).abs().min() > 1e-6  # the two errors are not the same numbers


def test_weeks_between_responses_ignore_what_was_answered(small) -> None:
    """Catches pairs across citizens or across a response without answers."""
    pairs = weeks_between_responses(small.progression)
    expected = []
    for citizen, rows in small.study.responses.groupby("citizen"):
        dates = sorted(rows["date"])
        expected += [(citizen, (b - a).days / 7) for a, b in pairwise(dates)]
    found = list(zip(pairs["citizen"], pairs["weeks"], strict=True))
    assert sorted(found) == sorted(expected)


def test_too_few_changes_give_no_slope(small) -> None:
    """Catches an error, or an interval of width zero, where two changes exist."""
    few = small.progression.isel(response=slice(0, 4))
    few = few.assign(previous=few["previous"].where(few["previous"] < 4, -1))
    few = few.assign(change=few["change"].where(few["previous"] >= 0))
    table = weeks_regression(few, small.codebook)
    assert len(table) == 2 * len(small.codebook.outcomes)
    assert table["slope"].isna().all()


def test_a_slope_needs_three_changes_of_two_citizens(small) -> None:
    """Catches a line through two points, and one citizen's changes taken for a sample."""
    data = small.progression
    known = data["change"].sel(outcome="q2").notnull() & data["analysed"]
    rows = pd.Series(data["citizen"].to_numpy()[known], index=np.flatnonzero(known))
    one_each, alone = rows.drop_duplicates().index, rows.index[rows == rows.mode()[0]]
    assert len(alone) > 2
    for chosen, defined in ((one_each[:2], False), (one_each[:3], True), (alone, False)):
        few = data.assign(change=data["change"].where(data["response"].isin(chosen)))
        table = weeks_regression(few, small.codebook).set_index("outcome")
        assert table.loc["q2", "slope"].notna().tolist() == [defined] * 2
