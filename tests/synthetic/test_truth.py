"""The truth of simulated data: what the estimates estimate."""

import numpy as np
import pandas as pd
import pytest
from synthetic_study import read, small_codebook

from bipbayes.data.progression import progression
from bipbayes.data.read import responses_from_frame
from bipbayes.synthetic.frame import responses_frame
from bipbayes.synthetic.latent import draw_answers
from bipbayes.synthetic.simulate import Simulation, simulate
from bipbayes.synthetic.streams import Stream


@pytest.fixture(scope="module")
def small() -> Simulation:
    return simulate(small_codebook(), citizens=200, jobcenters=4, seed=11)


def _replicate(simulation: Simulation, number: int) -> pd.DataFrame:
    """Standardised cell means of new answers to the same design, by the package's own path."""
    from bipbayes.synthetic.frame import tick_boxes

    design = simulation.design
    answers = draw_answers(
        Stream(500, number), design, drift=simulation.drift, process=simulation.process
    )
    frame = responses_frame(design, answers, tick_boxes(Stream(1), design))
    found = progression(responses_from_frame(frame, design.codebook))
    table = found["standardised"].to_pandas()
    keys = [found["combination"].to_numpy(), found["jobcenter"].to_numpy()]
    return table[keys[0] != ""].groupby([key[keys[0] != ""] for key in keys]).mean()


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
