"""Cell means and their working covariances against brute force, likelihood and simulation."""

import logging
from dataclasses import replace
from pathlib import Path

import builders
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import multivariate_normal, norm

from bipbayes.cells import VCOV, cell_means, whiten
from bipbayes.data.codebook import Codebook
from bipbayes.data.progression import progression
from bipbayes.data.study import Study
from bipbayes.errors import DataError, SettingsError
from bipbayes.regression import estimate_ols

CODEBOOK = builders.make_codebook(4, 2)
SHAPE = builders.Shape(citizens=50, waves=(2, 6), gaps=0.25, persistence=0.7)


def codes(codebook: Codebook = CODEBOOK) -> list[str]:
    return list(codebook.indicator_codes)


def changes_of(data: xr.Dataset, combination: str, jobcenter: str) -> list[tuple[int, int, int]]:
    """All changes of a cell block: (response, start, indicator)."""
    inside = (data["combination"] == combination) & (data["jobcenter"] == jobcenter)
    values = data["standardised"].sel(outcome=codes()).where(inside & data["analysed"]).to_numpy()
    start = data["previous"].sel(outcome=codes()).to_numpy()
    return [(r, start[r, k], k) for r, k in zip(*np.nonzero(~np.isnan(values)), strict=True)]


def covariance_of(one: tuple, two: tuple, parts: dict[str, np.ndarray]) -> float:
    """Changes of one citizen covary by what persists, by the answers that they share and, at
    one response, by real change."""
    (end, start, k), (end_, start_, m) = one, two
    shared = int(end == end_) + int(start == start_) - int(end == start_) - int(start == end_)
    real = parts["change"][k, m] * (end == end_)
    return float(parts["persistent"][k, m] + parts["noise"][k, m] * shared + real)


def lasting(*, seed: int) -> Study:
    """Ragged answers of citizens who each drift their own way."""
    study = builders.random_study(CODEBOOK, seed=seed, shape=SHAPE)
    frame = study.responses.sort_values(["citizen", "date"])
    slope = np.random.default_rng(seed).normal(0, 1.5, frame["citizen"].nunique())
    step = frame.groupby("citizen").cumcount() * slope[pd.factorize(frame["citizen"])[0]]
    frame[codes()] = frame[codes()].add(step, axis=0)
    return builders.replace_responses(study, frame)


@pytest.mark.parametrize("vcov", VCOV)
@pytest.mark.parametrize("previous", ["item", "response"])
def test_covariance_equals_a_double_loop_over_changes(vcov: str, previous: str) -> None:
    """Catches telescoping gone wrong, changes of other cells, and a wrong divisor."""
    data = progression(lasting(seed=2), CODEBOOK, previous=previous)
    cells = cell_means(data, CODEBOOK, vcov=vcov)
    names = ("change", "noise", "persistent")
    parts = {name: cells[f"{name}_covariance"].to_numpy() for name in names}
    assert parts["noise"].any() == parts["persistent"].any() == (vcov == "citizen")
    citizen = data["citizen"].to_numpy()
    for combination in CODEBOOK.combinations:
        for jobcenter in cells["jobcenter"].to_numpy():
            expected, counts = np.zeros((4, 4)), np.zeros(4)
            changes = changes_of(data, combination, jobcenter)
            for one in changes:
                counts[one[2]] += 1
                for two in changes:
                    if citizen[one[0]] == citizen[two[0]]:
                        expected[one[2], two[2]] += covariance_of(one, two, parts)
            block = cells.sel(combination=combination, jobcenter=jobcenter)
            assert (block["n"] == counts).all()
            expected = expected / np.where(
                np.outer(counts, counts) > 0, np.outer(counts, counts), np.nan
            )
            np.testing.assert_allclose(block["vcov"], expected, rtol=1e-10, atol=1e-14)


def drifting(codebook: Codebook, *, seed: int, citizens: int, noise: float = 0.7) -> Study:
    """Answers without gaps whose level wanders, so that real change is clearly positive."""
    shape = builders.Shape(citizens=citizens, waves=(2, 6), gaps=0.0, persistence=0.7)
    study = builders.random_study(codebook, seed=seed, shape=shape)
    frame = study.responses.sort_values(["citizen", "date"])
    rng = np.random.default_rng(seed)
    steps = pd.DataFrame(rng.normal(size=(len(frame), len(codebook.indicators))))
    levels = steps.groupby(frame["citizen"].to_numpy()).cumsum().to_numpy()
    frame[codes(codebook)] = levels + rng.normal(0, noise, levels.shape)
    return builders.replace_responses(study, frame)


