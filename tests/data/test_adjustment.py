"""Regressors of the adjustment and adjusted progression."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from builders import Shape, make_codebook, random_progression, random_study, replace_responses

from bipbayes.data.adjustment import adjusted_progression, independent_columns, make_adjustment
from bipbayes.data.progression import progression
from bipbayes.data.study import Study
from bipbayes.errors import DataError, SettingsError

CODEBOOK = make_codebook(4, 1)


@pytest.fixture(scope="module")
def plain() -> xr.Dataset:
    return random_progression(CODEBOOK, seed=4, shape=Shape(citizens=150, waves=(2, 5)))


def _group_means(dataset: xr.Dataset, outcome: str = "q1") -> pd.Series:
    values = dataset["standardised"].sel(outcome=outcome).to_series()
    return values.groupby(dataset["combination"].to_numpy()).mean()


def _bounded_study(seed: int, effect: float) -> tuple[Study, float]:
    """Two responses of 6,000 citizens; those low at first are treated three times as often.

    Returns the study and the true adjusted effect of treatment: expected answer with minus
    without it, at the same first answer, averaged over all first answers, over the sd.
    """
    rng = np.random.default_rng(seed)
    people = 6000
    level = rng.normal(3.0, 1.0, people)
    answers = [np.clip(np.round(level + rng.normal(0, 0.7, people)), 1, 5) for _ in range(2)]
    low = answers[0] <= 3
    treated = rng.random(people) < np.where(low, 0.6, 0.2)
    noise = rng.normal(0, 0.7, people)
    both = [np.clip(np.round(level + noise + effect * on), 1, 5) for on in (0, 1)]
    answers[1] = np.where(treated, both[1], both[0])
    truth = float((both[1] - both[0]).mean())
    frame = pd.DataFrame(
        {
            "citizen": np.tile([f"c{i:05d}" for i in range(people)], 2),
            "jobcenter": np.tile(np.where(rng.random(people) < 0.5, "a", "b"), 2),
            "date": np.repeat(pd.to_datetime(["2013-01-01", "2013-06-01"]), people),
            "q1": np.concatenate(answers),
            "combination": np.concatenate([np.full(people, "0"), np.where(treated, "1", "0")]),
        }
    )
    codebook = make_codebook(1, 1)
    study = Study(frame, codebook, digest="", synthetic=True, name="bounded")
    return study, truth


def test_floor_and_ceiling_bias_the_plain_effect_and_not_the_adjusted() -> None:
    """Catches an adjustment with the wrong sign, the wrong slope or none at all.

    Treatment goes to those with low first answers, who rise anyhow: plain progression credits
    treatment with that. The truth is known from both potential answers of every citizen.
    """
    study, truth = _bounded_study(1, 0.4)
    plain = progression(study)
    adjustment = make_adjustment(plain, study.codebook)
    adjusted = adjusted_progression(plain, study.codebook, adjustment=adjustment)
    sd = plain["sd"].sel(outcome="q1").item()
    raw, clean = (
        float(np.diff(_group_means(data).to_numpy())[0]) * sd for data in (plain, adjusted)
    )
    error = np.sqrt(2 / 3000)  # of a difference of means of 3,000 with sd near 1
    assert raw - truth > 10 * error
    assert abs(clean - truth) < 3 * error


def test_what_is_adjusted_keeps_its_frame(plain: xr.Dataset) -> None:
    """Catches lost or invented answers, another scale, a mean that moved, a changed input."""
    before = plain.copy(deep=True)
    adjusted = adjusted_progression(plain, CODEBOOK, adjustment=make_adjustment(plain, CODEBOOK))
    xr.testing.assert_identical(plain, before)
    assert (adjusted["standardised"].isnull() == plain["standardised"].isnull()).all()
    assert adjusted["standardised"].dims == plain["standardised"].dims
    np.testing.assert_allclose(adjusted["standardised"].mean("response"), 0.0, atol=1e-12)
    assert (adjusted["standardised"].std("response") < 0.99).all()
    xr.testing.assert_equal(
        adjusted[["change", "mean", "sd", "n"]], plain[["change", "mean", "sd", "n"]]
    )
    assert adjusted.attrs["adjust"] == "baseline"
    assert (adjusted["slope_share"] > 0).all() and (adjusted["slope_share"] < 1).all()


def test_shuffled_rows_change_nothing() -> None:
    """Catches regressors that are joined by position."""
    study = random_study(CODEBOOK, seed=4, shape=Shape(citizens=150, waves=(2, 5)))
    people = study.responses["citizen"].unique()
    covariates = pd.DataFrame({"citizen": people, "age": np.arange(len(people)) % 17.0})
    means = []
    for seed in (0, 1):
        frame = study.responses.sample(frac=1, random_state=seed)
        dataset = progression(replace_responses(study, frame))
        adjustment = make_adjustment(
            dataset,
            CODEBOOK,
            adjust=("covariates", "baseline"),
            covariates=covariates.sample(frac=1, random_state=seed),
        )
        assert adjustment.adjust == ("baseline", "covariates")
        means.append(_group_means(adjusted_progression(dataset, CODEBOOK, adjustment=adjustment)))
    pd.testing.assert_series_equal(means[0], means[1], atol=1e-12, rtol=0)


def test_rare_levels_join_their_neighbour(plain: xr.Dataset) -> None:
    """Catches a level of two answers that fits itself, or one joined to the far end."""
    baseline = plain["baseline"].copy()
    values = baseline.sel(outcome="q1").to_numpy().copy()
    counted = np.flatnonzero(plain["standardised"].sel(outcome="q1").notnull())
    values[counted] = np.resize([2.0, 3.0, 4.0], len(counted))
    values[counted[:2]] = 1.0
    values[counted[2:11]] = 5.0
    baseline.loc[{"outcome": "q1"}] = values
    adjustment = make_adjustment(plain.assign(baseline=baseline), CODEBOOK)
    assert adjustment.names["q1"][:3] == tuple(f"previous answer {level}" for level in (3, 4, 5))
    column = adjustment.values["q1"][:, 2]
    assert (column > 0).sum() == 9
    assert adjustment.values["q1"][counted].mean(axis=0) == pytest.approx(np.zeros(5), abs=1e-12)


def test_averages_get_a_line_and_a_square(plain: xr.Dataset) -> None:
    """Catches a factor with a level for each of an average's many values."""
    adjustment = make_adjustment(plain, CODEBOOK)
    assert adjustment.names["citizen_mean"] == (
        "previous answer",
        "previous answer squared",
        "mean previous answer, citizen",
        "mean previous answer, caseworker",
    )


