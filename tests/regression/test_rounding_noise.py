"""No certainty is made of rounding noise: changes that are all alike have no error."""

from dataclasses import replace

import builders
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from statsmodels.stats.multitest import multipletests

from bipbayes.data.progression import progression
from bipbayes.intervals import NO_SPREAD
from bipbayes.regression import VCOV, estimate_ols, ols_intervals
from bipbayes.regression.intervals import (
    cancelled,
    confidence_frame,
    estimate_rows,
    first_note,
    without_noise,
)
from bipbayes.regression.reasons import ALL_ALIKE, COMMON_VARIANCE

CODEBOOK = builders.make_codebook(3, 2)
ROBUST = tuple(name for name in VCOV if name != "classical")
BASE = builders.random_progression(
    CODEBOOK, seed=5, shape=builders.Shape(citizens=150, unknown=0.0, gaps=0.05)
)


def changed(values: np.ndarray, *, scale: float) -> xr.Dataset:
    """The study with other changes of q1, standardised by hand; `scale` multiplies all."""
    data = BASE.copy(deep=True)
    change = values * scale
    standardised = (change - np.nanmean(change)) / np.nanstd(change, ddof=1)
    data["standardised"].loc[{"outcome": "q1"}] = standardised
    return data


def q1() -> np.ndarray:
    return BASE["change"].sel(outcome="q1").where(BASE["analysed"]).to_numpy().copy()


def alike(*combinations: str, value: float = 0.1) -> np.ndarray:
    """Changes of q1 with all of some combinations set to one value, 0.1 being inexact."""
    values, where = q1(), np.isin(BASE["combination"].to_numpy(), combinations)
    values[where & ~np.isnan(values)] = value
    return values


def rows(data: xr.Dataset) -> pd.DataFrame:
    frame = ols_intervals(estimate_ols(data, CODEBOOK), CODEBOOK)
    return frame[frame["outcome"] == "q1"].set_index(["estimand", "vcov", "combination"])


@pytest.mark.parametrize("n", [1, 10_000])
def test_noise_is_far_below_what_any_change_leaves(n: int) -> None:
    """Catches a small but real variance called noise, and a limit that rises with n.

    One change of 1 among a million equal ones leaves a millionth of 1 / n.
    """
    variance = xr.DataArray([1e-6 / n, 1e-18 / n, 1e-21 / n, 0.0], dims="combination")
    source = xr.Dataset({"variance": variance, "n": 0 * variance + n})
    noted = without_noise(source.assign(note=xr.full_like(variance, "", dtype=object)))["note"]
    assert noted.values.tolist() == ["", "", ALL_ALIKE, ALL_ALIKE]
    kept = without_noise(source.assign(note=xr.full_like(variance, "known", dtype=object)))
    assert (kept["note"] == "known").all()


def test_what_cancels_leaves_the_rounding_of_its_parts() -> None:
    """Catches the variance of a difference taken for real where rounding alone is left of it."""
    variance = xr.DataArray([1e-6, 1e-9, 1e-15, 0.0], dims="combination")
    note = xr.DataArray(["", "", "", "known"], dims="combination").astype(object)
    found = cancelled(note, variance=variance, parts=0 * variance + 1.0)
    assert found.values.tolist() == ["", "", ALL_ALIKE, "known"]


def test_errors_of_zero_and_a_hair_below_have_no_p_value() -> None:
    """Catches p = 0 of a variance of zero, and the root of what rounding leaves below zero."""
    dims, shape = ("vcov", "outcome", "combination"), (1, 1, 2)
    numbers = {"estimate": 0.1, "n": 9.0, "n_citizens": 9.0, "df": 5.0}
    source = xr.Dataset(
        {name: (dims, np.full(shape, value)) for name, value in numbers.items()}
        | {"variance": (dims, np.reshape([0.0, -1e-18], shape)),
           "note": (dims, np.full(shape, "", dtype=object))},
        coords={"vcov": ["HC1"], "outcome": ["q1"], "combination": ["00", "01"]},
    )  # fmt: skip
    found = confidence_frame(
        [estimate_rows(source, "effect")], CODEBOOK, level=0.95, source="ols", analysis=""
    )
    assert (found["se"] == 0).all() and found["p_value"].isna().all()


