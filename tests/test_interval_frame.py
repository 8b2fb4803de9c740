"""The long frame of intervals."""

import numpy as np
import pandas as pd
import pytest

from bipbayes.errors import DataError
from bipbayes.intervals import COLUMNS, excludes_zero, interval_frame, join_frames, places_moved


def _row(**more: object) -> pd.DataFrame:
    values = {"source": "ols", "estimand": "effect", "outcome": "B1", "combination": "0101"}
    numbers = {"estimate": 0.2, "lower": 0.1, "upper": 0.3, "level": 0.95, "kind": "confidence"}
    return pd.DataFrame([{**values, **numbers, **more}])


def test_places_of_the_report() -> None:
    """Catches another translation than the report's: 0.1 is four places, -0.15 six, -0.2 eight."""
    places = places_moved(np.array([0.1, -0.15, -0.2]))
    assert np.round(places).tolist() == [4, -6, -8]


def test_columns_are_completed_in_order() -> None:
    """Catches frames whose OLS and posterior halves differ in columns."""
    frame = interval_frame(_row())
    assert tuple(frame.columns) == COLUMNS
    assert frame["jobcenter"].tolist() == [""] and np.isnan(frame["r_hat"].iloc[0])


def test_all_faults_at_once() -> None:
    """Catches unknown labels, crossed limits and repeated estimates, all in one message."""
    rows = pd.concat([_row(kind="hpd", estimand="efect", lower=0.4, colour=1)] * 2)
    with pytest.raises(DataError) as caught:
        interval_frame(rows)
    for part in ("colour", "hpd", "efect", "lower limit above", "repeat"):
        assert part in str(caught.value)


def test_excludes_zero_needs_an_interval() -> None:
    """Catches a missing interval counted as significant."""
    frame = interval_frame(pd.concat([_row(), _row(combination="0000", lower=None, upper=None)]))
    assert excludes_zero(frame).tolist() == [True, False]


def test_joining_keeps_numbers_numbers() -> None:
    """Catches columns that turn to objects when one source leaves them empty."""
    joined = join_frames([interval_frame(_row()), interval_frame(_row(combination="1"))])
    assert joined["p_value"].dtype == "float64" and len(joined) == 2
    assert len(join_frames([])) == 0