def test_without_gaps_pairs_of_changes_are_counted() -> None:
    """V n² = S0 n + S1 (neighbouring pairs in the cell, both directions) + C (other pairs)."""
    data = progression(drifting(CODEBOOK, seed=3, citizens=200), CODEBOOK)
    cells = cell_means(data, CODEBOOK)
    assert cells["noise_covariance"].any()
    first = codes()[0]
    start = data["previous"].sel(outcome=first).to_numpy()
    labels = pd.Series(data["combination"].to_numpy() + "|" + data["jobcenter"].to_numpy())
    member = (data["standardised"].sel(outcome=first).notnull() & data["analysed"]).to_numpy()
    before = np.maximum(start, 0)
    neighbours = member & (start >= 0) & member[before] & (labels == labels[before].to_numpy())
    for combination in CODEBOOK.combinations:
        for jobcenter in cells["jobcenter"].to_numpy():
            block = cells.sel(combination=combination, jobcenter=jobcenter)
            inside = (labels == f"{combination}|{jobcenter}").to_numpy()
            pairs = 2 * (neighbours & inside).sum()
            n = int(block["n"][0])
            answers = np.unique(data["citizen"].to_numpy()[member & inside], return_counts=True)[1]
            others = (answers**2).sum() - n - pairs
            expected = cells["residual_covariance"] * n + cells["lag_covariance"] * pairs
            expected = expected + cells["persistent_covariance"] * others
            np.testing.assert_allclose(block["vcov"], expected / n**2, rtol=1e-10)


def test_iid_cells_give_the_likelihood_of_the_rows() -> None:
    """The reduction is exact: the two log likelihoods differ by a constant."""
    data = builders.random_progression(CODEBOOK, seed=5, shape=SHAPE)
    cells = cell_means(data, CODEBOOK, vcov="iid")
    parts = whiten(cells)
    sd = np.sqrt(np.diag(cells["residual_covariance"]))
    rows = data.sel(outcome=codes(), response=data["analysed"])
    where = {"combination": rows["combination"], "jobcenter": rows["jobcenter"]}
    rng = np.random.default_rng(6)
    differences = []
    for _ in range(10):
        effect = cells["mean"].copy(data=rng.normal(0, 1, cells["mean"].shape))
        by_row = effect.sel(where).transpose("response", "indicator").to_numpy()
        row_density = norm.logpdf(rows["standardised"], by_row, sd)
        turned = parts["whitened"] - xr.dot(
            parts["whitener"], effect.rename(indicator="indicator_"), dim="indicator_"
        )
        cell_density = norm.logpdf(turned).sum(where=parts["observed"].to_numpy())
        differences.append(np.nansum(row_density) - cell_density)
    assert np.ptp(differences) < 1e-8
    assert np.std(differences) < 1e-8


def test_whitened_density_is_the_multivariate_normal() -> None:
    """Catches a factor of the wrong block, a transposed inverse, entries without answers."""
    data = builders.random_progression(CODEBOOK, seed=7, shape=SHAPE)
    cells = cell_means(data, CODEBOOK)
    parts = whiten(cells)
    for combination in CODEBOOK.combinations:
        for jobcenter in cells["jobcenter"].to_numpy():
            block = cells.sel(combination=combination, jobcenter=jobcenter)
            turned = parts.sel(combination=combination, jobcenter=jobcenter)
            seen = turned["observed"].to_numpy()
            factor = turned["whitener"].to_numpy()
            assert not factor[~seen].any()
            assert not factor[:, ~seen].any()
            log_determinant = np.log(np.diag(factor)[seen]).sum()
            density = norm.logpdf(turned["whitened"])[seen].sum() + log_determinant
            covariance = block["vcov"].to_numpy()[np.ix_(seen, seen)]
            expected = multivariate_normal.logpdf(block["mean"].to_numpy()[seen], cov=covariance)
            assert density == pytest.approx(expected, rel=1e-10)


def test_cells_are_whitened_by_the_names_of_their_dims() -> None:
    """Catches dims taken as they come, and a wrong number of cells that are not definite."""
    data = builders.random_progression(CODEBOOK, seed=7, shape=SHAPE)
    cells = cell_means(data, CODEBOOK)
    whole = whiten(cells)
    turned = whiten(cells.transpose("indicator_", "indicator", "jobcenter", "combination", ...))
    for name in whole.data_vars:
        np.testing.assert_array_equal(turned[name].transpose(*whole[name].dims), whole[name])
    broken = cells.assign(vcov=cells["vcov"].where(cells["combination"] != "10", -cells["vcov"]))
    cell_count = int((cells["n"].sel(combination="10").sum("indicator") > 0).sum())
    with pytest.raises(DataError, match=f"not positive definite in {cell_count} of the cells"):
        whiten(broken)


