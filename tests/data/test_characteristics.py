"""Characteristics: the codebook of Tables 4 to 11, every fault named, rules, the join."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bipbayes.bip.facts import bip_characteristics, bip_codebook, fact
from bipbayes.data.characteristics import (
    broken_rules,
    characteristics_from_frame,
    read_characteristics,
)
from bipbayes.data.characteristics_codebook import Rule, load_characteristics, parse_characteristics
from bipbayes.data.study import Study
from bipbayes.errors import CodebookError, DataError

CODEBOOK = bip_characteristics()
EXHAUSTIVE = ("unskilled", "no_children")
FLOATS = {entry.column: float for entry in CODEBOOK.characteristics if entry.kind != "share"}


def make_study(citizens: int = 4, *, synthetic: bool = True) -> Study:
    frame = pd.DataFrame({"citizen": [f"0{i}" for i in range(1, citizens + 1)]})
    return Study(frame, bip_codebook(), "", synthetic)


def make_frame(citizens: int = 4) -> pd.DataFrame:
    """A register without a fault: nobody has anything but an education and no children."""
    columns: dict[str, object] = {"citizen": [f"0{i}" for i in range(1, citizens + 1)]}
    for entry in CODEBOOK.characteristics:
        columns[entry.column] = entry.low if entry.kind == "amount" else 0
    for column in EXHAUSTIVE:
        columns[column] = 1
    return pd.DataFrame({**columns, "synthetic": 1})


def test_the_codebook_holds_the_printed_rows_in_order() -> None:
    """Catches a row lost, renamed or moved: the keys beside the published numbers."""
    printed = fact("characteristics")
    keys = ["table", "section_en", "row_en", "section_da", "row_da", "unit"]
    expected = list(dict.fromkeys(printed[keys].itertuples(index=False, name=None)))
    found = [
        (
            entry.table,
            entry.section.get("en", ""),
            entry.label["en"],
            entry.section.get("da", ""),
            entry.label["da"],
            entry.unit,
        )
        for entry in CODEBOOK.characteristics
    ]
    assert found == expected
    assert len(CODEBOOK.columns) == 63


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_file_is_read_and_joined_by_citizen(tmp_path: Path, suffix: str) -> None:
    """Catches ids read as numbers, or rows joined by position."""
    frame = make_frame().iloc[::-1]
    frame["age"] = [31.25, 40.0, 52.5, 20.0]
    path = tmp_path / f"register{suffix}"
    if suffix == ".csv":
        frame.to_csv(path, index=False, sep=";", decimal=",")
    else:
        frame.to_parquet(path)
    found = read_characteristics(path, make_study(), codebook=CODEBOOK)
    assert found.citizens["citizen"].tolist() == ["04", "03", "02", "01"]
    assert found.citizens["age"].tolist() == [31.25, 40.0, 52.5, 20.0]
    assert found.findings == () and found.synthetic and len(found.digest) == 64


def test_every_fault_is_named_at_once() -> None:
    """Catches a check that stops at the first fault, or a message with a citizen's value."""
    frame = make_frame(6).astype({"married": object}).astype(FLOATS)
    frame.loc[0, "married"] = "yes"
    frame.loc[1, "cancer"] = 2
    frame.loc[2, "age"] = 143.5
    frame.loc[3, "employed_three_years"] = 1.2
    frame.loc[4, "skilled"] = 1  # beside unskilled
    frame.loc[5, ["less_severe_diagnosis", "unspecified_disorder"]] = 1  # without a diagnosis
    frame.loc[5, "citizen"] = "05"  # a second row of this citizen
    frame.loc[3, ["social_assistance_five_years", "education_five_years"]] = 0.7
    with pytest.raises(DataError) as caught:
        characteristics_from_frame(frame, make_study(5), name="register.csv", codebook=CODEBOOK)
    message = str(caught.value)
    for sentence in (
        "married: entries that are no numbers (1)",
        "cancer: values outside their bounds (1)",
        "age: values outside their bounds (1); must be a number from 15 to 80, or empty",
        "employed_three_years: values outside their bounds (1); must be a part of the window",
        "unskilled, skilled, higher_education: citizens with more than one of these (1)",
        "less_severe_diagnosis, more_severe_diagnosis: citizens with one of these but not "
        "psychiatric_diagnosis (1)",
        "citizen: different rows of one citizen (2)",
        "sickness_benefit_five_years: citizens where these sum to more than 1 (1)",
    ):
        assert sentence in message
    assert "register.csv was refused" in message
    assert "143" not in message and "yes" not in message


