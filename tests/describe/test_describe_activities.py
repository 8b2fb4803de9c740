"""Box 2, Tables 2 and 3, and persistence, against hand counts."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from bipbayes.bip.facts import bip_codebook, fact
from bipbayes.describe.activities import (
    activity_boxes,
    activity_groups,
    combination_table,
    transition_table,
    treatment_persistence,
    treatment_table,
)
from bipbayes.describe.description import describe


def test_box_2_and_table_2_are_the_reports() -> None:
    """Catches a box in the wrong group, lost wording, or another order than J, O, S, H."""
    facts = fact("activities")
    for language in ("en", "da"):
        boxes = activity_boxes(bip_codebook(), language=language)
        assert boxes["number"].tolist() == facts["number"].tolist()
        assert boxes["label"].tolist() == facts[f"name_{language}"].tolist()
    groups = activity_groups(bip_codebook())
    printed = facts[facts["group"].isin(["J", "O", "S", "H"])]
    assert list(dict.fromkeys(groups["treatment"])) == ["J", "O", "S", "H"]
    found = dict(zip(groups["number"], groups["treatment"], strict=True))
    assert found == dict(zip(printed["number"], printed["group"], strict=True))


def test_table_3_counts_the_first_indicators_sample(small) -> None:
    """Catches all repeat responses counted (X10), or responses of unknown activities."""
    table = combination_table(small.progression, small.codebook).set_index("combination")
    seen, counts, citizens = set(), Counter(), defaultdict(set)
    for row in small.study.responses.sort_values("date").to_dict("records"):
        if np.isnan(row["q1"]):
            continue
        if row["citizen"] in seen and row["combination"]:
            counts[row["combination"]] += 1
            citizens[row["combination"]].add(row["citizen"])
        seen.add(row["citizen"])
    assert table.index.tolist() == ["00", "01", "10", "11"]
    assert table["n"].to_dict() == {c: counts[c] for c in table.index}
    assert table["n_citizens"].to_dict() == {c: len(citizens[c]) for c in table.index}
    assert table["percent"].sum() == pytest.approx(100)
    treatments = treatment_table(table.reset_index(), small.codebook).set_index("treatment")
    assert treatments["n"].to_dict() == {
        "T": counts["10"] + counts["11"],
        "U": counts["01"] + counts["11"],
    }


def brute_pairs(small) -> list[tuple[str, str]]:
    pairs = []
    for _, rows in small.study.responses.groupby("citizen"):
        texts = rows.sort_values("date")["combination"].tolist()
        pairs += [(a, b) for a, b in pairwise(texts) if a and b]
    return pairs


def test_transitions_against_a_loop(small) -> None:
    """Catches pairs across citizens, across an unknown response, or percents by column."""
    expected = Counter(brute_pairs(small))
    table = transition_table(small.progression, small.codebook)
    assert len(table) == 16
    found = {(row.previous, row.combination): row.n for row in table.itertuples()}
    assert found == {key: expected[key] for key in found}
    sums = table.groupby("previous")["percent"].sum()
    np.testing.assert_allclose(sums, 100)
    assert (table["n_citizens"] <= table["n"]).all()


def test_persistence_of_each_treatment(small) -> None:
    """Catches the condition turned around (given before | given now)."""
    pairs = brute_pairs(small)
    table = treatment_persistence(small.progression, small.codebook).set_index("group")
    for place, code in enumerate(["T", "U"]):
        kept = sum(a[place] == b[place] == "1" for a, b in pairs)
        lost = sum(a[place] == "1" and b[place] == "0" for a, b in pairs)
        begun = sum(a[place] == "0" and b[place] == "1" for a, b in pairs)
        never = sum(a[place] == b[place] == "0" for a, b in pairs)
        row = table.loc[code]
        assert row["n_with"] == kept + lost and row["n_without"] == begun + never
        assert row["again"] == pytest.approx(100 * kept / (kept + lost))
        assert row["begun"] == pytest.approx(100 * begun / (begun + never))
        assert row["odds_ratio"] == pytest.approx(kept * never / (lost * begun))
    nothing = [(a == "00", b == "00") for a, b in pairs]
    again = sum(a and b for a, b in nothing) / sum(a for a, _ in nothing)
    assert table.loc["none", "again"] == pytest.approx(100 * again)


def test_a_combination_that_never_comes_has_no_percent(small) -> None:
    """Catches zero percent where nothing was observed."""
    known = small.progression["combination"].to_numpy()
    fewer = small.progression.assign_coords(
        combination=("response", np.where(known == "11", "", known))
    )
    table = transition_table(fewer, small.codebook)
    empty = table[table["previous"] == "11"]
    assert isinstance(table, pd.DataFrame)
    assert empty["n"].sum() == 0 and empty["percent"].isna().all()


def test_odds_that_a_count_of_zero_makes_have_no_ratio(small) -> None:
    """Catches a ratio of zero where a treatment was never given twice in a row."""
    turn = small.study.responses.groupby("citizen")["date"].rank() % 2
    taken = small.progression.assign_coords(
        combination=("response", np.where(turn == 1, "10", "01"))
    )
    table = treatment_persistence(taken, small.codebook).set_index("group")
    assert (table.loc[["T", "U"], ["again", "begun"]] == [0, 100]).all(axis=None)
    assert table["odds_ratio"].isna().all()


def test_tables_say_whose_changes_they_count(small) -> None:
    """Catches counts of one indicator that look like counts of all responses."""
    tables = describe(small.progression, small.codebook).tables()
    told = {name: set(frame["counted"]) for name, frame in tables.items() if "counted" in frame}
    assert told == {name: {"q1"} for name in ("combinations", "treatments", "jobcenters")}
