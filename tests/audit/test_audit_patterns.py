"""Patterns of claims against enumeration."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from bipbayes.audit.statements import (
    claim_kind,
    combination_faults,
    expand_combinations,
    expand_outcomes,
    statements,
)
from bipbayes.bip.published import printed_claims
from bipbayes.data.codebook import Codebook


@pytest.mark.parametrize(
    ("text", "excludes"),
    [
        ("0101", ""),
        ("****", "0000 1000 1101"),
        ("1***|*1**", ""),
        ("***1", "0001"),
        ("****", "1***"),
    ],
)
def test_combinations_agree_with_shell_patterns(
    codebook: Codebook, text: str, excludes: str
) -> None:
    """Catches a union taken as an intersection, an exception ignored, an order changed."""
    expected = tuple(
        code
        for code in codebook.combinations
        if any(fnmatchcase(code, part.replace("*", "?")) for part in text.split("|"))
        and not any(fnmatchcase(code, part.replace("*", "?")) for part in excludes.split())
    )
    assert expand_combinations(text, excludes, codebook) == expected


def test_numbers_of_combinations(codebook: Codebook) -> None:
    """Catches a star read as 1 only: the counts follow from the report's text."""
    sizes = {
        text: len(expand_combinations(text, "", codebook)) for text in ("1***", "1***|*1**", "****")
    }
    assert sizes == {"1***": 8, "1***|*1**": 12, "****": 16}


def test_outcomes_are_resolved_by_the_codebook(
    codebook: Codebook, small_codebook: Codebook
) -> None:
    """Catches "all indicators" that includes their averages, or counts on the letters B and S."""
    assert expand_outcomes("*", codebook) == codebook.indicator_codes
    assert expand_outcomes("S*", codebook) == tuple(f"S{place}" for place in range(2, 13))
    assert expand_outcomes("S1*", codebook) == ("S10", "S11", "S12")
    assert expand_outcomes("citizen_mean", codebook) == ("citizen_mean",)
    assert expand_outcomes("citizen*", codebook) == ("citizen_mean",)
    assert expand_outcomes("B10", codebook) == ()
    assert expand_outcomes("Q*", small_codebook) == ("Q1", "Q2")
    assert expand_combinations("1*", "", small_codebook) == ("10", "11")


@pytest.mark.parametrize(
    ("text", "excludes", "part"),
    [
        ("101", "", "3 digits"),
        ("10x1", "", "other signs"),
        ("1***", "1***", "leaves no combination"),
        ("1***|", "", "0 digits"),
        ("1***", "0", "1 digits"),
    ],
)
def test_bad_patterns_are_named(codebook: Codebook, text: str, excludes: str, part: str) -> None:
    """Catches patterns that silently mean nothing."""
    faults = combination_faults(text, excludes, codebook)
    assert len(faults) == 1
    assert part in faults[0]


def test_what_the_quantifiers_count(codebook: Codebook) -> None:
    """Catches a quantifier that runs over the wrong dimension of the summary's statements."""
    found = {entry.claim_id: entry for entry in statements(printed_claims(codebook), codebook)}
    over = {name: found[name].over for name in ("F03-04", "SUM-10", "SUM-13", "SUM-15", "SUM-16")}
    assert over == {
        "F03-04": "combinations",
        "SUM-10": "outcomes",
        "SUM-13": "pairs",
        "SUM-15": "combinations",
        "SUM-16": "outcomes",
    }
    assert sum(entry.is_joint for entry in found.values()) == 35
    assert len(found["SUM-16"].combinations) == 14
    assert found["SUM-14"].outside == tuple(
        code for code in codebook.combinations if code[0] == "0" and code != "0000"
    )


def test_otherwise_does_not_mean_the_named_setbacks(codebook: Codebook) -> None:
    """Catches SUM-13 ("otherwise ... no setback") refuted by the setbacks named just before it."""
    found = {entry.claim_id: entry for entry in statements(printed_claims(codebook), codebook)}
    active = {key for key in found["SUM-13"].excepted if key[1] != "0000"}
    assert active == {("B2", "0010"), ("S4", "0010"), ("S7", "0100"), ("S12", "0010")}
    assert not found["F23-17"].excepted


@pytest.mark.parametrize(
    ("direction", "significant", "kind"),
    [
        ("positive", "true", "significant"),
        ("negative", "unstated", "direction"),
        ("positive", "false", "hedged"),
        ("none", "false", "insignificant"),
        ("none", "true", "some_effect"),
        ("none", "unstated", "nothing"),
        ("not_negative", "unstated", "no_opposite"),
    ],
)
def test_kinds(direction: str, significant: str, kind: str) -> None:
    """Catches a claim of no significance read as a claim of a sign."""
    assert claim_kind(direction, significant) == kind
