"""The whole audit on hand-made intervals and draws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from bipbayes.audit.claims import check_claims
from bipbayes.audit.evidence import AuditSettings
from bipbayes.audit.verdicts import audit_claims, audit_columns
from bipbayes.bip.published import printed_claims
from bipbayes.errors import SettingsError
from bipbayes.intervals import interval_frame


@pytest.fixture(scope="module")
def report_audit(codebook, bip_evidence):
    frame, draws = bip_evidence
    return audit_claims(printed_claims(codebook), frame, draws, codebook, level=0.95)


def small_claims(codebook, *rows):
    names = ("claim_id", "outcome", "combination", "direction", "significant", "quantifier")
    return check_claims(pd.DataFrame(rows, columns=names), codebook)


def test_one_row_a_claim_with_every_word(report_audit, codebook) -> None:
    """Catches claims lost or doubled, and columns that depend on the data."""
    claims = printed_claims(codebook)
    assert list(report_audit["claim_id"]) == list(claims["claim_id"])
    assert list(report_audit.columns) == [*claims.columns, *audit_columns()]
    words = report_audit.filter(regex="^(effect|contrast)_verdict_")
    assert words.shape[1] == 2 * 6
    assert words.notna().all(axis=None)


def test_claims_on_no_intervention_cannot_be_checked_in_the_contrast(report_audit) -> None:
    """Catches a contrast of no intervention with itself reported as an estimate."""
    own = report_audit["combination"].eq("0000")
    words = report_audit.filter(regex="^contrast_verdict_")
    assert words[own].eq("not checkable").all(axis=None)
    assert words[~own].ne("not checkable").all(axis=None)
    assert report_audit.loc[own, "contrast_estimates"].eq(0).all()
    assert report_audit["effect_verdict_posterior"].ne("not checkable").all()


def test_numbers_beside_the_words_are_those_of_the_estimate(report_audit, bip_evidence) -> None:
    """Catches a claim that is read from a neighbour's interval."""
    frame, draws = bip_evidence
    row = report_audit.set_index("claim_id").loc["F17-02"]  # S5, 1110, positive, significant
    keys = (frame["outcome"] == "S5") & (frame["combination"] == "1110")
    for estimand in ("effect", "contrast"):
        here = frame[keys & (frame["estimand"] == estimand)]
        ols = here[here["vcov"] == "classical"].iloc[0]
        posterior = here[here["source"] == "posterior"].iloc[0]
        assert row[f"{estimand}_ols_estimate"] == ols["estimate"]
        assert row[f"{estimand}_ols_p_holm"] == ols["p_holm"]
        assert row[f"{estimand}_posterior_upper"] == posterior["upper"]
        assert row[f"{estimand}_p_direction"] == posterior["p_positive"]
        assert row[f"{estimand}_p_wrong_sign"] == 1 - posterior["p_positive"]
        one = draws[estimand].sel(outcome="S5", combination="1110")
        assert row[f"{estimand}_p_beyond"] == float((one > 0.1).mean())


def test_joint_claim_is_answered_from_the_draws(report_audit, bip_evidence, codebook) -> None:
    """Catches tendency rows answered outcome by outcome."""
    _, draws = bip_evidence
    row = report_audit.set_index("claim_id").loc["F17-03"]  # S5, all combinations with J positive
    with_job = [code for code in codebook.combinations if code[0] == "1"]
    chosen = draws["effect"].sel(outcome="S5", combination=with_job)
    assert row["effect_p_joint"] == float((chosen > 0).all("combination").mean())
    assert row["effect_p_beyond"] == float((chosen > 0.1).any("combination").mean())
    assert row["effect_estimates"] == 8
    assert 0 < row["effect_p_joint"] < 1


def test_order_of_rows_does_not_matter(report_audit, bip_evidence, codebook) -> None:
    """Catches positions used for labels, in the frame, in the draws and in the claims."""
    frame, draws = bip_evidence
    rng = np.random.default_rng(3)
    shuffled = {
        name: array.isel(
            outcome=rng.permutation(array.sizes["outcome"]),
            combination=rng.permutation(array.sizes["combination"]),
        )
        for name, array in draws.items()
    }
    claims = printed_claims(codebook).sample(frac=1, random_state=2)
    again = audit_claims(
        claims, frame.sample(frac=1, random_state=1), shuffled, codebook, level=0.95
    )
    assert list(again["claim_id"]) == list(claims["claim_id"])
    pd.testing.assert_frame_equal(
        again.set_index("claim_id").sort_index(),
        report_audit.set_index("claim_id").sort_index(),
        check_dtype=False,
    )


