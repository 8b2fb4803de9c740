"""The sampler against the closed forms, which share no code; calibration of the sampler."""

from dataclasses import replace

import numpy as np
import pytest
from builders import make_codebook

from bipbayes.cells import cell_means
from bipbayes.data.progression import progression
from bipbayes.validation.calibrate import run_calibration
from bipbayes.validation.calibration import calibration_verdict
from bipbayes.validation.fits import fit_scores
from bipbayes.validation.generator import draw_design, draw_drift, simulate_study
from bipbayes.validation.settings import CLOSED, NUTS, PLUGGED
from bipbayes.validation.targets import study_targets
from bipbayes.validation.truth import population_truth


@pytest.fixture(scope="module")
def setting(tiny):
    codebook = make_codebook(4, 2, jobcenters=("a", "b", "c"))
    drift = draw_drift(codebook, 3, generator=tiny.generator, seed=1)
    truth = population_truth(codebook, drift=drift, generator=tiny.generator, citizens=2000, seed=2)
    design = draw_design(codebook, citizens=200, jobcenters=3, seed=3)
    study = simulate_study(design, drift=drift, generator=tiny.generator, seed=4)
    cells = cell_means(progression(study, codebook), codebook)
    return cells, study_targets(cells, codebook, truth)


def test_models_without_closed_forms_are_left_to_the_sampler(tiny, setting):
    """Catches closed forms of the wrong model under a model's name."""
    cells, targets = setting
    settings = replace(tiny, models=("no_pooling", "complete_pooling"), engines=(CLOSED, PLUGGED))
    frames = fit_scores(cells, targets, settings=settings, seed=1)
    assert [frame["model"].unique().tolist() for frame in frames] == [["complete_pooling"]] * 2
    assert [frame["engine"].iloc[0] for frame in frames] == [CLOSED, PLUGGED]


@pytest.mark.slow
def test_sampler_and_closed_forms_agree(tiny, setting):
    """Catches an error in either: another prior, another likelihood, another estimand."""
    cells, targets = setting
    settings = replace(
        tiny, engines=(CLOSED, NUTS), draws=4000, tune=1000, models=("hierarchical",)
    )
    closed, sampled = fit_scores(cells, targets, settings=settings, seed=1)
    keys = ["estimand", "outcome", "definition", "combination"]
    both = closed.merge(sampled, on=keys, suffixes=("", "_nuts"))
    assert len(both) == len(targets.rows)
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