def test_what_persists_is_averaged_by_respondent() -> None:
    """Catches indicators that all count as one respondent's."""
    data = progression(lasting(seed=2), CODEBOOK)
    one = replace(
        CODEBOOK, indicators=tuple(replace(i, respondent="citizen") for i in CODEBOOK.indicators)
    )
    found = [cell_means(data, book)["persistent_covariance"] for book in (CODEBOOK, one)]
    assert float(np.abs(found[0] - found[1]).max()) > 1e-3


@pytest.mark.parametrize("vcov", VCOV)
@pytest.mark.parametrize("previous", ["item", "response"])
def test_positive_definite_under_random_gaps(vcov: str, previous: str) -> None:
    """Catches pairwise moments used unrepaired, or shares that break the Gram forms."""
    for seed in range(8):
        gaps = (0.0, 0.1, 0.3, 0.6)[seed % 4]
        shape = builders.Shape(citizens=30 + 20 * seed, gaps=gaps, persistence=0.9)
        codebook = builders.make_codebook(6, 1 + seed % 2)
        data = builders.random_progression(codebook, seed=seed, shape=shape, previous=previous)
        cells = cell_means(data, codebook, vcov=vcov)
        matrices = cells["vcov"].to_numpy().reshape(-1, 6, 6)
        for matrix, n in zip(matrices, cells["n"].to_numpy().reshape(-1, 6), strict=True):
            seen = n > 0
            assert np.isnan(matrix[~seen]).all()
            assert np.isnan(matrix[:, ~seen]).all()
            block = matrix[np.ix_(seen, seen)]
            assert np.array_equal(block, block.T)
            assert not seen.any() or np.linalg.eigvalsh(block)[0] > 0
        assert np.isfinite(whiten(cells)["whitener"]).all()


def test_few_rows_are_repaired_and_said(caplog: pytest.LogCaptureFixture) -> None:
    """Catches a singular S0 (fewer rows than indicators) that passes in silence."""
    codebook = builders.make_codebook(12, 1)
    shape = builders.Shape(citizens=6, waves=(2, 3), unknown=0.0, gaps=0.1)
    data = builders.random_progression(codebook, seed=1, shape=shape)
    for vcov in ("response", "citizen"):
        with caplog.at_level(logging.WARNING):
            cells = cell_means(data, codebook, vcov=vcov)
        assert cells.attrs["repair_raised"] > 0
        assert cells.attrs["repair_added"] > 0
        assert "replaced by the nearest valid one" in cells.attrs["repair"]
        assert "too few responses" in caplog.text
        assert np.isfinite(whiten(cells)["whitener"]).all()


def test_one_change_a_citizen_has_no_shared_answers() -> None:
    """Two occasions: ``citizen`` must fall back to ``response`` and say so."""
    shape = builders.Shape(citizens=80, waves=(2, 2), gaps=0.0)
    data = builders.random_progression(CODEBOOK, seed=8, shape=shape)
    cells = cell_means(data, CODEBOOK, vcov="citizen")
    other = cell_means(data, CODEBOOK, vcov="response")
    np.testing.assert_allclose(cells["vcov"], other["vcov"], rtol=1e-10)
    assert "cannot be estimated here" in cells.attrs["repair"]


def test_counts_and_means_are_those_of_ols() -> None:
    """Means weighted by n are OLS's estimates; averages and citizens are counted, too."""
    data = builders.random_progression(CODEBOOK, seed=9, shape=SHAPE)
    cells, estimates = cell_means(data, CODEBOOK), estimate_ols(data, CODEBOOK)
    pooled = (cells["mean"] * cells["n"]).sum("jobcenter") / cells["n"].sum("jobcenter")
    expected = estimates["estimate"].sel(outcome=codes()).rename(outcome="indicator")
    xr.testing.assert_allclose(
        pooled.drop_vars("respondent").transpose(*expected.dims), expected, rtol=1e-10
    )
    for ours, theirs in (
        ("n_outcome", "jobcenter_n"),
        ("n_citizens_outcome", "jobcenter_n_citizens"),
    ):
        assert (cells[ours] == estimates[theirs]).all()
    assert (cells["n"].to_numpy() == cells["n_outcome"].sel(outcome=codes()).to_numpy()).all()
    assert (cells["n_citizens"] <= cells["n"]).all()
    assert (cells["n_citizens"] < cells["n"]).any()


