"""Turned answers, and the warning of indicators that go against the rest."""

from collections.abc import Collection
from dataclasses import replace

import builders
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from builders import Shape, random_responses

from bipbayes.cells import cell_means
from bipbayes.data.codebook import Codebook
from bipbayes.data.directions import Directions, directions
from bipbayes.data.progression import progression
from bipbayes.data.read import responses_from_frame
from bipbayes.describe.cautions import directions_record
from bipbayes.regression import estimate_ols
from bipbayes.sampling.exact.density import linear_posterior
from bipbayes.sampling.exact.reduce import gaussian_model
from bipbayes.sampling.registry import load_model

TURNED = ("q3", "q8", "q14", "q19")


def make_codebook(indicators: int, treatments: int, *, scale: tuple[int, int] = (1, 5)) -> Codebook:
    """Return a codebook whose files have one tick box a treatment."""
    return builders.with_boxes(builders.make_codebook(indicators, treatments, scale=scale))


def reversing(codebook: Codebook, codes: Collection[str]) -> Codebook:
    """Return a codebook that turns some indicators."""
    indicators = [replace(one, reverse=one.code in codes) for one in codebook.indicators]
    return replace(codebook, indicators=tuple(indicators))


def turned_frame(frame: pd.DataFrame, codebook: Codebook, codes: Collection[str]) -> pd.DataFrame:
    """Return a study whose questionnaire has some items worded the other way."""
    columns = list(codes)
    return frame.assign(**(sum(codebook.scale) - frame[columns]))


def found_in(frame: pd.DataFrame, codebook: Codebook) -> Directions:
    study = responses_from_frame(frame, codebook)
    return directions(progression(study), codebook)


def names(found: Directions) -> set[str]:
    return {one.code for one in found.against}


@pytest.fixture(scope="module")
def codebook() -> Codebook:
    return make_codebook(20, 2)


@pytest.fixture(scope="module")
def frame(codebook: Codebook) -> pd.DataFrame:
    shape = Shape(citizens=250, waves=(2, 5))
    return random_responses(codebook, seed=11, shape=shape).drop(columns="combination")


@pytest.mark.parametrize("scale", [(1, 5), (0, 3)])
def test_turned_items_have_the_estimates_of_the_others_with_the_other_sign(
    scale: tuple[int, int],
) -> None:
    """Catches turning by highest - answer (wrong unless the scale starts at 0) or too late."""
    plain = make_codebook(5, 2, scale=scale)
    frame = random_responses(plain, seed=2, shape=Shape(citizens=60)).drop(columns="combination")
    turning = reversing(plain, ["q2", "q4"])
    straight = responses_from_frame(frame, plain)
    turned = responses_from_frame(frame, turning)
    low, high = scale
    assert turned.responses["q2"].dropna().between(low, high).all()
    pd.testing.assert_series_equal(
        turned.responses["q2"] + straight.responses["q2"],
        straight.responses["q2"] * 0 + low + high,
    )
    both = [progression(study) for study in (straight, turned)]
    ours, theirs = (estimate_ols(p, c) for p, c in zip(both, (plain, turning), strict=True))
    sign = xr.where(theirs["outcome"].isin(["q2", "q4"]), -1.0, 1.0)
    single = list(plain.indicator_codes)
    xr.testing.assert_allclose(
        (sign * ours["estimate"]).sel(outcome=single),
        theirs["estimate"].sel(outcome=single),
        rtol=0,
        atol=1e-12,
    )
    xr.testing.assert_allclose(
        ours["covariance"].sel(outcome=single), theirs["covariance"].sel(outcome=single)
    )


def test_averages_follow() -> None:
    """Catches an average of answers as they came beside turned indicators."""
    plain = make_codebook(4, 1)
    frame = random_responses(plain, seed=4, shape=Shape(gaps=0.0)).drop(columns="combination")
    data = progression(responses_from_frame(frame, reversing(plain, ["q1"])))
    average = data["change"].sel(outcome="citizen_mean")
    members = data["change"].sel(outcome=list(plain.members("citizen_mean")))
    np.testing.assert_allclose(average, members.mean("outcome", skipna=False), atol=1e-12)
    straight = progression(responses_from_frame(frame, plain))["change"]
    assert float(abs(average - straight.sel(outcome="citizen_mean")).max()) > 0.5