def test_readings_differ_where_errors_differ(small_codebook, rows) -> None:
    """Catches clustered errors, Holm or BH read from the classical interval."""
    values = {("Q1", "01"): 0.25}
    frame = interval_frame(
        pd.concat(
            [
                rows(values, se=0.1, adjusted=5.0),  # p 0.012; Holm 0.06, BH 0.03
                rows(values, se=0.2, vcov="cluster_citizen"),
                rows({("Q1", "01"): -0.25}, se=0.1, vcov="cluster_jobcenter"),
                rows({("Q1", "01"): 0.01}, se=0.1, source="posterior", vcov="citizen"),
            ]
        )
    )
    claims = small_claims(small_codebook, ("A1", "Q1", "01", "positive", "true", ""))
    audit = audit_claims(claims, frame, {}, small_codebook, level=0.95).iloc[0]
    found = {
        name: audit[f"effect_verdict_{name}"]
        for name in ("classical", "cluster_citizen", "cluster_jobcenter", "holm", "bh", "posterior")
    }
    assert found == {
        "classical": "upheld",
        "cluster_citizen": "weakened",
        "cluster_jobcenter": "reversed",
        "holm": "weakened",
        "bh": "upheld",
        "posterior": "not supported",
    }
    assert audit["contrast_verdict_classical"] == "not checkable"  # no contrast in the frame


def test_estimates_without_error_are_not_checkable(small_codebook, rows) -> None:
    """Catches a claim upheld by an estimate whose changes are all alike: it has no interval."""
    frame = rows({("Q1", "01"): 0.4, ("Q1", "10"): 0.4}, se=0.1)
    alike = frame["combination"].eq("01")
    frame.loc[alike, ["se", "lower", "upper", "p_value", "p_holm", "p_bh"]] = np.nan
    claims = small_claims(
        small_codebook,
        ("A1", "Q1", "01", "positive", "true", ""),
        ("A2", "Q1", "10", "positive", "true", ""),
        ("A3", "Q1", "01", "positive", "false", ""),
    )
    audit = audit_claims(claims, interval_frame(frame), {}, small_codebook, level=0.95)
    for name in ("classical", "holm", "bh"):
        words = list(audit[f"effect_verdict_{name}"])
        assert words == ["not checkable", "upheld", "not checkable"], name


def test_joint_claims_without_draws_or_estimates(small_codebook, rows) -> None:
    """Catches a joint probability made up where there are no joint draws."""
    frame = interval_frame(rows({("Q1", "10"): 0.3, ("Q1", "11"): 0.2}))
    claims = small_claims(
        small_codebook,
        ("A1", "Q1", "1*", "positive", "unstated", "all"),
        ("A2", "Q2", "1*", "positive", "unstated", "all"),
    )
    audit = audit_claims(claims, frame, {}, small_codebook, level=0.95)
    assert list(audit["effect_verdict_classical"]) == ["upheld", "not checkable"]
    assert list(audit["effect_verdict_posterior"]) == ["not checkable"] * 2
    assert audit["effect_reason"].iloc[0] == "no joint draws"


def test_reference_is_left_out_of_a_joint_contrast(small_codebook, rows, make_draws) -> None:
    """Catches the reference's zero counted as an estimate in "all combinations"."""
    values = {("Q1", code): value for code, value in (("01", 0.3), ("10", 0.4), ("11", 0.5))}
    frame = interval_frame(
        pd.concat(
            [
                rows(values, estimand="contrast"),
                rows(values),
                rows(values, estimand="contrast", source="posterior", vcov="citizen"),
            ]
        )
    )
    draws = {"contrast": make_draws({**values, ("Q1", "00"): 0.0}, se=0.01)}
    draws["contrast"].loc[{"combination": "00"}] = 0.0
    claims = small_claims(small_codebook, ("A1", "Q1", "**", "positive", "unstated", "all"))
    audit = audit_claims(claims, frame, draws, small_codebook, level=0.95).iloc[0]
    assert audit["contrast_estimates"] == 3
    assert audit["contrast_p_joint"] == 1.0
    assert audit["contrast_verdict_posterior"] == "upheld"


@pytest.mark.parametrize(
    ("direction", "significant", "expected"),
    [
        ("positive", "unstated", 0.0),
        ("negative", "unstated", 1.0),
        ("not_negative", "unstated", 1.0),
        ("not_positive", "unstated", 0.0),
        ("none", "false", 1.0),
    ],
)
def test_a_large_effect_is_looked_for_where_the_claim_has_it(
    small_codebook, rows, make_draws, direction, significant, expected
) -> None:
    """Catches "no setback" held against progress, and absence against one side alone.

    All draws lie near -0.3, beyond the stated size of 0.1 on the negative side.
    """
    values = {("Q1", "01"): -0.3}
    claims = small_claims(small_codebook, ("A1", "Q1", "01", direction, significant, ""))
    draws = {"effect": make_draws(values, se=0.01)}
    audit = audit_claims(
        claims, interval_frame(rows(values, se=0.01)), draws, small_codebook, level=0.95
    )
    assert audit["effect_p_beyond"].iloc[0] == expected


