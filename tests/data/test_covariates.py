"""Covariates as users bring them: any numeric columns, one row a citizen."""

import numpy as np
import pandas as pd
import pytest
from builders import make_codebook, random_study

from bipbayes.data.characteristics import covariates_from_frame
from bipbayes.errors import DataError

STUDY = random_study(make_codebook(2, 1), seed=1)
CITIZENS = sorted(STUDY.responses["citizen"].unique())


def _frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "citizen": [*CITIZENS, "nobody"],
            "age": [f"{30 + place},5" for place in range(len(CITIZENS) + 1)],
            "town": "Aarhus",
            "synthetic": "1",
        }
    )


def test_numbers_are_taken_and_texts_left() -> None:
    """Catches the mark of synthetic data as a covariate, decimal commas read as text, and
    citizens without responses counted."""
    table = covariates_from_frame(_frame(), STUDY)
    assert list(table.columns) == ["citizen", "age"]
    assert table["citizen"].tolist() == CITIZENS
    np.testing.assert_allclose(table["age"], 30.5 + np.arange(len(CITIZENS)))


def test_all_faults_at_once() -> None:
    """Catches a check that stops at the first fault, or tells a citizen's values."""
    frame = _frame().assign(citizen="x").drop(columns="synthetic")
    with pytest.raises(DataError) as caught:
        covariates_from_frame(frame, STUDY, columns=["town", "weight"])
    text = str(caught.value)
    for part in ("column 'weight' is unknown", "'town' holds", "none of its persons", "synthetic"):
        assert part in text
    assert "Aarhus" not in text
    with pytest.raises(DataError, match="no column 'citizen'"):
        covariates_from_frame(frame.drop(columns="citizen"), STUDY)
    with pytest.raises(DataError, match="no column holds numbers"):
        covariates_from_frame(_frame().drop(columns="age"), STUDY)


def test_columns_and_ids_that_stand_for_others_are_refused() -> None:
    """Catches a traceback where a name stands twice, and ids that a spreadsheet has rounded."""
    twice = pd.concat([_frame(), _frame()[["age"]]], axis=1)
    with pytest.raises(DataError, match=r"column names that repeat \(age\); rename"):
        covariates_from_frame(twice, STUDY)
    rounded = pd.concat([_frame(), _frame().head(2).assign(citizen="1.2E+09")])
    with pytest.raises(DataError, match=r"'citizen' holds labels that have lost digits \(2\)"):
        covariates_from_frame(rounded.assign(synthetic="0"), STUDY)
