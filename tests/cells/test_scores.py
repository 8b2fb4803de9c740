"""Weighted scores of one citizen: moments and covariance against loops over pairs."""

import numpy as np
import pytest
import xarray as xr
from builders import Shape, make_codebook, random_progression

from bipbayes.cells import cell_means
from bipbayes.cells.persistence import persistent_cells, score_parts
from bipbayes.cells.scores import Scores, gram_matrices, make_scores, moments
from bipbayes.data.adjusted import adjusted_progression
from bipbayes.data.adjustment import make_adjustment
from bipbayes.data.progression import PreviousRule
from bipbayes.data.sample import analysis_sample

CODEBOOK = make_codebook(3, 1, jobcenters=("a", "b"))


def _scores(previous: PreviousRule, *, weighted: bool = True) -> Scores:
    shape = Shape(citizens=18, waves=(2, 6), gaps=0.3)
    data = random_progression(CODEBOOK, seed=9, shape=shape, previous=previous)
    sample = analysis_sample(data, CODEBOOK)
    observed = sample.observed[:, :3].astype(float)
    weight = np.random.default_rng(1).uniform(0.3, 1.0, observed.shape) if weighted else 1.0
    starts = data["previous"].sel(outcome=list(CODEBOOK.indicator_codes)).to_numpy()
    return make_scores(sample, starts, values=sample.values[:, :3], weight=observed * weight)


def _kind(scores: Scores, first: tuple[int, int], second: tuple[int, int]) -> tuple[int, str]:
    """Net number of shared answers of two changes (row, indicator), and how they relate."""
    (r, k), (q, other) = first, second
    ends = scores.rows[r], scores.rows[q]
    starts = scores.previous[r, k], scores.previous[q, other]
    net = int(ends[0] == ends[1]) + int(starts[0] == starts[1])
    net -= int(ends[0] == starts[1]) + int(starts[0] == ends[1])
    if r == q:
        return net, "response"
    return net, {-1: "neighbour", 1: "start", 0: "other"}[net]


@pytest.mark.parametrize("previous", ["item", "response"])
def test_grams_equal_loops_over_pairs(previous: PreviousRule) -> None:
    """Catches a pair counted twice, in another cell, or with another response's weight."""
    scores = _scores(previous)
    grams = gram_matrices(scores)
    cells, count = scores.information.shape
    joint, shared, person = np.zeros((3, cells, count, count))
    observed = [(r, k) for r, k in np.argwhere(scores.weight > 0)]
    for r, k in observed:
        for q, other in observed:
            if scores.citizen[r] != scores.citizen[q] or scores.cell[r] != scores.cell[q]:
                continue
            product = scores.weight[r, k] * scores.weight[q, other]
            net, kind = _kind(scores, (r, k), (q, other))
            place = scores.cell[r], k, other
            person[place] += product
            shared[place] += product * net
            joint[place] += product * (kind == "response")
    np.testing.assert_allclose(grams.person, person, atol=1e-12)
    np.testing.assert_allclose(grams.shared, shared, atol=1e-12)
    np.testing.assert_allclose(grams.joint, joint, atol=1e-12)


@pytest.mark.parametrize("previous", ["item", "response"])
def test_moments_equal_loops_over_pairs(previous: PreviousRule) -> None:
    """Catches C that holds neighbours, changes with the same start, or other citizens."""
    scores = _scores(previous, weighted=False)
    found = moments(scores, gram_matrices(scores))
    count = scores.weight.shape[1]
    sums = {name: np.zeros((2, count, count)) for name in ("neighbour", "other", "start")}
    lost = {name: np.zeros((count, count)) for name in sums}
    n = scores.information
    observed = [(r, k) for r, k in np.argwhere(scores.weight > 0)]
    joint = gram_matrices(scores).joint
    for r, k in observed:
        for q, other in observed:
            if scores.citizen[r] != scores.citizen[q] or r == q:
                continue
            kind = _kind(scores, (r, k), (q, other))[1]
            product = scores.residual[r, k] * scores.residual[q, other]
            sums[kind][:, k, other] += product, 1.0
            if scores.cell[r] == scores.cell[q]:
                cell = scores.cell[r]
                lost[kind][k, other] += joint[cell, k, other] / (n[cell, k] * n[cell, other])
    diagonal = np.arange(count)
    for name, mine in (("neighbour", found.neighbour), ("other", found.person)):
        expected = (sums[name][0] + found.response * lost[name]) / sums[name][1]
        # Off the diagonal gaps make the correction an approximation; on it, none.
        np.testing.assert_allclose(mine[diagonal, diagonal], expected[diagonal, diagonal])
        np.testing.assert_allclose(mine, expected, atol=0.02)
    assert found.others == int(np.diag(sums["other"][1]).min()) // 2


