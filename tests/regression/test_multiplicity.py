"""Adjusted p values against statsmodels."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from bipbayes.regression.intervals import adjust


@pytest.mark.parametrize(("method", "theirs"), [("holm", "holm"), ("bh", "fdr_bh")])
def test_families_equal_statsmodels(method: str, theirs: str) -> None:
    """Catches families that are mixed, missing values that count, and lost row order."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"family": rng.choice(["a", "b"], 200), "p": rng.uniform(size=200) ** 3})
    frame.loc[::7, "p"] = np.nan
    frame.loc[3, "p"] = frame.loc[4, "p"]  # ties
    ours = adjust(frame["p"], [frame["family"]], method=method)
    assert ours.isna().equals(frame["p"].isna())
    for family, rows in frame.dropna().groupby("family"):
        expected = multipletests(rows["p"], method=theirs)[1]
        np.testing.assert_allclose(ours[rows.index], expected, rtol=1e-12, err_msg=family)


def test_nothing_to_adjust() -> None:
    """Catches a crash where no p value of a study is defined."""
    empty = pd.Series([np.nan, np.nan])
    assert adjust(empty, [pd.Series(["a", "a"])], method="holm").isna().all()
