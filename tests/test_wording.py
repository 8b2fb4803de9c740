"""Words and numbers that people read."""

from __future__ import annotations

import ast
import math
import re
import tomllib
from importlib import import_module
from pathlib import Path
from string import Formatter

import pytest
from builders import FOREIGN
from frame_builders import small_codebook

import bipbayes
from bipbayes.bip.facts import bip_codebook
from bipbayes.data.study import Finding
from bipbayes.data.study_words import study_words, words_from_table
from bipbayes.errors import SettingsError
from bipbayes.phrases import LANGUAGES, catalogue, phrases_of
from bipbayes.wording import (
    StudyLanguage,
    combination_text,
    interval_words,
    meaning_of_significant,
    number,
    outcome_label,
    parameter_words,
    phrase,
    respondent_word,
    study_language,
)


def test_intervals_keep_their_names() -> None:
    """Catches calling a credible interval a confidence interval, or the wrong level."""
    assert interval_words(0.95, "confidence", language="en") == "95 % confidence interval"
    assert interval_words(0.9, "eti", language="en") == "90 % credible interval (equal-tailed)"
    assert "highest density" in interval_words(0.95, "hdi", language="en")
    assert interval_words(0.975, "confidence", language="da") == "97,5 %-konfidensinterval"
    assert "kredibilitetsinterval" in interval_words(0.95, "eti", language="da")


@pytest.mark.parametrize(
    ("value", "decimals", "language", "text"),
    [
        (-0.125, 2, "en", "−0.12"),
        (-0.125, 2, "da", "−0,12"),
        (1234.0, 0, "da", "1234"),
        (-0.0004, 3, "en", "0.000"),
        (math.nan, 2, "en", ""),
    ],
)
def test_numbers(value: float, decimals: int, language: str, text: str) -> None:
    """Catches a hyphen for a minus, a point in Danish, a negative zero, a printed nan."""
    assert number(value, decimals, language=language) == text


def test_signed_numbers_have_a_plus_but_zero_none() -> None:
    """Catches a plus before zero."""
    assert number(0.2, 1, language="en", signed=True) == "+0.2"
    assert number(0.0, 1, language="en", signed=True) == "0.0"


@pytest.mark.parametrize(
    ("count", "language", "told"),
    [
        (1, "en", "1 response of 1 pupil in 1 school"),
        (12, "en", "12 responses of 12 pupils in 12 schools"),
        (1, "da", "1 besvarelse fra 1 elev, 1 skole"),
        (12, "da", "12 besvarelser fra 12 elever, 12 skoler"),
    ],
)
def test_of_one_thing_the_word_is_singular(count: int, language: str, told: str) -> None:
    """Catches "1 persons", "1 outcome(s)" and "1 besvarelser", also of a study's own words."""
    words = study_words(words_from_table(PUPILS), language)
    counts = dict.fromkeys(("responses", "people", "places"), count)
    assert phrase("study_at_sites", StudyLanguage(language, words), **counts) == told
    assert not re.search(r"\w\((s|er|e|r)\)", str(catalogue()))


PUPILS = {
    "citizen": {"en": "pupil", "da": ["elev", "elever"]},
    "jobcenter": {"en": "school", "da": ["skole", "skoler"]},
}


def test_significant_means_what_the_estimand_says() -> None:
    """Catches the remark of the contrast standing under the effect."""
    assert "average progress" in meaning_of_significant("effect", language="en")
    assert "no intervention" in meaning_of_significant("standardised_contrast", language="en")


def test_labels_of_a_codebook_without_names() -> None:
    """Catches codes printed twice and labels that only a BIP codebook has."""
    codebook = small_codebook()
    assert outcome_label(codebook, "q1", language="da") == "q1 Søvn"
    assert outcome_label(codebook, "q2", language="da") == "q2 Food & drink"
    assert outcome_label(codebook, "citizen_mean", language="en") == "Citizen mean"
    assert outcome_label(codebook, "all_indicators", language="da") == "Alle indikatorer"
    assert combination_text(codebook, "11", language="en") == "11  K+T"
    assert respondent_word("nurse", language="da") == "nurse"
    assert respondent_word("caseworker", language="da") == "caseworker"
    bip = study_language(bip_codebook(), "da")
    assert respondent_word("caseworker", language=bip) == "sagsbehandler"


def test_an_unknown_language_is_refused() -> None:
    """Catches a silent fall back to English."""
    with pytest.raises(SettingsError, match=f"'xx'.*{', '.join(LANGUAGES)}"):
        phrase("ols", "xx")


def test_respondents_may_be_called_as_a_value_is() -> None:
    """Catches a study whose respondents' name is also what a phrase's braces ask for."""
    spoken = StudyLanguage("en", {"name": "teller", "names": "tellers"})
    assert phrase("model", spoken, name="pooled") == "model pooled"