def test_without_gaps_of_weight_it_is_the_usual_covariance() -> None:
    """Catches another S0 or other Gram forms than those of `cell_means`."""
    data = random_progression(CODEBOOK, seed=2, shape=Shape(citizens=150, waves=(2, 5)))
    for vcov in ("iid", "response"):
        plain, mine = (make(data, CODEBOOK, vcov=vcov) for make in (cell_means, persistent_cells))
        np.testing.assert_allclose(mine["vcov"], plain["vcov"], atol=1e-12)
        assert set(plain.variables) <= set(mine.variables)
        assert (mine["persistent_covariance"] == 0).all()


def test_known_persistence_is_found() -> None:
    """Catches a C of the wrong size: adjusted levels leave (1 - rho)² of a level's variance."""
    rng = np.random.default_rng(0)
    data = random_progression(
        CODEBOOK, seed=5, shape=Shape(citizens=300, waves=(8, 8), gaps=0.0, unknown=0.0)
    )
    citizen = np.unique(data["citizen"].to_numpy().astype(str), return_inverse=True)[1]
    level = rng.normal(size=(300, 3)) @ np.array([[0.5, 0.3, 0], [0, 0.4, 0], [0, 0, 0.0]])
    values = level[citizen] + rng.normal(size=(len(citizen), 3))
    known = data["standardised"].sel(outcome=["q1", "q2", "q3"]).notnull().to_numpy()
    sample = analysis_sample(data, CODEBOOK)
    starts = data["previous"].sel(outcome=list(CODEBOOK.indicator_codes)).to_numpy()
    scores = make_scores(
        sample,
        starts,
        values=np.where(known, values, 0.0)[sample.rows],
        weight=known[sample.rows].astype(float),
    )
    found = moments(scores, gram_matrices(scores))
    truth = np.array([[0.25, 0.15, 0], [0.15, 0.25, 0], [0, 0, 0]])
    np.testing.assert_allclose(found.person, truth, atol=0.08)
    np.testing.assert_allclose(found.neighbour, truth, atol=0.06)
    parts, person = score_parts(found, vcov="citizen")
    # Whatever is clipped, the variance of one response stays as estimated.
    total = person + (1 + found.common) * parts.noise + parts.change
    np.testing.assert_allclose(np.diag(total), np.diag(found.response), rtol=0.02)


def test_adjusted_cells_carry_what_persists() -> None:
    """Catches adjusted cells whose covariance forgets the citizen, or is not definite."""
    shape = Shape(citizens=200, waves=(4, 6), persistence=0.9)
    data = random_progression(CODEBOOK, seed=7, shape=shape)
    adjustment = make_adjustment(data, CODEBOOK)
    adjusted = adjusted_progression(data, CODEBOOK, adjustment=adjustment)
    cells = persistent_cells(adjusted, CODEBOOK)
    alone = persistent_cells(adjusted, CODEBOOK, vcov="response")
    assert np.linalg.eigvalsh(cells["persistent_covariance"])[-1] > 0.1
    assert np.linalg.eigvalsh(cells["vcov"].to_numpy()).min() > 0
    average = [data["vcov"].sum(("indicator", "indicator_")) for data in (cells, alone)]
    assert (average[0] > average[1]).all()
    assert cells.attrs["adjust"] == "baseline"
    xr.testing.assert_equal(cells["mean"], alone["mean"])