def test_a_turned_study_has_the_posterior_with_the_other_sign() -> None:
    """Catches turned changes beside a covariance of unturned ones.

    All indicators turned: every batch of the model is symmetric, so the posterior is the same
    with the other sign. Some turned: the cells' covariance changes sign with the pair.
    """
    plain = make_codebook(4, 2)
    frame = random_responses(plain, seed=6, shape=Shape(citizens=60)).drop(columns="combination")
    cells = {
        codes: cell_means(progression(responses_from_frame(frame, book)), book)
        for codes in ((), ("q1", "q4"), plain.indicator_codes)
        for book in [reversing(plain, codes)]
    }
    posteriors = []
    for codes in ((), plain.indicator_codes):
        batches = load_model("hierarchical").declared(cells[codes])
        model = gaussian_model(cells[codes], batches)
        sds = np.full(len(batches), 0.1)
        posteriors.append(linear_posterior(model, sds, np.eye(len(model.group))))
    (mean, sd), (turned_mean, turned_sd) = posteriors
    np.testing.assert_allclose(turned_mean, -mean, atol=1e-10)
    np.testing.assert_allclose(turned_sd, sd, atol=1e-10)
    sign = xr.where(cells[()]["indicator"].isin(["q1", "q4"]), -1.0, 1.0)
    flipped = cells[()]["vcov"] * sign * sign.rename(indicator="indicator_")
    np.testing.assert_allclose(
        cells["q1", "q4"]["vcov"].to_numpy(),
        flipped.transpose(*cells[()]["vcov"].dims).to_numpy(),
        atol=1e-10,
    )


def test_four_of_twenty_are_named_and_only_these(frame: pd.DataFrame, codebook: Codebook) -> None:
    """Catches a silent pool of items that point both ways, and a list with innocent ones."""
    assert names(found_in(frame, codebook)) == set()
    mixed = turned_frame(frame, codebook, TURNED)
    found = found_in(mixed, codebook)
    assert names(found) == set(TURNED)
    assert not found.undecided
    assert all(one.correlation < 0 and one.statistic < -found.critical for one in found.against)
    record = directions_record(found, codebook)
    assert "q3, q8, q14, q19" in record["sentence"]["en"]
    assert "reverse = true" in record["sentence"]["da"] and "," in record["sentence"]["da"]
    assert {one["line"] for one in record["against"]} == {"reverse = true"}
    # The line that was asked for is the cure.
    assert names(found_in(mixed, reversing(codebook, TURNED))) == set()


def test_an_item_turned_by_mistake_is_named_with_the_line_that_lets_it_be(
    frame: pd.DataFrame, codebook: Codebook
) -> None:
    """Catches advice to write a line that the codebook has already."""
    mistaken = reversing(codebook, ["q5"])
    record = directions_record(found_in(frame, mistaken), mistaken)
    assert [(one["code"], one["line"]) for one in record["against"]] == [("q5", "reverse = false")]


def test_two_halves_are_both_named(frame: pd.DataFrame, codebook: Codebook) -> None:
    """Catches a rule by the mean correlation with all others, which is zero for ten of twenty."""
    half = codebook.indicator_codes[::2]
    found = found_in(turned_frame(frame, codebook, half), codebook)
    assert found.undecided
    sides = {frozenset(names(found)), frozenset(one.code for one in found.others)}
    assert sides == {frozenset(half), frozenset(codebook.indicator_codes) - set(half)}
    assert "cannot say" in directions_record(found, codebook)["sentence"]["en"]


