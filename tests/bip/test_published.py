"""Published numbers beside reproduced ones."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from bipbayes.bip.facts import bip_codebook, fact
from bipbayes.bip.published import (
    KEYS,
    agrees,
    claim_inconsistencies,
    inconsistencies,
    inconsistency_table,
    printed_claims,
    published_against_reproduced,
    published_counts,
    published_numbers,
    reproduced_frame,
    reproduced_prose,
    reproduced_sizes,
    reproduced_tables,
)
from bipbayes.data.progression import progression
from bipbayes.data.study import Study
from bipbayes.describe.description import describe


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


def test_double_keys_are_refused() -> None:
    """Catches a number compared with whichever of two values came first."""
    row = ("1", "B2", "n_progression", 7027.0)
    with pytest.raises(pd.errors.MergeError):
        published_against_reproduced(reproduced(row, row))


def test_all_42_inconsistencies_bear_on_something_or_say_why_not() -> None:
    """Catches an id that is mapped to a row which does not exist."""
    table = inconsistency_table()
    assert list(table["id"]) == [f"X{number:02d}" for number in range(1, 43)]
    nowhere = table["numbers"].eq(0) & table["claims"].eq(0)
    assert table.loc[nowhere, "remark"].str.contains("no number").all()
    assert table.loc[~nowhere, "remark"].eq("").all()
    assert list(table.loc[nowhere, "id"]) == ["X15", "X16", "X17", "X30"]


def test_inconsistencies_of_claims() -> None:
    """Catches the report's contradictions lost where claims are audited."""
    assert inconsistencies("claims", "SUM-17", "") == ("X40",)
    assert inconsistencies("claims", "F08-04", "") == ("X26",)
    assert inconsistencies("claims", "F08-09", "") == ("X26", "X42")
    assert inconsistencies("claims", "F08-03", "") == ()


def test_only_the_reports_own_claims_have_its_inconsistencies() -> None:
    """Catches another report's claim of the same id blamed for BIP's contradictions."""
    claims = printed_claims(bip_codebook()).set_index("claim_id", drop=False)
    own = claims.loc[["SUM-17", "F04-01"]]
    assert claim_inconsistencies(own) == ["X40", ""]
    assert claim_inconsistencies(own.assign(quote_da="something else")) == ["", ""]


def test_prose_against_counting_by_hand() -> None:
    """Catches the wrong sample, unit or question behind a value of the prose."""
    codebook = bip_codebook()
    rng = np.random.default_rng(4)
    rows = []
    for citizen in range(30):
        site = f"site {citizen % 3}"
        for wave in range(int(rng.integers(1, 5))):
            day = pd.Timestamp("2014-01-01") + pd.Timedelta(days=int(100 * wave + citizen))
            combination = "".join(rng.choice(["0", "1"], size=4))
            answers = {
                code: float(rng.integers(1, 6)) if rng.random() < 0.8 else np.nan
                for code in codebook.indicator_codes
            }
            rows.append(
                {"citizen": f"c{citizen}", "jobcenter": site, "date": day, **answers}
                | {"combination": combination}
            )
    study = Study(pd.DataFrame(rows), codebook, digest="", synthetic=True, name="small")
    changes = progression(study, codebook)
    described = describe(changes, codebook)
    described = replace(described, characteristics=pd.DataFrame({"table": range(4, 12)}))
    values = reproduced_frame(reproduced_prose(study, changes, described, level=0.9))
    found = values[values["table"] == "text"].set_index("row")["value"]

    citizens: dict[str, list[dict[str, object]]] = {}
    for row in rows:
        citizens.setdefault(str(row["citizen"]), []).append(row)
    first, weeks, combinations = [], [], []
    for own in citizens.values():
        for earlier, later in pairwise(own):
            weeks.append((later["date"] - earlier["date"]).days / 7)
        answered = [row for row in own if not np.isnan(row["B1"])]
        for earlier, later in pairwise(answered):
            first.append(later["B1"] - earlier["B1"])
            combinations.append(str(later["combination"]))
    asked = [code for code in codebook.indicator_codes if code.startswith("B")]
    expected = {
        "citizens": 30,
        "jobcenters": 3,
        "citizen_responses": sum(any(not np.isnan(row[code]) for code in asked) for row in rows),
        "b1_mean_progression_in_text": np.mean(first),
        "weeks_between_responses_mean": np.mean(weeks),
        "table3_total_n": len(first),
        "share_job_oriented": 100 * np.mean([code[0] == "1" for code in combinations]),
        "share_more_than_one": 100 * np.mean([code.count("1") > 1 for code in combinations]),
        "share_no_intervention": 100 * np.mean([code == "0000" for code in combinations]),
        "standardised_sd": 1.0,
        "confidence_level": 90,
        "citizen_questions": 11,
        "caseworker_questions_progression": 11,
        "characteristics_tables": 8,
        "effect_size_example_1_percentile": 100 * norm.cdf(0.1),
        "example_change_3_to_1": -2,
    }
    for key, value in expected.items():
        assert found[key] == pytest.approx(value, abs=1e-9), key
    assert set(found.index) <= set(fact("figures")["key"])


def test_published_tables_reproduce_themselves() -> None:
    """Catches relabelling that misses rows: the printed tables fed back agree everywhere."""
    progress = pd.concat([fact("indicators"), fact("aggregates")])
    progress = progress[progress["n_progression"].notna()].rename(
        columns={"code": "outcome", "mean_progression": "mean", "n_progression": "n"}
    )
    combinations = fact("combinations").rename(columns={"percent_published": "percent"})
    characteristics = fact("characteristics")
    described = SimpleNamespace(
        progress=progress,
        combinations=combinations,
        jobcenters=fact("jobcenters"),
        characteristics=characteristics.sample(frac=1, random_state=1),
    )
    frame = published_against_reproduced(reproduced_frame(reproduced_tables(described)))
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
    frame = published_against_reproduced(reproduced_frame(reproduced_sizes(audit)))
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
