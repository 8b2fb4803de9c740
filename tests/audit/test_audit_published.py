"""Published numbers beside reproduced ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bipbayes.audit.published import (
    KEYS,
    agrees,
    inconsistencies,
    inconsistency_table,
    published_against_reproduced,
    published_counts,
    published_numbers,
)
from bipbayes.audit.reproduced import join_reproduced, reproduced_sizes, reproduced_tables
from bipbayes.data.facts import fact
from bipbayes.errors import DataError


def reproduced(*rows: tuple[str, str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[*KEYS, "value"])


def test_every_number_of_the_report_has_one_row() -> None:
    """Catches tables left out and keys that do not tell rows apart."""
    numbers = published_numbers()
    assert not numbers.duplicated(list(KEYS)).any()
    counts = numbers["table"].value_counts()
    claims = fact("claims")
    sizes = claims["effect_size"].notna().sum() + claims["places_moved"].notna().sum()
    expected = {
        "1": 44,
        "3": 32,
        "text": len(fact("figures")),
        "claims": sizes,
        "4": 5 * 14 + 50,
    }
    assert {name: counts[name] for name in expected} == expected
    assert counts[[str(table) for table in range(4, 12)]].sum() == 315 + 50
    assert numbers["status"].ne("").all()
    assert numbers.loc[numbers["reason"].ne(""), "status"].notna().all()


def test_numbers_that_no_data_give_say_why() -> None:
    """Catches dates and intentions counted as failures, or dropped in silence."""
    numbers = published_numbers()
    other = numbers[~numbers["status"].isin(["computed", "codebook", "definition"])]
    assert other["reason"].str.len().gt(5).all()
    text = numbers[numbers["unit"].isin(["text", "date"])]
    sign = text["row"] == "weeks_since_last_slope_sign"
    assert text.loc[~sign, "status"].eq("no number").all()


@pytest.mark.parametrize(
    ("value", "published", "comparison", "expected"),
    [
        (0.0204, "0.020", "rounding", True),
        (0.0206, "0.020", "rounding", False),
        (0.0205, "0.020", "rounding", True),
        (22.6, "23", "rounding", True),
        (38.344, "38.34", "rounding", True),
        (38.346, "38.34", "rounding", False),
        (-0.15, "0.2", "magnitude", True),
        (-0.26, "0.2", "magnitude", False),
        (5593, "6000", "at least", False),
        (6000, "6000", "at least", True),
        (7027, "7000", "at most", False),
        (21.7, "22", "just under", True),
        (22.1, "22", "just under", False),
        (0.99, "0.5", "below one", True),
        (1.0, "0.5", "below one", False),
        (-0.001, "negative", "negative", True),
        (0.001, "negative", "negative", False),
    ],
)
def test_when_a_value_agrees(value: float, published: str, comparison: str, expected: bool) -> None:
    """Catches 0.020 compared at two decimals, "<1%" taken for 0.5, a bound for a value."""
    assert agrees(value, published, comparison) is expected


def test_results_and_counts() -> None:
    """Catches values joined to the wrong number, and counts that do not add up."""
    values = reproduced(
        ("1", "B2", "n_progression", 7027.0),
        ("1", "B1", "mean_progression", 0.0301),
        ("3", "0000", "percent", 23.01),
        ("text", "analysis_responses_high", "", 7027.0),
        ("9", "not in the report", "J", 1.0),
    )
    frame = published_against_reproduced(values.sample(frac=1, random_state=1))
    found = frame.set_index(list(KEYS))
    assert found.loc[("1", "B2", "n_progression"), "result"] == "within rounding"
    assert found.loc[("1", "B2", "n_progression"), "inconsistencies"] == "X09"
    wrong = found.loc[("1", "B1", "mean_progression")]
    assert (wrong["result"], round(wrong["difference"], 6)) == ("outside rounding", 0.0101)
    assert found.loc[("text", "analysis_responses_high", ""), "inconsistencies"] == "X09"
    counts = published_counts(frame).set_index("table")
    assert counts.loc["all", "numbers"] == len(published_numbers())
    assert list(counts.loc["1", ["within rounding", "outside rounding"]]) == [1, 1]
    assert list(counts.loc["text", ["outside rounding", "inconsistent"]]) == [1, 1]
    assert counts.loc["9", "outside rounding"] == 0
    results = ["within rounding", "outside rounding", "not given", "not reproducible"]
    assert counts[results].sum(axis=1).equals(counts["numbers"])


def test_double_and_missing_keys_are_refused() -> None:
    """Catches a number compared with whichever of two values came first."""
    row = ("1", "B2", "n_progression", 7027.0)
    with pytest.raises(DataError, match="1 reproduced values"):
        published_against_reproduced(reproduced(row, row))
    with pytest.raises(DataError, match="'value'"):
        published_against_reproduced(reproduced(row).drop(columns="value"))


def test_all_42_inconsistencies_bear_on_something_or_say_why_not() -> None:
    """Catches an id that is mapped to a row which does not exist."""
    table = inconsistency_table()
    assert list(table["id"]) == [f"X{number:02d}" for number in range(1, 43)]
    nowhere = table["numbers"].eq(0) & table["claims"].eq(0)
    assert table.loc[nowhere, "remark"].str.contains("no number").all()
    assert table.loc[~nowhere, "remark"].eq("").all()
    assert list(table.loc[nowhere, "id"]) == ["X15", "X16", "X17", "X30"]


def test_inconsistencies_of_claims(codebook) -> None:
    """Catches the report's contradictions lost where claims are audited."""
    assert inconsistencies("claims", "SUM-17", "") == ("X40",)
    assert inconsistencies("claims", "F08-04", "") == ("X26",)
    assert inconsistencies("claims", "F08-09", "") == ("X26", "X42")
    assert inconsistencies("claims", "F08-03", "") == ()


