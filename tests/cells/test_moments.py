"""Moments of the changes of one citizen against loops over pairs and known truth."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from builders import Shape, make_codebook, random_progression

from bipbayes.cells import cell_means, moments
from bipbayes.cells.covariance import parts
from bipbayes.cells.moments import Moments, estimate_moments
from bipbayes.cells.products import (
    GROUPS,
    Scores,
    cell_sums,
    gram_matrices,
    make_scores,
    residual_products,
)
from bipbayes.data.adjustment import adjusted_progression, make_adjustment
from bipbayes.data.progression import PreviousRule
from bipbayes.data.sample import Sample, analysis_sample

CODEBOOK = make_codebook(3, 1, jobcenters=("a", "b"))


def _scores(previous: PreviousRule, *, weighted: bool = True, citizens: int = 18) -> Scores:
    sample, weight = _sample(previous, citizens=citizens)
    weight = weight if weighted else np.ceil(weight)
    return make_scores(sample, values=sample.values[:, :3], weight=weight)


def _sample(previous: PreviousRule, *, citizens: int) -> tuple[Sample, np.ndarray]:
    """Rows of a ragged study, and weights between 0.3 and 1 where there are answers."""
    shape = Shape(citizens=citizens, waves=(2, 6), gaps=0.3)
    data = random_progression(CODEBOOK, seed=9, shape=shape, previous=previous)
    sample = analysis_sample(data, CODEBOOK)
    observed = sample.observed[:, :3].astype(float)
    return sample, observed * np.random.default_rng(1).uniform(0.3, 1.0, observed.shape)


RESPONDENT = np.array([0, 0, 1])


def estimate(scores: Scores) -> Moments:
    return estimate_moments(residual_products(scores), scores.information, respondent=RESPONDENT)


def residual_covariances(scores: Scores, found: Moments) -> Callable[..., float]:
    """How much less residuals of a cell covary than scores, by loops over the cell's scores."""

    def between(r: int, k: int, q: int, other: int) -> float:
        if scores.citizen[r] != scores.citizen[q]:
            return 0.0
        kind = _kind(scores, (r, k), (q, other))[1]
        named = {"response": found.response, "neighbour": found.neighbour}
        return float(named.get(kind, found.person)[k, other])

    def lost(r: int, q: int, k: int, other: int) -> float:
        if scores.cell[r] != scores.cell[q]:
            return 0.0
        own, there = (
            (scores.cell == scores.cell[r]) & (scores.weight[:, i] > 0) for i in (k, other)
        )
        first, second = np.flatnonzero(own), np.flatnonzero(there)
        with_mean = np.mean([between(r, k, s, other) for s in second])
        with_other = np.mean([between(q, other, s, k) for s in first])
        mean = np.mean([between(s, k, t, other) for s in first for t in second])
        return float(with_mean + with_other - mean)

    return lost


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


def test_estimates_weigh_scores_by_their_information() -> None:
    """Catches weights left out of a sum, or not squared: the estimate is least squares."""
    sample, weight = _sample("item", citizens=18)
    values = sample.values[:, :3]
    sums = cell_sums(sample, values=values, weight=weight)
    scores = make_scores(sample, values=values, weight=weight)
    alone = np.zeros((3, 3))
    for cell, k in np.argwhere(sums.information > 0):
        rows = (sample.cell == cell) & (weight[:, k] > 0)
        fitted = np.linalg.lstsq(weight[rows, k][:, None], values[rows, k])[0][0]
        assert sums.estimate[cell, k] == pytest.approx(fitted)
        mine = scores.residual[(scores.cell == cell) & (scores.weight[:, k] > 0), k]
        np.testing.assert_allclose(mine, values[rows, k] - weight[rows, k] * fitted, atol=1e-12)
        squares = weight[rows, k] ** 2
        alone[k] += squares @ (weight[rows] > 0) / squares.sum()
    np.testing.assert_allclose(residual_products(scores).alone, alone)


