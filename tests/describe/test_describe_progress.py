"""Table 1, the share of no change and the histograms, against row-by-row counts."""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from builders import make_codebook

from bipbayes.data.progression import progression
from bipbayes.data.study import Study
from bipbayes.describe.progress import (
    change_histogram,
    change_histograms,
    progress_table,
    steps_a_point,
)


def brute_changes(small, outcome: str) -> list[tuple[str, float]]:
    """Citizen and change of every analysed response, from the frame alone."""
    codebook = small.codebook
    members = codebook.members(outcome) if outcome in codebook.average_codes else (outcome,)
    frame = small.study.responses.sort_values(["citizen", "date"])
    changes, last = [], {}
    for row in frame.to_dict("records"):
        answers = [row[code] for code in members]
        if any(np.isnan(answer) for answer in answers):
            continue
        level = sum(answers) / len(answers)
        if row["citizen"] in last and row["combination"]:
            changes.append((row["citizen"], level - last[row["citizen"]]))
        last[row["citizen"]] = level
    return changes


def test_table_1_against_a_loop(small) -> None:
    """Catches changes of unknown activities counted, n of another outcome, or n - 1 slips."""
    table = progress_table(small.progression, small.codebook).set_index("outcome")
    assert list(table.index) == list(small.codebook.outcomes)
    for outcome in small.codebook.outcomes:
        changes = brute_changes(small, outcome)
        values = [round(change, 12) for _, change in changes]
        row = table.loc[outcome]
        assert row["n"] == len(values)
        assert row["n_citizens"] == len({citizen for citizen, _ in changes})
        assert row["mean"] == pytest.approx(statistics.fmean(values), abs=1e-12)
        assert row["sd"] == pytest.approx(statistics.stdev(values), abs=1e-12)
        assert row["unchanged"] == pytest.approx(100 * values.count(0) / len(values))
        assert row["forward"] + row["back"] + row["unchanged"] == pytest.approx(100)
        assert row["forward"] == pytest.approx(100 * sum(v > 0 for v in values) / len(values))


def test_bins_are_those_of_the_scale(small) -> None:
    """Catches bins taken from the data, half-open edges, or a zero bin with neighbours in it."""
    for outcome in small.codebook.outcomes:
        steps = steps_a_point(small.codebook, outcome)
        data = change_histogram(small.progression, small.codebook, outcome=outcome)
        assert len(data) == 8 * steps + 1
        assert data["lower"].iloc[0] == pytest.approx(-4 - 0.5 / steps)
        assert data["upper"].iloc[-1] == pytest.approx(4 + 0.5 / steps)
        np.testing.assert_allclose(data["upper"][:-1], data["lower"][1:], atol=1e-12)
        expected = Counter(round(change * steps) for _, change in brute_changes(small, outcome))
        places = [round(centre * steps) for centre in data["centre"]]
        assert data["n"].tolist() == [expected[place] for place in places]
        assert data["percent"].sum() == pytest.approx(100)
        # Edges never fall on a possible change.
        assert (np.abs(data["lower"] * steps % 1 - 0.5) < 1e-9).all()


def test_citizens_in_a_bin_are_distinct(small) -> None:
    """Catches responses counted as citizens, which would let small cells out."""
    outcome = small.codebook.indicator_codes[1]
    data = change_histogram(small.progression, small.codebook, outcome=outcome)
    pairs = {(c, round(change)) for c, change in brute_changes(small, outcome)}
    expected = [sum(change == round(centre) for _, change in pairs) for centre in data["centre"]]
    assert data["n_citizens"].tolist() == expected


def test_all_histograms_are_there(small) -> None:
    """Catches a lost average."""
    data = change_histograms(small.progression, small.codebook)
    assert list(dict.fromkeys(data["outcome"])) == list(small.codebook.outcomes)


def test_an_outcome_nobody_answered_keeps_its_row() -> None:
    """Catches a division by zero or a lost row where a question has no change."""
    codebook = make_codebook(2, 1)
    frame = pd.DataFrame(
        {
            "citizen": ["a", "a"],
            "jobcenter": "x",
            "date": pd.to_datetime(["2014-01-01", "2014-06-01"]),
            "q1": [1.0, 2.0],
            "q2": [np.nan, 3.0],
            "T": [0.0, 1.0],
            "combination": ["0", "1"],
        }
    )
    study = Study(frame, replace(codebook, averages=()), "", True)
    table = progress_table(progression(study), study.codebook).set_index("outcome")
    assert table.loc["q1", ["n", "mean"]].tolist() == [1, 1.0]
    assert table.loc["q2", "n"] == 0 and np.isnan(table.loc["q2", "mean"])
    data = change_histogram(progression(study), study.codebook, outcome="q2")
    assert data["percent"].tolist() == [0.0] * 9
