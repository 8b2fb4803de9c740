"""The named designs: selection, causal truth, lasting slopes and shocks against brute force."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from builders import make_codebook

from bipbayes.validation.generator import (
    QUARTER,
    TYPICAL_SD,
    Generator,
    draw_design,
    draw_responses,
    population_truth,
)
from bipbayes.validation.settings import DESIGNS, ValidationSettings
from bipbayes.validation.summary import design_table

CODEBOOK = make_codebook(4, 2, jobcenters=("a", "b", "c"))
NOTHING = np.zeros((4, 3, 4))


def _drawn(generator: Generator, citizens: int = 3000, drift: np.ndarray = NOTHING):
    design = draw_design(
        CODEBOOK, citizens=citizens, jobcenters=3, seed=4, responses=generator.responses
    )
    return draw_responses(design, drift=drift, generator=generator, seed=7)


def test_every_design_has_valid_settings() -> None:
    """Catches a misspelt setting, which only a run of that design would show."""
    for values in DESIGNS.values():
        ValidationSettings(**values)


@pytest.mark.parametrize("strength", [0.0, 1.5])
def test_treatment_follows_low_answers_by_the_stated_log_odds(strength: float) -> None:
    """Catches selection on later answers, of the wrong sign, or diluted by loyalty."""
    design, _, answers = _drawn(
        Generator(selection=strength, loyalty=1.0, cut=False), citizens=6000
    )
    rows = np.flatnonzero(design.citizen[1:] == design.citizen[:-1]) + 1
    occasion = pd.Series(design.citizen).groupby(design.citizen).cumcount().to_numpy()
    known = np.where(design.answered[:, :4], answers, np.nan)
    mean = pd.DataFrame(known[rows - 1]).mean(axis=1)
    by_occasion = mean.groupby(occasion[rows])
    low = -(mean - by_occasion.transform("mean")) / by_occasion.transform("std", ddof=0)
    treated = np.array([[int(digit) for digit in name] for name in CODEBOOK.combinations])
    low = low.fillna(0.0)
    site = pd.get_dummies(design.site[design.citizen[rows]], dtype=float).to_numpy()
    now, before = treated[design.combination[rows]], treated[design.combination[rows - 1]]
    for place in range(2):
        # Given the other treatment: combinations are drawn, not treatments one by one.
        given = np.column_stack([low, before[:, place], site, now[:, 1 - place]])
        fit = sm.Logit(now[:, place], given).fit(disp=False)
        assert abs(fit.params[0] - strength) < 4 * fit.bse[0]
        assert abs(fit.params[1] - 1.0) < 4 * fit.bse[1]


def test_the_truth_under_selection_is_that_of_everybody() -> None:
    """Continuous answers: a cell's causal truth is its drift, whoever was treated.

    Catches the mean of those treated, who began low and rise anyhow.
    """
    rng = np.random.default_rng(2)
    drift = rng.normal(0, 0.2, NOTHING.shape)
    generator = Generator(selection=1.5, cut=False, step=0.0)
    truth = population_truth(CODEBOOK, drift=drift, generator=generator, citizens=3000, seed=3)
    single = truth.cell[..., :4] * truth.sd[:4]
    for site in range(3):
        moved = single[:, site] - single[0, site]
        np.testing.assert_allclose(moved, (drift[:, site] - drift[0, site]), atol=1e-9)


def test_with_cut_answers_the_causal_truth_matches_an_experiment() -> None:
    """Everybody's last step under one combination, drawn; catches a threshold or spread off."""
    rng = np.random.default_rng(3)
    drift = rng.normal(0, 0.4, NOTHING.shape)
    generator = Generator(selection=1.5, steadiness=(0.1,))
    truth = population_truth(CODEBOOK, drift=drift, generator=generator, citizens=4000, seed=3)
    # The same people, whose last step is drawn under every combination.
    design = draw_design(CODEBOOK, citizens=4000, jobcenters=3, seed=3 + 7919)
    design, latent, _ = draw_responses(design, drift=drift, generator=generator, seed=[3, 0])
    before = np.vstack([latent.base[:1], latent.base[:-1]])
    noise = generator.noise * latent.steadiness
    step = rng.normal(size=noise.shape) * generator.step + rng.normal(size=noise.shape) * noise
    site = design.site[design.citizen]
    level = before + step
    effect = [np.clip(np.round(level + drift[c, site]), 1, 5) for c in range(4)]
    for column in range(4):
        rows = design.questions.sample[:, column]
        for where in range(3):
            chosen = rows & (site == where)
            moved = truth.sd[column] * (truth.cell[:, where, column] - truth.cell[0, where, column])
            seen = [(each - effect[0])[chosen, column].mean() for each in effect]
            np.testing.assert_allclose(moved, seen, atol=0.02)


