"""OLS with regressors against one-step statsmodels on ragged random studies."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import xarray as xr
from builders import Shape, make_codebook, random_progression, random_study

from bipbayes.data.adjustment import Adjustment, adjusted_progression, make_adjustment
from bipbayes.data.codebook import Codebook
from bipbayes.regression import estimate_ols, ols_intervals
from bipbayes.regression.adjusted import estimate_adjusted

CODEBOOK = make_codebook(5, 2)
SHAPE = Shape(citizens=250, waves=(2, 5))
STATSMODELS = {
    "classical": ("nonrobust", None),
    "HC1": ("HC1", None),
    "HC3": ("HC3", None),
    "cluster_citizen": ("cluster", "citizen"),
    "cluster_jobcenter": ("cluster-crv3", "jobcenter"),
}


def _covariates(progression: xr.Dataset) -> pd.DataFrame:
    citizens = np.unique(progression["citizen"].to_numpy().astype(str))
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"citizen": citizens, "age": rng.normal(45, 10, len(citizens))})
    frame["income"] = frame["age"] * 2.0 + rng.normal(0, 30, len(citizens))
    frame.loc[::7, "income"] = np.nan
    frame["copy"] = 3.0 * frame["age"] - 1.0
    return frame.sample(frac=1, random_state=1)


@pytest.fixture(scope="module")
def progression() -> xr.Dataset:
    return random_progression(CODEBOOK, seed=11, shape=SHAPE)


@pytest.fixture(scope="module")
def adjustment(progression: xr.Dataset) -> Adjustment:
    return make_adjustment(
        progression,
        CODEBOOK,
        adjust=("baseline", "covariates"),
        covariates=_covariates(progression),
    )


def _standing(start: np.ndarray) -> pd.DataFrame:
    """Mean answers of each respondent where a change starts, from the file's own answers."""
    responses = random_study(CODEBOOK, seed=11, shape=SHAPE).responses
    answers = responses[list(CODEBOOK.indicator_codes)].astype(float)
    answers = answers.where(answers.groupby(responses["citizen"]).transform("count") > 1)
    answers = answers - answers.mean()
    means = {}
    for respondent in CODEBOOK.respondents:
        own = [c for c in CODEBOOK.indicator_codes if CODEBOOK.respondent_of(c) == respondent]
        means[f"mean {respondent}"] = answers[own].mean(axis=1).fillna(0.0).to_numpy()
    return pd.DataFrame(means).iloc[np.maximum(start, 0)].reset_index(drop=True)


def _statsmodels(
    progression: xr.Dataset, outcome: str, *, groups: pd.Series, vcov: str
) -> tuple[pd.Series, pd.DataFrame, float]:
    """One regression built anew: dummies of groups, of previous answers, covariates."""
    frame = progression[["standardised", "baseline"]].sel(outcome=outcome).to_dataframe()
    frame = frame.assign(groups=groups.to_numpy()).dropna(subset="standardised")
    dummies = pd.get_dummies(frame["groups"], dtype=float)
    if outcome in CODEBOOK.average_codes:
        line = frame["baseline"] - frame["baseline"].mean()
        extra = pd.DataFrame({"line": line, "square": line**2})
    else:
        extra = pd.get_dummies(frame["baseline"], drop_first=True, dtype=float)
    standing = _standing(progression.sel(outcome=outcome)["previous"].to_numpy())
    if outcome in CODEBOOK.average_codes:  # its own previous value says the same
        standing = standing.drop(columns=f"mean {CODEBOOK.respondent_of(outcome)}")
    extra = extra.assign(**{name: standing.loc[frame.index, name] for name in standing})
    people = _covariates(progression).set_index("citizen").reindex(frame["citizen"])
    extra = extra.assign(
        age=people["age"].to_numpy(),
        income=people["income"].fillna(people["income"].mean()).to_numpy(),
        unknown=people["income"].isna().to_numpy(dtype=float),
    )
    design = pd.concat([dummies, extra - extra.mean()], axis=1)
    design.columns = design.columns.astype(str)
    kind, cluster = STATSMODELS[vcov]
    options = {"groups": pd.factorize(frame[cluster])[0]} if cluster else {}
    fit = sm.OLS(frame["standardised"], design).fit(cov_type=kind, cov_kwds=options or None)
    names = [str(name) for name in dummies]
    return fit.params[names], fit.cov_params().loc[names, names], float(fit.df_resid)