@pytest.mark.parametrize("vcov", VCOV)
def test_row_order_and_jobcenter_names_do_not_matter(vcov: str) -> None:
    """Catches anything addressed by position."""
    study = builders.random_study(CODEBOOK, seed=10)
    first = cell_means(progression(study, CODEBOOK), CODEBOOK, vcov=vcov)
    names = dict(zip(first["jobcenter"].to_numpy(), ["w", "a", "z 10", "z 9"], strict=True))
    frame = study.responses.sample(frac=1, random_state=4)
    frame["jobcenter"] = frame["jobcenter"].map(names)
    changed = builders.replace_responses(study, frame)
    second = cell_means(progression(changed, CODEBOOK), CODEBOOK, vcov=vcov)
    assert list(second["jobcenter"].to_numpy()) == ["a", "w", "z 9", "z 10"]
    renamed = first.assign_coords(jobcenter=[names[j] for j in first["jobcenter"].to_numpy()])
    for name, values in renamed.sel(jobcenter=second["jobcenter"]).items():
        np.testing.assert_allclose(second[name], values, rtol=0, atol=1e-12, err_msg=str(name))


def test_other_shapes_and_empty_cells() -> None:
    """Seven indicators, four sites, two treatments; empty in all the ways there are."""
    sites = ("north", "south", "east", "west")
    codebook = builders.make_codebook(7, 2, jobcenters=sites)
    shape = builders.Shape(
        citizens=120,
        combinations=("00", "01", "10"),
        lacking=[("01", "east")],
        unanswered=[("q3", "00", "north")],
    )
    data = builders.random_progression(codebook, seed=11, shape=shape)
    cells = cell_means(data, codebook)
    assert tuple(cells["jobcenter"].to_numpy()) == sites
    assert tuple(cells["combination"].to_numpy()) == ("00", "01", "10", "11")
    assert list(cells["respondent"].to_numpy()) == ["citizen"] * 4 + ["caseworker"] * 3
    assert not cells["n"].sel(combination="11").any()
    assert not cells["n"].sel(combination="01", jobcenter="east").any()
    block = cells.sel(combination="00", jobcenter="north")
    assert list(block["n"] > 0) == [True, True, False, True, True, True, True]
    assert block["vcov"].isnull().sum() == 13
    assert cells["mean"].isnull().equals(cells["n"] == 0)
    seen = whiten(cells)["observed"]
    assert seen.equals(cells["n"] > 0)


def test_cells_survive_a_file(tmp_path: Path) -> None:
    """Catches attributes or texts that netCDF cannot hold."""
    data = builders.random_progression(CODEBOOK, seed=12)
    for name, dataset in (
        ("cells", cell_means(data, CODEBOOK)),
        ("ols", estimate_ols(data, CODEBOOK)),
    ):
        path = tmp_path / f"{name}.nc"
        dataset.to_netcdf(path, engine="h5netcdf")
        with xr.open_dataset(path, engine="h5netcdf") as stored:
            for variable in dataset.data_vars:
                assert stored[variable].astype(dataset[variable].dtype).equals(dataset[variable])


def test_unknown_covariances_are_refused() -> None:
    with pytest.raises(SettingsError, match="iid, response, citizen"):
        cell_means(builders.random_progression(CODEBOOK, seed=1), CODEBOOK, vcov="cluster")


REPEATED = builders.make_codebook(3, 1)


@pytest.fixture(scope="module")
def many_sites() -> Study:
    """One ragged design repeated in 400 jobcenters, with fresh answers everywhere.

    Answers are a citizen's level plus noise of the occasion, correlated over indicators.
    """
    sites = 400
    shape = builders.Shape(citizens=60, waves=(2, 6), gaps=0.15, persistence=0.7, moves=0.0)
    design = builders.random_responses(REPEATED, seed=1, shape=shape)
    frame = pd.concat([design] * sites, ignore_index=True)
    site = np.repeat(np.arange(sites), len(design)).astype(str)
    frame["jobcenter"], frame["citizen"] = site, frame["citizen"] + "/" + site
    rng = np.random.default_rng(1)
    level = rng.normal(size=(frame["citizen"].nunique(), 3))[pd.factorize(frame["citizen"])[0]]
    noise = rng.multivariate_normal(np.zeros(3), 0.5 * np.eye(3) + 0.5, len(frame))
    answered = frame[codes(REPEATED)].notna().to_numpy()
    frame[codes(REPEATED)] = np.where(answered, level + noise, np.nan)
    return Study(frame, REPEATED, "", synthetic=True)


