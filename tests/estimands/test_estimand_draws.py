"""Estimands from draws against explicit loops over cells."""

import builders
import numpy as np
import pytest
import xarray as xr

from bipbayes.cells import cell_means
from bipbayes.data.codebook import Codebook
from bipbayes.data.progression import progression as change
from bipbayes.estimands.draws import effect_draws, estimand_draws, hyperparameters
from bipbayes.estimands.intervals import PRIOR_DRIVEN, IntervalSettings, limits, posterior_intervals
from bipbayes.intervals import ALL_INDICATORS, NO_SPREAD
from bipbayes.regression import estimate_ols, ols_intervals


@pytest.fixture(scope="module")
def codebook() -> Codebook:
    return builders.make_codebook(indicators=5, treatments=2)


@pytest.fixture(scope="module")
def progression(codebook: Codebook) -> xr.Dataset:
    return builders.random_progression(codebook, seed=4)


@pytest.fixture(scope="module")
def cells(progression: xr.Dataset, codebook: Codebook) -> xr.Dataset:
    return cell_means(progression, codebook)


def _random_effects(cells: xr.Dataset, draws: int = 40) -> xr.DataArray:
    rng = np.random.default_rng(2)
    dims = ("combination", "jobcenter", "indicator")
    sizes = [cells.sizes[dim] for dim in dims]
    coords = {dim: cells[dim].to_numpy() for dim in dims}
    return xr.DataArray(
        rng.normal(size=(2, draws, *sizes)),
        coords={"chain": [0, 1], "draw": range(draws), **coords},
        dims=("chain", "draw", *dims),
    )


def test_effect_contrast_and_standardised_by_hand(cells: xr.Dataset, codebook: Codebook) -> None:
    """Catches weights of the wrong outcome, a wrong reference and mixed-up labels."""
    effects = _random_effects(cells)
    found = estimand_draws(effects, cells, codebook)
    n = cells["n_outcome"]
    for code in codebook.indicator_codes:
        for combination in codebook.combinations:
            single = effects.sel(combination=combination, indicator=code)
            own = n.sel(combination=combination, outcome=code)
            share = n.sel(outcome=code).sum("combination") / n.sel(outcome=code).sum()
            for name, weight in (("effect", own / own.sum()), ("standardised_effect", share)):
                expected = sum(
                    single.sel(jobcenter=j) * float(weight.sel(jobcenter=j))
                    for j in cells["jobcenter"].to_numpy()
                )
                actual = found[name].sel(combination=combination, outcome=code)
                np.testing.assert_allclose(actual, expected, atol=1e-12)
    reference = found["effect"].sel(combination=codebook.no_treatment)
    contrast = found["effect"].sel(combination="11") - reference
    np.testing.assert_allclose(
        found["contrast"].sel(combination="11").transpose(*contrast.dims), contrast, atol=1e-12
    )
    assert codebook.no_treatment not in found["contrast"]["combination"]
    alike = found["standardised_effect"]
    contrast = alike.sel(combination="11") - alike.sel(combination=codebook.no_treatment)
    np.testing.assert_allclose(found["standardised_contrast"].sel(combination="11"), contrast)
    everything = found["effect"].sel(outcome=list(codebook.indicator_codes)).mean("outcome")
    np.testing.assert_allclose(found["effect"].sel(outcome=ALL_INDICATORS), everything)


def test_averages_add_up_members_and_the_shift(cells: xr.Dataset, codebook: Codebook) -> None:
    """Catches a shift lost or of the wrong sign: with gaps the average's rows are not all."""
    effects = _random_effects(cells)
    found = estimand_draws(effects, cells, codebook)["effect"]
    sd, mean = cells["sd"], cells["mean_change"]
    for average in codebook.average_codes:
        members = list(codebook.members(average))
        n = cells["n_outcome"].sel(outcome=average, combination="10")
        change = 0.0  # of the average in scale points, less its own mean
        for code in members:
            own = effects.sel(indicator=code, combination="10")
            expected = mean.sel(outcome=code) + sd.sel(outcome=code) * (own * n / n.sum()).sum(
                "jobcenter"
            )
            change = change + expected / len(members)
        expected = (change - mean.sel(outcome=average)) / sd.sel(outcome=average)
        np.testing.assert_allclose(found.sel(outcome=average, combination="10"), expected)
        shift = mean.sel(outcome=members).mean() - mean.sel(outcome=average)
        assert abs(float(shift)) > 1e-4


