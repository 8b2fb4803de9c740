"""Tables 4 to 11 by overlapping groups, against loops over responses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bipbayes.data.sample import counted_responses, memberships
from bipbayes.describe.characteristics import characteristic_table, differences, jobcenter_table
from bipbayes.describe.description import NAMES, describe


def counted_rows(small) -> list[dict]:
    """One mapping a counted response, with the citizen's characteristics where known."""
    citizens = small.characteristics.citizens.set_index("citizen").to_dict("index")
    responses = counted_responses(small.progression, small.codebook)
    return [
        {**row, **citizens.get(row["citizen"], {"old": np.nan, "work": np.nan, "visits": np.nan})}
        for row in responses.to_dict("records")
    ]


def in_group(row: dict, group: str) -> bool:
    if group == "none":
        return row["combination"] == "00"
    return row["combination"]["TU".index(group)] == "1"


def test_each_value_against_a_loop(small) -> None:
    """Catches citizens counted once, a response in one group only, or gaps taken as zero."""
    table = characteristic_table(small.progression, small.characteristics, codebook=small.codebook)
    assert len(table) == 3 * 3
    assert table["group"].tolist() == ["T", "U", "none"] * 3
    rows = counted_rows(small)
    for line in table.to_dict("records"):
        scale = 1 if line["column"] == "visits" else 100
        known = [
            (row["citizen"], scale * row[line["column"]])
            for row in rows
            if in_group(row, line["group"]) and not np.isnan(row[line["column"]])
        ]
        values = [value for _, value in known]
        assert line["n"] == len(values)
        assert line["n_citizens"] == len({citizen for citizen, _ in known})
        assert line["n_carriers"] == len({citizen for citizen, value in known if value > 0})
        assert line["value"] == pytest.approx(np.mean(values))
        assert line["sd"] == pytest.approx(np.std(values, ddof=1))
    keys = table[["table", "section_en", "row_en", "unit"]].drop_duplicates().to_numpy().tolist()
    assert keys == [
        [4, "", "Old", "percent"],
        [5, "Time", "At work", "percent"],
        [10, "", "Visits", "weeks"],
    ]
    assert table["n"].max() < len(rows)  # nobody is in every group, three citizens are unknown


def test_groups_overlap() -> None:
    """Catches a partition: a response with both treatments counts in both."""
    from builders import make_codebook

    members = memberships(pd.Series(["00", "10", "11"]), make_codebook(2, 2))
    assert members.to_numpy().tolist() == [
        [False, False, True],
        [True, False, False],
        [True, True, False],
    ]


def test_jobcenter_shares_are_within_a_group(small) -> None:
    """Catches shares of all responses, or of a jobcenter, instead of the group's."""
    table = jobcenter_table(small.progression, small.codebook)
    rows = counted_rows(small)
    assert list(dict.fromkeys(table["jobcenter"])) == ["x", "y", "z"]
    for line in table.to_dict("records"):
        group = [row for row in rows if in_group(row, line["group"])]
        here = [row for row in group if row["jobcenter"] == line["jobcenter"]]
        assert line["percent"] == pytest.approx(100 * len(here) / len(group))
        assert (line["n"], line["n_citizens"]) == (len(here), len({r["citizen"] for r in here}))


def test_standardised_differences(small) -> None:
    """Catches a turned sign, the wrong reference or a pooled variance with weights."""
    table = characteristic_table(small.progression, small.characteristics, codebook=small.codebook)
    found = differences(table, small.codebook)
    assert found[["group", "reference"]].drop_duplicates().to_numpy().tolist() == [
        ["T", "U"],
        ["T", "none"],
        ["U", "none"],
    ]
    rows = counted_rows(small)
    for line in found.to_dict("records"):
        one, other = (
            [r[line["column"]] for r in rows if in_group(r, g) and not np.isnan(r[line["column"]])]
            for g in (line["group"], line["reference"])
        )
        spread = np.sqrt((np.var(one, ddof=1) + np.var(other, ddof=1)) / 2)
        expected = (np.mean(one) - np.mean(other)) / spread
        assert line["difference"] == pytest.approx(expected, abs=1e-12)


def test_nothing_to_compare_is_no_difference(small) -> None:
    """Catches a division by zero where nobody varies."""
    table = characteristic_table(
        small.progression, small.characteristics, codebook=small.codebook
    ).assign(sd=0.0)
    assert differences(table, small.codebook)["difference"].isna().all()


def test_description_writes_no_individual_data(small) -> None:
    """Catches pairs of single responses, or a citizen's id, among the tables to write."""
    whole = describe(small.progression, small.codebook, characteristics=small.characteristics)
    tables = whole.tables()
    assert set(tables) == set(NAMES.values())
    citizens = set(small.study.responses["citizen"])
    for frame in tables.values():
        assert "citizen" not in frame.columns
        assert not citizens & set(frame.astype("str").to_numpy().ravel())
    without = describe(small.progression, small.codebook).tables()
    assert set(tables) - set(without) == {
        "characteristics",
        "standardised_differences",
    }
