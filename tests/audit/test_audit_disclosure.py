"""What the audit shows of real data, and of estimates behind which nobody stands."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bipbayes.audit.verdicts import audit_claims, beside_baseline
from bipbayes.bip.published import printed_claims
from bipbayes.disclosure.audit import protected_audit
from bipbayes.disclosure.small_cells import TOO_FEW, blank_small_cells
from bipbayes.intervals import PRIOR_DRIVEN, interval_frame

CELL = ("S5", "1110")


@pytest.fixture(scope="module")
def small(codebook, bip_evidence) -> pd.DataFrame:
    """The evidence with four citizens in one cell, 90 in the next smallest."""
    frame, _ = bip_evidence
    here = (frame["outcome"] == CELL[0]) & (frame["combination"] == CELL[1])
    kept = (frame["outcome"] == CELL[0]) & (frame["combination"] == "1001")
    citizens = frame["n_citizens"].mask(here, 4.0).mask(kept, 79.0)
    return frame.assign(n_citizens=citizens)


@pytest.fixture(scope="module")
def audit(codebook, bip_evidence, small) -> pd.DataFrame:
    return audit_claims(printed_claims(codebook), small, bip_evidence[1], codebook, level=0.95)


def test_claims_are_blank_where_the_comparison_is(audit, small, codebook) -> None:
    """Catches the cell that hides a small one printed by the audit, and so the small one.

    Also where it is printed at the same previous answer only.
    """
    audit = beside_baseline(audit, audit)
    table = blank_small_cells(small, minimum_count=5, no_treatment=codebook.no_treatment).frame
    shown = protected_audit(audit, table, minimum_count=5)
    gone = table[table["estimate"].isna()]
    hidden = set(zip(gone["outcome"], gone["combination"], strict=True))
    assert hidden == {CELL, (CELL[0], "1001")}
    keys = list(zip(shown["outcome"], shown["combination"], strict=True))
    blank = np.array([key in hidden for key in keys])
    assert blank.sum() >= 2
    numbers = shown.filter(regex="^(effect|contrast)_").select_dtypes("number")
    words = shown.filter(regex="^(effect|contrast)_verdict_")
    assert numbers[blank].drop(columns="effect_size_printed", errors="ignore").isna().all(axis=None)
    assert {"effect_baseline_estimate", "contrast_baseline_lower"} <= set(numbers)
    assert {"effect_verdict_baseline", "contrast_verdict_baseline"} <= set(words)
    assert words[blank].eq("not checkable").all(axis=None)
    assert shown.loc[blank, "effect_reason"].eq(TOO_FEW.format(count=5)).all()
    pd.testing.assert_frame_equal(
        shown[~blank].astype(audit.dtypes.to_dict()), audit[~blank], check_dtype=False
    )


def test_places_moved_go_with_their_estimate(codebook, bip_evidence) -> None:
    """Catches an estimate that is blank but can be read from the places it moves."""
    frame, draws = bip_evidence
    here = (frame["outcome"] == "citizen_mean") & (frame["combination"] == "1101")
    few = frame.assign(n_citizens=frame["n_citizens"].mask(here, 4.0))
    audit = audit_claims(printed_claims(codebook), frame, draws, codebook, level=0.95)
    table = blank_small_cells(few, minimum_count=5, no_treatment=codebook.no_treatment).frame
    before, after = (
        rows.set_index("claim_id").loc["F03-05"]
        for rows in (audit, protected_audit(audit, table, minimum_count=5))
    )
    assert before["places_moved_printed"] == after["places_moved_printed"] == 18
    for source in ("ols", "posterior"):
        assert np.isfinite(before[f"places_moved_{source}"])
        assert np.isnan(after[f"places_moved_{source}"])
        assert after[f"places_moved_{source}_verdict"] == "not checkable"


def test_the_prior_alone_upholds_nothing(bip_evidence, codebook) -> None:
    """Catches a statement called upheld by an estimate without any response."""
    frame, draws = bip_evidence
    here = (frame["outcome"] == CELL[0]) & (frame["combination"] == CELL[1])
    note = frame["note"].mask(here & (frame["source"] == "posterior"), PRIOR_DRIVEN)
    silent = interval_frame(frame.assign(note=note).drop(columns="places_moved"))
    claims = printed_claims(codebook)
    before, after = (
        audit_claims(claims, rows, draws, codebook, level=0.95).set_index("claim_id")
        for rows in (frame, silent)
    )
    own = (after["outcome"] == CELL[0]) & (after["combination"] == CELL[1])
    assert own.any()
    assert before.loc[own, "effect_verdict_posterior"].ne("not checkable").all()
    assert after.loc[own, "effect_verdict_posterior"].eq("not checkable").all()
    assert after.loc[own, "effect_reason"].eq("no response stands behind the estimate").all()
    assert after.loc[own, "effect_p_beyond"].isna().all()
    joint = before["effect_p_joint"].notna() & before["outcome"].eq(CELL[0])
    counted = ["effect_posterior_significant", "effect_posterior_opposite"]
    assert (after.loc[joint, counted] <= before.loc[joint, counted]).all(axis=None)
    other = before["outcome"].ne(CELL[0]) & before["effect_p_joint"].isna()
    pd.testing.assert_frame_equal(after[other], before[other])
