"""Codebooks: BIP's own, other shapes, and refusals that name every fault."""

import re
import tomllib
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from bipbayes.bip.facts import bip_codebook, fact
from bipbayes.data.load_codebook import load_codebook, parse_codebook
from bipbayes.data.study_words import study_words
from bipbayes.errors import CodebookError, SettingsError
from bipbayes.wording import outcome_label

OTHER = """
name = "Another study"
scale = [0, 10]
citizen = "person"
[[indicators]]
code = "sleep"
column = "q07"
respondent = "citizen"
label = { en = "Sleep" }
[[indicators]]
code = "mood"
respondent = "nurse"
[treatments.V]
label = { en = "Visit" }
columns = ["visit_a", "visit_b"]
[treatments.C]
columns = ["call"]
[averages.both]
members = ["sleep"]
"""


def test_bip_codebook_agrees_with_the_report() -> None:
    """Catches an indicator, activity or order that differs from Boxes 1 and 2 and Table 3."""
    codebook = bip_codebook()
    indicators = fact("indicators")
    analysed = indicators[indicators["progression"] == "true"]
    assert list(codebook.indicator_codes) == analysed["code"].tolist()
    assert [codebook.label(code, "da") for code in codebook.indicator_codes] == analysed[
        "name_da"
    ].tolist()
    assert list(codebook.combinations) == fact("combinations")["combination"].tolist()
    roles = {a.number: a.role for a in codebook.activities}
    assert roles == dict(
        zip(fact("activities")["number"], fact("activities")["group"], strict=True)
    )
    for row in fact("aggregates").itertuples():
        assert list(codebook.members(row.code)) == row.members.split()
        assert codebook.figure(row.code) == row.figure
    assert codebook.combination_label("1010") == "J+S"
    assert codebook.combination_label("0000", "da") == "ingen"


def test_facts_keep_codes_as_text() -> None:
    """Catches '0101' read as 101 and the group 'none' read as missing."""
    assert {len(code) for code in fact("combinations")["combination"]} == {4}
    assert "none" in set(fact("jobcenters")["group"])
    assert fact("combinations")["n"].sum() == 6946
    folder = files("bipbayes.bip") / "resources" / "report"
    assert all(len(fact(path.name.removesuffix(".csv"))) for path in folder.iterdir())


def test_another_study_has_its_own_shape(tmp_path: Path) -> None:
    """Catches anything that counts on 20 indicators, 4 treatments or the scale 1 to 5."""
    path = tmp_path / "codebook.toml"
    path.write_text(OTHER, encoding="utf-8")
    codebook = load_codebook(path)
    assert codebook.combinations == ("00", "01", "10", "11")
    assert codebook.outcomes == ("sleep", "mood", "both")
    assert codebook.respondents == ("citizen", "nurse")
    assert codebook.citizen == "person" and codebook.date == "date"
    assert not codebook.is_bip


def test_all_faults_are_named_at_once() -> None:
    """Catches a reader that stops at the first fault."""
    with pytest.raises(CodebookError) as caught:
        parse_codebook({"scale": [5, 1], "colour": 1, "indicators": [{"code": "a"}]})
    message = str(caught.value)
    for part in ("colour", "the lower first", "respondent", "treatments"):
        assert part in message


def test_contradictions_are_refused(tmp_path: Path) -> None:
    """Catches members that are no indicators and codes that stand twice.

    And such faults that are told only once a key or a word that nobody knows is gone.
    """
    broken = OTHER.replace('"sleep"]', '"joy"]').replace('code = "mood"', 'code = "sleep"')
    path = tmp_path / "broken.toml"
    path.write_text(broken, encoding="utf-8")
    with pytest.raises(CodebookError, match="joy") as caught:
        load_codebook(path)
    assert "more than once" in str(caught.value)
    table = tomllib.loads(broken) | {"words": {"frog": "frog"}, "colour": 1}
    table["indicators"][0]["sort"] = "x"
    with pytest.raises(CodebookError) as caught:
        parse_codebook(table)
    for part in ("joy", "more than once", "frog", "colour", "sort"):
        assert part in str(caught.value)


def test_unreadable_codebook_is_one_sentence(tmp_path: Path) -> None:
    """Catches a traceback where a path is wrong or the TOML is broken."""
    with pytest.raises(CodebookError, match="cannot be read"):
        load_codebook(tmp_path / "absent.toml")
    bad = tmp_path / "bad.toml"
    bad.write_text("name = ", encoding="utf-8")
    with pytest.raises(CodebookError, match="no valid TOML"):
        load_codebook(bad)


def test_reverse_and_higher_are_read_and_refused_with_all_faults() -> None:
    """Catches ``reverse = "no"`` taken as true, and words without an English form."""
    table = tomllib.loads(OTHER)
    assert parse_codebook(table).reversed_codes == ()
    assert parse_codebook(table | {"higher": "better"}).higher == {}
    assert parse_codebook(table | {"higher": "worse"}).higher["da"] == "værre"
    table["indicators"][1]["reverse"] = True
    assert parse_codebook(table).reversed_codes == ("mood",)
    for value in ("no", 1, []):
        table["indicators"][0]["reverse"] = value
        for higher in ("bad", {"da": "flere symptomer"}, 1):
            with pytest.raises(CodebookError) as caught:
                parse_codebook(table | {"higher": higher})
            assert "indicator sleep: 'reverse' must be true" in str(caught.value)
            assert "'higher' must be" in str(caught.value)


