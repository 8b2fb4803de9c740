"""The truth against brute force, and estimates of huge studies against the truth."""

import numpy as np
import pytest
from builders import make_codebook

from bipbayes.cells import cell_means
from bipbayes.data.progression import progression
from bipbayes.validation import generator as truth_module
from bipbayes.validation import replicate
from bipbayes.validation.generator import (
    Generator,
    draw_design,
    draw_drift,
    draw_responses,
    expected_answers,
    population_truth,
    simulate_study,
)
from bipbayes.validation.replicate import derived, group_truth
from bipbayes.validation.scores import ALL_ANSWERS, COMPLETE_ROWS, study_targets
from bipbayes.validation.settings import ValidationSettings


def test_expected_answers_are_those_of_rounded_and_cut_draws():
    """Catches a threshold off by half a point or a missing cut at an end of the scale."""
    rng = np.random.default_rng(1)
    mean, spread = np.array([0.7, 3.2, 5.4]), np.array([0.8, 0.5, 1.5])
    draws = np.clip(np.floor(rng.normal(mean, spread, (400_000, 3)) + 0.5), 1, 5)
    expected = expected_answers(mean, spread, scale=(1, 5), cut=True)
    np.testing.assert_allclose(expected, draws.mean(axis=0), atol=0.01)
    assert expected_answers(mean, spread, scale=(1, 5), cut=False) is mean


@pytest.mark.parametrize("selection", [None, 1.5])
def test_effects_count_from_average_progress(codebook, monkeypatch, selection):
    """Catches an average that weighs cells alike, or by those who could have been treated.

    Weighted by the changes under each combination in each jobcenter, effects sum to zero.
    """
    drawn = []

    def recorded(design, **settings):
        found = draw_responses(design, **settings)
        drawn.append(found[0])
        return found

    monkeypatch.setattr(truth_module, "draw_responses", recorded)
    generator = Generator(selection=selection)
    drift = draw_drift(codebook, 3, generator=generator, seed=2)
    truth = population_truth(codebook, drift=drift, generator=generator, citizens=3000, seed=3)
    (design,) = drawn
    cell = np.ravel_multi_index((design.combination, design.site[design.citizen]), (4, 3))
    for column in range(len(codebook.outcomes)):
        counts = np.bincount(cell[design.questions.sample[:, column]], minlength=12)
        assert counts.max() > 1.5 * counts.min()
        assert counts @ truth.cell[..., column].ravel() == pytest.approx(0, abs=1e-9)


def test_contrasts_are_differences_of_effects(codebook):
    """Catches contrasts that keep the shift of an average's scale, or are taken the other way."""
    generator = Generator()
    drift = draw_drift(codebook, 3, generator=generator, seed=2)
    truth = population_truth(codebook, drift=drift, generator=generator, citizens=3000, seed=3)
    design = draw_design(codebook, citizens=300, jobcenters=3, seed=4)
    study = simulate_study(design, drift=drift, generator=generator, seed=5)
    targets = study_targets(cell_means(progression(study, codebook), codebook), codebook, truth)
    names = ["estimand", "outcome", "definition", "combination"]
    places = {
        labels: place
        for place, labels in enumerate(zip(*(targets.rows[name] for name in names), strict=True))
    }
    contrasts = [labels for labels in places if labels[0] == "contrast"]
    assert np.abs(targets.shift).max() > 0 and len(contrasts) > 9
    for labels in contrasts:
        effect = places["effect", *labels[1:]]
        reference = places["effect", *labels[1:3], codebook.no_treatment]
        for values in (targets.matrix.toarray(), targets.shift, targets.rows["truth"].to_numpy()):
            difference = values[effect] - values[reference]
            np.testing.assert_allclose(values[places[labels]], difference, atol=1e-12)


@pytest.mark.parametrize("cut", [True, False])
def test_estimates_of_a_large_study_approach_the_truth(codebook, cut):
    """Catches a truth in other units than the estimates, or of other weights."""
    generator = Generator(cut=cut, steadiness=(0.3,))
    drift = draw_drift(codebook, 3, generator=generator, seed=2)
    truth = population_truth(codebook, drift=drift, generator=generator, citizens=20_000, seed=3)
    design = draw_design(codebook, citizens=15_000, jobcenters=3, seed=4)
    study = simulate_study(design, drift=drift, generator=generator, seed=5)
    cells = cell_means(progression(study, codebook), codebook)
    targets = study_targets(cells, codebook, truth)
    blocks = cells["vcov"].transpose("combination", "jobcenter", "indicator", "indicator_")
    weights = targets.matrix.toarray().reshape(len(targets.rows), -1, cells.sizes["indicator"])
    covariance = blocks.to_numpy().reshape(-1, *blocks.shape[2:])
    se = np.sqrt(np.einsum("ngk,gkl,ngl->n", weights, covariance, weights))
    estimate = targets.matrix @ cells["mean"].to_numpy().ravel() + targets.shift
    # What cells say of an average is the truth of all answers; gaps make the other one larger.
    judged = (targets.rows["definition"] != COMPLETE_ROWS).to_numpy()
    z = ((estimate - targets.rows["truth"].to_numpy()) / se)[judged]
    assert se.max() < 0.05
    assert np.abs(z).max() < 4
    # Truths that differed in unit or centre would be off by a common factor or amount.
    assert np.abs(z[targets.rows["estimand"][judged] == "contrast"].mean()) < 0.8
    spread = targets.rows["truth"].std()
    slope = np.polyfit(targets.rows["truth"][judged], estimate[judged], 1)[0]
    assert slope == pytest.approx(1, abs=0.02 / spread)


def test_an_average_over_complete_rows_reaches_further_back():
    """Catches one truth for both definitions: gaps make changes of complete rows larger."""
    codebook = make_codebook(20, 2, jobcenters=("a", "b", "c"))
    generator = Generator(cut=False)
    drift = draw_drift(codebook, 3, generator=generator, seed=2)
    truth = population_truth(codebook, drift=drift, generator=generator, citizens=20_000, seed=3)
    design = draw_design(codebook, citizens=3000, jobcenters=3, seed=4)
    study = simulate_study(design, drift=drift, generator=generator, seed=5)
    cells = cell_means(progression(study, codebook), codebook)
    rows = study_targets(cells, codebook, truth).rows
    rows = rows[(rows["estimand"] == "effect") & rows["outcome"].isin(codebook.average_codes)]
    wide = rows.pivot(index=["outcome", "combination"], columns="definition", values="truth")
    slope = np.polyfit(wide[ALL_ANSWERS], wide[COMPLETE_ROWS], 1)[0]
    assert 1.0 < slope < 1.25


def test_a_stored_truth_comes_back(tmp_path, codebook, monkeypatch):
    """Catches a cache that loses digits or fields, or is never read."""
    generator = Generator()
    drift = draw_drift(codebook, 3, generator=generator, seed=2)
    settings = ValidationSettings(population=200, generator=generator)
    asked = {"settings": settings, "group": 0, "folder": tmp_path}
    stored = group_truth(codebook, drift, **asked)
    seed = derived(settings, 3, 0)
    truth = population_truth(codebook, drift=drift, generator=generator, citizens=200, seed=seed)
    monkeypatch.delattr(replicate, "population_truth")
    for again in (stored, group_truth(codebook, drift, **asked)):
        for name in ("cell", "error", "mean", "sd"):
            np.testing.assert_array_equal(getattr(again, name), getattr(truth, name))
