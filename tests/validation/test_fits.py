"""The sampler against the closed forms, which share no code; calibration of the sampler."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from builders import make_codebook

from bipbayes.cells import cell_means
from bipbayes.data.progression import progression
from bipbayes.option_words import NUTS
from bipbayes.sampling.exact.posterior import saturated_posterior
from bipbayes.validation import replicate as fits
from bipbayes.validation.calibration import calibration_verdict, run_calibration
from bipbayes.validation.generator import draw_design, draw_drift, population_truth, simulate_study
from bipbayes.validation.replicate import fit_scores
from bipbayes.validation.scores import study_targets
from bipbayes.validation.settings import CLOSED, PLUGGED


@pytest.fixture(scope="module")
def setting(tiny):
    codebook = make_codebook(4, 2, jobcenters=("a", "b", "c"))
    drift = draw_drift(codebook, 3, generator=tiny.generator, seed=1)
    truth = population_truth(codebook, drift=drift, generator=tiny.generator, citizens=2000, seed=2)
    design = draw_design(codebook, citizens=200, jobcenters=3, seed=3)
    study = simulate_study(design, drift=drift, generator=tiny.generator, seed=4)
    cells = cell_means(progression(study, codebook), codebook)
    return cells, study_targets(cells, codebook, truth)


def test_every_model_of_the_ladder_has_closed_forms(tiny, setting):
    """Catches closed forms of the wrong model under a model's name, or a model left out."""
    cells, targets = setting
    ladder = ("complete_pooling", "no_pooling", "hierarchical", "factorial")
    settings = replace(tiny, models=ladder, engines=(CLOSED, PLUGGED))
    frames = fit_scores(cells, targets, settings=settings, seed=1)
    found = [(frame["model"].iloc[0], frame["engine"].iloc[0]) for frame in frames]
    assert found == [(model, engine) for model in ladder for engine in (CLOSED, PLUGGED)]
    assert all(len(frame) == len(targets.rows) for frame in frames)
    estimates = [frame["estimate"].to_numpy() for frame in frames[::2]]
    for first, second in combinations(estimates, 2):
        assert np.abs(first - second).max() > 0.01


def test_no_pooling_is_the_weighted_cell_means(setting):
    """Catches a posterior of means that is not their sampling distribution."""
    cells, targets = setting
    mean, sd = saturated_posterior(cells, targets.matrix)
    rows = targets.rows
    single = (rows["estimand"] == "effect") & (rows["outcome"] == "q1")
    for place in np.flatnonzero(single):
        combination = rows["combination"][place]
        own = cells.sel(combination=combination, indicator="q1", indicator_="q1")
        weight = (own["n"] / own["n"].sum()).to_numpy()
        known = weight > 0
        assert mean[place] == pytest.approx(weight[known] @ own["mean"].to_numpy()[known])
        variance = weight[known] ** 2 @ own["vcov"].to_numpy()[known]
        assert sd[place] == pytest.approx(np.sqrt(variance))


def test_a_cell_without_answers_leaves_no_pooling_empty(setting):
    """Catches an unknown mean taken as zero."""
    cells, targets = setting
    c, j = (int(place) for place in np.argwhere((cells["n"].min("indicator") > 0).values)[0])
    n, mean = cells["n"].copy(), cells["mean"].copy()
    n[c, j], mean[c, j] = 0, np.nan
    found, _ = saturated_posterior(cells.assign(n=n, mean=mean), targets.matrix)
    touched = abs(targets.matrix[:, _cell_columns(cells, c, j)]).sum(axis=1) > 0
    assert touched.any()
    np.testing.assert_array_equal(np.isnan(found), touched)


def _cell_columns(cells, c, j):
    size = cells.sizes["indicator"]
    start = (c * cells.sizes["jobcenter"] + j) * size
    return np.arange(start, start + size)


@pytest.mark.slow
def test_sampler_and_closed_forms_agree(tiny, setting, monkeypatch):
    """Catches an error in either: another prior, another likelihood, another estimand.

    The closed form sums over drawn hyperparameters, 16 in a campaign, which err by 0.14 standard
    deviations from seed to seed (the sampler by 0.02); hence more of them here, and two seeds.
    """
    monkeypatch.setattr(fits, "POINTS", 512)
    cells, targets = setting
    settings = replace(
        tiny, engines=(CLOSED, NUTS), draws=4000, tune=1000, models=("hierarchical",)
    )
    keys = ["estimand", "outcome", "definition", "combination"]
    found = []
    for seed in (1, 2):
        closed, sampled = fit_scores(cells, targets, settings=settings, seed=seed)
        both = closed.merge(sampled, on=keys, suffixes=("", "_nuts"))
        assert len(both) == len(targets.rows)
        found.append(both.set_index(keys).select_dtypes("number"))
    both = sum(found[1:], found[0]) / len(found)
    gap = (both["estimate_nuts"] - both["estimate"]) / both["se"]
    assert np.abs(gap).max() < 0.1
    np.testing.assert_allclose(both["se_nuts"], both["se"], rtol=0.06)
    assert np.abs(both["below_truth_nuts"] - both["below_truth"]).max() < 0.05


@pytest.mark.slow
def test_the_sampler_is_calibrated_on_a_small_model(tiny, tmp_path):
    """Catches a sampler or a likelihood that does not return the prior."""
    codebook = make_codebook(4, 2, jobcenters=("a", "b", "c"))
    settings = replace(tiny, models=("complete_pooling",), citizens=150)
    shares = run_calibration(
        codebook, settings=settings, rounds=60, folder=tmp_path, where=(None, 0)
    )
    assert calibration_verdict(shares)["passed"].all()
