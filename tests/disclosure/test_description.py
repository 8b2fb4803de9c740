"""What descriptive tables leave blank for real data cannot be worked out from them."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from builders import Shape, make_codebook, random_progression
from scipy.optimize import linprog

from bipbayes.data.sample import memberships
from bipbayes.describe.description import Description, describe
from bipbayes.disclosure.description import COARSE, protected_description
from bipbayes.errors import SettingsError

CODEBOOK = make_codebook(3, 2, jobcenters=("a", "b", "c"))
LEAST = 5


@pytest.fixture(scope="module", params=[1, 2, 3])
def described(request: pytest.FixtureRequest) -> Description:
    shape = Shape(citizens=180, waves=(2, 4))
    return describe(random_progression(CODEBOOK, seed=request.param, shape=shape), CODEBOOK)


@pytest.fixture(scope="module")
def shown(described: Description) -> Description:
    return protected_description(described, CODEBOOK, minimum_count=LEAST)


def _blank(frame: pd.DataFrame, column: str = "n") -> np.ndarray:
    return frame[column].isna().to_numpy()


def _unknown(described: Description, shown: Description, name: str) -> np.ndarray:
    """Blank rows whose number is not zero."""
    return _blank(getattr(shown, name)) & (getattr(described, name)["n"] > 0).to_numpy()


def test_small_rows_are_blank_and_zeros_are_not(described, shown) -> None:
    """Catches small cells printed, and tables emptied of what may be printed."""
    for name in ("histograms", "combinations", "transitions", "jobcenters"):
        before, after = getattr(described, name), getattr(shown, name)
        small = (before["n_citizens"] > 0) & (before["n_citizens"] < LEAST)
        assert after.loc[small, "n"].isna().all()
        assert after.loc[before["n"] == 0, "n"].eq(0).all()
        assert (~_blank(after) & (before["n"] > 0)).any()


def test_histograms_with_total_and_mean_leave_each_bin_open(described, shown) -> None:
    """Catches two blank bins, which an outcome's number and mean solve."""
    hidden = _unknown(described, shown, "histograms")
    assert hidden.any()
    for outcome, bins in described.histograms.groupby("outcome"):
        here = bins[hidden[bins.index]]
        for pair in combinations(here["centre"], 2):
            assert len(here) != 2, f"{outcome}: {pair} are solved by total and mean"
        assert len(here) == 0 or (len(here) >= 3 and here["n_citizens"].sum() >= LEAST)
        row = shown.progress.set_index("outcome").loc[outcome]
        assert np.isfinite(row["n"])
        told = len(here) > 0
        assert np.isfinite(row["mean"]) == (not told or row["n"] >= COARSE)
        if told and np.isfinite(row["mean"]):
            assert row["mean"] == round(row["mean"], 2)
        assert row[["sd", "forward", "back"]].isna().all() == (len(here) > 0)


def test_combinations_are_hidden_in_total_and_treatments(described, shown) -> None:
    """Catches a blank combination left alone in the total of a treatment."""
    hidden = _unknown(described, shown, "combinations")
    part = described.combinations[hidden]
    assert len(part) == 0 or (len(part) >= 2 and part["n_citizens"].sum() >= LEAST)
    for row in shown.treatments.itertuples():
        holds = [CODEBOOK.has_treatment(text, row.treatment) for text in part["combination"]]
        assert np.isnan(row.n) == (any(holds) or _small(described, row.treatment))


def _small(described: Description, treatment: str) -> bool:
    n = described.treatments.set_index("treatment")["n"][treatment]
    return bool(0 < n < LEAST)


def test_jobcenters_are_hidden_in_each_group(described, shown) -> None:
    """Catches one blank in the whole frame counted as the only one of two groups."""
    hidden = _unknown(described, shown, "jobcenters")
    for _, rows in described.jobcenters.groupby("group"):
        part = rows[hidden[rows.index]]
        assert len(part) != 1
        assert len(part) == 0 or part["n_citizens"].sum() >= LEAST