def test_the_first_reason_stands() -> None:
    """Catches a reason that hides the one given before it."""
    first = xr.DataArray(["own", "", "own"], dims="combination")
    other = xr.DataArray(["other", "other", ""], dims="combination")
    assert first_note(first, other).values.tolist() == ["own", "other", "own"]


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("vcov", VCOV)
def test_one_combination_alike(vcov: str, scale: float) -> None:
    """Catches errors of 1e-17 with p = 0, an absolute threshold, and pooled errors blanked."""
    frame = rows(changed(alike("11"), scale=scale)).xs(vcov, level="vcov")
    blank = {("effect", "11"), ("contrast", "11"), *(("factorial", t) for t in ("T", "U", "T:U"))}
    blank |= {("standardised_effect", "11"), ("standardised_contrast", "11")}
    for estimand, combination in blank:
        part = frame.loc[(estimand, combination)]
        assert np.isfinite(part["estimate"])
        if vcov == "classical":
            assert part["se"] > 1e-3
        elif vcov in ROBUST and not (vcov == "cluster_jobcenter" and "stand" in estimand):
            assert part[["se", "lower", "upper", "p_value", "p_holm", "p_bh"]].isna().all()
            assert ALL_ALIKE in part["note"]
    for estimand, combination in (("effect", "00"), ("effect", "01"), ("contrast", "01")):
        assert frame.loc[(estimand, combination), "se"] > 1e-3
        assert frame.loc[(estimand, combination), "note"] == ""


@pytest.mark.parametrize("vcov", ROBUST)
def test_a_base_without_error_leaves_no_contrast(vcov: str) -> None:
    """Catches contrasts whose error is the other part's alone."""
    frame = rows(changed(alike("00"), scale=1.0)).xs(vcov, level="vcov")
    assert frame.loc["contrast", "se"].isna().all()
    assert set(frame.loc["contrast", "note"]) == {f"00: {ALL_ALIKE}"}
    assert (frame.loc["effect", "se"].drop("00") > 1e-3).all()


@pytest.mark.parametrize("vcov", VCOV)
@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_alike_within_every_combination(vcov: str, scale: float) -> None:
    """Catches a pooled variance of rounding noise: then classical errors are none either."""
    values, combinations = q1(), BASE["combination"].to_numpy()
    for combination, value in {"00": 0.1, "01": 0.3, "10": -0.7, "11": 1.1}.items():
        values[(combinations == combination) & ~np.isnan(values)] = value
    frame = rows(changed(values, scale=scale)).xs(vcov, level="vcov")
    assert frame["se"].isna().all()
    assert frame["p_value"].isna().all()
    assert (frame.loc[["effect", "factorial"], "note"].str.contains(ALL_ALIKE)).all()


@pytest.mark.parametrize("vcov", VCOV)
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_one_change_that_differs_is_enough(vcov: str, scale: float) -> None:
    """Catches a threshold so wide that it swallows a real error."""
    values = alike("11")
    where = np.flatnonzero((BASE["combination"] == "11").to_numpy() & ~np.isnan(values))
    values[where[0]] = 0.1 + 1e-3  # a thousandth of a scale point
    frame = rows(changed(values, scale=scale)).xs(vcov, level="vcov")
    standardised = values[where] / np.nanstd(values, ddof=1)
    part = frame.loc[("effect", "11")]
    assert part["note"] == ""
    if vcov == "HC1":
        n, total = len(where), int((~np.isnan(values)).sum())
        expected = np.sqrt(n * np.var(standardised) * total / (total - 4)) / n
        np.testing.assert_allclose(part["se"], expected, rtol=1e-6)
    assert part["se"] > 0
    assert np.isfinite(part["p_holm"])


def test_sums_that_cancel_within_citizens() -> None:
    """Catches cluster errors of zero where single residuals are not zero."""
    values = alike("11")
    where = (BASE["combination"] == "11").to_numpy() & ~np.isnan(values)
    for citizen in np.unique(BASE["citizen"].to_numpy()[where]):
        own = np.flatnonzero(where & (BASE["citizen"].to_numpy() == citizen))
        if len(own) >= 2:
            values[own[:2]] = 0.1 + 1.1, 0.1 - 1.1
    frame = rows(changed(values, scale=1.0)).xs("11", level="combination").loc["effect"]
    assert frame.loc["cluster_citizen", "note"] == ALL_ALIKE
    assert np.isnan(frame.loc["cluster_citizen", "se"])
    assert frame.loc["HC1", "se"] > 1e-3


def test_a_difference_that_cannot_vary() -> None:
    """Catches a contrast's certainty out of two errors that cancel.

    Every citizen adds the same to the means of both combinations.
    """
    data = changed(q1(), scale=1.0)
    estimates = estimate_ols(data, CODEBOOK, vcov=["cluster_citizen"])
    block = estimates["covariance"].loc[{"outcome": "q1", "vcov": "cluster_citizen"}]
    block.loc[{"combination": ["00", "11"], "combination_": ["00", "11"]}] = 0.01
    frame = ols_intervals(estimates, CODEBOOK).set_index(["estimand", "outcome", "combination"])
    assert frame.loc[("contrast", "q1", "11"), "note"] == ALL_ALIKE
    assert frame.loc[("effect", "q1", "11"), "se"] == pytest.approx(0.1)