def test_missing_covariates_are_counted_and_have_an_indicator(plain: xr.Dataset) -> None:
    """Catches citizens that vanish, and missing values that count as zero."""
    people = np.unique(plain["citizen"].to_numpy().astype(str))
    frame = pd.DataFrame({"age": 40.0 + np.arange(len(people)), "full": 1.0 * (people < "c0050")})
    frame.index = pd.Index(people, name="citizen")
    analysed = np.unique(
        plain["citizen"].to_numpy()[plain["standardised"].notnull().any("outcome")].astype(str)
    )
    frame.loc[analysed[:3], "age"] = np.nan
    frame = frame.drop(index=analysed[5])
    adjustment = make_adjustment(plain, CODEBOOK, adjust=["covariates"], covariates=frame)
    assert adjustment.missing == {"age": 4, "full": 1}
    assert adjustment.remarks["adjust_remark"].startswith("persons without a value")
    assert adjustment.remarks["adjust_remark_da"].startswith("personer uden en værdi")
    assert all("age (4), full (1)" in remark for remark in adjustment.remarks.values())
    assert adjustment.names["q1"][:2] == ("age", "full")
    assert "age missing" in adjustment.names["q1"]
    counted = plain["standardised"].sel(outcome="q1").notnull().to_numpy()
    lacking = counted & np.isin(plain["citizen"].to_numpy(), [*analysed[:3], analysed[5]])
    np.testing.assert_allclose(adjustment.values["q1"][lacking, 0], 0.0, atol=1e-12)
    assert adjustment.values["q1"][counted, 0].std() == pytest.approx(1.0, abs=0.1)


def test_chosen_columns_alone_are_used(plain: xr.Dataset) -> None:
    """Catches identifiers that slip in as regressors."""
    people = np.unique(plain["citizen"].to_numpy().astype(str))
    frame = pd.DataFrame({"citizen": people, "age": np.arange(len(people)), "number": 1.5})
    adjustment = make_adjustment(
        plain, CODEBOOK, adjust=["covariates"], covariates=frame, columns=["age"]
    )
    assert adjustment.names["q2"] == ("age",)


def test_all_faults_of_the_covariates_at_once(plain: xr.Dataset) -> None:
    """Catches a refusal that names one fault a time, or none."""
    people = np.unique(plain["citizen"].to_numpy().astype(str))
    frame = pd.DataFrame({"citizen": people, "age": np.inf, "sex": "f"})
    frame = pd.concat([frame, frame.iloc[:1]])
    with pytest.raises(DataError) as caught:
        make_adjustment(
            plain,
            CODEBOOK,
            adjust=["covariates"],
            covariates=frame,
            columns=["age", "sex", "income"],
        )
    for words in ("income", "'sex'] are not numeric", "infinite", "1 rows repeat an id"):
        assert words in str(caught.value)
    with pytest.raises(SettingsError, match="unknown"):
        make_adjustment(plain, CODEBOOK, adjust=["age"])
    with pytest.raises(SettingsError, match="one row a person"):
        make_adjustment(plain, CODEBOOK, adjust=["covariates"])


def test_copies_of_regressors_are_left_out() -> None:
    """Catches a singular regression, and a column dropped for being small."""
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 50))
    columns = np.column_stack([first, 2 * first, second * 1e-6, first + second, np.zeros(50)])
    kept = independent_columns(columns, np.linalg.norm(columns, axis=0))
    assert kept.tolist() == [True, False, True, False, False]


def test_an_outcome_that_nobody_answers_stays_empty() -> None:
    """Catches regressions on no rows."""
    study = random_study(CODEBOOK, seed=4, shape=Shape(citizens=40, waves=(2, 3)))
    frame = study.responses.assign(q3=np.nan)
    dataset = progression(replace(study, responses=frame))
    adjusted = adjusted_progression(
        dataset, CODEBOOK, adjustment=make_adjustment(dataset, CODEBOOK)
    )
    assert adjusted["standardised"].sel(outcome="q3").isnull().all()
    assert adjusted["standardised"].sel(outcome="q1").notnull().any()