def test_rules_that_print_leaves_open_are_counted() -> None:
    """Catches a real register refused for X13, X35 or X36, or read without a word."""
    frame = make_frame(4).astype(FLOATS)
    frame.loc[0, "no_children"] = 0
    frame.loc[1, "convicted_traffic"] = 1
    frame.loc[2, ["general_practitioner_weeks", "general_practitioner_services"]] = [20, 9]
    frame.loc[3, "affective_disorder"] = 1
    frame.loc[3, "employed_three_years"] = 0.9
    found = characteristics_from_frame(frame, make_study(), codebook=CODEBOOK)
    told = {finding.column: finding for finding in found.findings}
    assert all(not finding.refused and finding.count == 1 for finding in told.values())
    assert set(told) == {
        "no_children, one_child, two_or_three_children, four_or_more_children",
        "convicted_traffic",
        "general_practitioner_weeks, general_practitioner_services",
        "substance_use_disorder, affective_disorder, stress_related_condition, "
        "physical_factor_syndrome, behavioural_disorder",
        "employed_three_years, employed_five_years",
    }
    assert len(found.citizens) == 4


@pytest.mark.parametrize("rule", CODEBOOK.rules, ids=lambda rule: f"{rule.kind}-{rule.columns[0]}")
def test_each_rule_can_be_broken(rule: Rule) -> None:
    """Catches a rule of the codebook that no citizen could ever break, or that all break."""
    table = make_frame(2).drop(columns=["synthetic"]).astype(dict.fromkeys(CODEBOOK.columns, float))
    assert broken_rules(table, CODEBOOK) == []
    if rule.kind == "implies":
        table.loc[0, rule.columns[0]] = 1
    elif rule.kind == "covered":
        table.loc[0, list(rule.columns)] = 0
        table.loc[0, [rule.whole] if rule.whole else []] = 1
    elif rule.kind == "exclusive":
        table.loc[0, list(rule.columns[:2])] = 1
    elif rule.kind == "at_most":
        table.loc[0, list(rule.columns)] = [1, 0]
    else:
        table.loc[0, list(rule.columns)] = 0.6
    told = {
        (finding.column, finding.count, finding.refused)
        for finding in broken_rules(table, CODEBOOK)
    }
    assert (", ".join(rule.columns), 1, rule.refused) in told


def test_citizens_on_one_side_only() -> None:
    """Catches rows of strangers kept, or a join that silently finds nobody."""
    found = characteristics_from_frame(make_frame(4), make_study(6), codebook=CODEBOOK)
    assert [(f.count, f.refused) for f in found.findings] == [(2, False)]
    found = characteristics_from_frame(make_frame(6), make_study(4), codebook=CODEBOOK)
    assert found.citizens["citizen"].tolist() == ["01", "02", "03", "04"]
    assert [(f.rule, f.count) for f in found.findings] == [("{citizens} without any response", 2)]
    strangers = make_frame(3).assign(citizen=["x", "y", "z"])
    with pytest.raises(DataError, match="in common with the responses"):
        characteristics_from_frame(strangers, make_study(), codebook=CODEBOOK)


def test_missing_values_and_repeats_are_counted() -> None:
    """Catches gaps read as zero, or identical rows counted twice."""
    frame = make_frame(3).astype({"age": float})
    frame.loc[1, "age"] = np.nan
    frame = pd.concat([frame, frame.iloc[[2]]])
    found = characteristics_from_frame(frame, make_study(3), codebook=CODEBOOK)
    told = {finding.column: (finding.rule, finding.count) for finding in found.findings}
    assert told == {
        "age": ("{citizens} without a value", 1),
        "all columns": ("identical rows of one {citizen}", 1),
    }
    assert len(found.citizens) == 3 and np.isnan(found.citizens.loc[1, "age"])


def test_columns_and_marks_are_checked() -> None:
    """Catches a lost column found one at a time, or synthetic people joined to real ones."""
    frame = make_frame().drop(columns=["age", "cancer"])
    with pytest.raises(DataError, match=r"age, cancer: columns of the codebook .* \(2\)"):
        characteristics_from_frame(frame, make_study(), codebook=CODEBOOK)
    with pytest.raises(DataError, match="never mix synthetic and real"):
        characteristics_from_frame(make_frame(), make_study(synthetic=False), codebook=CODEBOOK)
    found = characteristics_from_frame(
        make_frame().assign(note="a"), make_study(), codebook=CODEBOOK
    )
    assert [(f.column, f.consequence) for f in found.findings] == [("note", "ignored")]


