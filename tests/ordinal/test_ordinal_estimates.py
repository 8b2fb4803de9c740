"""Ordinal estimates by combination: known truth, joint errors, frame, odd shapes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import xarray as xr
from builders import Shape, make_codebook, random_progression, random_study, replace_responses
from scipy.stats import norm

from bipbayes.data.progression import progression as make_progression
from bipbayes.data.sample import analysis_sample
from bipbayes.data.study import Study
from bipbayes.errors import DataError, SettingsError
from bipbayes.ordinal import estimate_ordinal, ordinal_intervals
from bipbayes.ordinal.estimates import _stack, fit_indicator, fit_indicators, outcome_weights
from bipbayes.ordinal.probit import indicator_answers

CODEBOOK = make_codebook(4, 2)


@pytest.fixture(scope="module")
def progression() -> xr.Dataset:
    return random_progression(CODEBOOK, seed=5, shape=Shape(citizens=200, waves=(2, 4)))


@pytest.fixture(scope="module")
def estimates(progression: xr.Dataset) -> xr.Dataset:
    return estimate_ordinal(progression, CODEBOOK)


def _probit_study(seed: int, people: int = 3000) -> tuple[Study, np.ndarray]:
    """Draw two responses of people from an ordered probit; those low at first are treated most.

    Returns the study and the true expected change, by combination, over all first answers.
    """
    rng = np.random.default_rng(seed)
    first = rng.choice([1, 2, 3, 5], size=people, p=[0.2, 0.3, 0.3, 0.2])
    treated = (rng.random(people) < np.where(first <= 2, 0.6, 0.2)).astype(int)
    cuts, pull = np.array([-1.0, 0.0, 1.2]), 0.5 * (first - 3.0)
    scale = np.array([1.0, 2.0, 3.0, 5.0])  # nobody ever answers 4
    latent = pull + 0.6 * np.array([[0], [1]]) + rng.normal(size=people)
    second = scale[(latent[..., None] > cuts).sum(axis=-1)]
    frame = pd.DataFrame(
        {
            "citizen": np.tile([f"c{i:05d}" for i in range(people)], 2),
            "jobcenter": "a",
            "date": np.repeat(pd.to_datetime(["2013-01-01", "2013-06-01"]), people),
            "q1": np.concatenate([first, np.where(treated, second[1], second[0])]),
            "combination": np.concatenate([np.full(people, "0"), treated.astype(str)]),
        }
    )
    study = Study(frame, make_codebook(1, 1), digest="", synthetic=True, name="probit")
    return study, (second - first).mean(axis=1)


def test_translation_recovers_expected_progression() -> None:
    """Catches an average over the wrong previous answers, or an unused category that counts."""
    study, truth = _probit_study(1)
    data = make_progression(study)
    found = estimate_ordinal(data, study.codebook)
    one = found.sel(outcome="q1")
    standardised = (truth - data["mean"].sel(outcome="q1").item()) / one["sd"].item()
    errors = np.sqrt(np.einsum("vcc->vc", one["covariance"].to_numpy()))
    gap = (one["estimate"].to_numpy() - standardised) / errors[1]
    assert (abs(gap) < 3).all()
    # The plain means are far off: those treated started low.
    values = data["standardised"].sel(outcome="q1").to_series()
    plain = values.groupby(data["combination"].to_numpy()).mean()
    assert abs(plain.diff().iloc[1] - np.diff(standardised)[0]) > 0.15
    sample = analysis_sample(data, study.codebook)
    latent = fit_indicators(data, study.codebook, sample=sample)["q1"].effect
    assert np.diff(latent)[0] == pytest.approx(0.6, abs=0.1)
    # One response a citizen: clustered errors are robust errors, near the classical ones.
    np.testing.assert_allclose(errors[0], errors[1], rtol=0.1)


def test_errors_of_averages_equal_resampled_citizens() -> None:
    """Catches indicators stacked out of step, and errors that ignore citizens.

    Citizens are drawn again with replacement and all indicators fitted again each time: the
    variances of the indicators' contrasts and of their average's, which rests on how the two err
    together, must agree within the bootstrap's own error.
    """
    codebook = make_codebook(4, 1)
    shape = Shape(citizens=250, waves=(3, 5), gaps=0.1)
    data = random_progression(codebook, seed=8, shape=shape)
    sample = analysis_sample(data, codebook)
    answers = indicator_answers(data, codebook, sample=sample)[:2]
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(120):
        times = np.bincount(rng.integers(0, 250, 250), minlength=250)
        found = []
        for entry in answers:
            again = np.repeat(np.arange(len(entry.rows)), times[sample.citizen[entry.rows]])
            parts = ("rows", "category", "level", "combination")
            drawn = replace(entry, **{name: getattr(entry, name)[again] for name in parts})
            fit = fit_indicator(drawn, combinations=2)
            assert fit is not None
            found.append(float(np.diff(fit.translation.progress(fit.effect))[0]))
        draws.append(found)
    outcomes = ["q1", "q2", "citizen_mean"]
    weights = outcome_weights(data, codebook)[0][[0, 1, 4], :2]
    bootstrap = np.var(weights @ np.array(draws).T, axis=1, ddof=1)
    errors = estimate_ordinal(data, codebook)["covariance"]
    errors = errors.sel(vcov="cluster_citizen", outcome=outcomes)
    ours = np.einsum("c,ocd,d->o", [-1.0, 1.0], errors.to_numpy(), [-1.0, 1.0])
    spread = np.sqrt(2 / len(draws)) * ours
    assert (abs(bootstrap - ours) < 3.5 * spread).all()
    alone = weights[2] ** 2 @ ours[:2]  # of the average, did its members err independently
    assert ours[2] - alone > 2 * spread[2]  # so that errors out of step would show


def test_errors_by_citizen_of_two_answers_equal_statsmodels() -> None:
    """Catches a missing small-sample factor, or a slope that the delta method leaves out."""
    codebook = make_codebook(1, 1, scale=(1, 2))
    data = random_progression(codebook, seed=3, shape=Shape(citizens=60, waves=(2, 5), gaps=0.1))
    one = data.sel(outcome="q1")
    known = (one["standardised"].notnull() & one["analysed"]).to_numpy()
    before = one["baseline"].to_numpy()[known]
    higher = before + one["change"].to_numpy()[known] - 1
    treated = (one["combination"].to_numpy()[known] == "1").astype(float)
    design = np.column_stack([np.ones(len(before)), before == 2, treated])
    people = pd.factorize(one["citizen"].to_numpy()[known])[0]
    fit = sm.Probit(higher, design).fit(
        disp=0, tol=1e-12, cov_type="cluster", cov_kwds={"groups": people}
    )
    shares = np.array([(before == 1).mean(), (before == 2).mean()])

    def expected(parameters: np.ndarray) -> np.ndarray:
        base, level, effect = parameters
        location = base + np.array([[0.0], [effect]]) + np.array([0.0, level])
        return norm.cdf(location) @ shares / one["sd"].item()

    steps = 1e-6 * np.eye(3)
    slopes = np.array([expected(fit.params + s) - expected(fit.params - s) for s in steps]) / 2e-6
    found = estimate_ordinal(data, codebook)["covariance"]
    ours = found.sel(outcome="q1", vcov="cluster_citizen").to_numpy()
    np.testing.assert_allclose(ours, slopes.T @ fit.cov_params() @ slopes, rtol=1e-4)


def test_averages_are_sums_of_indicators(progression: xr.Dataset, estimates: xr.Dataset) -> None:
    """Catches averages with errors that leave the covariance of their members out."""
    weights, shift = outcome_weights(progression, CODEBOOK)
    sd = progression["sd"].to_series()
    assert weights[4, 0] == pytest.approx(sd["q1"] / (2 * sd["citizen_mean"]))
    values = estimates["estimate"].sel(outcome=["q1", "q2"]).to_numpy()
    mean = progression["mean"].to_series()
    between = (mean["q1"] + mean["q2"]) / 2 - mean["citizen_mean"]
    assert shift[4] == pytest.approx(between / sd["citizen_mean"]) and abs(shift[4]) > 1e-4
    expected = weights[4, :2] @ values + shift[4]
    np.testing.assert_allclose(estimates["estimate"].sel(outcome="citizen_mean"), expected)
    sample = analysis_sample(progression, CODEBOOK)
    fits = fit_indicators(progression, CODEBOOK, sample=sample)
    influence = _stack(fits, sample, CODEBOOK.indicator_codes).influence
    joint = (influence.T @ influence).reshape(4, 4, 4, 4)
    moved = np.einsum("o,ocpd,p->cd", weights[4], joint, weights[4])
    mine = estimates["covariance"].sel(outcome="citizen_mean", vcov="cluster_citizen")
    np.testing.assert_allclose(mine, moved, atol=1e-14)
    one = estimates["covariance"].sel(outcome="q3", vcov="cluster_citizen")
    np.testing.assert_allclose(one, joint[2, :, 2], atol=1e-15)


def test_frame(estimates: xr.Dataset) -> None:
    """Catches limits, contrasts or families that differ from the OLS frame's rules."""
    frame = ordinal_intervals(estimates, CODEBOOK, level=0.9)
    assert set(frame["source"]) == {"ordinal"}
    assert (frame["level"] == 0.9).all()
    key = ["vcov", "estimand", "outcome", "combination"]
    rows = frame.set_index(key)
    one = rows.loc[("cluster_citizen", "contrast", "q2", "10")]
    values = estimates["estimate"].sel(outcome="q2")
    assert one["estimate"] == pytest.approx(
        float(values.sel(combination="10") - values.sel(combination="00"))
    )
    matrix = estimates["covariance"].sel(outcome="q2", vcov="cluster_citizen").to_numpy()
    assert one["se"] == pytest.approx(np.sqrt(matrix[0, 0] + matrix[2, 2] - 2 * matrix[0, 2]))
    assert one["lower"] < one["estimate"] < one["upper"]
    family = frame[(frame["vcov"] == "classical") & (frame["estimand"] == "effect")]
    indicators = family[family["outcome"].str.startswith("q")]
    smallest = indicators.nsmallest(1, "p_value").iloc[0]
    assert smallest["p_holm"] == pytest.approx(min(1.0, 16 * smallest["p_value"]))
    averages = family[~family["outcome"].str.startswith("q")]
    assert averages["se"].isna().all()
    assert (averages["note"] != "").all()
    with pytest.raises(SettingsError):
        ordinal_intervals(estimates, CODEBOOK, level=95)


