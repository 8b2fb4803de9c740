"""Replicated raw changes: their moments are those of the model, and misfit is seen."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from builders import Shape, make_codebook, random_study, replace_responses

from bipbayes.cells import cell_means
from bipbayes.checks import changes as check_changes
from bipbayes.checks.changes import (
    change_check,
    indicator_rows,
    normal_changes,
    on_scale,
    ordinal_changes,
    statistics,
)
from bipbayes.data.progression import progression

CODEBOOK = make_codebook(4, 2)
DIMS = ("combination", "jobcenter", "indicator")


@pytest.fixture(scope="module")
def study():
    return random_study(CODEBOOK, seed=11, shape=Shape(citizens=200, waves=(2, 6)))


@pytest.fixture(scope="module")
def changes(study):
    return progression(study)


@pytest.fixture(scope="module")
def cells(changes):
    return cell_means(changes, CODEBOOK)


def _effects(cells, draws, value=0.0):
    shape = (1, draws, *(cells.sizes[dim] for dim in DIMS))
    coords = {dim: cells[dim].to_numpy() for dim in DIMS}
    return xr.DataArray(np.full(shape, value), coords=coords, dims=("chain", "draw", *DIMS))


def test_replicated_rows_have_the_working_covariance(changes, cells):
    """Catches noise that is drawn anew for each change, or subtracted from the wrong answer.

    Also what persists in a citizen left out: changes that share no answer have its covariance.
    """
    rows = indicator_rows(changes, CODEBOOK)
    lasting = 0.3
    cells = cells.assign(persistent_covariance=0 * cells["noise_covariance"] + lasting * np.eye(4))
    drawn = np.stack(list(normal_changes(rows, cells, _effects(cells, 300, 0.5), seed=3)))
    standardised = (drawn - rows.mean) / rows.sd - 0.5
    np.testing.assert_array_equal(np.isnan(drawn[0]), ~rows.observed)
    assert np.nanmean(standardised) == pytest.approx(0, abs=0.02)
    noise, change, common = (
        cells[name].to_numpy()
        for name in ("noise_covariance", "change_covariance", "common_starts")
    )
    for k in range(2):
        wanted = lasting + (1 + common[k, k]) * noise[k, k] + change[k, k]
        assert np.nanvar(standardised[..., k]) == pytest.approx(wanted, rel=0.03)
        place = {int(response): row for row, response in enumerate(rows.response)}
        pairs = [
            (row, place[int(rows.start[row, k])])
            for row in np.flatnonzero(rows.observed[:, k])
            if int(rows.start[row, k]) in place and rows.observed[place[int(rows.start[row, k])], k]
        ]
        later, earlier = np.array(pairs).T
        product = np.mean(standardised[:, later, k] * standardised[:, earlier, k])
        assert product == pytest.approx(lasting - noise[k, k], abs=0.02)
        one = rows.citizen[:, None] == rows.citizen
        seen = rows.observed[:, k]
        apart = one & seen[:, None] & seen & ~np.eye(len(seen), dtype=bool)
        apart[later, earlier] = apart[earlier, later] = False
        first, second = np.nonzero(np.triu(apart))
        product = np.mean(standardised[:, first, k] * standardised[:, second, k])
        assert product == pytest.approx(lasting, rel=0.1)


def test_answers_stay_on_the_scale(changes):
    """Catches a change that leads beyond an end of the scale, or a half point."""
    rows = indicator_rows(changes, CODEBOOK)
    kept = on_scale(rows, rows.change * 3.3, CODEBOOK.scale)
    answers = (rows.baseline + kept)[rows.observed]
    assert answers.min() == 1 and answers.max() == 5
    assert (answers == np.round(answers)).all()
    np.testing.assert_array_equal(on_scale(rows, rows.change, CODEBOOK.scale), rows.change)


def test_observed_statistics_are_those_of_a_plain_count(study, changes, cells):
    """Catches averages among the indicators, shares over the wrong total, another's group."""
    frame = change_check(changes, CODEBOOK, cells=cells, effects=_effects(cells, 20), seed=1)
    sample = changes["change"].where(changes["analysed"])
    own = sample.sel(outcome="q2").to_series().dropna()
    members = [
        code for code in CODEBOOK.indicator_codes if CODEBOOK.respondent_of(code) == "citizen"
    ]
    pooled = pd.concat([sample.sel(outcome=code).to_series().dropna() for code in members])
    for group, values in (("q2", own), ("citizen", pooled)):
        seen = frame[(frame["group"] == group) & (frame["form"] == "normal")]
        seen = seen.set_index("statistic")["observed"]
        assert seen["no_change"] == pytest.approx((values == 0).mean())
        assert seen["at_least_2"] == pytest.approx((values.abs() >= 2).mean())
        assert seen["sd"] == pytest.approx(values.std())
    assert statistics(CODEBOOK) == ("no_change", "at_least_2", "at_least_3", "at_least_4", "sd")
    short = make_codebook(4, 2, scale=(1, 3))
    assert statistics(short) == ("no_change", "at_least_2", "sd")
    rows = frame.drop_duplicates("group").set_index("group")["n"]
    assert rows["all_indicators"] == rows[list(CODEBOOK.indicator_codes)].sum()