def test_another_codebook(tmp_path: Path) -> None:
    """Catches code that counts on the report's 63 rows."""
    path = tmp_path / "own.toml"
    path.write_text(
        'name = "Own"\n[[characteristics]]\ncolumn = "height"\ntable = 1\nkind = "amount"\n'
        'unit = "cm"\nlow = 50\nhigh = 250\nlabel = { en = "Height" }\n',
        encoding="utf-8",
    )
    own = load_characteristics(path)
    frame = pd.DataFrame({"citizen": ["01", "02"], "height": ["170,5", ""], "synthetic": 1})
    found = characteristics_from_frame(frame, make_study(2), codebook=own)
    assert found.citizens["height"].tolist()[0] == 170.5
    assert own.columns == ("height",) and own.entry("height").unit == "cm"


def test_a_faulty_codebook_names_all_faults() -> None:
    """Catches a codebook whose rules speak of columns that do not exist."""
    table = {
        "characteristics": [
            {"column": "a", "table": 1, "kind": "percentage", "label": {"en": "A"}},
            {"column": "a", "table": 1, "kind": "amount", "label": {"en": "A"}},
        ],
        "rules": [
            {"kind": "implies", "columns": ["a"]},
            {"kind": "never", "columns": ["b"]},
            {"kind": "at_most", "columns": ["a"]},
        ],
    }
    with pytest.raises(CodebookError) as caught:
        parse_characteristics(table)
    for sentence in (
        "kind 'percentage'",
        "needs 'low', 'high' and 'unit'",
        "stand more than once: ['a']",
        "rule 1 needs 'whole'",
        "rule 2 has kind 'never'",
        "no characteristics: ['b']",
        "rule 3 compares two columns",
    ):
        assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("path", "values", "sentence"),
    [
        ("name", (3, ""), "the codebook: 'name' must be a text of one line"),
        ("colour", (1,), "the codebook: key 'colour' is unknown; known: "),
        ("characteristics", ({"a": 1}, 3, [], [3]), "must be [[characteristics]] tables, at least"),
        ("rules", (3, [], ["a"]), "the codebook: 'rules' must be [[rules]] tables"),
        (
            "characteristics 0 column",
            (3, ["a"], "", "a\nb"),
            "characteristic number 1: 'column' must",
        ),
        (
            "characteristics 0 table",
            ("x", True, 4.5, -1),
            "characteristic a: 'table' must be a whole",
        ),
        (
            "characteristics 0 label",
            (3, {"en": 3}, "A"),
            "characteristic a: 'label' must be lines by",
        ),
        ("characteristics 0 section", ({"dk": "A"},), "'section': language 'dk' is unknown"),
        ("characteristics 0 unit", (3, []), "characteristic a: 'unit' must be a text"),
        ("characteristics 0 low", ("x", True, np.nan, 10**400, [1]), "a: 'low' must be a number"),
        ("characteristics 0 low", (1, 2.5), "characteristic a: 'low' must be less than 'high'"),
        ("rules 0 columns", ("ab", 3, [], [1]), "rule 1: 'columns' must be a list of texts"),
        (
            "rules 0 factors",
            ([1], "ab", [1, "x"], [1, True]),
            "rule 1: 'factors' must be two numbers",
        ),
        ("rules 0 most", ("x", np.inf), "rule 1: 'most' must be a number"),
        ("rules 0 refused", ("no", 0), "rule 1: 'refused' must be true or false"),
    ],
)
def test_values_of_another_kind_are_refused(
    path: str, values: tuple[object, ...], sentence: str
) -> None:
    """Catches tracebacks, texts read letter by letter, and "no" taken as true."""
    entry = {"table": 4, "kind": "share", "label": {"en": "A"}}
    for value in values:
        table: dict[str, Any] = {
            "characteristics": [{**entry, "column": "a"}, {**entry, "column": "b"}],
            "rules": [{"kind": "exclusive", "columns": ["a", "b"]}],
        }
        *outer, key = path.split()
        place = table[outer[0]][int(outer[1])] if outer else table
        assert parse_characteristics(table)
        place[key] = value
        with pytest.raises(CodebookError) as caught:
            parse_characteristics(table)
        assert sentence in str(caught.value)