def test_where_nobody_is_jobcenters_count_alike(codebook: Codebook) -> None:
    """Catches a sum over jobcenters where no jobcenter has a weight."""
    cells = _cells_without("01", codebook)
    effects = _random_effects(cells)
    found = estimand_draws(effects, cells, codebook)["effect"].sel(combination="01", outcome="q2")
    np.testing.assert_allclose(
        found, effects.sel(combination="01", indicator="q2").mean("jobcenter")
    )


def test_what_is_unknown_counts_only_where_it_has_weight(
    cells: xr.Dataset, codebook: Codebook
) -> None:
    """Catches a cell without answers that empties its combination, and means that pass over it."""
    here = {"combination": "01", "jobcenter": cells["jobcenter"].to_numpy()[0]}
    effects, n = _random_effects(cells), cells["n_outcome"].copy()
    effects.loc[{**here, "indicator": "q1"}] = np.nan
    n.loc[here] = 0
    found = estimand_draws(effects, cells.assign(n_outcome=n), codebook)
    expected = estimand_draws(effects.fillna(7.0), cells.assign(n_outcome=n), codebook)
    np.testing.assert_allclose(found["effect"], expected["effect"])
    unknown = found["jobcenter"].sel(here).isnull().all(("chain", "draw"))
    assert set(unknown["outcome"].to_numpy()[unknown]) == {"q1", ALL_INDICATORS}


def test_averages_are_on_the_scale_of_the_report(
    progression: xr.Dataset, cells: xr.Dataset, codebook: Codebook
) -> None:
    """Catches the average of standardised indicators passed off as the standardised average.

    With complete rows the effects of an average that follow from the members' own cell means
    must equal OLS on the average itself.
    """
    complete = progression["change"].sel(outcome=list(codebook.indicator_codes))
    rows = complete.notnull().all("outcome") & progression["analysed"]
    sample = progression.isel(response=np.flatnonzero(rows.to_numpy()))
    # With gaps an average may start from another response than its members; here it does not.
    change = sample["change"].copy()
    for average in codebook.average_codes:
        members = list(codebook.members(average))
        change.loc[{"outcome": average}] = change.sel(outcome=members).mean("outcome")
    z = change.where(sample["analysed"])
    sample = sample.assign(
        mean=z.mean("response"),
        sd=z.std("response", ddof=1),
        n=z.notnull().sum("response"),
        standardised=(z - z.mean("response")) / z.std("response", ddof=1),
        previous=xr.full_like(sample["previous"], -1),
    )
    reduced = cell_means(sample, codebook, vcov="response")
    means = reduced["mean"].drop_vars("respondent").expand_dims(chain=[0], draw=[0])
    found = estimand_draws(means, reduced, codebook)["effect"].isel(chain=0, draw=0)
    ols = estimate_ols(sample, codebook)["estimate"]
    for average in codebook.average_codes:
        expected = ols.sel(outcome=average, combination=found["combination"])
        np.testing.assert_allclose(found.sel(outcome=average), expected, atol=1e-9)
    for code in codebook.indicator_codes:
        expected = ols.sel(outcome=code, combination=found["combination"])
        np.testing.assert_allclose(found.sel(outcome=code), expected, atol=1e-9)


def test_terms_are_added_by_label(cells: xr.Dataset) -> None:
    """Catches terms added by position or taken for hyperparameters, and respondents mixed up."""
    coords = {name: cells[name].to_numpy() for name in ("combination", "indicator", "jobcenter")}
    respondents = ["citizen", "caseworker"]
    rng = np.random.default_rng(5)
    first = xr.DataArray(
        rng.normal(size=(1, 3, 2)),
        dims=("chain", "draw", "respondent"),
        coords={"respondent": respondents[::-1]},
    )
    turned = coords["jobcenter"][::-1]
    second = xr.DataArray(
        rng.normal(size=(1, 3, len(turned))),
        dims=("chain", "draw", "jobcenter"),
        coords={"jobcenter": turned},
    )
    spread = xr.ones_like(first.isel(respondent=0, drop=True))
    posterior = xr.Dataset({"a": first, "b": second, "spread": spread})
    fit = xr.DataTree.from_dict({"posterior": posterior})
    fit.attrs["terms"] = '["a", "b"]'
    assert list(hyperparameters(fit).data_vars) == ["spread"]
    total = effect_draws(fit, cells)
    for indicator in coords["indicator"]:
        respondent = str(cells["respondent"].sel(indicator=indicator).item())
        expected = first.sel(respondent=respondent) + second.sel(jobcenter=turned[0])
        actual = total.sel(
            indicator=indicator, jobcenter=turned[0], combination=coords["combination"][0]
        )
        np.testing.assert_allclose(actual, expected)


