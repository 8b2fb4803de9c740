"""The look at calendar time: planted shocks are found at their size, and none where none are."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from builders import Shape, make_codebook, random_progression
from scipy import stats

from bipbayes.checks import calendar
from bipbayes.checks.calendar import calendar_shocks
from bipbayes.data.sample import analysis_sample
from bipbayes.errors import ModelError
from bipbayes.intervals import ALL_INDICATORS

CODEBOOK = make_codebook(4, 2)


@pytest.fixture(scope="module")
def design() -> xr.Dataset:
    shape = Shape(citizens=700, waves=(2, 6), lacking=[("11", "site 2")])
    return random_progression(CODEBOOK, seed=2, shape=shape)


def _shocked(design: xr.Dataset, seed: int, size: float) -> xr.Dataset:
    """Draw changes of answers with noise anew, with shocks of a size in SD.

    Shocks are drawn for every jobcenter, quarter and outcome; a change of one citizen covaries
    with its neighbour by minus half its variance, 1.
    """
    rng = np.random.default_rng(seed)
    start = design["previous"].transpose("response", "outcome").to_numpy()
    noise = rng.normal(size=start.shape) * np.sqrt(0.5)
    change = noise - np.take_along_axis(noise, np.maximum(start, 0), 0)
    shocks = rng.normal(size=(len(np.unique(_block(design))), start.shape[1]))
    values = change + size * shocks[pd.factorize(_block(design))[0]]
    known = design["standardised"].notnull()
    return design.assign(standardised=known.astype(float).where(known) * values)


def _block(changes: xr.Dataset) -> np.ndarray:
    quarter = pd.DatetimeIndex(changes["date"].to_numpy()).to_period("Q").astype(str)
    return np.asarray(changes["jobcenter"].to_numpy().astype(str) + quarter.to_numpy())


def test_shocks_are_found_at_their_size(design: xr.Dataset) -> None:
    """Catches variances for standard deviations, products of one citizen, blocks without site."""
    lines = [calendar_shocks(_shocked(design, s, 0.15), CODEBOOK, seed=s) for s in range(10)]
    whole = pd.DataFrame([frame.iloc[0] for frame in lines])
    assert (whole["outcome"] == ALL_INDICATORS).all()
    assert np.sqrt((whole["shock"] ** 2).mean()) == pytest.approx(0.15, abs=0.015)
    assert (whole["p_value"] < 0.05).mean() >= 0.9
    assert ((whole["lower"] < 0.15) & (whole["upper"] > 0.15)).mean() >= 0.8
    assert (whole["shock"] > whole["limit"]).equals(whole["p_value"] < 0.05)


def test_nothing_is_found_where_there_is_nothing(design: xr.Dataset) -> None:
    """Catches cell means' own error and the noise of shared answers taken for shocks."""
    lines = [calendar_shocks(_shocked(design, s, 0.0), CODEBOOK, seed=s) for s in range(60)]
    p_value = pd.DataFrame([frame.iloc[0] for frame in lines])["p_value"]
    assert (p_value <= 0.05).sum() <= 8  # binomial (60, 0.05): more in 1 of 300
    assert (p_value <= 0.5).mean() == pytest.approx(0.5, abs=0.2)


def test_sums_and_scale_are_those_of_pairs_of_citizens() -> None:
    """Catches pairs of one citizen or of two blocks, and what the means of small cells leave.

    Also signs that are not those of whole citizens.
    """
    small = random_progression(CODEBOOK, seed=2, shape=Shape(citizens=60, waves=(3, 6)))
    changes = _shocked(small, 2, 0.3)
    row = calendar_shocks(changes, CODEBOOK, seed=1).set_index("outcome").loc["q2"]
    frame = pd.DataFrame(
        {
            "value": changes["standardised"].sel(outcome="q2").to_numpy(),
            "cell": changes["combination"].to_numpy() + changes["jobcenter"].to_numpy(),
            "citizen": changes["citizen"].to_numpy(),
            "block": _block(changes),
        }
    ).dropna()
    dummies = pd.get_dummies(frame["cell"]).to_numpy(dtype=float)
    centre = np.eye(len(frame)) - dummies @ np.linalg.pinv(dummies)
    residual = centre @ frame["value"].to_numpy()
    shocks = centre @ pd.get_dummies(frame["block"]).to_numpy(dtype=float)
    block, citizen = (pd.factorize(frame[name])[0] for name in ("block", "citizen"))
    same = citizen[:, None] == citizen
    pairs = (block[:, None] == block) & ~same
    total, scale = residual @ pairs @ residual, (pairs * (shocks @ shocks.T)).sum()
    n = frame.groupby("cell")["value"].transform("size").to_numpy()
    errors = residual * np.sqrt(n / np.maximum(n - 1, 1))
    left = (pairs * (centre @ (np.outer(errors, errors) * same) @ centre)).sum()
    assert row["blocks"] == len(set(block[pairs.any(axis=1)]))
    assert left / scale < -0.01  # it is drawn with random signs
    assert row["shock"] ** 2 == pytest.approx((total - left) / scale, abs=0.001)
    sample, place = analysis_sample(changes, CODEBOOK), CODEBOOK.outcomes.index("q2")
    seen, dates = sample.observed[:, place], changes["date"].to_numpy()
    size = (sample.citizen.max() + 1, calendar.SIGNS)
    signs = np.random.default_rng(5).choice([-1.0, 1.0], size)
    found = calendar._surplus(
        sample, seen, calendar._blocks(sample, dates), place=place, signs=signs
    )
    turned = centre @ (errors[:, None] * signs[sample.citizen[seen]])
    by_sign = (turned * (pairs @ turned)).sum(axis=0)
    np.testing.assert_allclose(found.turned.sum(axis=0), by_sign - by_sign.mean(), atol=1e-9)


def test_a_line_says_what_blocks_differ_by_and_what_chance_gives() -> None:
    """Catches one-sided limits, a spread over all blocks instead of all but one, and p of zero."""
    own, scale = np.array([3.0, 1.0, -1.0]), np.array([2.0, 2.0, 4.0])
    turned = np.random.default_rng(3).normal(0, 0.5, (3, calendar.SIGNS))
    parts = [calendar._Surplus(own, turned, scale)]
    row = calendar._line("q1", parts, 0.9)
    error = np.sqrt(((own - 3 / 8 * scale) ** 2).sum() / 64 * 3 / 2)
    half = stats.t.ppf(0.95, 2) * error
    found = [row[name] for name in ("shock", "lower", "upper")]
    assert found == pytest.approx([np.sqrt(3 / 8), 0.0, np.sqrt(3 / 8 + half)])
    chance = np.sort(turned.sum(axis=0) / 8)
    assert row["limit"] ** 2 == pytest.approx(np.interp(0.9 * 499, np.arange(500), chance))
    assert row["p_value"] == pytest.approx((1 + (chance >= 3 / 8).sum()) / 501)
    far = calendar._line("q1", [calendar._Surplus(100 * own, turned, scale)], 0.9)
    assert far["p_value"] == pytest.approx(1 / 501)


def test_citizens_alone_in_their_quarters_tell_nothing() -> None:
    """Catches a number made of no pair."""
    lonely = random_progression(CODEBOOK, seed=1, shape=Shape(citizens=2, waves=(3, 3), gaps=0.0))
    lonely["jobcenter"] = ("response", lonely["citizen"].to_numpy())
    with pytest.raises(ModelError, match="no two persons"):
        calendar_shocks(lonely, CODEBOOK)
