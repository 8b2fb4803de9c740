"""The synthetic register: printed values, hierarchies, determinism, the parts of the solver."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from builders import Shape, make_codebook, random_study

from bipbayes.bip.facts import bip_characteristics, bip_codebook, fact
from bipbayes.bip.register import register_limits, simulate_characteristics
from bipbayes.bip.register_shares import allocate, tilted_shares
from bipbayes.data.characteristics import Characteristics, characteristics_from_frame
from bipbayes.describe.characteristics import characteristic_table
from bipbayes.errors import SettingsError
from bipbayes.synthetic.simulate import csv_text
from bipbayes.synthetic.streams import Stream

KEYS = ["table", "section_en", "row_en", "group"]
POINT = 1.0  # percentage points
PART = 0.02  # of amounts, ages and weeks


@pytest.fixture(scope="session")
def register(default) -> Characteristics:
    frame = simulate_characteristics(default.study, seed=1)
    return characteristics_from_frame(frame, default.study, codebook=bip_characteristics())


def outside(study, progression, register: Characteristics) -> tuple[pd.DataFrame, int]:
    """Values that leave the tolerance, through the same code as a user's file."""
    table = characteristic_table(progression, register, codebook=study.codebook)
    printed = fact("characteristics")[[*KEYS, "value", "unit"]]
    both = printed.merge(table, on=KEYS, suffixes=("_printed", ""), validate="1:1")
    gap = (both["value"] - both["value_printed"]).abs()
    allowed = np.where(both["unit"] == "percent", POINT, PART * both["value_printed"])
    return both[~(gap <= allowed)], len(both)


def test_all_printed_values_but_the_impossible_ones(default, register) -> None:
    """Catches a value that drifts, or an impossible one that is not listed as such."""
    found, number = outside(default.study, default.progression, register)
    limits = register_limits()
    impossible = limits[~limits["possible"]]
    assert number == 315
    assert sorted(map(tuple, found[KEYS].to_numpy())) == sorted(
        map(tuple, impossible[KEYS].to_numpy())
    )
    assert impossible["inconsistency"].unique().tolist() == ["X35"]
    assert limits["inconsistency"].value_counts().to_dict() == {"X13": 16, "X35": 5, "X36": 4}


def test_the_register_has_no_fault_but_x13(register) -> None:
    """Catches a broken implication: a part without its whole, shares of time above one."""
    assert register.synthetic
    assert len(register.citizens) == 3707
    columns = [finding.column for finding in register.findings]
    assert columns == ["no_children, one_child, two_or_three_children, four_or_more_children"]