@pytest.mark.parametrize("vcov", list(STATSMODELS))
def test_one_regression_equals_statsmodels(
    progression: xr.Dataset, adjustment: Adjustment, vcov: str
) -> None:
    """Catches slopes whose error is left out, wrong leverages, cluster factors or degrees."""
    estimates = estimate_adjusted(progression, CODEBOOK, adjustment=adjustment, vcov=[vcov])
    for outcome in CODEBOOK.outcomes:
        groups = progression["combination"].to_series()
        params, covariance, df = _statsmodels(progression, outcome, groups=groups, vcov=vcov)
        mine = estimates.sel(outcome=outcome, vcov=vcov)
        np.testing.assert_allclose(mine["estimate"].to_numpy(), params, atol=1e-10, rtol=0)
        np.testing.assert_allclose(mine["covariance"].to_numpy(), covariance, atol=1e-10, rtol=0)
        if vcov in ("classical", "HC1", "HC3"):
            assert mine["df"].item() == df
        n = float(mine["observations"])
        clusters = float(mine["clusters"])
        factors = {"HC1": n / df, "cluster_citizen": clusters / (clusters - 1) * (n - 1) / df}
        if vcov in factors:
            assert mine["factor"].item() == pytest.approx(factors[vcov])


@pytest.mark.parametrize("vcov", ["classical", "HC1", "cluster_citizen"])
def test_jobcenter_means_equal_statsmodels(
    progression: xr.Dataset, adjustment: Adjustment, vcov: str
) -> None:
    """Catches slopes of the saturated regression that are estimated without its dummies."""
    estimates = estimate_adjusted(progression, CODEBOOK, adjustment=adjustment, vcov=[vcov])
    cells = progression["combination"].to_series() + "|" + progression["jobcenter"].to_series()
    for outcome in ("q1", "citizen_mean"):
        params, covariance, df = _statsmodels(progression, outcome, groups=cells, vcov=vcov)
        mine = estimates.sel(outcome=outcome, vcov=vcov)
        if vcov != "cluster_citizen":
            assert mine["saturated_df"].item() == df
        flat = mine.stack(cell=("combination", "jobcenter"))
        names = ["|".join(label) for label in flat["cell"].to_numpy()]
        np.testing.assert_allclose(
            flat["jobcenter_estimate"], params.reindex(names), atol=1e-10, rtol=0
        )
        variance = pd.Series(np.diag(covariance), index=params.index).reindex(names)
        np.testing.assert_allclose(flat["jobcenter_variance"], variance, atol=1e-10, rtol=0)
        share = progression["jobcenter"][progression["standardised"].sel(outcome=outcome).notnull()]
        weights = share.to_series().value_counts(normalize=True)
        for combination in CODEBOOK.combinations:
            label = [f"{combination}|{site}" for site in weights.index]
            expected = params[label] @ weights.to_numpy()
            assert mine["standardised_estimate"].sel(
                combination=combination
            ).item() == pytest.approx(expected, abs=1e-10)
            spread = weights.to_numpy() @ covariance.loc[label, label] @ weights.to_numpy()
            assert mine["standardised_covariance"].sel(
                combination=combination, combination_=combination
            ).item() == pytest.approx(spread, abs=1e-10)