def test_a_turned_indicator_says_so_in_its_name() -> None:
    """Catches a turned item that a figure names as if it stood as in the questionnaire."""
    table = tomllib.loads(OTHER)
    for entry in table["indicators"]:
        entry["reverse"] = True
    codebook = parse_codebook(table)
    assert codebook.label("sleep") == "Sleep (reversed)"
    assert outcome_label(codebook, "sleep", language="da") == "sleep Sleep (vendt)"
    assert outcome_label(codebook, "mood", language="en") == "mood (reversed)"
    assert outcome_label(codebook, "both", language="en") == "Both"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('code = "mood"', 'code = "../mood"', "indicator '../mood': a code holds"),
        ('code = "mood"', 'code = "m/d"', "indicator 'm/d': a code holds"),
        ('code = "mood"', f'code = "{"m" * 65}"', "at most 64 characters"),
        ('code = "mood"', 'code = "humør"', "indicator 'humør': a code holds"),
        ('code = "mood"', 'code = "1e5"', "indicator '1e5': a code holds"),
        ('code = "mood"', 'code = "NULL"', "indicator 'NULL': this word means something else"),
        ('code = "mood"', 'code = "Sleep"', "indicator codes differ only by case"),
        ("[averages.both]", "[averages.all_indicators]", "average 'all_indicators': this word"),
        ("[averages.both]", "[averages.Sleep]", "outcome codes differ only by case"),
        ("[averages.both]", '[averages."b:h"]', "average 'b:h': a code holds"),
        ("[treatments.V]", '[treatments."V:C"]', "treatment 'V:C': a treatment's code"),
        ("[treatments.V]", '[treatments."V+C"]', "treatment 'V+C': a treatment's code"),
        ("[treatments.V]", '[treatments."01"]', "treatment '01': a treatment's code"),
        ("[treatments.V]", "[treatments.none]", "treatment 'none': this word"),
        ("[treatments.V]", "[treatments.c]", "treatment codes differ only by case"),
    ],
)
def test_codes_that_cannot_stand_in_outputs(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    """Catches files outside their folder or over one another, and names with two meanings."""
    assert old in OTHER
    path = tmp_path / "codebook.toml"
    path.write_text(OTHER.replace(old, new), encoding="utf-8")
    with pytest.raises(CodebookError, match=re.escape(sentence)):
        load_codebook(path)


def test_all_codes_are_refused_at_once(tmp_path: Path) -> None:
    """Catches a codebook that is mended one code at a time."""
    path = tmp_path / "codebook.toml"
    text = OTHER.replace('code = "mood"', 'code = "a/b"')
    text = text.replace("[treatments.V]", '[treatments."V:"]')
    path.write_text(text.replace("[averages.both]", "[averages.none]"), encoding="utf-8")
    with pytest.raises(CodebookError) as caught:
        load_codebook(path)
    for part in ("indicator 'a/b'", "treatment 'V:'", "average 'none'"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('words = { jobcentre = "clinic" }', "word 'jobcentre' is unknown; known: "),
        ('words = { citizen = { da = "elev" } }', "the word 'citizen' must stand in English"),
        ('words = { citizen = { en = ["child"] } }', "a list of one and many"),
        ('words = "pupil"', "'words' must be of the form"),
        ("missing = [8, 5]", "'missing' holds answers of the scale: [5]"),
        ('missing = ["8"]', "'missing' must be a list of whole numbers"),
    ],
)
def test_words_and_missing_codes_of_another_shape(line: str, sentence: str) -> None:
    """Catches a misspelt word that leaves figures neutral, and answers dropped as missing."""
    with pytest.raises(CodebookError, match=re.escape(sentence)):
        parse_codebook({**tomllib.loads(OTHER), "scale": [1, 5], **tomllib.loads(line)})


def test_words_have_regular_plurals_unless_they_say() -> None:
    """Catches "childs", "clinices" and "skoleer"."""
    table = {"citizen": ["child", "children"], "jobcenter": {"en": "agency", "da": "skole"}}
    codebook = parse_codebook({**tomllib.loads(OTHER), "words": table})
    english, danish = (study_words(codebook.words, name) for name in ("en", "da"))
    assert english["citizens"] == danish["citizens"] == "children"
    assert (english["jobcenters"], danish["jobcenters"]) == ("agencies", "skoler")


def test_a_label_of_two_treatments_names_neither() -> None:
    """Catches a combination that is asked for by a label and silently another one's."""
    book = bip_codebook()
    assert book.combination_of("Job-oriented + S") == "1010"
    same = [replace(each, label={"en": "Coaching"}) for each in book.treatments[:2]]
    twice = replace(book, treatments=(*same, *book.treatments[2:]))
    with pytest.raises(SettingsError, match="'coaching' is the label of J and O"):
        twice.combination_of("S+coaching")
