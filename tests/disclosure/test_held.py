"""What is held back, the same in all tables: cells made by hand, each rule on its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from builders import Shape, make_codebook, random_progression

from bipbayes.data.factorial import factorial_contrasts
from bipbayes.disclosure.counts import count_cells
from bipbayes.disclosure.held import held_back
from bipbayes.intervals import ALL_INDICATORS

BOOK = make_codebook(3, 2)  # averages: citizen_mean of q1 and q2, caseworker_mean of q3
PLACES = ("a", "b", "c", "d")
LEAST = 5


def cells(**changed: tuple[int, float]) -> pd.DataFrame:
    """Cells of 40 citizens each, but for those named ``q1_11_a`` (number, share alike)."""
    rows = []
    for outcome in BOOK.outcomes:
        for combination in BOOK.combinations:
            parts = dict.fromkeys(PLACES, (40, 0.5))
            for place in PLACES:
                for name in (f"{outcome}_{combination}_{place}", f"all_{combination}_{place}"):
                    parts[place] = changed.get(name, parts[place])
            alike = changed.get(f"{outcome}_{combination}", (0, 0.5))[1]
            whole = (sum(n for n, _ in parts.values()), alike)
            for place, (n, alike) in {"": whole, **parts}.items():
                rows.append((outcome, combination, place, n, n, alike))
    columns = ["outcome", "combination", "jobcenter", "n", "citizens", "alike"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame[frame["n"] > 0]


def estimates(**columns: object) -> pd.DataFrame:
    """One row of the long frame."""
    row = {"outcome": "q1", "combination": "11", "jobcenter": "", "estimand": "effect"}
    return pd.DataFrame([{**row, "n": 100.0, "n_citizens": 100.0, "analysis": "", **columns}])


def test_nothing_is_held_back_without_a_reason() -> None:
    """Catches blanks where every cell is large and mixed."""
    held = held_back(cells(), BOOK, minimum_count=LEAST)
    assert not (held.combinations or held.cells or held.values or held.few)
    assert held.terms == set(factorial_contrasts(BOOK)[0])
    assert not held.rows(estimates()).any()


def test_what_is_small_for_one_outcome_is_blank_for_all() -> None:
    """Catches a cell of two that another question's table, or an average, gives away."""
    held = held_back(cells(q1_11_a=(2, 0.5)), BOOK, minimum_count=LEAST)
    hidden = {place for combination, place in held.cells if combination == "11"}
    assert "a" in hidden and len(hidden) >= 2
    for outcome in (*BOOK.outcomes, ALL_INDICATORS):
        row = estimates(outcome=outcome, jobcenter="a", estimand="jobcenter")
        assert held.rows(row).all(), outcome
    assert not held.rows(estimates()).any()


def test_a_small_combination_takes_its_contrasts_and_another_one_along() -> None:
    """Catches a combination told by the total, and contrasts from one that is not told."""
    small = {f"all_00_{place}": (1, 0.5) for place in PLACES}
    held = held_back(cells(**small), BOOK, minimum_count=LEAST)
    assert "00" in held.combinations and len(held.combinations) == 2
    assert held.rows(estimates(estimand="contrast", combination="11")).all()


def test_a_second_weighting_is_told_of_no_combination_with_a_hidden_cell() -> None:
    """Catches a small cell that is told by an estimate in which it weighs as its jobcenter."""
    second = {f"all_{combination}_b": (20, 0.5) for combination in BOOK.combinations}
    held = held_back(cells(all_11_a=(2, 0.5), **second), BOOK, minimum_count=LEAST)
    assert len([c for c, _ in held.cells if c == "11"]) == 2
    assert held.rows(estimates(estimand="standardised_effect")).all()
    assert not held.rows(estimates(estimand="effect")).any()
    three = {f"all_11_{place}": (2, 0.5) for place in "abc"}
    held = held_back(cells(**three), BOOK, minimum_count=LEAST)
    assert held.rows(estimates(estimand="standardised_effect")).all()
    none = held_back(cells(), BOOK, minimum_count=LEAST)
    assert not none.rows(estimates(estimand="standardised_effect")).any()


@pytest.mark.parametrize("treatments", [2, 3, 4])
def test_terms_never_determine_a_hidden_combination(treatments: int) -> None:
    """Catches main effects and interactions from which a blank combination follows."""
    book = make_codebook(3, treatments)
    shape = Shape(citizens=300, waves=(2, 4), gaps=0, moves=0)
    counted = count_cells(random_progression(book, seed=2, shape=shape), book).frame
    whole = counted[counted["jobcenter"] == ""].groupby("combination")["citizens"].min()
    least = int(np.sort(whole)[1]) + 1  # two are small
    held = held_back(counted, book, minimum_count=least)
    labels, weights = factorial_contrasts(book)
    hidden = [name in held.combinations for name in book.combinations]
    kept = np.array([label in held.terms for label in labels])
    n = counted[counted["jobcenter"] == ""].groupby("combination")["n"].max()
    told = np.vstack([weights[kept], n.reindex(list(book.combinations)).to_numpy()])[:, hidden]
    # A hidden mean is determined where its unit vector is a sum of what is told.
    for place in range(told.shape[1]):
        unit = np.eye(told.shape[1])[place]
        assert np.linalg.matrix_rank(np.vstack([told, unit])) > np.linalg.matrix_rank(told)


def test_a_cell_of_people_alike_and_what_would_tell_of_it_are_held_back() -> None:
    """Catches everybody's answer told by a mean, its remainder, or an average over questions."""
    held = held_back(cells(q1_11_a=(40, 0.9)), BOOK, minimum_count=LEAST)
    assert not held.cells
    own = {key for key in held.values if key[0] == "q1"}
    assert ("q1", "11", "a") in own and len(own) == 2
    assert {("citizen_mean", "11", "a"), (ALL_INDICATORS, "11", "a")} <= held.values
    assert not [key for key in held.values if key[0] == "q3"]
    assert held.rows(estimates(jobcenter="a", estimand="jobcenter")).all()
    held = held_back(cells(q1_11=(0, 0.95)), BOOK, minimum_count=LEAST)
    assert len([key for key in held.values if key[0] == "q1" and key[2] == ""]) == 2


def test_an_analysis_of_nearly_the_same_citizens_is_held_back() -> None:
    """Catches two analyses whose difference is one citizen without a covariate."""
    held = held_back(cells(), BOOK, minimum_count=LEAST)
    for missing, gone in ((0, False), (1, True), (4, True), (5, False)):
        other = estimates(analysis="covariates", n=100.0 - missing, n_citizens=100.0 - missing)
        both = pd.concat([estimates(), other], ignore_index=True)
        assert held.rows(both).tolist() == [False, gone], missing


def test_rows_of_few_or_unknown_citizens_are_held_back() -> None:
    """Catches a row on one to four citizens, on none, or on an unknown number."""
    held = held_back(cells(), BOOK, minimum_count=LEAST)
    rows = pd.concat([estimates(n_citizens=n) for n in (4.0, 5.0, 0.0, np.nan)])
    assert held.rows(rows).tolist() == [True, False, True, True]
    assert replace(held, minimum_count=3).rows(rows).tolist() == [False, False, True, True]