def test_two_steps_give_the_same_estimates(progression: xr.Dataset, adjustment: Adjustment) -> None:
    """Catches residualising with slopes that are not from within the groups."""
    one = estimate_adjusted(progression, CODEBOOK, adjustment=adjustment, vcov=["classical"])
    moved = adjusted_progression(progression, CODEBOOK, adjustment=adjustment, within="combination")
    two = estimate_ols(moved, CODEBOOK, vcov=["classical"])
    np.testing.assert_allclose(two["estimate"], one["estimate"], atol=1e-12)
    # The two-step errors leave the slopes' error out: smaller, and by no more than it says.
    errors = [
        np.einsum("okk->ok", data["covariance"].sel(vcov="classical").to_numpy())
        for data in (two, one)
    ]
    freedom = (one["observations"] - one["columns"]) / (two["observations"] - two["columns"])
    ratio = errors[1] / errors[0] * freedom.to_numpy()[:, None]
    assert (ratio >= 1 - 1e-12).all()
    np.testing.assert_allclose(ratio.max(axis=1) - 1, moved["slope_share"], rtol=1e-8)


def test_frames_without_changes_to_their_reader(
    progression: xr.Dataset, adjustment: Adjustment
) -> None:
    """Catches variables or dims that ols_intervals does not know."""
    plain = estimate_ols(progression, CODEBOOK)
    mine = estimate_adjusted(progression, CODEBOOK, adjustment=adjustment)
    assert {k: v.dims for k, v in plain.items()} == {k: v.dims for k, v in mine.items()}
    frame = ols_intervals(mine, CODEBOOK)
    assert len(frame) == len(ols_intervals(plain, CODEBOOK))
    effects = frame[(frame["estimand"] == "effect") & (frame["vcov"] == "cluster_citizen")]
    assert effects["se"].notna().all()
    assert mine.attrs["adjust"] == "baseline+covariates"


def test_other_shapes_and_empty_places() -> None:
    """Catches code that counts on every combination, jobcenter or outcome being observed."""
    codebook = make_codebook(4, 3)
    shape = Shape(citizens=60, combinations=codebook.combinations[:5], gaps=0.3)
    progression = random_progression(codebook, seed=2, shape=shape)
    adjustment = make_adjustment(progression, codebook)
    estimates = estimate_adjusted(progression, codebook, adjustment=adjustment)
    unobserved = list(codebook.combinations[5:])
    for name in ("estimate", "covariance", "standardised_estimate"):
        assert estimates[name].sel(combination=unobserved).isnull().all()
    frame = ols_intervals(estimates, codebook)
    assert set(frame.loc[frame["combination"].isin(unobserved), "se"].isna()) == {True}
    nobody = _nobody_answers(progression, "q2")
    again = make_adjustment(nobody, codebook)
    assert (
        estimate_adjusted(nobody, codebook, adjustment=again)["estimate"]
        .sel(outcome="q2")
        .isnull()
        .all()
    )


def _nobody_answers(progression: xr.Dataset, outcome: str) -> xr.Dataset:
    here = progression["outcome"] != outcome
    return progression.assign(standardised=progression["standardised"].where(here))


def test_a_jobcenter_with_a_regressor_of_its_own(progression: xr.Dataset) -> None:
    """Catches a jackknife that inverts a singular matrix instead of saying so."""
    codebook: Codebook = CODEBOOK
    frame = _covariates(progression)[["citizen"]]
    last = progression["jobcenter"].to_series().max()
    rows = progression["jobcenter"] == last
    here = set(progression["citizen"].to_numpy()[rows]) - set(
        progression["citizen"].to_numpy()[~rows]
    )
    values = np.random.default_rng(0).normal(size=len(frame))
    frame["local"] = np.where(frame["citizen"].isin(here), values, 0.0)
    adjustment = make_adjustment(progression, codebook, adjust=["covariates"], covariates=frame)
    estimates = estimate_adjusted(
        progression, codebook, adjustment=adjustment, vcov=["cluster_jobcenter"]
    )
    assert estimates["covariance"].isnull().all()
    assert all("singular" in text for text in estimates["reason"].to_numpy().ravel())
