"""The solved targets: feasible, near their pattern, and the stored ones."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.stats import norm

from bipbayes.bip.calibrated_design import groups_of_combinations, published
from bipbayes.bip.claims import Verdicts, claim_holds, report_claims, unmet_claims
from bipbayes.bip.facts import bip_codebook, fact, jobcenter_table, nominal_sd, target_effects
from bipbayes.bip.solving.targets import nearest, shortest, solve_jobcenter_table, solve_targets
from bipbayes.errors import SettingsError


def _expected_n() -> np.ndarray:
    facts = published()
    return np.outer(facts.answers, facts.combinations) / facts.combinations.sum()


def _p_values(effects: pd.DataFrame) -> pd.DataFrame:
    return 2 * norm.sf(effects.abs() * np.sqrt(_expected_n()))


def test_stored_targets_are_what_the_program_gives() -> None:
    """Catches stored targets of an older program or of other claims."""
    again = solve_targets(nominal_sd().to_numpy())
    pd.testing.assert_frame_equal(again, target_effects(), check_names=False, atol=2e-4)


def test_targets_agree_with_all_claims() -> None:
    """Catches targets that the repair could never turn into agreeing data."""
    effects = target_effects()
    p_values = pd.DataFrame(_p_values(effects), index=effects.index, columns=effects.columns)
    assert unmet_claims(effects, p_values, bip_codebook()) == []


def test_targets_are_deviations_from_the_mean() -> None:
    """Catches effects that cannot be those of standardised progression."""
    shares = published().combinations / published().combinations.sum()
    assert (target_effects() @ shares).abs().max() < 2e-4


def test_averages_follow_from_their_members() -> None:
    """Catches averages whose effect their members contradict."""
    effects, sd, codebook = target_effects(), nominal_sd(), bip_codebook()
    for average in codebook.averages:
        members = list(average.members)
        weights = sd[members] / (len(members) * sd[average.code])
        pd.testing.assert_series_equal(
            effects.loc[members].mul(weights, axis=0).sum(),
            effects.loc[average.code],
            check_names=False,
            atol=2e-4,
        )


def test_sweeping_statements_hold_in_stricter_readings() -> None:
    """Catches targets that only a lenient reading of "the vast majority" saves (SUM-16)."""
    indicators = target_effects().loc[list(bip_codebook().indicator_codes)]
    active = indicators.drop(columns=["0000", "0010"])
    assert (active > 0).to_numpy().mean() >= 0.8
    with_job = [name for name in active if name.startswith("1")]
    assert (active[with_job] > 0).to_numpy().mean() > (
        active.drop(columns=with_job) > 0
    ).to_numpy().mean()


def test_nearest_point_against_a_general_solver() -> None:
    """Catches a dual solved wrongly: the same point as a general optimiser's."""
    generator = np.random.default_rng(3)
    center, scale = generator.normal(size=6), generator.uniform(0.5, 2, 6)
    G, h = generator.normal(size=(9, 6)), generator.normal(size=9) - 0.5
    zero = generator.normal(size=(1, 6))
    found = nearest(center, scale, zero=zero, G=G, h=h)
    assert (G @ found - h).min() > -1e-9
    assert abs(zero @ found).max() < 1e-9
    reference = minimize(
        lambda x: (((x - center) / scale) ** 2).sum(),
        np.zeros(6),
        method="SLSQP",
        constraints=[
            {"type": "ineq", "fun": lambda x: G @ x - h},
            {"type": "eq", "fun": lambda x: zero @ x},
        ],
        options={"ftol": 1e-14, "maxiter": 500},
    )
    np.testing.assert_allclose(found, reference.x, atol=1e-5)


def test_contradictions_are_found() -> None:
    """Catches a solver that returns something for inequalities that no point keeps."""
    with pytest.raises(SettingsError, match="contradict"):
        shortest(np.array([[1.0], [-1.0]]), np.array([1.0, 0.0]))


def _fits_tables_3_and_4(table: pd.DataFrame) -> None:
    facts = published()
    assert table.to_numpy().sum(axis=0).tolist() == facts.combinations.tolist()
    groups = table.to_numpy() @ groups_of_combinations(bip_codebook())
    shares = 100 * groups / groups.sum(axis=0)
    assert np.abs(shares - facts.jobcenter_percent).max() < 0.5
    assert table.to_numpy().min() >= 0


def test_stored_jobcenter_table_fits() -> None:
    """Catches a stored table that is not what Tables 3 and 4 print."""
    _fits_tables_3_and_4(jobcenter_table())


def test_jobcenter_program_finds_such_a_table() -> None:
    """Catches a program that no longer makes what is stored."""
    solved = solve_jobcenter_table()
    _fits_tables_3_and_4(solved)
    assert (solved - jobcenter_table()).abs().to_numpy().sum() < 0.03 * 6946


def _verdicts() -> tuple[pd.DataFrame, pd.DataFrame]:
    effects = target_effects()
    p = pd.DataFrame(_p_values(effects), index=effects.index, columns=effects.columns)
    return effects.copy(), p


@pytest.mark.parametrize(
    ("outcome", "combination", "value", "p", "claims"),
    [
        ("B1", "1000", -0.2, 0.0, {"F04-02", "SUM-13"}),
        ("B1", "0001", 0.1, 0.0, {"F04-05"}),
        ("S12", "1111", -0.01, 0.9, {"F24-03", "F24-11"}),
        ("citizen_mean", "0000", -0.16, 0.0, {"F03-01"}),
        ("citizen_mean", "1101", 0.5, 0.0, {"F03-05"}),
        ("S9", "0000", 0.01, 0.9, {"SUM-18"}),
        ("B7", "0010", -0.3, 0.0, {"SUM-13"}),
        ("S11", "0100", -0.3, 0.0, {"F23-05", "F23-17", "SUM-13"}),
    ],
)
def test_one_wrong_estimate_is_noticed(
    outcome: str, combination: str, value: float, p: float, claims: set[str]
) -> None:
    """Catches claims that no estimate can contradict: each kind is broken once."""
    effects, p_values = _verdicts()
    effects.loc[outcome, combination] = value
    p_values.loc[outcome, combination] = p
    assert set(unmet_claims(effects, p_values, bip_codebook())) == claims


def test_tendencies_can_fail() -> None:
    """Catches quantified claims that always hold: with all signs turned nearly all fail."""
    effects, p_values = _verdicts()
    verdicts = Verdicts(-effects.to_numpy(), p_values.to_numpy() < 0.05)
    scope = fact("claims").set_index("claim_id")["scope"]
    claims = [c for c in report_claims(bip_codebook()) if scope[c.states.claim_id] == "tendency"]
    held = [c.states.claim_id for c in claims if claim_holds(c, verdicts)]
    assert len(claims) > 30
    assert len(held) <= 3, held
