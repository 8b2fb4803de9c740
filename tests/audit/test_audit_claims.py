"""Claim files: the report's own, a user's, and faulty ones."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from bipbayes.audit.claims import COLUMNS, check_claims, read_claims
from bipbayes.bip.published import printed_claims
from bipbayes.data.codebook import Codebook
from bipbayes.errors import DataError


def claim(**fields: object) -> dict[str, object]:
    usual = {
        "claim_id": "A1",
        "section": "figure",
        "outcome": "B1",
        "combination": "1000",
        "direction": "positive",
        "significant": "true",
    }
    return usual | fields


def test_the_reports_own_claims(codebook: Codebook) -> None:
    """Catches claims lost on the way, or numbers that lose their printed decimals."""
    claims = printed_claims(codebook)
    assert list(claims.columns) == list(COLUMNS)
    assert len(claims) == 284
    sizes = claims.set_index("claim_id")["effect_size"]
    assert (sizes["F03-01"], sizes["F13-01"]) == ("-0.15", "-0.2")
    assert claims["combination"].str.len().max() == len("1***|*1**")


def test_a_users_file_with_semicolons(tmp_path: Path, codebook: Codebook) -> None:
    """Catches a user's Danish CSV refused, or its decimal comma and capitals misread."""
    path = tmp_path / "claims.csv"
    path.write_text(
        "claim_id;outcome;combination;direction;significant;effect_size\n"
        "A1;B1;0100;Positive;TRUE;0,15\n",
        encoding="utf-8",
    )
    claims = read_claims(path, codebook)
    row = claims.iloc[0]
    assert (row["direction"], row["significant"], row["effect_size"]) == (
        "positive",
        "true",
        "0.15",
    )
    assert row["combination"] == "0100"
    assert row["note"] == ""


def test_typed_numbers_keep_their_decimals(codebook: Codebook) -> None:
    """Catches 6.0 from a typed file taken for a number printed with one decimal."""
    frame = pd.DataFrame([claim(places_moved=6.0, effect_size=-0.15), claim(claim_id="A2")])
    claims = check_claims(frame, codebook)
    assert list(claims["places_moved"]) == ["6", ""]
    assert claims["effect_size"].iloc[0] == "-0.15"


def test_all_faults_are_named_at_once(codebook: Codebook) -> None:
    """Catches a check that stops at the first fault, or one that is not made at all."""
    frame = pd.DataFrame(
        [
            claim(),
            claim(),
            claim(claim_id=""),
            claim(claim_id="A3", outcome="B99"),
            claim(claim_id="A4", combination="100"),
            claim(claim_id="A5", combination="1x00"),
            claim(claim_id="A6", direction="upwards"),
            claim(claim_id="A7", significant="maybe"),
            claim(claim_id="A8", quantifier="loads"),
            claim(claim_id="A9", scope="global"),
            claim(claim_id="A10", combination="1***"),
            claim(claim_id="A11", effect_size="large"),
            claim(claim_id="A12", places_moved="few"),
            claim(claim_id="A13", direction="not_negative"),
        ]
    )
    with pytest.raises(DataError) as caught:
        check_claims(frame, codebook, name="mine.csv")
    text = str(caught.value)
    assert text.startswith("mine.csv cannot be audited:")
    parts = [
        "repeat an id ('A1')",
        "'claim_id': 1 row empty",
        "'B99'",
        "'100' has 3 digits",
        "'1x00' holds other signs",
        "'direction': 1 row hold 'upwards'",
        "'significant': 1 row hold 'maybe'",
        "'quantifier': 1 row hold 'loads'",
        "'scope': 1 row hold 'global'",
        "without saying of how many ('A10')",
        "'effect_size': 1 row hold no number ('large')",
        "'places_moved': 1 row hold no number ('few')",
        "deny a direction and state a significance ('A13')",
    ]
    assert [part for part in parts if part not in text] == []
    assert text.count("\n  - ") == len(parts)


def test_missing_columns_and_empty_files(codebook: Codebook) -> None:
    """Catches a KeyError in place of a sentence."""
    with pytest.raises(DataError, match="'significant' is missing"):
        check_claims(pd.DataFrame([claim()]).drop(columns="significant"), codebook)
    with pytest.raises(DataError, match="no claim in it"):
        check_claims(pd.DataFrame([claim()]).iloc[:0], codebook)


def test_claims_of_another_study(codebook: Codebook, small_codebook: Codebook) -> None:
    """Catches a check that counts on four treatments or on BIP's codes."""
    frame = pd.DataFrame([claim(outcome="Q*", combination="1*", quantifier="all")])
    assert len(check_claims(frame, small_codebook)) == 1
    with pytest.raises(DataError, match="does not know"):
        check_claims(frame, codebook)
