"""The long frame of confidence intervals."""

import builders
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import xarray as xr
from scipy import stats
from statsmodels.stats.multitest import multipletests

from bipbayes.errors import SettingsError
from bipbayes.intervals import COLUMNS
from bipbayes.regression import VCOV, estimate_ols, ols_intervals
from bipbayes.regression.reasons import COMMON_VARIANCE

CODEBOOK = builders.make_codebook(5, 2)


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    return builders.random_progression(CODEBOOK, seed=21, shape=builders.Shape(citizens=200))


@pytest.fixture(scope="module")
def frame(data: xr.Dataset) -> pd.DataFrame:
    return ols_intervals(estimate_ols(data, CODEBOOK), CODEBOOK, level=0.9)


def statsmodels_fit(data: xr.Dataset, outcome: str, cov_type: str, cluster: str) -> object:
    y = data["standardised"].sel(outcome=outcome)
    sample = (y.notnull() & data["analysed"]).to_numpy()
    dummies = pd.get_dummies(pd.Series(data["combination"].to_numpy()[sample]), dtype=float)
    groups = pd.factorize(data[cluster].to_numpy()[sample])[0]
    options = {"cov_kwds": {"groups": groups}} if cov_type.startswith("cluster") else {}
    return sm.OLS(y.to_numpy()[sample], dummies).fit(cov_type=cov_type, use_t=True, **options)


@pytest.mark.parametrize(
    ("vcov", "cov_type"),
    [
        ("classical", "nonrobust"),
        ("HC3", "HC3"),
        ("cluster_citizen", "cluster"),
        ("cluster_jobcenter", "cluster-crv3"),
    ],
)
def test_contrasts_equal_statsmodels(
    data: xr.Dataset, frame: pd.DataFrame, vcov: str, cov_type: str
) -> None:
    """Catches contrasts that ignore covariances, normal instead of t, and swapped signs."""
    cluster = "jobcenter" if vcov == "cluster_jobcenter" else "citizen"
    for outcome in CODEBOOK.outcomes:
        fit = statsmodels_fit(data, outcome, cov_type, cluster)
        for combination in ("01", "10", "11"):
            weights = np.array([-1.0, *(float(c == combination) for c in ("01", "10", "11"))])
            theirs = fit.t_test(weights)
            rows = frame[(frame["estimand"] == "contrast") & (frame["vcov"] == vcov)]
            ours = rows[(rows["outcome"] == outcome) & (rows["combination"] == combination)]
            assert len(ours) == 1
            expected = [theirs.effect[0], theirs.sd[0, 0], *theirs.conf_int(alpha=0.1)[0]]
            columns = ["estimate", "se", "lower", "upper"]
            np.testing.assert_allclose(ours[columns].to_numpy()[0], expected, rtol=1e-10)
            np.testing.assert_allclose(ours["p_value"], theirs.pvalue, rtol=1e-9)


def test_effects_equal_statsmodels(data: xr.Dataset, frame: pd.DataFrame) -> None:
    """Catches the wrong degrees of freedom or level."""
    rows = frame[(frame["estimand"] == "effect") & (frame["vcov"] == "cluster_citizen")]
    for outcome in CODEBOOK.outcomes:
        fit = statsmodels_fit(data, outcome, "cluster", "citizen")
        ours = rows[rows["outcome"] == outcome]
        assert list(ours["combination"]) == list(CODEBOOK.combinations)
        np.testing.assert_allclose(ours[["lower", "upper"]], fit.conf_int(0.1), rtol=1e-10)
        np.testing.assert_allclose(ours["p_value"], fit.pvalues, rtol=1e-9)


def test_standardised_errors_have_the_saturated_degrees(
    data: xr.Dataset, frame: pd.DataFrame
) -> None:
    """Catches limits from the degrees of the regression on combinations alone."""
    rows = frame[(frame["estimand"] == "standardised_effect") & (frame["vcov"] == "HC1")]
    for outcome, own in rows.groupby("outcome"):
        known = data["standardised"].sel(outcome=outcome).notnull() & data["analysed"]
        labels = list(
            zip(
                *(data[name].to_numpy()[known] for name in ("combination", "jobcenter")),
                strict=True,
            )
        )
        degrees = len(labels) - len(set(labels))
        half = stats.t.ppf(0.95, degrees) * own["se"]
        np.testing.assert_allclose(own["upper"] - own["estimate"], half, rtol=1e-9)


def test_families_are_indicators_and_averages(frame: pd.DataFrame) -> None:
    """Catches one family for all outcomes, or for all kinds of standard errors."""
    averages = frame["outcome"].isin(CODEBOOK.average_codes)
    indicators, combinations = len(CODEBOOK.indicators), len(CODEBOOK.combinations)
    sizes = {"effect": combinations, "contrast": combinations - 1}
    for vcov in ("classical", "cluster_jobcenter"):
        for estimand, size in sizes.items():
            rows = frame[(frame["vcov"] == vcov) & (frame["estimand"] == estimand)]
            for members, count in ((averages, 2), (~averages, indicators)):
                family = rows[members.loc[rows.index]]
                assert len(family) == size * count
                for column, method in (("p_holm", "holm"), ("p_bh", "fdr_bh")):
                    expected = multipletests(family["p_value"], method=method)[1]
                    np.testing.assert_allclose(family[column], expected, rtol=1e-12)