@pytest.mark.parametrize("previous", ["item", "response"])
def test_moments_equal_loops_over_pairs(
    previous: PreviousRule, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches C that holds neighbours, changes with the same start, or other citizens."""
    monkeypatch.setattr(moments, "ROUNDS", 40)
    scores = _scores(previous, weighted=False, citizens=36)
    found = estimate(scores)
    count = scores.weight.shape[1]
    sums = {name: np.zeros((2, count, count)) for name in ("neighbour", "other", "start")}
    lost = {name: np.zeros((count, count)) for name in sums}
    expected_residual = residual_covariances(scores, found)
    observed = [(r, k) for r, k in np.argwhere(scores.weight > 0)]
    for r, k in observed:
        for q, other in observed:
            if scores.citizen[r] != scores.citizen[q] or r == q:
                continue
            kind = _kind(scores, (r, k), (q, other))[1]
            product = scores.residual[r, k] * scores.residual[q, other]
            sums[kind][:, k, other] += product, 1.0
            lost[kind][k, other] += expected_residual(r, q, k, other)
    diagonal = np.arange(count)
    for name, mine in (("neighbour", found.neighbour), ("other", found.unshrunk)):
        expected = (sums[name][0] + lost[name]) / sums[name][1]
        np.testing.assert_allclose(
            mine[diagonal, diagonal], expected[diagonal, diagonal], atol=1e-9
        )
        # Off the diagonal gaps make the correction an approximation; on it, none.
        np.testing.assert_allclose(mine, expected, atol=0.02)
    assert found.others == int(np.diag(sums["other"][1]).min()) // 2
    assert found.neighbours == int(np.diag(sums["neighbour"][1]).min()) // 2


def test_persistence_is_shrunk_by_its_sampling_error() -> None:
    """Many citizens keep their own C, few the averages; catches shrinkage that never ends."""
    weights = [estimate(_persistent(n, seed=3)[0]).shrinkage for n in (25, 100, 1600)]
    assert weights[0] > weights[1] > weights[2]
    assert weights[0] > 0.5
    assert weights[2] < 0.1
    found = estimate(_persistent(25, seed=3)[0])
    same, across = found.unshrunk[0, 1], found.unshrunk[:2, 2].mean()
    scale = np.sqrt(np.diag(found.response))
    target = np.array([same, across]) * np.array([scale[0] * scale[1], scale[0] * scale[2]])
    between = (1 - found.shrinkage) * found.unshrunk[0, 2] + found.shrinkage * target[1]
    assert found.person[0, 2] == pytest.approx(between, abs=0.05)
    assert found.person[0, 1] == pytest.approx(same, abs=1e-9)  # its own average


@pytest.mark.parametrize("noise", [0.3, 30.0])
def test_shrinkage_by_hand(noise: float) -> None:
    """Catches averages over other pairs, without their numbers, or past which C is shrunk."""
    rng, scale = np.random.default_rng(6), np.array([1.0, -0.5, 2.0])
    counts = rng.integers(3, 40, (GROUPS, 3, 3)).astype(float)
    products = counts * [[0.5, 0.1, 0.2], [0.1, 0.3, -0.1], [0.2, -0.1, 0.2]]
    products = (products + noise * rng.normal(size=counts.shape)) * np.outer(scale, scale)
    counts, products = (a + a.transpose(0, 2, 1) for a in (counts, products))
    found, weight = moments._shrunk(products, counts, scale=scale, respondent=RESPONDENT)
    n, scaled = counts.sum(axis=0), products / np.outer(scale, scale)
    own, target = scaled.sum(axis=0) / n, np.zeros((3, 3))
    for places in ([(0, 0), (1, 1), (2, 2)], [(0, 1), (1, 0)], [(0, 2), (1, 2), (2, 0), (2, 1)]):
        block = tuple(np.transpose(places))
        target[block] = np.average(own[block], weights=n[block])
    variance = ((scaled - own * counts) ** 2).sum(axis=0) / n**2 * GROUPS / (GROUPS - 1)
    share = min(1.0, variance.sum() / ((own - target) ** 2).sum())
    assert (share == 1.0) == (noise > 1)
    assert weight == pytest.approx(share)
    expected = (share * target + (1 - share) * own) * np.outer(scale, scale)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_turned_indicators_keep_what_persists() -> None:
    """Catches averages of C over indicators that point apart: turned, only signs may change."""
    scores, turn = _persistent(60, seed=3)[0], np.array([1.0, -1.0, 1.0])
    one, other = estimate(scores), estimate(replace(scores, residual=scores.residual * turn))
    assert 0.1 < one.shrinkage < 1
    np.testing.assert_allclose(other.person, one.person * np.outer(turn, turn), atol=1e-12)
    mixed = np.array([[1.0, -0.5, 0.4], [-0.5, 2.0, -0.3], [0.4, -0.3, 0.5]])
    signs = moments._directions(mixed)
    np.testing.assert_array_equal(signs * signs[0], turn)


def test_where_no_citizen_has_three_changes_neighbours_say_what_persists() -> None:
    """Catches a C of zero there, or changes that turn back taken for what persists."""
    found = estimate(_persistent(60, seed=0, waves=3)[0])
    roots, vectors = np.linalg.eigh(found.neighbour)
    assert found.others == 0 and roots[0] < 0 < roots[-1]
    expected = (vectors[:, roots > 0] * roots[roots > 0]) @ vectors[:, roots > 0].T
    np.testing.assert_allclose(found.person, expected, atol=1e-12)


def test_error_of_persistence_is_that_of_citizens() -> None:
    """The weight times the spread is the variance of the entries over studies.

    Catches a variance of pairs taken as independent, or one without the number of groups.
    """
    studies = [estimate(_persistent(60, seed=seed)[0]) for seed in range(40)]
    scaled = [f.unshrunk / np.sqrt(np.outer(*[np.diag(f.response)] * 2)) for f in studies]
    scatter = np.var(scaled, axis=0, ddof=1).sum()
    claimed = []
    for found, own in zip(studies, scaled, strict=True):
        average = np.full((3, 3), own[:2, 2].mean())
        np.fill_diagonal(average, np.diag(own).mean())
        average[0, 1] = average[1, 0] = own[0, 1]
        claimed.append(found.shrinkage * ((own - average) ** 2).sum())
    # A weight of 1 is cut off there, so that the claim is a lower bound: compare uncut ones.
    uncut = np.array([found.shrinkage < 1 for found in studies])
    assert uncut.mean() > 0.5
    assert np.mean(np.array(claimed)[uncut]) == pytest.approx(scatter, rel=0.35)
    assert GROUPS == 20


def _persistent(citizens: int, *, seed: int, waves: int = 8) -> tuple[Scores, np.ndarray]:
    """Scores of citizens with some responses and a lasting part, and its covariance."""
    rng = np.random.default_rng(seed)
    shape = Shape(citizens=citizens, waves=(waves, waves), gaps=0.0, unknown=0.0)
    data = random_progression(CODEBOOK, seed=5, shape=shape)
    citizen = np.unique(data["citizen"].to_numpy().astype(str), return_inverse=True)[1]
    root = np.array([[0.5, 0.3, 0], [0, 0.4, 0], [0, 0, 0.0]])
    values = (rng.normal(size=(citizens, 3)) @ root)[citizen]
    values = values + rng.normal(size=values.shape)
    known = data["standardised"].sel(outcome=["q1", "q2", "q3"]).notnull().to_numpy()
    sample = analysis_sample(data, CODEBOOK)
    scores = make_scores(
        sample,
        values=np.where(known, values, 0.0)[sample.rows],
        weight=known[sample.rows].astype(float),
    )
    return scores, root.T @ root


def test_known_persistence_is_found() -> None:
    """Catches a C of the wrong size: adjusted levels leave (1 - rho)² of a level's variance."""
    scores, truth = _persistent(300, seed=0)
    found = estimate(scores)
    np.testing.assert_allclose(found.person, truth, atol=0.08)
    np.testing.assert_allclose(found.neighbour, truth, atol=0.06)
    used = parts(found, vcov="citizen")
    # Whatever is clipped, the variance of one response stays as estimated.
    total = used.person + (1 + found.common) * used.noise + used.change
    np.testing.assert_allclose(np.diag(total), np.diag(found.response), rtol=0.02)


def test_adjusted_cells_carry_what_persists() -> None:
    """Catches adjusted cells whose covariance forgets the citizen, or is not definite."""
    shape = Shape(citizens=200, waves=(4, 6), persistence=0.9)
    data = random_progression(CODEBOOK, seed=7, shape=shape)
    adjustment = make_adjustment(data, CODEBOOK)
    adjusted = adjusted_progression(data, CODEBOOK, adjustment=adjustment)
    cells = cell_means(adjusted, CODEBOOK)
    alone = cell_means(adjusted, CODEBOOK, vcov="response")
    assert np.linalg.eigvalsh(cells["persistent_covariance"])[-1] > 0.1
    assert np.linalg.eigvalsh(cells["vcov"].to_numpy()).min() > 0
    average = [data["vcov"].sum(("indicator", "indicator_")) for data in (cells, alone)]
    assert (average[0] > average[1]).all()
    assert cells.attrs["adjust"] == "baseline"
    xr.testing.assert_equal(cells["mean"], alone["mean"])


def iid_residuals(rng: np.random.Generator, truth: np.ndarray, gaps: float) -> Scores:
    """Independent responses in six small cells with means of their own, and gaps."""
    cell = np.repeat(np.arange(6), [1, 2, 3, 4, 6, 9])
    count = len(truth)
    values = rng.multivariate_normal(np.zeros(count), truth, len(cell)) + cell[:, None]
    observed = rng.random(values.shape) > gaps
    sample = Sample(
        values=np.where(observed, values, 0.0),
        observed=observed,
        changed=observed,
        combination=cell,
        jobcenter=np.zeros_like(cell),
        citizen=np.arange(len(cell)),
        rows=np.arange(len(cell)),
        previous=np.full(values.shape, -1),
        responses=len(cell),
        lots=np.arange(len(cell)),
        combinations=tuple("abcdef"),
        jobcenters=("one",),
        outcomes=tuple("xyz"),
    )
    return make_scores(sample, values=sample.values, weight=observed.astype(float))


def test_residual_covariance_is_unbiased_with_gaps() -> None:
    """Catches n instead of n - 1 and a correction that only holds without gaps."""
    rng = np.random.default_rng(3)
    truth = np.array([[1.0, 0.6, 0.3], [0.6, 1.5, 0.2], [0.3, 0.2, 0.8]])
    draws = [estimate(iid_residuals(rng, truth, 0.3)).response for _ in range(800)]
    error = np.std(draws, axis=0) / np.sqrt(len(draws))
    assert (np.abs(np.mean(draws, axis=0) - truth) < 4 * error).all()
    naive = np.mean(draws, axis=0) * (1 - 1 / 5)
    assert (np.abs(naive - truth) > 4 * error)[np.diag_indices(3)].all()


def test_moments_are_those_of_noisy_answers() -> None:
    """Small cells in which a citizen's changes stay: S0 = 2 N, S1 = -N, C = 0 on average.

    Catches a correction for cell means that takes the changes of a citizen as independent
    (S0 is then 2 % too large and S1 12 % too near zero), and one that forgets them.
    """
    rng, found = np.random.default_rng(4), []
    citizens, waves = 120, 5
    cell = np.repeat(np.arange(citizens) // 3, waves - 1)  # 12 changes of three citizens a cell
    response = np.arange(citizens * waves).reshape(citizens, waves)
    for _ in range(300):
        answers = rng.normal(size=(citizens * waves, 3))
        rows, start = response[:, 1:].ravel(), response[:, :-1].ravel()
        sample = Sample(
            values=answers[rows] - answers[start],
            observed=np.ones((len(rows), 3), dtype=bool),
            changed=np.ones((len(rows), 3), dtype=bool),
            combination=cell,
            jobcenter=np.zeros_like(cell),
            citizen=rows // waves,
            rows=rows,
            previous=np.repeat(start[:, None], 3, axis=1),
            responses=citizens * waves,
            lots=np.arange(citizens),
            combinations=tuple(f"{i}" for i in range(40)),
            jobcenters=("one",),
            outcomes=tuple("xyz"),
        )
        weight = sample.observed.astype(float)
        scores = make_scores(sample, values=sample.values, weight=weight)
        one = estimate(scores)
        found.append([np.diag(m).mean() for m in (one.response, one.neighbour, one.unshrunk)])
    error = np.std(found, axis=0) / np.sqrt(len(found))
    np.testing.assert_array_less(np.abs(np.mean(found, axis=0) - [2, -1, 0]), 4 * error + 0.02)


def test_what_never_occurs_is_zero() -> None:
    """Catches 0 / 0 for indicators that are never answered together."""
    data = random_progression(CODEBOOK, seed=4)
    values = data["standardised"].copy()
    odd = np.arange(data.sizes["response"]) % 2 == 1
    values.loc[{"outcome": "q1"}] = values.sel(outcome="q1").where(odd)
    values.loc[{"outcome": "q2"}] = values.sel(outcome="q2").where(~odd)
    cells = cell_means(data.assign(standardised=values), CODEBOOK)
    assert cells["residual_covariance"].sel(indicator="q1", indicator_="q2") == 0
    assert cells["common_starts"].sel(indicator="q1", indicator_="q2") == 1
    assert np.isfinite(cells["residual_covariance"]).all()


def test_groups_of_citizens_come_from_their_lots() -> None:
    """Catches groups by a citizen's place, which another order or another cut changes."""
    scores, _ = _persistent(300, seed=3)
    places = np.random.default_rng(1).permutation(len(scores.lots))
    lots = np.empty_like(scores.lots)
    lots[places] = scores.lots
    moved = replace(scores, citizen=places[scores.citizen], lots=lots)
    one, other = estimate(scores), estimate(moved)
    assert 0 < one.shrinkage < 0.9
    np.testing.assert_allclose(other.person, one.person, rtol=1e-10)
    assert other.shrinkage == pytest.approx(one.shrinkage, rel=1e-10)