@pytest.mark.parametrize("vcov", ["HC1", "HC3", "cluster_citizen", "cluster_jobcenter"])
def test_noise_counts_in_no_family(vcov: str) -> None:
    """Catches p = 0 of noise that helps others to be rejected."""
    frame = ols_intervals(estimate_ols(changed(alike("11"), scale=1.0), CODEBOOK), CODEBOOK)
    family = frame[
        (frame["estimand"] == "effect")
        & (frame["vcov"] == vcov)
        & frame["outcome"].isin(CODEBOOK.indicator_codes)
    ]
    known = family.dropna(subset="p_value")
    assert len(known) == len(family) - 1
    for column, method in (("p_holm", "holm"), ("p_bh", "fdr_bh")):
        expected = multipletests(known["p_value"], method=method)[1]
        np.testing.assert_allclose(known[column], expected, rtol=1e-12)


def test_cells_of_a_jobcenter() -> None:
    """Catches noise in jobcenter rows, compared with the cells' own changes by brute force."""
    data = changed(alike("11"), scale=1.0)
    frame = ols_intervals(estimate_ols(data, CODEBOOK, vcov=["HC3"]), CODEBOOK)
    frame = frame[(frame["estimand"] == "jobcenter") & (frame["outcome"] == "q1")]
    table = pd.DataFrame(
        {
            "combination": data["combination"].to_numpy(),
            "jobcenter": data["jobcenter"].to_numpy(),
            "y": data["standardised"].sel(outcome="q1").to_numpy(),
        }
    ).dropna()
    spread = table.groupby(["combination", "jobcenter"])["y"].agg(np.ptp)
    keys = pd.MultiIndex.from_frame(frame[["combination", "jobcenter"]])
    expected = spread.reindex(keys).fillna(0).to_numpy() > 1e-9
    np.testing.assert_array_equal(frame["se"].notna(), expected)
    assert (frame.loc[frame["se"].notna(), "se"] > 1e-3).all()


def test_errors_of_one_regression_say_so() -> None:
    """Catches classical errors within a jobcenter that pass for the jobcenter's own."""
    frame = ols_intervals(estimate_ols(BASE, CODEBOOK), CODEBOOK)
    told = frame[frame["note"] == COMMON_VARIANCE]
    assert set(told["vcov"]) == {"classical"}
    assert set(told["estimand"]) == {"jobcenter", "standardised_effect", "standardised_contrast"}
    sites = frame[(frame["estimand"] == "jobcenter") & (frame["vcov"] == "classical")]
    common = (sites["se"] * np.sqrt(sites["n"])).groupby(sites["outcome"])
    np.testing.assert_allclose(common.max(), common.min(), rtol=1e-12)
    assert (sites.loc[sites["se"].notna(), "note"] == COMMON_VARIANCE).all()


def test_an_item_that_never_changes_keeps_its_n() -> None:
    """Catches n = 0 and "not observed" for answers that are there, and other items touched."""
    study = builders.random_study(CODEBOOK, seed=5, shape=builders.Shape(citizens=60))
    still = study.responses.assign(q1=study.responses["q1"].where(study.responses["q1"].isna(), 3))
    data = progression(builders.replace_responses(study, still), CODEBOOK)
    estimates = estimate_ols(data, CODEBOOK)
    frame = ols_intervals(estimates, CODEBOOK)
    own = frame[frame["outcome"] == "q1"]
    change = data["change"].sel(outcome="q1")
    known = (change.notnull() & data["analysed"]).to_numpy()
    assert np.nanmax(np.abs(change)) == 0
    counts = pd.Series(data["combination"].to_numpy()[known]).value_counts()
    effects = own[(own["estimand"] == "effect") & (own["vcov"] == "HC1")]
    np.testing.assert_array_equal(effects["n"], counts.reindex(effects["combination"]))
    sites = own[(own["estimand"] == "jobcenter") & (own["vcov"] == "HC1")]
    assert sites["n"].sum() == known.sum() == estimates["observations"].sel(outcome="q1")
    assert own[["estimate", "se", "lower", "p_value"]].isna().all(axis=None)
    assert set(effects["note"]) == {NO_SPREAD}
    single = replace(CODEBOOK, indicators=CODEBOOK.indicators[1:], averages=())
    alone = ols_intervals(
        estimate_ols(progression(study, single), single, vcov=["HC1"]), single
    ).set_index(["estimand", "outcome", "combination", "jobcenter"])
    beside = frame[frame["vcov"] == "HC1"].set_index(alone.index.names)
    pd.testing.assert_series_equal(beside.loc[alone.index, "se"], alone["se"])