def test_rules_hold_citizen_by_citizen(register) -> None:
    """The rules again, written without the package's own checks."""
    data = register.citizens
    for part, whole in (
        ("psychiatric_diagnosis", "psychiatric_diagnosis_or_medicine"),
        ("less_severe_diagnosis", "psychiatric_diagnosis"),
        ("more_severe_diagnosis", "psychiatric_diagnosis"),
        ("affective_disorder", "less_severe_diagnosis"),
        ("personality_disorder", "more_severe_diagnosis"),
        ("unspecified_disorder", "psychiatric_diagnosis"),
        ("antidepressants", "psychiatric_diagnosis_or_medicine"),
        ("convicted_penal_code", "charged_penal_code"),
        ("convicted_other", "charged_other"),
    ):
        assert (data[part] <= data[whole]).all()
        assert data[part].sum() > 0
    for years in ("three", "five"):
        assert data.filter(regex=f"_{years}_years$").sum(axis=1).max() < 1
    for state in ("employed", "social_assistance"):
        gap = 3 * data[f"{state}_three_years"] - 5 * data[f"{state}_five_years"]
        assert gap.max() < 1e-5
    assert (data[["unskilled", "skilled", "higher_education"]].sum(axis=1) == 1).all()
    assert not ((data["single_with_children"] == 1) & (data["married"] == 1)).any()
    children = data[["one_child", "two_or_three_children", "four_or_more_children"]].sum(axis=1)
    assert (children[data["single_with_children"] == 1] == 1).all()
    assert (data["general_practitioner_services"] >= data["general_practitioner_weeks"]).all()
    assert data["age"].between(18, 66).all() and data["age"].std() > 5


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Catches draws that depend on order in memory, or a seed that changes nothing."""
    study = random_study(bip_codebook(), seed=6, shape=Shape(citizens=80, waves=(2, 5)))
    texts = [csv_text(simulate_characteristics(study, seed=seed)) for seed in (4, 4, 5)]
    assert texts[0] == texts[1]
    assert texts[0] != texts[2]


def test_another_seed_keeps_the_printed_values(default) -> None:
    """Catches a register that fits by one lucky seed."""
    frame = simulate_characteristics(default.study, seed=77)
    found, _ = outside(
        default.study,
        default.progression,
        characteristics_from_frame(frame, default.study, codebook=bip_characteristics()),
    )
    assert len(found) == 5


def test_other_treatments_are_refused() -> None:
    """Catches printed shares put on groups that the report does not have."""
    with pytest.raises(SettingsError, match="groups J, O, S, H, none"):
        simulate_characteristics(random_study(make_codebook(4, 2), seed=1), seed=1)


def test_tilted_shares_meet_their_targets() -> None:
    """Catches a wrong gradient: weighted sums must equal the targets, wherever reachable."""
    rng = np.random.default_rng(3)
    counts = rng.integers(0, 4, (200, 3)).astype(float)
    base = rng.normal(0, 1, (200, 2))
    targets = np.array([[0.3, 0.25, 0.2], [0.2, 0.3, 0.25]]) * counts.sum(axis=0)
    shares = tilted_shares(base, counts, targets=targets)
    np.testing.assert_allclose(shares.T @ counts, targets, rtol=1e-5)
    assert (shares > 0).all() and (shares.sum(axis=1) < 1).all()
    repeated = tilted_shares(
        np.vstack([base, base[:50]]), np.vstack([counts, counts[:50]]), targets=targets
    )
    numbers = np.r_[np.full(50, 2.0), np.ones(150)]
    weighted = tilted_shares(base, counts, targets=targets, numbers=numbers)
    np.testing.assert_allclose(weighted, repeated[:200], rtol=1e-6)


def test_no_single_move_brings_an_allocation_nearer() -> None:
    """Catches a repair that stops early, or that lets one group's error grow for another's."""
    rng = np.random.default_rng(7)
    counts = rng.integers(0, 4, (60, 3))
    counts[:10] = 0  # citizens who count nowhere
    eligible = rng.random(60) < 0.8
    target = np.rint(0.3 * counts[eligible].sum(axis=0))
    held = allocate(Stream(2, 9), counts, targets=target[None, :], eligible=eligible) == 0
    assert not held[~eligible].any()

    def distance(carriers: np.ndarray) -> float:
        error = (carriers.astype(int) @ counts - target) / counts.sum(axis=0)
        return float((error**2).sum())

    assert np.abs(held.astype(int) @ counts - target).max() <= 1
    for row in np.flatnonzero(eligible):
        flipped = held.copy()
        flipped[row] = not held[row]
        # Weights are whole numbers, rounded in the twelfth digit.
        assert distance(flipped) >= distance(held) - 1e-12


def test_a_full_allocation_leaves_nobody_out() -> None:
    """Catches an education of none, or categories beyond the eligible."""
    rng = np.random.default_rng(5)
    counts = rng.integers(0, 5, (300, 4))
    eligible = rng.random(300) < 0.7
    total = counts[eligible].sum(axis=0)
    targets = np.array([0.5, 0.3, 0.2])[:, None] * total
    chosen = allocate(Stream(1, 3), counts, targets=targets, eligible=eligible, full=True)
    assert (chosen[eligible] >= 0).all() and (chosen[~eligible] == -1).all()
    for place in range(3):
        reached = (chosen == place).astype(int) @ counts
        assert np.abs(reached - targets[place]).max() <= 2