def test_equal_tailed_against_highest_density_on_skewed_draws() -> None:
    """Catches an HDI that is an equal-tailed interval under another name."""
    draws = np.random.default_rng(6).gamma(1.0, size=(20_000, 1))
    low, high = limits(draws, level=0.9, kind="eti")
    np.testing.assert_allclose([low[0], high[0]], [-np.log(0.95), -np.log(0.05)], rtol=0.03)
    dense_low, dense_high = limits(draws, level=0.9, kind="hdi")
    assert dense_low[0] < 0.01 < low[0] and dense_high[0] < high[0]
    np.testing.assert_allclose(dense_high[0], -np.log(0.1), rtol=0.03)


def test_interval_frame_of_the_posterior(cells: xr.Dataset, codebook: Codebook) -> None:
    """Catches wrong probabilities and divisors, lost rows, counts of the wrong combination."""
    effects = _random_effects(cells)
    draws = estimand_draws(effects, cells, codebook)
    frame = posterior_intervals(
        draws, cells, codebook, model="test", settings=IntervalSettings(rope=0.1)
    )
    row = frame.query("estimand == 'effect' and combination == '10' and outcome == 'q1'").iloc[0]
    expected = draws["effect"].sel(combination="10", outcome="q1").to_numpy().ravel()
    assert row["estimate"] == pytest.approx(expected.mean())
    assert row["se"] == pytest.approx(expected.std(ddof=1))
    squares = ((expected - expected.mean()) ** 2).sum()
    assert row["se"] == pytest.approx(np.sqrt(squares / (len(expected) - 1)), rel=1e-9)
    assert row["p_positive"] == pytest.approx((expected > 0).mean())
    assert row["p_wrong_sign"] == pytest.approx(min((expected > 0).mean(), (expected < 0).mean()))
    assert row["p_rope"] == pytest.approx((np.abs(expected) <= 0.1).mean())
    assert row["lower"] == pytest.approx(np.quantile(expected, 0.025))
    assert row["upper"] == pytest.approx(np.quantile(expected, 0.975))
    n = cells["n_outcome"].sel(combination="10", outcome="q1").sum()
    assert row["n"] == int(n)
    answers = cells["n"].sel(combination="10")
    one = str(answers["jobcenter"][int(answers.std("indicator").argmax("jobcenter"))].item())
    counts = answers.sel(jobcenter=one).to_numpy()
    assert min(counts) < max(counts)
    own = frame.query("combination == '10' and jobcenter == @one and outcome == @ALL_INDICATORS")
    assert own["n"].item() == max(counts)
    assert (frame["jobcenter"] != "").sum() == (frame["estimand"] == "jobcenter").sum()
    outcomes = len(codebook.outcomes) + 1
    assert (frame["estimand"] == "contrast").sum() == outcomes * 3
    assert ALL_INDICATORS in set(frame["outcome"])


def _cells_without(combination: str, codebook: Codebook) -> xr.Dataset:
    progression = builders.random_progression(codebook, seed=4)
    empty = progression["combination"] == combination
    emptied = progression.assign_coords(
        analysed=progression["analysed"] & ~empty,
        combination=xr.where(empty, "", progression["combination"]),
    )
    return cell_means(emptied, codebook)


def test_contrasts_with_an_empty_reference_are_prior_driven(codebook: Codebook) -> None:
    """Catches contrasts whose subtrahend nobody had, yet look like any other."""
    cells = _cells_without("00", codebook)
    draws = estimand_draws(_random_effects(cells), cells, codebook)
    frame = posterior_intervals(draws, cells, codebook, model="test")
    contrast = frame["estimand"].isin(["contrast", "standardised_contrast"])
    assert (frame.loc[contrast, "note"] == PRIOR_DRIVEN).all()
    effects = frame.query("estimand == 'effect' and combination != '00'")
    assert (effects["note"] == "").all()


