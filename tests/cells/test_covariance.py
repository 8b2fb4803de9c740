"""Splitting changes into noise and real change, and what clipping does."""

import numpy as np
import pytest

from bipbayes.cells import covariance
from bipbayes.cells.covariance import FLOOR, Parts, clipped, parts, persistent, separated
from bipbayes.cells.moments import Moments


def plain(text: str, language: str) -> str:
    """Leave a text as it is."""
    return text


def random_spread(rng: np.random.Generator, count: int) -> np.ndarray:
    factor = rng.normal(size=(count, count + 2))
    return factor @ factor.T / (count + 2)


def test_feasible_moments_are_left_alone() -> None:
    """Catches a repair that changes what needs none: N = -S1, D = S0 + 2 S1."""
    rng = np.random.default_rng(1)
    noise, change = random_spread(rng, 5), random_spread(rng, 5) + 0.1 * np.eye(5)
    ours = separated(2 * noise + change, -noise)
    np.testing.assert_allclose(ours[0], noise, atol=1e-12)
    np.testing.assert_allclose(ours[1], change, atol=1e-12)
    assert not any(entry.raised for entry in ours[2].values())
    unchanged, repair = clipped(change)
    assert unchanged is change
    assert repair.raised == 0
    assert repair.added == 0


def test_parts_are_what_the_moments_were_made_of() -> None:
    """Catches persistence that stays in the noise, and gaps (s below 1) with the wrong sign."""
    rng = np.random.default_rng(3)
    noise, person = random_spread(rng, 4), 0.1 * random_spread(rng, 4)
    change = random_spread(rng, 4) + np.eye(4)
    common = 0.7 + 0.3 * np.eye(4)
    response, lag = person + (1 + common) * noise + change, person - noise
    used = parts(Moments(response, lag, person, person, common, 9, 9, 0.0), vcov="citizen")
    assert used.repairs == {}
    for found, expected in ((used.noise, noise), (used.change, change), (used.person, person)):
        np.testing.assert_allclose(found, expected, atol=1e-10)


def test_an_indicator_without_two_answers_has_the_variance_of_progression() -> None:
    """Catches an indicator that counts as known without error, and nothing said of it."""
    zero = np.zeros((2, 2))
    found = Moments(np.diag([0.8, 0.0]), zero, zero, zero, zero + 1, 9, 9, 1.0)
    used = parts(found, vcov="response")
    np.testing.assert_array_equal(used.change, np.diag([0.8, 1.0]))
    assert used.unknown == 1
    assert covariance._attrs(used, found, vcov="response", say=plain)["repair"].startswith(
        "No cell with two answers for 1 indicator:"
    )


@pytest.mark.parametrize("seed", range(5))
def test_clipped_parts_are_definite_and_keep_the_variance(seed: int) -> None:
    """Catches variance added to single changes where noise claims more than there is."""
    rng = np.random.default_rng(seed)
    total, noise = random_spread(rng, 6) + 0.1 * np.eye(6), random_spread(rng, 6)
    n, d, repairs = separated(total, -noise)
    assert repairs["D"].raised > 0
    assert repairs["D"].lowest < 0
    assert repairs["N"].raised == 0
    np.testing.assert_allclose(2 * n + d, total, atol=1e-10)
    assert np.linalg.eigvalsh(n)[0] > -1e-12
    assert np.linalg.eigvalsh(d)[0] > 0


def test_neighbours_that_covary_more_than_others_leave_no_noise() -> None:
    """Positive S1 - C is no noise, and the variance of a change stays as estimated."""
    total = np.diag([1.0, 2.0])
    n, d, repairs = separated(total, 0.25 * total)
    np.testing.assert_allclose(n, 0, atol=1e-12)
    np.testing.assert_allclose(d, total)
    assert repairs["N"].raised == 2
    assert repairs["N"].added == pytest.approx(0.25)


def test_what_was_clipped_is_said_in_full() -> None:
    """Catches half of what was added to real change, and the mildest repair as the worst."""
    total, lag, zero = np.diag([1.0, 2.0]), np.diag([-0.7, 0.4]), np.zeros((2, 2))
    noise, change, repairs = separated(total, lag)
    assert repairs["D"].added == pytest.approx((0.4 + FLOOR) / 3)
    assert repairs["D"].raised == repairs["N"].raised == 1
    found = Moments(total, lag, zero, zero, zero + 1, 9, 9, 1.0)
    said = covariance._attrs(
        Parts(change, noise, zero, repairs, 0), found, vcov="citizen", say=plain
    )
    assert said["repair_lowest"] == pytest.approx(-0.4)
    assert said["repair_raised"] == 2
    assert said["repair_added"] == pytest.approx((0.4 + FLOOR) / 3 + 0.2 * 2 / 3)
    # Catches a Danish page that tells the repair in English, or with a decimal point.
    assert "the nearest valid one, as is common with few answers (+13 %" in str(said["repair"])
    assert "den nærmeste gyldige, som det er almindeligt med få svar (+13 %" in str(
        said["repair_da"]
    )


def test_persistence_leaves_room_for_noise() -> None:
    """S0 + 2 S1 = D + 3 C: catches a C that the neighbours of a change rule out."""
    own, lag = np.diag([1.0, 1.0, 1.0]), np.diag([-0.44, -0.1, -0.1])
    person, repair = persistent(np.diag([0.2, 0.1, -0.3]), own, lag)
    np.testing.assert_allclose(person, np.diag([0.04, 0.1, 0.0]), atol=1e-12)
    assert repair.raised == 2
    assert repair.lowest == pytest.approx(-0.3 / 0.8)
    assert repair.added == pytest.approx((0.3 - 0.16) / 3)


def test_floor_is_reached_and_counted() -> None:
    """Catches an eigenvalue of zero, and a repair that is not what it says."""
    fixed, repair = clipped(np.array([[1.0, 1.0], [1.0, 1.0]]))
    assert np.linalg.eigvalsh(fixed)[0] == pytest.approx(FLOOR)
    assert repair.raised == 1
    assert repair.lowest == pytest.approx(0, abs=1e-12)
    assert repair.added == pytest.approx((np.trace(fixed) - 2) / 2)