def test_slopes_last_and_have_their_stated_size() -> None:
    """Catches slopes drawn anew on every occasion, and a Student without its variance."""
    plain, sloped = (
        _drawn(Generator(slope=slope, responses=(7, 13), step=0.0), citizens=4000)
        for slope in (0.0, 0.3)
    )
    design, latent, _ = sloped
    later = np.flatnonzero(design.citizen[1:] == design.citizen[:-1]) + 1
    counts = np.bincount(design.citizen)
    assert (counts.min(), counts.max()) == (7, 13)
    moves = latent.base[later] - latent.base[later - 1]
    first = pd.DataFrame(moves).groupby(design.citizen[later])
    assert first.std().to_numpy().max() < 1e-9
    slopes = first.mean() / TYPICAL_SD
    middle = slopes.abs().median().to_numpy()  # of a Student with 4 degrees: 0.741 / sqrt(2)
    np.testing.assert_allclose(middle, 0.3 * 0.7407 / np.sqrt(2), rtol=0.06)
    assert (plain[1].base[later] == plain[1].base[later - 1]).all()


def test_parts_of_a_change_have_their_stated_sizes() -> None:
    """Catches standard deviations that are added up, and questions that all begin alike."""
    generator = Generator(step=0.3, slope=0.2, shock=0.3, steadiness=(0.0,), cut=False)
    design, latent, answers = _drawn(generator, citizens=6000)
    later = np.flatnonzero(design.citizen[1:] == design.citizen[:-1]) + 1
    moves = latent.base[later] - latent.base[later - 1]
    assert np.sqrt((moves**2).mean()) == pytest.approx(generator.surprise, rel=0.05)
    assert (answers - latent.base).std() == pytest.approx(generator.noise, rel=0.01)
    plain = _drawn(Generator(step=0.0, steadiness=(0.0,)), citizens=6000)[1]
    middles = 3 + 0.075 * np.array([-4, 1, -3, 2])
    np.testing.assert_allclose(plain.base.mean(axis=0), middles, atol=0.05)


def test_shocks_are_shared_by_a_jobcenter_and_a_quarter() -> None:
    """Catches shocks of citizens, or of calendar time alone."""
    design, latent, _ = _drawn(Generator(shock=0.15, step=0.0))
    later = np.flatnonzero(design.citizen[1:] == design.citizen[:-1]) + 1
    moves = pd.DataFrame(latent.base[later] - latent.base[later - 1])
    quarter = (design.days[later] - design.days.min()) // QUARTER
    site = design.site[design.citizen[later]]
    cells = moves.groupby([site, quarter])
    assert (cells.max() - cells.min()).to_numpy().max() < 1e-9
    assert (moves.max(axis=1) - moves.min(axis=1)).max() < 1e-9
    shocks = cells.mean()[0].unstack() / TYPICAL_SD
    assert shocks.to_numpy().std() == pytest.approx(0.15, rel=0.3)
    assert shocks.iloc[0].corr(shocks.iloc[1]) < 0.6


def test_designs_stand_under_one_another_with_their_errors() -> None:
    """Catches coverage of contrasts shown as that of effects, and an error without its column."""
    keys = {"source": "posterior", "engine": "e", "model": "m", "vcov": "citizen", "analysis": ""}
    rows = [
        {"target": target, "estimand": estimand, "covered_95": value, "covered_95_mcse": 0.004,
         "rmse": value / 10, "rmse_mcse": 0.001, "bias": -value / 100, "bias_mcse": 0.002,
         "replicates": 32}
        for value, (target, estimand) in enumerate(
            [("single", "effect"), ("overall", "effect"), ("single", "contrast")], start=1)
    ]  # fmt: skip
    table = design_table({"bip": pd.DataFrame([{**keys, **row} for row in rows])}).iloc[0]
    assert table["single effect"] == "1.000 (0.004)"
    assert table["overall effect"] == "2.000 (0.004)"
    assert table["single contrast"] == "3.000 (0.004)"
    assert table["overall contrast"] == ""
    assert table["error"] == "0.100 (0.001)"
    assert table["bias"] == "-0.030 (0.002)"
    assert table["analysis"] == "posterior m citizen"