def test_averages_without_complete_responses_are_not_prior_driven(codebook: Codebook) -> None:
    """Catches "no answers" said of an average whose single indicators were answered."""
    cells = _cells_without("none of them", codebook)
    average = codebook.average_codes[0]
    members = list(codebook.members(average))
    n = cells["n_outcome"].copy()
    n.loc[{"outcome": average, "combination": "01"}] = 0
    partly = cells.assign(n_outcome=n)
    n = n.copy()
    n.loc[{"outcome": members[0], "combination": "01"}] = 0
    one = cells.assign(n_outcome=n)
    n = n.copy()
    n.loc[{"outcome": members, "combination": "01"}] = 0
    nowhere = cells.assign(n_outcome=n)
    for given, note in ((partly, ""), (one, ""), (nowhere, PRIOR_DRIVEN)):
        draws = estimand_draws(_random_effects(given), given, codebook)
        frame = posterior_intervals(draws, given, codebook, model="test")
        row = frame.query("combination == '01' and estimand == 'effect' and outcome == @average")
        assert row["n"].tolist() == [0]
        assert row["note"].tolist() == [note]
    n = cells["n_outcome"].copy()
    n.loc[{"outcome": average, "combination": "00"}] = 0
    partly = cells.assign(n_outcome=n)
    draws = estimand_draws(_random_effects(partly), partly, codebook)
    frame = posterior_intervals(draws, partly, codebook, model="test")
    contrasts = frame.query("estimand == 'contrast' and outcome == @average")
    assert set(contrasts["note"]) == {""}


def test_empty_combination_is_prior_driven_and_stays_empty_without_pooling(
    codebook: Codebook,
) -> None:
    """Catches an estimate for a combination nobody had that looks like any other."""
    cells = _cells_without("01", codebook)
    effects = _random_effects(cells)
    pooled = posterior_intervals(
        estimand_draws(effects, cells, codebook), cells, codebook, model="test"
    )
    rows = pooled.query("combination == '01' and estimand == 'effect'")
    assert (rows["note"] == PRIOR_DRIVEN).all() and rows["estimate"].notna().all()
    unpooled = effects.where(cells["n"] > 0)
    frame = posterior_intervals(
        estimand_draws(unpooled, cells, codebook), cells, codebook, model="test"
    )
    rows = frame.query("combination == '01' and estimand == 'effect'")
    assert rows["estimate"].isna().all() and rows["note"].str.contains("does not pool").all()


def test_row_counts_agree_with_ols(
    progression: xr.Dataset, cells: xr.Dataset, codebook: Codebook
) -> None:
    """Catches n and n_citizens that differ between the two sides of a figure."""
    ols = ols_intervals(estimate_ols(progression, codebook), codebook)
    draws = estimand_draws(_random_effects(cells), cells, codebook)
    posterior = posterior_intervals(draws, cells, codebook, model="test")
    keys = ["estimand", "outcome", "combination"]
    left = ols[(ols["vcov"] == "classical") & (ols["estimand"] == "effect")]
    both = left.merge(posterior, on=keys, suffixes=("_ols", "_posterior"))
    assert len(both) == len(codebook.outcomes) * 4
    assert (both["n_ols"] == both["n_posterior"]).all()


def test_an_item_that_never_changes_is_empty_with_its_reason_and_its_numbers(
    codebook: Codebook,
) -> None:
    """Catches a number of the prior for it, a mean over indicators with it, and n = 0."""
    study = builders.random_study(codebook, seed=4, shape=builders.Shape(moves=0.0))
    frame = study.responses.assign(q2=study.responses["q2"].where(study.responses["q2"].isna(), 3))
    still = change(builders.replace_responses(study, frame), codebook)
    cells = cell_means(still, codebook)
    effects = _random_effects(cells)
    draws = estimand_draws(effects, cells, codebook)
    others = [code for code in codebook.indicator_codes if code != "q2"]
    for name in ("effect", "factorial", "jobcenter"):
        expected = draws[name].sel(outcome=others).mean("outcome")
        np.testing.assert_allclose(draws[name].sel(outcome=ALL_INDICATORS), expected)
    frame = posterior_intervals(draws, cells, codebook, model="m")
    rows, rest = frame[frame["outcome"] == "q2"], frame[frame["outcome"] != "q2"]
    numbers = ["estimate", "se", "lower", "upper", "p_positive", "p_wrong_sign", "mcse"]
    assert rows[numbers].isna().all(axis=None) and set(rows["note"]) == {NO_SPREAD}
    assert rest["estimate"].notna().all() and NO_SPREAD not in set(rest["note"])
    keys = ["estimand", "outcome", "combination", "jobcenter"]
    reference = ols_intervals(estimate_ols(still, codebook), codebook)
    reference = reference[reference["vcov"] == "classical"].set_index(keys)
    both = rows[rows["estimand"].isin(["effect", "jobcenter"])].set_index(keys)
    same = both.index.intersection(reference.index)
    assert len(same) > 10 and both.loc[same, "n"].sum() > 0
    for name in ("n", "n_citizens"):
        np.testing.assert_array_equal(both.loc[same, name], reference.loc[same, name])