def test_no_table_tells_a_group_with_a_blank_combination(described, shown) -> None:
    """Catches a treatment's total had back as the sum over jobcenters, or n over percent."""
    hidden = described.combinations[_unknown(described, shown, "combinations")]["combination"]
    for group in ("T", "U"):
        if not any(CODEBOOK.has_treatment(text, group) for text in hidden):
            continue
        rows = shown.jobcenters[shown.jobcenters["group"] == group]
        assert rows["n"].isna().all()
        assert (rows["percent"].dropna() == rows["percent"].dropna().round(1)).all()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_transitions_are_hidden_from_rows_and_persistence(seed: int) -> None:
    """Catches a pair worked out from who was given the same treatment again, or no longer."""
    codebook = make_codebook(3, 3, jobcenters=("a", "b", "c"))
    shape = Shape(citizens=180, waves=(2, 4))
    described = describe(random_progression(codebook, seed=seed, shape=shape), codebook)
    shown = protected_description(described, codebook, minimum_count=LEAST)
    frame, n = described.transitions, described.transitions["n"].to_numpy(dtype=float)
    hidden = _unknown(described, shown, "transitions")
    assert hidden.any()
    starts = shown.transitions.groupby("previous")["n_previous"].max().dropna()
    sums = [(frame["previous"] == code).to_numpy() for code in starts.index[starts > 0]]
    before, after = (memberships(frame[name], codebook) for name in ("previous", "combination"))
    kept = shown.persistence.set_index("group")["again"].dropna().index
    assert len(kept) > 1
    for group in kept:
        had, has = before[group], after[group]
        sums += [part.to_numpy() for part in (had & has, had & ~has, ~had & has, ~had & ~has)]
    equations = np.array(sums, dtype=float)[:, hidden]
    equations = equations[equations.any(axis=1)]
    for place in np.flatnonzero(n[hidden] < LEAST):
        goal = np.eye(int(hidden.sum()))[place]
        low, high = (
            linprog(sign * goal, A_eq=equations, b_eq=equations @ n[hidden], bounds=(1, None))
            for sign in (1, -1)
        )
        assert -high.fun - low.fun > LEAST - 1 - 1e-3


def test_a_withheld_row_takes_persistence_along() -> None:
    """Catches a row's number of pairs had back as persistence's number less the other rows'."""
    codebook = make_codebook(3, 1, jobcenters=("a", "b"))
    described = describe(random_progression(codebook, seed=1), codebook)
    pairs = described.transitions.assign(
        n=[400, 300, 2, 1], n_citizens=[200, 150, 2, 1], n_previous=[700, 700, 3, 3]
    )
    few = replace(described, transitions=pairs)
    shown = protected_description(few, codebook, minimum_count=LEAST)
    own = shown.transitions["previous"] == "1"
    assert shown.transitions.loc[own, ["n", "n_previous"]].isna().all(axis=None)
    assert shown.transitions.loc[~own, "n"].notna().all()
    assert shown.persistence[["n_with", "n_without", "again"]].isna().all(axis=None)


def test_a_section_of_characteristics_hides_what_few_carry(described) -> None:
    """Catches a share of few carriers had back as 100 less the section's others."""
    shares = pd.DataFrame(
        {
            "table": 4,
            "section_en": ["Education"] * 3 + ["Age"],
            "column": ["none", "short", "long", "age"],
            "group": "T",
            "value": [2.0, 38.0, 60.0, 33.0],
            "unit": ["percent"] * 3 + ["years"],
            "n_citizens": 100,
            "n_carriers": [2, 38, 60, 100],
        }
    )
    gaps = shares[["table", "section_en", "column", "group"]].assign(reference="U", difference=0.1)
    with_people = replace(described, characteristics=shares, differences=gaps)
    result = protected_description(with_people, CODEBOOK, minimum_count=LEAST)
    assert result.characteristics is not None
    assert result.differences is not None
    assert _blank(result.characteristics, "value").tolist() == [True, True, False, False]
    assert _blank(result.differences, "difference").tolist() == [True, True, False, False]


def test_a_tiny_study_is_blank_and_does_not_fail() -> None:
    """Catches groups without any printed number, of which nothing can be compared."""
    described = describe(
        random_progression(CODEBOOK, seed=5, shape=Shape(citizens=8, waves=(2, 3))), CODEBOOK
    )
    people = pd.DataFrame(
        {
            "table": 4,
            "section_en": "Sex",
            "column": "woman",
            "group": ["T", "U", "none"],
            "value": [50.04, 33.3, 40.0],
            "unit": "percent",
            "sd": [0.5, 0.5, 0.5],
            "n": [6, 9, 5],
            "n_citizens": [3, 4, 2],
            "n_carriers": [2, 1, 1],
        }
    )
    gaps = people[["table", "section_en", "column", "group"]].assign(reference="T", difference=0.1)
    with_people = replace(described, characteristics=people, differences=gaps)
    shown = protected_description(with_people, CODEBOOK, minimum_count=LEAST)
    assert shown.characteristics is not None
    assert shown.characteristics[["value", "n", "n_carriers"]].isna().all(axis=None)
    counted = shown.transitions[shown.transitions["n"].gt(0).fillna(value=False)]
    assert counted["n_citizens"].ge(LEAST).all()


def test_a_count_that_no_rule_allows_is_refused(described: Description) -> None:
    """Catches a description of real data whose numbers may rest on one citizen."""
    with pytest.raises(SettingsError, match="need at least 3"):
        protected_description(described, CODEBOOK, minimum_count=1)