def test_a_respondent_who_looks_at_it_from_the_other_end_is_named() -> None:
    """Catches a search that never flips a block whose items hang together among themselves."""
    codebook = make_codebook(20, 2)
    shape = Shape(citizens=250, waves=(2, 5), gaps=0.0)
    frame = random_responses(codebook, seed=1, shape=shape).drop(columns="combination")
    other = random_responses(codebook, seed=2, shape=shape)
    theirs = [one.code for one in codebook.indicators if one.respondent == "caseworker"][:9]
    # Half of what they say is their own, so that they agree more among themselves.
    mixed = frame[theirs].to_numpy() + other[theirs].reindex(frame.index).to_numpy() - 3
    frame[theirs] = np.where(np.isnan(mixed), frame[theirs], np.clip(mixed, 1, 5))
    assert names(found_in(frame, codebook)) == set()
    assert names(found_in(turned_frame(frame, codebook, theirs), codebook)) == set(theirs)


def test_the_smaller_side_is_named(frame: pd.DataFrame, codebook: Codebook) -> None:
    """Catches the twelve that are turned named as the rest that eight go against."""
    twelve = codebook.indicator_codes[:6] + codebook.indicator_codes[10:16]
    found = found_in(turned_frame(frame, codebook, twelve), codebook)
    assert names(found) == set(codebook.indicator_codes) - set(twelve)
    assert {one.code for one in found.others} == set(twelve)


def test_respondents_that_agree_on_nothing_raise_no_alarm() -> None:
    """Catches one respondent's whole block named because the sign between blocks is noise.

    And where items are turned within a block, these are named and not the rest of the block.
    """
    first, second = make_codebook(20, 2), Shape(citizens=250, waves=(2, 5), gaps=0.0)
    whole = random_responses(first, seed=1, shape=second).drop(columns="combination")
    for seed in range(2, 10):
        other = random_responses(first, seed=seed, shape=second)
        theirs = [one.code for one in first.indicators if one.respondent == "caseworker"]
        length = min(len(whole), len(other))
        mixed = whole.iloc[:length].assign(**other[theirs].iloc[:length])
        assert names(found_in(mixed, first)) == set()
        turned = ("q12", "q15", "q17", "q20")
        assert names(found_in(turned_frame(mixed, first, turned), first)) == set(turned)


def test_a_constant_item_and_one_with_few_answers_are_not_named(
    frame: pd.DataFrame, codebook: Codebook
) -> None:
    """Catches a division by zero, and an item named for the answers of a handful."""
    few = frame["citizen"].isin(frame["citizen"].unique()[:5])
    mixed = turned_frame(frame, codebook, ["q7", "q3"]).assign(q2=3.0)
    mixed["q7"] = mixed["q7"].where(few)
    found = found_in(mixed, codebook)
    assert names(found) == {"q3"}


def test_shuffled_items_raise_no_alarm(codebook: Codebook, frame: pd.DataFrame) -> None:
    """Catches a threshold that takes the best of many items and signs for evidence."""
    data = progression(responses_from_frame(frame, codebook))
    rng = np.random.default_rng(3)
    alarms = 0
    for _ in range(40):
        values = data["standardised"].to_numpy().copy()
        for column in range(values.shape[1]):
            there = ~np.isnan(values[:, column])
            values[there, column] = rng.permutation(values[there, column])
        shuffled = data.assign(standardised=(data["standardised"].dims, values))
        alarms += bool(names(directions(shuffled, codebook)))
    assert alarms <= 6  # 5 % of 40 is 2; more than 6 has a chance of 3 in 1,000


def test_what_combinations_differ_by_is_no_direction(
    frame: pd.DataFrame, codebook: Codebook
) -> None:
    """Catches correlations of cell means: an item that rises where the others fall."""
    data = progression(responses_from_frame(frame, codebook))
    step = xr.where(data["combination"] == "10", 3.0, 0.0)
    apart = step * xr.where(data["outcome"] == "q3", 1.0, -1.0)
    moved = data.assign(standardised=data["standardised"] + apart)
    assert directions(moved, codebook).against == ()