def test_without_a_claimed_sign_the_likelier_one_counts(small_codebook, rows) -> None:
    """Catches a setback whose probability is given as that of progress."""
    values = {("Q1", "01"): -0.3, ("Q1", "10"): 0.1}
    posterior = rows(values, se=0.1, source="posterior", vcov="citizen")
    claims = small_claims(
        small_codebook,
        ("A1", "Q1", "01", "none", "false", ""),
        ("A2", "Q1", "10", "none", "false", ""),
    )
    frame = interval_frame(pd.concat([rows(values), posterior]))
    audit = audit_claims(claims, frame, {}, small_codebook, level=0.95)
    assert audit["effect_p_direction"].tolist() == pytest.approx(norm.cdf([3, 1]).tolist())


def test_estimates_inside_a_pattern_are_counted_by_side(small_codebook, rows) -> None:
    """Catches intervals on the other side counted on the claimed one, and signs from intervals."""
    sizes = {"00": -0.4, "01": 0.3, "10": -0.3, "11": 0.05}
    values = {("Q1", code): size for code, size in sizes.items()}
    claims = small_claims(small_codebook, ("A1", "Q1", "**", "positive", "unstated", "all"))
    frame = interval_frame(rows(values, se=0.1))
    audit = audit_claims(claims, frame, {}, small_codebook, level=0.95).iloc[0]
    counts = [audit[f"effect_ols_{name}"] for name in ("right_sign", "significant", "opposite")]
    assert counts == [2, 1, 2]


def test_printed_sizes(report_audit, codebook, rows) -> None:
    """Catches a size compared in the wrong units, sign or rounding."""
    values = {
        ("citizen_mean", "0000"): -0.146,
        ("citizen_mean", "1101"): 0.47,
        ("caseworker_mean", "0000"): -0.28,
    }
    frame = interval_frame(
        pd.concat(
            [
                rows(values, se=0.01),
                rows(
                    {key: 0.5 * value for key, value in values.items()},
                    se=0.01,
                    source="posterior",
                    vcov="citizen",
                ),
            ]
        )
    )
    claims = printed_claims(codebook)
    claims = claims[claims["claim_id"].isin(["F03-01", "F03-05", "F13-01"])]
    audit = audit_claims(claims, frame, {}, codebook, level=0.95).set_index("claim_id")
    assert list(audit["effect_size_ols_within_rounding"].dropna()) == [True, False]
    assert audit.loc["F03-01", "effect_size_ols_verdict"] == "upheld"
    assert audit.loc["F03-01", "effect_size_posterior_verdict"] == "weakened"
    assert audit.loc["F03-01", "places_moved_printed"] == -6
    assert audit.loc["F03-05", "places_moved_ols"] == pytest.approx(18.08, abs=0.01)
    assert bool(audit.loc["F03-05", "places_moved_ols_within_rounding"])
    assert not bool(audit.loc["F13-01", "places_moved_ols_within_rounding"])
    assert audit.loc["F13-01", "effect_size_ols_verdict"] == "not supported"


def test_settings_that_make_no_sense(codebook, bip_evidence, small_codebook, rows) -> None:
    """Catches a level or a fit taken silently that was not asked for."""
    frame, draws = bip_evidence
    claims = printed_claims(codebook)
    with pytest.raises(SettingsError, match=r"at level 0\.9"):
        audit_claims(claims, frame, draws, codebook, level=0.9)
    other = frame[frame["source"] == "posterior"].assign(model="factorial")
    two = pd.concat([frame, other], ignore_index=True)
    with pytest.raises(SettingsError, match="'model'"):
        audit_claims(claims, two, draws, codebook, level=0.95)
    chosen = AuditSettings(model="hierarchical")
    audit = audit_claims(claims.iloc[:3], two, draws, codebook, level=0.95, settings=chosen)
    assert len(audit) == 3


def test_beyond_and_likely_move_the_words(small_codebook, rows) -> None:
    """Catches options that are accepted and ignored."""
    values = {("Q1", "01"): 0.15}
    frame = interval_frame(
        pd.concat(
            [rows(values, se=0.01), rows(values, se=0.13, source="posterior", vcov="citizen")]
        )
    )
    claims = small_claims(
        small_codebook,
        ("A1", "Q1", "01", "none", "false", ""),
        ("A2", "Q1", "01", "positive", "true", ""),
    )
    wide = audit_claims(claims, frame, {}, small_codebook, level=0.95, beyond=0.3)
    narrow = audit_claims(claims, frame, {}, small_codebook, level=0.95, beyond=0.1)
    assert wide["effect_verdict_classical"].iloc[0] == "weakened"
    assert narrow["effect_verdict_classical"].iloc[0] == "reversed"
    assert wide["beyond"].eq(0.3).all()
    strict = audit_claims(
        claims, frame, {}, small_codebook, level=0.95, settings=AuditSettings(likely=0.9)
    )
    assert narrow["effect_verdict_posterior"].iloc[1] == "weakened"
    assert strict["effect_verdict_posterior"].iloc[1] == "not supported"