def test_every_label_stands_once(frame: pd.DataFrame) -> None:
    """Catches rows that are lost or doubled; jobcenter means have no jackknife."""
    outcomes, combinations = len(CODEBOOK.outcomes), len(CODEBOOK.combinations)
    assert tuple(frame.columns) == COLUMNS
    counts = frame.groupby(["estimand", "vcov"]).size()
    for vcov in VCOV:
        for estimand in ("effect", "standardised_effect"):
            assert counts[estimand, vcov] == outcomes * combinations
        for estimand in ("contrast", "standardised_contrast"):
            assert counts[estimand, vcov] == outcomes * (combinations - 1)
    assert counts["jobcenter", "classical"] == outcomes * combinations * 4
    assert ("jobcenter", "cluster_jobcenter") not in counts
    assert set(frame["kind"]) == {"confidence"}
    assert set(frame["level"]) == {0.9}


def test_empty_errors_have_a_reason(frame: pd.DataFrame) -> None:
    """Catches an empty standard error that says nothing, and a reason beside a full one."""
    empty = frame["se"].isna()
    assert (frame.loc[empty, "note"] != "").all()
    assert set(frame.loc[~empty, "note"]) == {"", COMMON_VARIANCE}
    assert (frame["se"].dropna() > 0).all()
    for column in ("lower", "upper", "p_value", "p_holm", "p_bh"):
        assert frame[column].isna().equals(frame["se"].isna()), column
    standardised = frame["estimand"].str.startswith("standardised")
    assert frame.loc[standardised & (frame["vcov"] == "cluster_jobcenter"), "se"].isna().all()


def test_no_false_certainty_from_one_citizen() -> None:
    """Catches a standard error of zero, which statsmodels prints for a single cluster."""
    data = builders.random_progression(CODEBOOK, seed=2)
    treated = (data["combination"] == "11") & data["analysed"]
    only = data["citizen"].where(treated & data["standardised"].notnull().any("outcome"), "")
    names, counts = np.unique(only.to_numpy().astype(str), return_counts=True)
    chosen = names[1:][counts[1:].argmax()]
    keep = ~treated | (data["citizen"] == chosen)
    estimates = estimate_ols(data.assign_coords(analysed=data["analysed"] & keep), CODEBOOK)
    frame = ols_intervals(estimates, CODEBOOK)
    rows = frame[(frame["combination"] == "11") & (frame["vcov"] == "cluster_citizen")]
    rows = rows[rows["estimand"].isin(["effect", "contrast"]) & (rows["n"] > 1)]
    assert len(rows)
    assert rows["se"].isna().all()
    assert rows["estimate"].notna().all()
    assert rows["note"].str.startswith("rests on one {citizen}").all()


def test_a_single_response_in_a_jobcenter_empties_the_average_over_jobcenters() -> None:
    """Catches an average's error in which a jobcenter's one response counts as certain."""
    data = builders.random_progression(CODEBOOK, seed=2, shape=builders.Shape(citizens=200))
    here = (data["combination"] == "11") & (data["jobcenter"] == "site 1") & data["analysed"]
    rows = np.flatnonzero(here & data["standardised"].sel(outcome="q2").notnull())
    keep = ~here | (data["response"] == rows[0])
    kept = data.assign_coords(analysed=data["analysed"] & keep)
    frame = ols_intervals(estimate_ols(kept, CODEBOOK, vcov=["HC1"]), CODEBOOK)
    frame = frame.query("estimand == 'standardised_effect' and outcome == 'q2'")
    frame = frame.set_index("combination")
    reason = "in one {jobcenter} it rests on one response: no residual"
    assert frame["note"].to_dict() == {"00": "", "01": "", "10": "", "11": reason}
    assert frame["se"].isna().tolist() == [False, False, False, True]


def test_an_empty_combination_stays_in_the_frame() -> None:
    """Catches a label dropped because no response has it; and a missing reference."""
    shape = builders.Shape(citizens=100, combinations=("01", "10", "11"))
    data = builders.random_progression(CODEBOOK, seed=5, shape=shape)
    frame = ols_intervals(estimate_ols(data, CODEBOOK), CODEBOOK)
    effects = frame[frame["estimand"] == "effect"].set_index("combination")
    assert effects.loc["00", ["estimate", "se"]].isna().all(axis=None)
    assert set(effects.loc["00", "note"]) == {"combination not observed"}
    contrasts = frame[frame["estimand"] == "contrast"]
    assert contrasts[["estimate", "se"]].isna().all(axis=None)
    assert set(contrasts["note"]) == {"00: combination not observed"}


@pytest.mark.parametrize("level", [0, 1, 95])
def test_levels_are_checked(data: xr.Dataset, level: float) -> None:
    estimates = estimate_ols(data, CODEBOOK, vcov=["classical"])
    with pytest.raises(SettingsError, match="between 0 and 1"):
        ols_intervals(estimates, CODEBOOK, level=level)