def _catalogues() -> dict[str, dict[str, dict[str, str]]]:
    folder = Path(bipbayes.__file__).parent / "resources" / "phrases"
    return {path.name: tomllib.loads(path.read_text("utf-8")) for path in folder.glob("*.toml")}


def test_phrases_say_the_same_in_all_languages() -> None:
    """Catches a key in two files, a language left out, and a value that one of them lacks."""
    keys = [key for entries in _catalogues().values() for key in entries]
    assert len(keys) == len(set(keys)) > 100
    for entries in _catalogues().values():
        for key, pair in entries.items():
            assert set(pair) == {*LANGUAGES}, key
            values = [
                {field for _, field, _, _ in Formatter().parse(text) if field}
                for text in pair.values()
            ]
            assert all(named == values[0] for named in values), key


def test_every_phrase_that_code_asks_for_is_there() -> None:
    """Catches a misspelt or removed key, which only a rare figure would show."""
    known = {key for entries in _catalogues().values() for key in entries}
    asked = set()
    for path in Path(bipbayes.__file__).parent.rglob("*.py"):
        asked |= set(
            re.findall(r'\b(?:phrase\(\s*|catalogue\(\)\[)"([a-z_0-9]+)"', path.read_text("utf-8"))
        )
    assert asked and asked <= known
    assert phrase("report_figure", "da", figure=3) == "Svarer til rapportens figur 3"


def test_phrases_leave_a_studys_words_to_the_study() -> None:
    """Catches a phrase of a new figure or table that says citizen, jobcenter or the report."""
    of_the_report = {"report_figure", "report_appendix", "report_table", "audit_caption_published"}
    of_the_report |= {"audit_header_inconsistent", "audit_own", "audit_synthetic_bip"}
    said = {
        (key, language, found[0])
        for key, entry in catalogue().items()
        for language, text in entry.items()
        for found in FOREIGN.finditer(re.sub(r"\{\w+\}", "", text))
    }
    assert {key for key, _, _ in said} <= of_the_report


def test_standard_deviations_are_named_in_words() -> None:
    """Catches code names in tables for readers, and words made up for a user's own names."""
    study = StudyLanguage("en", {"jobcenter": "school", "citizen": "pupil"})
    name = "combination_jobcenter_effect_sd"
    assert parameter_words(name, language=study) == "sd of combination × school"
    assert parameter_words(f"{name}[2]", language="da").endswith(", orden 2")
    for own in ("sigma", "growth_effect_sd", "order_sd[1]"):
        assert parameter_words(own, language="en") == own


def _findings_told(function: ast.FunctionDef, module: object) -> list[str]:
    """Rules and consequences of the findings of a function that refuse nothing."""
    texts: dict[str, object] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            names, value = node.targets[0], node.value
            pairs = [(names, value)]
            if isinstance(names, ast.Tuple) and isinstance(value, ast.Tuple):
                pairs = list(zip(names.elts, value.elts, strict=True))
            texts |= {n.id: v.value for n, v in pairs
                      if isinstance(n, ast.Name) and isinstance(v, ast.Constant)}  # fmt: skip
    told = []
    for node in ast.walk(function):
        name = (
            node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        )
        if name not in ("counted", "Finding"):
            continue
        if len(node.args) < 5 and "refused" not in {each.arg for each in node.keywords}:
            for a in (node.args[1], node.args[3]):
                known = {**vars(module), **texts}.get(getattr(a, "id", ""), ast.unparse(a))
                told.append(a.value if isinstance(a, ast.Constant) else known)
    return [str(text) for text in told]


def test_what_reading_notices_is_told_in_every_language() -> None:
    """Catches a warning of the data on a Danish page in English, as all of them were."""
    folder = Path(str(bipbayes.__file__)).parent / "data"
    told = [
        text
        for name in ("checks", "columns", "parts", "read")
        for node in ast.walk(ast.parse((folder / f"{name}.py").read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        for text in _findings_told(node, import_module(f"bipbayes.data.{name}"))
    ]
    assert len(told) > 10
    known = {entry["en"] for entry in phrases_of("findings").values()}
    kinds = ("answers", "entries of boxes")
    computed = {f"{what} that the codebook's 'missing' reads as none" for what in kinds}
    assert set(told) - known == {"rule"} and computed <= known
    moved, where = (phrases_of("findings")[f"finding_{name}"]["en"] for name in ("moved", "rows"))
    finding = Finding("activities", moved, 12, "one kept", rows=(3, 5))
    said = finding.sentence(bip_codebook(), language="da")
    assert said == (
        "aktiviteter: borgere med besvarelser fra mere end ét sted (jobcenter) (12, først i "
        "datarækkerne 3, 5); én er beholdt"
    )
    assert where in finding.sentence(bip_codebook())