def test_published_tables_reproduce_themselves() -> None:
    """Catches relabelling that misses rows: the printed tables fed back agree everywhere."""
    progress = pd.concat([fact("indicators"), fact("aggregates")])
    progress = progress[progress["n_progression"].notna()].rename(
        columns={"code": "outcome", "mean_progression": "mean", "n_progression": "n"}
    )
    combinations = fact("combinations").rename(columns={"percent_published": "percent"})
    characteristics = fact("characteristics")
    values = reproduced_tables(
        progress,
        combinations,
        jobcenters=fact("jobcenters"),
        characteristics=characteristics.sample(frac=1, random_state=1),
    )
    frame = published_against_reproduced(values)
    tables = frame[~frame["table"].isin(["text", "claims"])]
    assert tables["result"].eq("within rounding").all()
    assert np.allclose(tables["difference"], 0)


def test_sizes_of_an_audit() -> None:
    """Catches places compared with the wrong sign, and the place after counted backwards."""
    audit = pd.DataFrame(
        {
            "claim_id": ["F13-01", "F03-05"],
            "outcome": ["caseworker_mean", "citizen_mean"],
            "combination": ["0000", "1101"],
            "effect_size_printed": [-0.2, np.nan],
            "effect_size_ols": [-0.21, np.nan],
            "places_moved_printed": [-8.0, 18.0],
            "places_moved_ols": [-8.3, 17.8],
        }
    )
    frame = published_against_reproduced(join_reproduced([reproduced_sizes(audit)]))
    given = frame[frame["result"] != "not given"].set_index(["table", "row"])
    given = given[given["reproduced"].notna()]
    assert given["result"].eq("within rounding").all()
    assert given.loc[("text", "place_after_0000_caseworker_mean"), "reproduced"] == 58.3
    assert set(given.loc["text"].index) == {
        "effect_size_0000_caseworker_mean",
        "places_0000_caseworker_mean",
        "places_1101_citizen_mean",
        "place_after_0000_caseworker_mean",
    }
