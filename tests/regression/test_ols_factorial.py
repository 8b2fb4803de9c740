"""Factorial effects of OLS against statsmodels in ±1 coding."""

import builders
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import xarray as xr
from statsmodels.stats.multitest import multipletests

from bipbayes.data.factorial import factorial_terms, term_label
from bipbayes.regression import VCOV, estimate_ols, ols_intervals
from bipbayes.regression.intervals import factorial_of

CODEBOOK = builders.make_codebook(4, 3)
TYPES = {
    "classical": "nonrobust",
    "HC1": "HC1",
    "HC3": "HC3",
    "cluster_citizen": "cluster",
    "cluster_jobcenter": "cluster-crv3",
}


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    return builders.random_progression(CODEBOOK, seed=3, shape=builders.Shape(citizens=400))


@pytest.fixture(scope="module")
def frame(data: xr.Dataset) -> pd.DataFrame:
    rows = ols_intervals(estimate_ols(data, CODEBOOK), CODEBOOK, level=0.9)
    return rows[rows["estimand"] == "factorial"]


def saturated_fit(data: xr.Dataset, outcome: str, vcov: str) -> object:
    """Regression on the products of ±1 variables: coefficients are half the factorial effects."""
    y = data["standardised"].sel(outcome=outcome)
    sample = (y.notnull() & data["analysed"]).to_numpy()
    terms = factorial_terms(CODEBOOK.combinations)
    design = pd.DataFrame(terms.signs, index=CODEBOOK.combinations, columns=terms.masks)
    x = design.loc[data["combination"].to_numpy()[sample]]
    cluster = "jobcenter" if vcov == "cluster_jobcenter" else "citizen"
    groups = pd.factorize(data[cluster].to_numpy()[sample])[0]
    options = {"cov_kwds": {"groups": groups}} if vcov.startswith("cluster") else {}
    model = sm.OLS(y.to_numpy()[sample], x.reset_index(drop=True))
    return model.fit(cov_type=TYPES[vcov], use_t=True, **options)


@pytest.mark.parametrize("vcov", VCOV)
def test_factorial_effects_equal_statsmodels(
    data: xr.Dataset, frame: pd.DataFrame, vcov: str
) -> None:
    """Catches a wrong sign, scale, covariance or number of degrees of freedom."""
    for outcome in CODEBOOK.outcomes:
        fit = saturated_fit(data, outcome, vcov)
        limits = fit.conf_int(alpha=0.1)
        for mask in factorial_terms(CODEBOOK.combinations).of_order(1).masks:
            label = term_label(mask, CODEBOOK)
            rows = frame[(frame["outcome"] == outcome) & (frame["vcov"] == vcov)]
            ours = rows[rows["combination"] == label]
            assert len(ours) == 1
            expected = [2 * fit.params[mask], 2 * fit.bse[mask], *(2 * limits.loc[mask])]
            found = ours[["estimate", "se", "lower", "upper"]].to_numpy()[0]
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)
            np.testing.assert_allclose(ours["p_value"], fit.pvalues[mask], rtol=1e-8, atol=1e-13)


def test_families_are_indicators_and_averages(frame: pd.DataFrame) -> None:
    """Catches a family of another size: all terms of all indicators, averages apart."""
    rows = frame[frame["vcov"] == "classical"]
    average = rows["outcome"].isin(CODEBOOK.average_codes)
    for family in (rows[average], rows[~average]):
        for column, method in (("p_holm", "holm"), ("p_bh", "fdr_bh")):
            expected = multipletests(family["p_value"], method=method)[1]
            np.testing.assert_allclose(family[column], expected, atol=1e-12)
    assert len(rows[~average]) == len(CODEBOOK.indicators) * 7


def test_counts_are_those_of_the_smallest_combination(
    data: xr.Dataset, frame: pd.DataFrame
) -> None:
    """Catches totals, which would hide from disclosure control what a term gives away."""
    estimates = estimate_ols(data, CODEBOOK)
    for outcome in CODEBOOK.outcomes:
        rows = frame[frame["outcome"] == outcome]
        own = estimates.sel(outcome=outcome)
        assert set(rows["n"]) == {float(own["n"].min())}
        assert set(rows["n_citizens"]) == {float(own["n_citizens"].min())}


def test_an_empty_combination_leaves_all_terms_empty_and_says_why() -> None:
    """Catches averages over the combinations that happen to be there."""
    there = [name for name in CODEBOOK.combinations if name != "011"]
    shape = builders.Shape(citizens=150, combinations=there)
    data = builders.random_progression(CODEBOOK, seed=5, shape=shape)
    rows = ols_intervals(estimate_ols(data, CODEBOOK), CODEBOOK)
    terms = rows[rows["estimand"] == "factorial"]
    assert len(terms) == len(VCOV) * len(CODEBOOK.outcomes) * 7
    assert terms[["estimate", "se", "lower", "upper", "p_value", "p_holm"]].isna().all(axis=None)
    assert terms["note"].str.contains("011: combination not observed").all()


def test_unusable_errors_name_the_combination(data: xr.Dataset) -> None:
    """Catches a standard error of a combination that rests on one citizen, taken as zero.

    Also a wrong number of those that the reason does not name.
    """
    estimates = estimate_ols(data, CODEBOOK)
    note = xr.full_like(estimates["note"], "")
    note.loc[{"combination": "101", "vcov": "cluster_citizen"}] = "rests on one citizen"
    note.loc[{"combination": list(CODEBOOK.combinations[:5]), "vcov": "HC3"}] = "no error"
    source = estimates[["estimate", "covariance", "df", "n", "n_citizens"]].assign(note=note)
    found = factorial_of(source, CODEBOOK)["note"]
    assert (found.sel(vcov="cluster_citizen") == "101: rests on one citizen").all()
    assert (found.sel(vcov="HC3") == "000, 001, 010 and 2 more: no error").all()
    assert (found.sel(vcov="classical") == "").all()