@pytest.mark.parametrize("previous", ["item", "response"])
def test_citizen_matches_how_means_really_err(many_sites: Study, previous: str) -> None:
    """Means of 400 jobcenters of one design scatter as V says; ``response`` is far off.

    Catches a covariance that equals its formula but not the truth.
    """
    data = progression(many_sites, REPEATED, previous=previous)
    ratio = {}
    for vcov in ("iid", "response", "citizen"):
        cells = cell_means(data, REPEATED, vcov=vcov)
        claimed = cells["vcov"].mean("jobcenter").to_numpy()
        scatter = np.stack([np.cov(block.T) for block in cells["mean"].to_numpy()])
        single = np.diagonal(claimed, axis1=1, axis2=2) / np.diagonal(scatter, axis1=1, axis2=2)
        overall = claimed.sum(axis=(1, 2)) / scatter.sum(axis=(1, 2))
        ratio[vcov] = (single.mean(), overall.mean())
    # Variances from 400 draws, two combinations: standard errors of 3 and 5 %.
    assert abs(ratio["citizen"][0] - 1) < 0.09
    assert abs(ratio["citizen"][1] - 1) < 0.15
    assert min(ratio["response"]) > 1.35
    assert ratio["iid"][1] < 0.9 * ratio["response"][1]


def test_gaps_do_not_look_like_negative_real_change(many_sites: Study) -> None:
    """Without real change D is zero; S0 + 2 S1 is not, where changes start at different answers.

    Catches DESIGN's formula for D without the share of common starts.
    """
    data = progression(many_sites, REPEATED, previous="item")
    cells = cell_means(data, REPEATED)
    total, lag = cells["residual_covariance"], cells["lag_covariance"]
    apart = ~np.eye(3, dtype=bool)
    change = (total + (1 + cells["common_starts"]) * lag).to_numpy()[apart].mean()
    assert abs(change) < 0.01
    assert (total + 2 * lag).to_numpy()[apart].mean() < -0.03
    assert cells["common_starts"].to_numpy()[apart].mean() < 0.9


def _with_a_constant_item() -> tuple[Study, Codebook]:
    """A study whose q2 never changes, and the codebook without it."""
    study = builders.random_study(CODEBOOK, seed=6, shape=SHAPE)
    frame = study.responses.assign(q2=study.responses["q2"].where(study.responses["q2"].isna(), 3))
    others = tuple(entry for entry in CODEBOOK.indicators if entry.code != "q2")
    averages = tuple(
        replace(entry, members=tuple(code for code in entry.members if code != "q2"))
        for entry in CODEBOOK.averages
    )
    codebook = replace(CODEBOOK, indicators=others, averages=averages)
    return builders.replace_responses(study, frame), codebook


@pytest.mark.parametrize("vcov", VCOV)
def test_an_item_that_never_changes_leaves_the_others_as_they_are(vcov: str) -> None:
    """Catches a variance of one made up for it, which moved the others' C, N and D."""
    study, others = _with_a_constant_item()
    whole = cell_means(progression(study, CODEBOOK), CODEBOOK, vcov=vcov)
    rest = cell_means(progression(study, others), others, vcov=vcov)
    kept = dict.fromkeys(("indicator", "indicator_"), codes(others))
    for name in ("vcov", "mean", "n", "residual_covariance", "persistent_covariance"):
        here = {dim: labels for dim, labels in kept.items() if dim in whole[name].dims}
        np.testing.assert_array_equal(whole[name].sel(here), rest[name])
    assert whole.attrs["repair"] == rest.attrs["repair"]
    assert whole["mean"].sel(indicator="q2").isnull().all() and np.isnan(
        whole["sd"].sel(outcome="q2")
    )
    assert int(whole["n"].sel(indicator="q2").sum()) == 0
    item = progression(study, CODEBOOK).sel(outcome="q2")
    expected = (item["analysed"] & item["change"].notnull()).to_numpy()
    frame = item[["combination", "jobcenter", "citizen"]].to_dataframe()[expected]
    counts = frame.groupby(["combination", "jobcenter"])["citizen"].agg(["size", "nunique"])
    for name, column in (("n_outcome", "size"), ("n_citizens_outcome", "nunique")):
        table = whole[name].sel(outcome="q2", drop=True).to_series()
        assert (table[table > 0] == counts[column].reindex(table[table > 0].index)).all()
        assert table.sum() == counts[column].sum()
