"""Counts of words and the paragraph made of them."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from bipbayes.audit.rules import WORDS
from bipbayes.audit.verdicts import abstract_sentences, audit_claims, audit_counts, beside_baseline
from bipbayes.bip.published import printed_claims
from bipbayes.wording import Context


@pytest.fixture(scope="module")
def audit(codebook, bip_evidence):
    frame, draws = bip_evidence
    return audit_claims(printed_claims(codebook), frame, draws, codebook, level=0.95)


def test_counts_cover_every_claim_once(audit) -> None:
    """Catches claims counted twice or dropped, and words that are missing where they count none."""
    counts = audit_counts(audit)
    everything = counts[counts["kind"] == "all"]
    assert everything.groupby(["estimand", "reading"])["claims"].sum().eq(284).all()
    by_kind = counts[counts["kind"] != "all"].groupby(["estimand", "reading", "word"])["claims"]
    pd.testing.assert_series_equal(
        by_kind.sum().sort_index(),
        everything.set_index(["estimand", "reading", "word"])["claims"].sort_index(),
    )
    assert set(counts["word"]) == set(WORDS)
    assert len(counts) == 2 * 6 * 5 * (1 + audit["kind"].nunique())


def paragraph(audit: pd.DataFrame, context: Context) -> str:
    return " ".join(abstract_sentences(audit, context))


@pytest.mark.parametrize("language", ["en", "da"])
def test_every_number_of_the_paragraph_is_counted(audit, codebook, language: str) -> None:
    """Catches a number typed by hand, or one language that lags behind the other.

    And statements that were not checkable, counted among those of their kind.
    """
    regions = np.where(np.arange(len(audit)) % 2, "inside", "open")  # upheld or not
    audit = audit.assign(effect_region=regions)
    lost = audit.groupby("significant").head(2).index
    audit.loc[lost, "effect_verdict_posterior"] = "not checkable"
    text = paragraph(audit, Context(codebook, True, language))
    found = [float(part.replace(",", ".")) for part in re.findall(r"\d+(?:[.,]\d+)?", text)]
    effect = audit["effect_verdict_posterior"].value_counts()
    contrast = audit["contrast_verdict_posterior"].value_counts()
    checkable = audit["effect_verdict_posterior"].ne("not checkable")
    silent = audit["significant"].eq("false") & checkable
    upheld = audit["effect_verdict_posterior"].eq("upheld")
    words = ("upheld", "weakened", "not supported", "reversed")
    ols = [
        (audit[f"effect_verdict_{name}"] == "upheld").sum()
        for name in ("classical", "cluster_citizen", "cluster_jobcenter", "holm", "bh")
    ]
    tail = [effect.get(word, 0) for word in words]
    expected = [284, checkable.sum(), *ols, *tail]
    crv = found.index(3.0, len(expected) - len(tail) - 3)  # the 3 of "CRV3" is no count
    del found[crv]
    said = audit["significant"].eq("true") & audit["kind"].eq("significant") & checkable
    inside = audit["effect_region"].eq("inside")
    parts = [(audit["kind"].eq(kind) & checkable).sum() for kind in ("insignificant", "hedged")]
    assert sum(parts) == silent.sum()
    expected += [said.sum(), (said & upheld).sum(), silent.sum(), *parts]
    expected += [(silent & upheld).sum()]
    expected += [(silent & upheld & inside).sum(), 95, 0.1]
    expected += [(audit["contrast_verdict_posterior"] != "not checkable").sum()]
    expected += [contrast.get(word, 0) for word in words]
    assert found == [float(value) for value in expected]


def test_one_statement_is_no_statements(audit, codebook) -> None:
    """Catches the words for many beside a count of one."""
    one = audit[audit["kind"].eq("significant")].head(1)
    one = one.assign(effect_verdict_posterior="upheld", contrast_verdict_posterior="upheld")
    text = paragraph(beside_baseline(one, one), Context(codebook, False))
    assert not re.search(r"\b1 (\w+ )?(statements|are|stay|verdicts|that say)\b", text)
    assert "Of 1 statement, 1 could" in text and "1 stays upheld" in text


def test_synthetic_data_are_called_so(audit, codebook) -> None:
    """Catches a paragraph on synthetic data that could be quoted as a finding on Denmark."""
    assert paragraph(audit, Context(codebook, True)).endswith("audit the method, not Denmark.")
    assert "synthetic" not in paragraph(audit, Context(codebook, False))
    danish = paragraph(audit, Context(codebook, True, "da"))
    assert danish.endswith("metoden, ikke Danmark.")


@pytest.mark.parametrize("language", ["en", "da"])
def test_verdicts_at_the_same_previous_answer_stand_beside(audit, codebook, language: str) -> None:
    """Catches the plain verdict shown twice, effects taken for contrasts, and counts of either."""
    plain, none = "effect_verdict_posterior", "contrast_verdict_posterior"
    adjusted = audit.copy()
    first, second, third = audit.index[audit[plain].eq("upheld")][:3]
    lost = audit.index[audit[none].eq("upheld")][0]
    gained = audit.index[audit[plain].eq("weakened")][0]
    adjusted.loc[[first, second, third], plain] = "reversed"
    adjusted.loc[gained, plain] = "upheld"
    adjusted.loc[lost, none] = "weakened"
    adjusted["effect_posterior_estimate"] += 1.0
    both = beside_baseline(audit, adjusted)
    assert both["effect_verdict_baseline"].equals(adjusted[plain].rename("effect_verdict_baseline"))
    pd.testing.assert_series_equal(
        both["effect_baseline_estimate"],
        audit["effect_posterior_estimate"] + 1.0,
        check_names=False,
    )
    assert both[plain].equals(audit[plain])
    upheld, against = int(audit[plain].eq("upheld").sum()), int(audit[none].eq("upheld").sum())
    text = paragraph(both, Context(codebook, False, language))
    plain_text = paragraph(audit, Context(codebook, False, language))
    start = 0
    while text[start] == plain_text[start]:
        start += 1
    counts = [int(part) for part in re.findall(r"\d+", text[start:])]
    stay, none_stay = [upheld, upheld - 3], [against, against - 1]
    if language == "da":
        stay, none_stay = stay[::-1], none_stay[::-1]
    assert counts == [*stay, upheld - 2, 4, *none_stay]
    assert "--adjust baseline" in text and "--adjust baseline" in plain_text
    readings = set(audit_counts(both)["reading"])
    assert "baseline" in readings
