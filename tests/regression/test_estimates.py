"""OLS and every standard error against statsmodels and closed forms."""

import builders
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from statsmodels_reference import (
    STATSMODELS,
    TOLERANCE,
    assert_equals_statsmodels,
    outcome_sample,
    statsmodels_fit,
)

from bipbayes.data.progression import progression
from bipbayes.errors import DataError, SettingsError
from bipbayes.regression import VCOV, estimate_ols

CODEBOOK = builders.make_codebook(5, 2)
SHAPES = {
    "ragged": builders.Shape(citizens=70),
    "gaps": builders.Shape(citizens=200, gaps=0.25, unknown=0.3, moves=0.3),
    "an empty combination": builders.Shape(citizens=80, combinations=("00", "01", "11")),
    "a jobcenter lacks a combination": builders.Shape(
        citizens=80, lacking=[("10", "site 2"), ("01", "site 1")]
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("previous", ["item", "response"])
def test_all_errors_equal_statsmodels(shape: str, previous: str) -> None:
    """Catches any wrong factor, degree of freedom, sample or label order."""
    data = builders.random_progression(CODEBOOK, seed=11, shape=SHAPES[shape], previous=previous)
    estimates = estimate_ols(data, CODEBOOK)
    for outcome in CODEBOOK.outcomes:
        assert_equals_statsmodels(data, estimates, outcome)


def test_crv3_equals_an_explicit_loop() -> None:
    """Catches a jackknife centred at its mean, or a wrong (G - 1) / G."""
    data = builders.random_progression(CODEBOOK, seed=2)
    estimates = estimate_ols(data, CODEBOOK, vcov=["cluster_jobcenter"])
    for outcome in CODEBOOK.outcomes:
        frame = outcome_sample(data, outcome)
        full = frame.groupby("combination")["y"].mean()
        total = np.zeros((len(full), len(full)))
        for jobcenter in frame["jobcenter"].unique():
            rest = frame[frame["jobcenter"] != jobcenter].groupby("combination")["y"].mean()
            total += np.outer(rest - full, rest - full)
        clusters = frame["jobcenter"].nunique()
        ours = estimates["covariance"].sel(outcome=outcome).squeeze()
        np.testing.assert_allclose(ours, total * (clusters - 1) / clusters, **TOLERANCE)


def test_crv3_is_empty_with_a_reason_where_singular() -> None:
    """Catches a number where there is none, and errors of others that one combination empties.

    statsmodels refuses the whole; without that combination it agrees on the others (test above).
    """
    sites = [f"site {number}" for number in (1, 2, 4)]
    shape = builders.Shape(citizens=80, lacking=[("10", site) for site in sites])
    data = builders.random_progression(CODEBOOK, seed=3, shape=shape)
    estimates = estimate_ols(data, CODEBOOK).sel(vcov="cluster_jobcenter")
    with pytest.raises(ValueError, match="rank-deficient"):
        statsmodels_fit(outcome_sample(data, "q1"), "cluster_jobcenter")
    others = [code for code in CODEBOOK.combinations if code != "10"]
    rows = {"combination": others, "combination_": others}
    rest = data.isel(response=(data["combination"] != "10").to_numpy())
    alone = estimate_ols(rest, CODEBOOK).sel(vcov="cluster_jobcenter", **rows)
    found = estimates["covariance"]
    np.testing.assert_allclose(found.sel(rows), alone["covariance"], **TOLERANCE)
    assert found.sel(combination="10").isnull().all()
    assert found.sel(combination_="10").isnull().all()
    assert set(estimates["note"].sel(combination="10").to_numpy()) == {
        "rests on one {jobcenter}: without that one nothing is left"
    }
    assert set(estimates["note"].sel(combination=others).to_numpy().ravel()) == {""}


def test_a_single_response_empties_its_own_error_only() -> None:
    """Catches 0 / 0 in one combination that spreads over the outcome, as in statsmodels' HC3."""
    data = builders.random_progression(CODEBOOK, seed=2)
    rows = np.flatnonzero(
        (data["combination"] == "11") & data["standardised"].notnull().any("outcome")
    )
    keep = ~np.isin(np.arange(data.sizes["response"]), rows[1:])
    data = data.assign_coords(analysed=data["analysed"] & xr.DataArray(keep, dims="response"))
    estimates = estimate_ols(data, CODEBOOK, vcov=["classical", "HC3"])
    hc3 = estimates["covariance"].sel(vcov="HC3")
    assert hc3.sel(combination="11", combination_="11").isnull().all()
    others = ["00", "01", "10"]
    assert hc3.sel(combination=others, combination_=others).notnull().all()
    assert (estimates["n"].sel(combination="11") <= 1).all()


def test_factors_and_clusters_are_those_of_the_outcomes_own_responses() -> None:
    """Catches a jobcenter without answers counted as a cluster, and a factor that says nothing."""
    unanswered = [("q1", combination, "site 2") for combination in CODEBOOK.combinations]
    shape = builders.Shape(citizens=90, moves=0.0, unanswered=unanswered)
    data = builders.random_progression(CODEBOOK, seed=3, shape=shape)
    estimates = estimate_ols(data, CODEBOOK, vcov=["HC1", "cluster_jobcenter"])
    assert_equals_statsmodels(data, estimates, "q1")
    own, n = estimates.sel(outcome="q1"), len(outcome_sample(data, "q1"))
    assert own["clusters"].sel(vcov="cluster_jobcenter") == 3
    assert own["factor"].sel(vcov="HC1") == pytest.approx(n / (n - 4))


def test_as_many_dummies_as_responses_are_said_to_leave_no_error() -> None:
    """Catches an empty error that says nothing where every combination has one response."""
    data = builders.random_progression(CODEBOOK, seed=2)
    known = (data["standardised"].sel(outcome="q1").notnull() & data["analysed"]).to_numpy()
    rows = pd.Series(data["combination"].to_numpy())[known].drop_duplicates().index
    kept = data.assign_coords(analysed=data["response"].isin(rows))
    estimates = estimate_ols(kept, CODEBOOK, vcov=["classical", "HC1"]).sel(outcome="q1")
    assert estimates["observations"] == estimates["columns"] == 4
    assert set(estimates["reason"].to_numpy()) == {"no degrees of freedom"}


def test_one_cluster_a_row_is_hc1() -> None:
    """Stata's factor turns into HC1's where each citizen has one change (standards 4.2)."""
    shape = builders.Shape(citizens=150, waves=(2, 2), unknown=0.0, gaps=0.0)
    data = builders.random_progression(CODEBOOK, seed=4, shape=shape)
    covariance = estimate_ols(data, CODEBOOK, vcov=["HC1", "cluster_citizen"])["covariance"]
    np.testing.assert_allclose(
        covariance.sel(vcov="cluster_citizen"), covariance.sel(vcov="HC1"), **TOLERANCE
    )


def test_counts_are_distinct_citizens_of_the_outcome() -> None:
    """Catches responses counted as citizens, and one outcome's counts given to all."""
    data = builders.random_progression(CODEBOOK, seed=5, shape=SHAPES["gaps"])
    estimates = estimate_ols(data, CODEBOOK)
    for outcome in CODEBOOK.outcomes:
        groups = outcome_sample(data, outcome).groupby("combination")["citizen"]
        expected = pd.DataFrame({"n": groups.size(), "n_citizens": groups.nunique()})
        ours = estimates[["n", "n_citizens"]].sel(outcome=outcome, combination=expected.index)
        assert (ours["n"] == expected["n"].to_numpy()).all()
        assert (ours["n_citizens"] == expected["n_citizens"].to_numpy()).all()
        cells = outcome_sample(data, outcome).groupby(["combination", "jobcenter"])["citizen"]
        for (combination, jobcenter), citizens in cells:
            ours = estimates.sel(outcome=outcome, combination=combination, jobcenter=jobcenter)
            assert ours["jobcenter_n"] == len(citizens)
            assert ours["jobcenter_n_citizens"] == citizens.nunique()
    assert (estimates["n_citizens"] < estimates["n"]).any()


def saturated_fit(data: xr.Dataset, outcome: str, vcov: str) -> tuple[pd.Series, pd.DataFrame]:
    frame = outcome_sample(data, outcome)
    frame["combination"] += "|" + frame["jobcenter"]
    fit = statsmodels_fit(frame, vcov)
    return fit.params, fit.cov_params()


@pytest.mark.parametrize("vcov", ["classical", "HC1", "HC3", "cluster_citizen"])
def test_jobcenters_weighted_alike_equal_the_saturated_regression(vcov: str) -> None:
    """Catches weights of the combination instead of the jobcenter's overall share."""
    data = builders.random_progression(
        CODEBOOK, seed=6, shape=builders.Shape(citizens=300, gaps=0.05)
    )
    estimates = estimate_ols(data, CODEBOOK, vcov=[vcov]).sel(vcov=vcov)
    for outcome in ("q2", "citizen_mean"):
        params, covariance = saturated_fit(data, outcome, vcov)
        share = outcome_sample(data, outcome)["jobcenter"].value_counts(normalize=True)
        weights = pd.DataFrame(0.0, index=list(CODEBOOK.combinations), columns=params.index)
        for label in params.index:
            combination, jobcenter = label.split("|")
            weights.loc[combination, label] = share[jobcenter]
            cell = estimates.sel(outcome=outcome, combination=combination, jobcenter=jobcenter)
            np.testing.assert_allclose(cell["jobcenter_estimate"], params[label], **TOLERANCE)
            variance = covariance.loc[label, label]
            np.testing.assert_allclose(cell["jobcenter_variance"], variance, **TOLERANCE)
        ours = estimates.sel(outcome=outcome)
        rows = outcome_sample(data, outcome)
        clusters = rows["citizen"].nunique() - 1
        df = clusters if vcov == "cluster_citizen" else len(rows) - len(params)
        assert ours["saturated_df"] == df
        np.testing.assert_allclose(ours["standardised_estimate"], weights @ params, **TOLERANCE)
        np.testing.assert_allclose(
            ours["standardised_covariance"], weights @ covariance @ weights.T, **TOLERANCE
        )


def test_standardised_is_empty_where_a_jobcenter_lacks_the_combination() -> None:
    """Catches weights silently renormalised over the jobcenters that are there."""
    shape = builders.Shape(citizens=300, lacking=[("10", "site 2")])
    data = builders.random_progression(CODEBOOK, seed=7, shape=shape)
    estimates = estimate_ols(data, CODEBOOK)
    missing = estimates["standardised_estimate"].isnull()
    assert missing.sel(combination="10").all()
    assert not missing.sel(combination=["00", "01", "11"]).any()
    note = estimates["standardised_note"].sel(combination="10")
    assert (note == "not observed in every {jobcenter}").all()


@pytest.mark.parametrize("seed", [1, 2])
def test_row_order_and_jobcenter_names_do_not_matter(seed: int) -> None:
    """Catches anything addressed by position."""
    study = builders.random_study(CODEBOOK, seed=seed)
    first = estimate_ols(progression(study, CODEBOOK), CODEBOOK)
    names = dict(zip(first["jobcenter"].to_numpy(), ["w", "a", "z 10", "z 9"], strict=True))
    frame = study.responses.sample(frac=1, random_state=seed + 50)
    frame["jobcenter"] = frame["jobcenter"].map(names)
    changed = builders.replace_responses(study, frame)
    second = estimate_ols(progression(changed, CODEBOOK), CODEBOOK)
    assert list(second["jobcenter"].to_numpy()) == ["a", "w", "z 9", "z 10"]
    renamed = first.assign_coords(jobcenter=[names[j] for j in first["jobcenter"].to_numpy()])
    for name, values in renamed.sel(jobcenter=second["jobcenter"]).items():
        if values.dtype != object:
            np.testing.assert_allclose(second[name], values, rtol=0, atol=1e-12, err_msg=str(name))


@pytest.mark.parametrize(
    ("indicators", "treatments", "sites"), [(7, 2, 4), (3, 1, 2), (4, 3, 1), (1, 2, 3)]
)
def test_other_shapes(indicators: int, treatments: int, sites: int) -> None:
    """Catches a fixed number of indicators, jobcenters or treatments."""
    labels = [f"site {number}" for number in range(sites)]
    codebook = builders.make_codebook(indicators, treatments, jobcenters=labels)
    data = builders.random_progression(codebook, seed=8, shape=builders.Shape(citizens=200))
    estimates = estimate_ols(data, codebook)
    assert estimates.sizes["combination"] == 2**treatments
    assert estimates.sizes["outcome"] == len(codebook.outcomes)
    plain = estimates.sel(vcov=["classical", "HC1", "HC3", "cluster_citizen"])
    for outcome in codebook.outcomes:
        assert_equals_statsmodels(data, plain, outcome)
    if sites == 1:
        reason = estimates["reason"].sel(vcov="cluster_jobcenter")
        assert (reason == "fewer than two {jobcenters}").all()


def test_what_cannot_be_estimated_is_refused() -> None:
    """Catches a silent default for a misspelt error, and a traceback for an empty sample."""
    data = builders.random_progression(CODEBOOK, seed=9)
    with pytest.raises(SettingsError, match="HC4"):
        estimate_ols(data, CODEBOOK, vcov=["classical", "HC4"])
    with pytest.raises(DataError, match="two responses"):
        estimate_ols(data.assign_coords(analysed=data["analysed"] & False), CODEBOOK)
    other = builders.make_codebook(5, 1)
    with pytest.raises(DataError, match="combination holds"):
        estimate_ols(data, other)


def test_every_error_is_known() -> None:
    assert set(VCOV) == set(STATSMODELS)