def test_shuffled_rows_change_nothing() -> None:
    """Catches joins by position."""
    study = random_study(CODEBOOK, seed=6, shape=Shape(citizens=120, waves=(2, 4)))
    found = [
        estimate_ordinal(make_progression(replace_responses(study, frame)), CODEBOOK)
        for frame in (study.responses, study.responses.sample(frac=1, random_state=3))
    ]
    for name in ("estimate", "covariance"):
        np.testing.assert_allclose(found[0][name], found[1][name], atol=1e-9)


def test_empty_places() -> None:
    """Catches code that counts on all combinations and indicators being answered."""
    codebook = make_codebook(3, 3, scale=(0, 3))
    shape = Shape(citizens=150, combinations=codebook.combinations[:5])
    study = random_study(codebook, seed=2, shape=shape)
    frame = study.responses.assign(q2=np.nan)
    frame.loc[frame["combination"] == "001", "q3"] = np.nan
    data = make_progression(replace(study, responses=frame))
    found = estimate_ordinal(data, codebook)
    assert found["estimate"].sel(outcome="q2").isnull().all()
    assert found["estimate"].sel(outcome="citizen_mean").isnull().all()
    assert found["estimate"].sel(outcome="q3", combination="001").isnull()
    known = found["estimate"].sel(outcome="q3").notnull().sum()
    assert known == 4
    rows = (
        ordinal_intervals(found, codebook)
        .set_index(["estimand", "outcome", "combination"])
        .sort_index()
    )
    assert set(rows.loc[("effect", "q2"), "note"]) == {"fewer than two different answers"}
    assert set(rows.loc[("effect", "q1", "111"), "note"]) == {"combination not observed"}
    assert rows.loc[("effect", "q1", "000"), "se"].notna().all()


def test_no_answers_that_differ() -> None:
    """Catches an obscure failure where an ordinal analysis has nothing to work with."""
    codebook = make_codebook(1, 1)
    study = random_study(codebook, seed=2, shape=Shape(citizens=30, waves=(2, 2)))
    frame = study.responses.sort_values(["citizen", "date"])
    frame["q1"] = np.where(frame.groupby("citizen").cumcount() == 1, 3.0, frame["q1"])
    frame = frame.assign(q1=frame["q1"].where(frame["q1"].notna(), 2.0))
    data = make_progression(replace_responses(study, frame))
    assert analysis_sample(data, codebook).observed.any()
    with pytest.raises(DataError, match="two different answers"):
        estimate_ordinal(data, codebook)
