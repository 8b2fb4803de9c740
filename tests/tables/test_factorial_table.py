"""The table of main effects and interactions."""

from dataclasses import replace

import pytest
from factorial_frames import CODEBOOK, TERMS, study_frame

from bipbayes.disclosure.small_cells import blank_small_cells
from bipbayes.intervals import ALL_INDICATORS
from bipbayes.tables.export import RunFrames, run_tables
from bipbayes.tables.factorial_table import factorial_rows, factorial_table
from bipbayes.wording import Context, outcome_label

CONTEXT = Context(CODEBOOK, synthetic=True)


def test_rows_are_outcomes_by_terms_in_order() -> None:
    """Catches terms in another order, and the five kinds of OLS errors below one another."""
    table = factorial_table(factorial_rows(study_frame(), CONTEXT), CONTEXT)
    outcomes = 1 + len(CODEBOOK.average_codes)
    expected = [term.replace(":", " × ") for term in TERMS] * outcomes
    assert list(table.body["term"]) == expected
    overall = table.body[: len(TERMS)]
    assert (overall["ols_estimate"] == "").all()
    assert (table.body["ols_interval"][len(TERMS) :] != "").all()
    assert set(table.raw["vcov"]) == {"classical", "citizen"}
    assert set(table.raw["outcome"]) == {*CODEBOOK.outcomes, ALL_INDICATORS}


def test_stars_mark_intervals_that_exclude_zero() -> None:
    """Catches stars of the other side."""
    table = factorial_table(factorial_rows(study_frame(), CONTEXT), CONTEXT)
    average = CODEBOOK.average_codes[0]
    frame = study_frame()
    own = frame[(frame["estimand"] == "factorial") & (frame["outcome"] == average)]
    own = own[own["vcov"] == "classical"]
    stars = ((own["lower"] > 0) | (own["upper"] < 0)).tolist()
    printed = table.body["ols_interval"][len(TERMS) : 2 * len(TERMS)]
    assert [text.endswith("*") for text in printed] == stars


@pytest.mark.parametrize("language, words", [("en", "smallest has"), ("da", "mindste har")])
def test_n_of_the_smallest_combination_is_said_once_an_outcome(language: str, words: str) -> None:
    """Catches one number in fifteen rows, another outcome's, and a CSV that calls it the term's."""
    context, frame = replace(CONTEXT, language=language), study_frame()
    chosen = [CODEBOOK.indicator_codes[0], CODEBOOK.average_codes[0]]
    counts = frame[frame["estimand"].eq("effect") & frame["source"].eq("ols")]
    smallest = counts.groupby("outcome")["n"].min().astype(int)
    table = factorial_table(factorial_rows(frame, context), context, outcomes=chosen)
    assert "n" not in {column.key for column in table.columns}
    (note,) = (note for note in table.notes if words in note)
    assert smallest[chosen[0]] != smallest[chosen[1]]
    for outcome in chosen:
        label = outcome_label(CODEBOOK, outcome, language=language)
        assert f"{smallest[outcome]} ({label})" in note
    raw = table.raw.drop_duplicates("outcome").set_index("outcome")
    assert "n" not in raw and raw.loc[chosen[0], "n_smallest"] == smallest[chosen[0]]


def test_it_is_among_a_runs_tables() -> None:
    """Catches a table that nobody writes."""
    comparison = study_frame()[:0].assign(estimand="", ols_lower=0.0)
    frames = RunFrames(comparison=comparison, intervals=study_frame(), model="test")
    assert "factorial" in {table.name for table in run_tables(frames, CONTEXT)}


def test_a_small_combination_blanks_all_terms() -> None:
    """Catches terms that give a small combination away: fifteen terms and fifteen means do."""
    frame = study_frame()
    few = frame["estimand"].eq("factorial")
    frame = frame.assign(n_citizens=frame["n_citizens"].where(~few, 2.0))
    none = CODEBOOK.no_treatment
    blanked = blank_small_cells(frame, minimum_count=5, no_treatment=none).frame
    rows = factorial_rows(blanked, replace(CONTEXT, synthetic=False))
    assert rows[["estimate", "lower", "upper"]].isna().all(axis=None)
