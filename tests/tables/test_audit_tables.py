"""Tables of the audit."""

from __future__ import annotations

import pandas as pd
import pytest

from bipbayes.audit.design import design_analysis, design_by_combination
from bipbayes.audit.rules import WORDS
from bipbayes.bip.facts import bip_codebook
from bipbayes.bip.published import published_against_reproduced, published_counts, published_table
from bipbayes.tables.audit_tables import audit_counts_table, claims_table, design_table
from bipbayes.tables.layout import Table
from bipbayes.tables.write import write_tables
from bipbayes.wording import Context


@pytest.fixture
def audit() -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "claim_id": [f"A{place}" for place in range(5)],
            "outcome": ["B1", "B2", "B3", "*", "S2"],
            "combination": ["1000", "0100", "0010", "1***", "0000"],
            "direction": ["positive", "negative", "none", "positive", "negative"],
            "significant": ["true", "unstated", "false", "unstated", "true"],
            "kind": ["significant", "direction", "insignificant", "direction", "significant"],
            "effect_p_direction": [0.97, 0.85, 0.3, None, 0.9999],
            "effect_p_joint": [None, None, None, 0.42, None],
        }
    )
    for name in ("classical", "holm", "posterior"):
        frame[f"effect_verdict_{name}"] = list(WORDS)
    return frame.assign(contrast_verdict_posterior=list(reversed(WORDS)))


def tables(audit: pd.DataFrame, language: str) -> list[Table]:
    context = Context(bip_codebook(), synthetic=True, language=language)
    ols = pd.DataFrame(
        {
            "source": "ols",
            "vcov": "classical",
            "estimand": "effect",
            "outcome": ["B1", "B2"],
            "combination": "1101",
            "n": [24.0, 26.0],
            "se": [0.2, 0.22],
        }
    )
    nothing = pd.DataFrame(
        {"table": ["1"], "row": ["B1"], "group": ["n_progression"], "value": 5.0}
    )
    return [
        claims_table(audit, context),
        audit_counts_table(audit, context),
        design_table(design_by_combination(design_analysis(ols, level=0.95)), context, level=0.95),
        published_table(published_counts(published_against_reproduced(nothing)), context),
    ]


@pytest.mark.parametrize("language", ["en", "da"])
def test_tables_are_complete_and_written(audit, language: str, tmp_path) -> None:
    """Catches columns without a body, and tables on synthetic data that do not say so."""
    made = tables(audit, language)
    for table in made:
        assert {column.key for column in table.columns} <= set(table.body.columns)
        assert {"en": "Synthetic data", "da": "Syntetiske data"}[language] in table.caption
        assert not any("{" in text for text in (table.caption, *table.notes))
    context = Context(bip_codebook(), synthetic=True, language=language)
    assert len(write_tables(made, tmp_path, context=context)) == 3 * len(made)


def test_probabilities_and_words(audit) -> None:
    """Catches joint statements without their probability, and a sign's where none is claimed."""
    claims, counts, design, published = tables(audit, "en")
    assert list(claims.body["probability"]) == ["0.97", "0.85", "", "0.42", ">0.99"]
    assert list(claims.body["effect_verdict_classical"]) == list(WORDS)
    assert counts.body[list(WORDS)].eq("1").all(axis=None)
    assert list(counts.body["reading"])[-1] == "Contrast with no intervention: Posterior"
    assert list(design.body["true_effect"]) == ["0.05", "0.10", "0.20"]
    assert set(design.body["n"]) == {"25"}
    last = published.body.iloc[-1]
    assert (last["numbers"], last["outside rounding"]) == ("507", "1")
