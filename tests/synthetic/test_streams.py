"""Random whole numbers that are the same everywhere."""

import numpy as np
import pytest

from bipbayes.synthetic import design, latent
from bipbayes.synthetic.streams import (
    NORMAL_BITS,
    MirroredStream,
    Stream,
    normal_quantiles,
    normal_table,
)


def test_words_of_a_seed_are_fixed() -> None:
    """Catches a generator whose stream changed: all data would change with it."""
    expected = [4301196022613586579, 867395562149415902, 7767920224972454091]
    assert Stream(1, 2).words(3).tolist() == expected


def test_streams_of_other_paths_differ() -> None:
    """Catches two purposes that share their random numbers."""
    assert (Stream(1, 2).words(50) != Stream(1, 3).words(50)).all()


def test_numbers_below_a_bound_are_even() -> None:
    """Catches a bias of the reduction to a range, at its ends above all."""
    counts = np.bincount(Stream(5).below(7, 70_000), minlength=7)
    assert len(counts) == 7
    assert ((counts - 10_000) ** 2 / 10_000).sum() < 22.5  # chi-square(6), 0.1 %


def test_probabilities_are_those_asked_for() -> None:
    """Catches a probability one part too large, such as what never happens happening."""
    stream = Stream(6)
    assert not stream.happens(0, 8, 2000).any()
    assert stream.happens(8, 8, 2000).all()
    share = stream.happens(1, 8, 20_000).mean()
    assert abs(share - 1 / 8) < 4 * np.sqrt(1 / 8 * 7 / 8 / 20_000)


def test_normals_are_normal() -> None:
    """Catches a table in wrong units or with a wrong middle."""
    values = Stream(6).normals(200_000) / 2.0**NORMAL_BITS
    assert abs(values.mean()) < 0.01
    assert abs(values.std() - 1) < 0.01
    assert abs((values**4).mean() - 3) < 0.1
    assert normal_table().sum() == 0


def test_mirrored_normals() -> None:
    """Catches antithetic draws that are not: everything but normals must stay."""
    plain, mirrored = Stream(8), MirroredStream(8)
    assert (plain.normals(9) == -mirrored.normals(9)).all()
    assert (plain.below(100, 9) == mirrored.below(100, 9)).all()


def test_weighted_positions_follow_their_weights() -> None:
    """Catches an edge counted to the wrong side, such as drawing a weight of zero."""
    drawn = Stream(9).weighted(np.array([0, 3, 0, 1]), 40_000)
    counts = np.bincount(drawn, minlength=4)
    assert counts[[0, 2]].tolist() == [0, 0]
    assert abs(counts[1] / 40_000 - 0.75) < 0.01


def _margin(values: np.ndarray) -> float:
    """Distance of the nearest value to where rounding turns."""
    return float(np.abs(values - np.floor(values) - 0.5).min())


@pytest.mark.parametrize(
    "values",
    [
        normal_quantiles() * 2.0**NORMAL_BITS,
        design.SHORTEST + design.TYPICAL * np.exp(design.GAP_SPREAD * normal_quantiles()),
        *(
            2.0**latent.COEFFICIENT_BITS * np.exp(spread * normal_quantiles() - spread**2)
            for spread in latent.Process().steadiness
        ),
    ],
)
def test_no_last_bit_decides_a_table(values: np.ndarray) -> None:
    """Catches table entries so near a rounding edge that libraries could differ."""
    assert _margin(values) > 1e-7