def test_the_correlation_is_that_of_responses_with_both_items(
    frame: pd.DataFrame, codebook: Codebook
) -> None:
    """Catches products spread over all responses, and an unrelated item named beside the rest."""
    drawn = np.random.default_rng(2).integers(1, 6, len(frame)).astype(float)
    turned = turned_frame(frame.assign(q9=drawn), codebook, ["q3"])
    data = progression(responses_from_frame(turned, codebook))
    found = directions(data, codebook)
    codes = list(codebook.indicator_codes)
    changes = data["standardised"].where(data["analysed"]).sel(outcome=codes).to_pandas()
    cell = [data[name].to_numpy() for name in ("combination", "jobcenter")]
    residual = changes - changes.groupby(cell).transform("mean")
    residual = residual / np.sqrt((residual**2).mean())
    expected = [(residual["q3"] * residual[code]).mean() for code in codes if code != "q3"]
    assert found.against[0].correlation == pytest.approx(np.mean(expected), rel=1e-9)
    assert len(found.others) > 9 and "q9" not in {one.code for one in found.others}


def test_an_item_of_a_small_block_is_found() -> None:
    """Catches an item's correlation with itself among what speaks for leaving it as it is."""
    codebook = make_codebook(10, 2)
    shape = Shape(citizens=500, waves=(3, 4), gaps=0.0, unknown=0.0)
    data = builders.random_progression(codebook, seed=1, shape=shape)
    rng, rows = np.random.default_rng(0), data.sizes["response"]
    load = np.repeat([0.8, 0.5], [6, 4])  # two blocks that have nothing to do with each other
    values = load * np.repeat(rng.normal(size=(rows, 2)), [6, 4], axis=1)
    values = (values + np.sqrt(1 - load**2) * rng.normal(size=values.shape)) * (1, *[1] * 8, -1)
    drawn = data["standardised"].copy()
    here = {"outcome": list(codebook.indicator_codes)}
    drawn.loc[here] = drawn.loc[here] * 0 + values
    assert names(directions(data.assign(standardised=drawn), codebook)) == {"q10"}


def test_one_citizen_says_a_thing_once_however_often(codebook: Codebook) -> None:
    """Catches responses that count as independent: twelve citizens go up and down, each as ever."""
    rng = np.random.default_rng(5)
    citizens, waves, codes = 12, 41, list(codebook.indicator_codes)
    sign = rng.choice([-1.0, 1.0], size=(citizens, 1, len(codes)))
    answers = 3 + sign * (-1.0) ** np.arange(waves)[None, :, None]
    frame = pd.DataFrame(answers.reshape(-1, len(codes)), columns=codes)
    frame["citizen"] = np.repeat([f"c{number:02d}" for number in range(citizens)], waves)
    frame["jobcenter"] = "one"
    frame["date"] = np.tile(pd.date_range("2015-01-01", periods=waves, freq="30D"), citizens)
    for code in codebook.treatment_codes:
        frame[code] = 0
    assert not found_in(frame, codebook).against


def test_citizens_behind_an_item_are_those_who_answered_it(
    frame: pd.DataFrame, codebook: Codebook
) -> None:
    """Catches the citizens of the study, or of the other items, in place of the item's own."""
    turned = turned_frame(frame, codebook, ["q3"])
    gone = turned["citizen"].str[-1].isin(list("01234"))
    turned["q3"] = turned["q3"].mask(gone)
    data = progression(responses_from_frame(turned, codebook))
    known = data["standardised"].sel(outcome="q3").notnull() & data["analysed"]
    (found,) = directions(data, codebook).against
    assert found.code == "q3"
    assert found.n_citizens == len(np.unique(data["citizen"].to_numpy()[known]))


def test_items_that_never_meet_do_not_count(frame: pd.DataFrame, codebook: Codebook) -> None:
    """Catches a pair never answered together that counts as a correlation of zero."""
    turned = turned_frame(frame, codebook, ["q3"])
    half = turned["citizen"].str[-1].isin(list("01234"))
    turned["q1"], turned["q3"] = turned["q1"].mask(half), turned["q3"].mask(~half)
    items = [one for one in codebook.indicators if one.code != "q1"]
    found = [
        found_in(turned, replace(codebook, indicators=tuple(chosen), averages=())).against[0]
        for chosen in (codebook.indicators, items)
    ]
    assert [one.code for one in found] == ["q3", "q3"]
    assert found[0].correlation == pytest.approx(found[1].correlation, rel=1e-6)
