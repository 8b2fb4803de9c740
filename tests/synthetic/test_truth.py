"""The truth of simulated data: what the estimates estimate."""

import numpy as np
import pandas as pd
import pytest
from synthetic_study import read, small_codebook

from bipbayes.data.progression import progression
from bipbayes.data.read import responses_from_frame
from bipbayes.synthetic import truth as truths
from bipbayes.synthetic.latent import draw_answers
from bipbayes.synthetic.simulate import DEFAULT_PROCESS, Simulation, responses_frame, simulate
from bipbayes.synthetic.streams import Stream


@pytest.fixture(scope="module")
def small() -> Simulation:
    return simulate(small_codebook(), citizens=200, jobcenters=4, seed=11)


def _replicate(simulation: Simulation, number: int) -> pd.DataFrame:
    """Standardised cell means of new answers to the same design, by the package's own path."""
    from bipbayes.synthetic.simulate import tick_boxes

    design, answers = simulation.design, _answers(simulation, number)
    frame = responses_frame(design, answers, tick_boxes(Stream(1), design))
    found = progression(responses_from_frame(frame, design.codebook))
    table = found["standardised"].to_pandas()
    keys = [found["combination"].to_numpy(), found["jobcenter"].to_numpy()]
    return table[keys[0] != ""].groupby([key[keys[0] != ""] for key in keys]).mean()


def _answers(simulation: Simulation, number: int) -> np.ndarray:
    drift, process = simulation.drift, DEFAULT_PROCESS
    return draw_answers(Stream(500, number), simulation.design, drift=drift, process=process)


def test_each_replicate_is_standardised_as_the_analysis_does(small: Simulation) -> None:
    """Catches a spread divided by n, means that are not taken out, and other cells."""
    effect, cell = truths._standardised(small.design, _answers(small, 3))
    table = _replicate(small, 3)
    book = small.design.codebook
    for place, outcome in enumerate(book.outcomes):
        expected = (
            table[outcome].unstack().reindex(book.combinations)[list(small.design.jobcenters)]
        )
        np.testing.assert_allclose(cell[place], expected, atol=1e-9)
    assert effect.shape == cell.shape[:2]


def test_mirrored_halves_cancel_noise(small: Simulation) -> None:
    """Catches truths of one half of each pair, and an error that is not that of their mean."""
    design, drift, process = small.design, small.drift, DEFAULT_PROCESS
    found = [
        truths.expected_progression(design, drift, process=process, seed=seed, pairs=3)
        for seed in range(12)
    ]
    plain = [truths._standardised(design, _answers(small, number)) for number in range(12)]
    for place, name in enumerate(("effect", "cell")):
        independent = np.var([one[place] for one in plain], axis=0, ddof=1) / 6
        claimed = np.mean([getattr(one, f"{name}_mcse") ** 2 for one in found], axis=0)
        seen = np.var([getattr(one, name) for one in found], axis=0, ddof=1)
        assert np.nanmean(claimed) == pytest.approx(np.nanmean(seen), rel=0.4)
        assert np.nanmean(seen) < 0.4 * np.nanmean(independent)


def test_the_mean_of_replicates_and_its_error() -> None:
    """Catches the spread of replicates, or one divided by n, passed off as the mean's error."""
    values = list(np.random.default_rng(2).normal(size=(4, 3, 2)))
    mean, error = truths._mean(values)
    np.testing.assert_allclose(mean, sum(values) / 4)
    squares = sum((value - mean) ** 2 for value in values)
    np.testing.assert_allclose(error, np.sqrt(squares / 3 / 4))


def test_moved_truth_meets_its_targets_and_keeps_differences() -> None:
    """Catches a move the other way, and jobcenters that stay behind their combination."""
    rng = np.random.default_rng(3)
    effect, targets = rng.normal(size=(2, 3, 4))
    cell = effect[:, :, None] + rng.normal(size=(3, 4, 5))
    expected = truths.Expected(effect, effect**2, cell, cell**2)
    found = truths.shifted(expected, targets)
    np.testing.assert_array_equal(found.effect, targets)
    assert not found.effect_mcse.any()
    np.testing.assert_allclose(found.cell - targets[:, :, None], cell - effect[:, :, None])


def test_parts_have_the_mean_of_their_truths(small: Simulation) -> None:
    """Catches averages counted among the indicators, and a spread for an error of the mean."""
    first = small.simulate_truth(pairs=2)
    codes = small.design.codebook.indicator_codes
    table = first.pivot(
        index=["estimand", "combination", "jobcenter"], columns="outcome", values="value"
    )
    whole = table["all_indicators"]
    np.testing.assert_allclose(whole, table[list(codes)].mean(axis=1, skipna=False))
    parts = [first, first.assign(value=first["value"] + 0.1), first.assign(value=first["value"])]
    joined = truths.joined_truth(parts)
    np.testing.assert_allclose(joined["value"], first["value"] + 0.1 / 3)
    np.testing.assert_allclose(joined["mcse"], np.std([0, 0.1, 0], ddof=1) / np.sqrt(3))


def test_truth_is_the_mean_over_many_data_sets(small: Simulation) -> None:
    """Catches a truth that is latent, or of other cells, weights or units than the estimand."""
    replicates = [_replicate(small, number) for number in range(25)]
    mean = sum(replicates) / len(replicates)
    error = pd.concat(replicates).groupby(level=[0, 1]).std() / np.sqrt(len(replicates))
    truth = small.simulate_truth(pairs=30)
    cells = truth[truth["estimand"] == "jobcenter"]
    scores = []
    for outcome in small.design.codebook.outcomes:
        one = cells[cells["outcome"] == outcome].set_index(["combination", "jobcenter"])
        distance = one["value"] - mean[outcome]
        scores.append(distance / np.hypot(error[outcome], one["mcse"]))
    scores = pd.concat(scores)
    assert len(scores) == 8 * 4 * 4
    assert scores.abs().max() < 4.5
    assert (scores**2).mean() < 1.6


def test_effects_weight_jobcenters_as_observed(small: Simulation) -> None:
    """Catches effects whose jobcenters are weighted alike: OLS weights them as they come."""
    truth = small.simulate_truth(pairs=3)
    found = read(small).progression
    rows = found["standardised"].sel(outcome="Q1").notnull().to_numpy()
    counts = pd.Series(1, index=np.arange(int(rows.sum())))
    keys = [found["combination"].to_numpy()[rows], found["jobcenter"].to_numpy()[rows]]
    n = counts.groupby(keys).sum()
    one = truth[truth["outcome"] == "Q1"].set_index(["estimand", "combination", "jobcenter"])
    for combination in small.design.codebook.combinations:
        weights = n[combination]
        cells = one["value"]["jobcenter"][combination][weights.index]
        weighted = (cells * weights).sum() / weights.sum()
        assert one["value"]["effect"][combination][""] == pytest.approx(weighted, abs=1e-12)


def test_truth_follows_the_drawn_effects(small: Simulation) -> None:
    """Catches effects that never reach the answers, or reach them with the wrong sign."""
    truth = small.simulate_truth(pairs=20)
    cells = truth[(truth["estimand"] == "jobcenter") & (truth["outcome"] != "all_indicators")]
    codebook = small.design.codebook
    labels = pd.MultiIndex.from_product(
        [codebook.combinations, small.design.jobcenters, codebook.indicator_codes]
    )
    drift = pd.Series(small.drift.ravel(), index=labels)
    value = cells.set_index(["combination", "jobcenter", "outcome"])["value"]
    both = pd.concat([drift, value], axis=1, keys=["drift", "value"]).dropna()
    assert both.corr().loc["drift", "value"] > 0.8