def test_expectations_are_those_of_replicated_data(changes, cells):
    """Catches changes cut instead of rounded, and limits that leave out twice as much."""
    effects = _effects(cells, 40, 0.2)
    frame = change_check(changes, CODEBOOK, cells=cells, effects=effects, level=0.8, seed=6)
    rows = indicator_rows(changes, CODEBOOK)
    drawn = np.stack(list(normal_changes(rows, cells, effects, seed=6)))[..., 1]
    whole = np.rint(drawn[:, rows.observed[:, 1]])
    wanted = {
        "no_change": (whole == 0).mean(axis=1),
        "at_least_2": (np.abs(whole) >= 2).mean(axis=1),
        "sd": whole.std(axis=1, ddof=1),
    }
    found = frame.query("form == 'rounded' and group == 'q2'").set_index("statistic")
    for name, values in wanted.items():
        expected = [values.mean(), *np.quantile(values, [0.1, 0.9])]
        np.testing.assert_allclose(found.loc[name, ["expected", "lower", "upper"]], expected)


def test_what_normal_rows_cannot_do_is_seen_and_what_they_can_is_not(changes, cells):
    """Catches a check that passes everything: normal rows never stay, but have the right spread."""
    frame = change_check(changes, CODEBOOK, cells=cells, effects=_effects(cells, 60), seed=2)
    frame = frame[frame["group"] == "all_indicators"].set_index(["form", "statistic"])
    assert frame.loc[("normal", "no_change"), "expected"] == 0
    assert frame.loc[("normal", "no_change"), "p_below"] == 1
    assert 0.001 < frame.loc[("normal", "sd"), "p_below"] < 0.999
    moved = changes["change"] != 0
    without = changes.assign(standardised=changes["standardised"].where(moved))
    frame_without = change_check(without, CODEBOOK, cells=cells, effects=_effects(cells, 10))
    tied = frame_without.query("form == 'normal' and statistic == 'no_change'")
    assert (tied["observed"] == 0).all() and (tied["p_below"] == 0.5).all()  # ties count half
    assert set(frame.index.get_level_values("form")) == {"normal", "rounded", "on_scale", "ordinal"}


def test_answers_go_together_as_changes_that_are_seen_together(changes):
    """Catches a correlation that gaps draw towards zero, and covariances in its place."""
    rng, rows = np.random.default_rng(8), indicator_rows(changes, CODEBOOK)
    correlation = 0.6 + 0.4 * np.eye(4)
    drawn = 1.5 * rng.multivariate_normal(np.zeros(4), correlation, 4000)
    seen = rng.random(drawn.shape) < 0.5
    gaps = np.where(seen, rows.mean + rows.sd * drawn, np.nan)
    found = check_changes._correlation(replace(rows, change=gaps, observed=seen))
    np.testing.assert_allclose(found, correlation, atol=0.08)


def test_the_ordered_probit_finds_its_own_answers_credible(study):
    """Catches another row's previous answer, a lost effect, and answers that are independent."""
    frame = study.responses.sort_values(["citizen", "date"]).reset_index(drop=True)
    rng = np.random.default_rng(4)
    thresholds = np.array([-1.2, -0.4, 0.4, 1.2])
    treated, shared = (frame["combination"] == "10").to_numpy(), rng.normal(size=len(frame))
    for code in CODEBOOK.indicator_codes:
        answers, last = [], {}
        for row, citizen in enumerate(frame["citizen"]):
            if rng.random() < 0.4:
                answers.append(np.nan)
                continue
            latent = 0.8 * (last.get(citizen, 3) - 3) + treated[row]
            latent += 0.8 * shared[row] + 0.6 * rng.normal()
            last[citizen] = int(np.searchsorted(thresholds, latent)) + 1
            answers.append(float(last[citizen]))
        frame[code] = answers
    made = progression(replace_responses(study, frame))
    rows = indicator_rows(made, CODEBOOK)
    drawn = np.stack(list(ordinal_changes(made, CODEBOOK, rows, draws=100, seed=5)))
    np.testing.assert_array_equal(np.isnan(drawn[0]), ~rows.observed)
    answers = drawn[0] + rows.baseline
    assert np.nanmin(answers) == 1 and np.nanmax(answers) == 5
    for low, high in ((0, 0), (2, 4)):
        size = np.abs(drawn)
        shares = ((size >= low) & (size <= high)).sum(axis=(1, 2)) / rows.observed.sum()
        own = np.abs(rows.change[rows.observed])
        seen = ((own >= low) & (own <= high)).mean()
        assert abs(seen - shares.mean()) < 3.5 * shares.std()
    given = rows.combination == CODEBOOK.combinations.index("10")
    means = np.nanmean(drawn[:, given], axis=(1, 2))
    assert abs(np.nanmean(rows.change[given]) - means.mean()) < 3.5 * means.std()
    together = [pd.DataFrame(one).corr().loc[0, 1] for one in drawn]
    own = pd.DataFrame(rows.change).corr().loc[0, 1]
    assert abs(own - np.mean(together)) < 3.5 * np.std(together)
    assert own > 7 * np.std(together)
