"""Main effects and interactions as contrasts of combinations."""

from itertools import product

import builders
import numpy as np
import pytest

from bipbayes.data.factorial import factorial_contrasts, factorial_terms, term_label
from bipbayes.errors import DataError


def all_combinations(treatments: int) -> list[str]:
    return ["".join(digits) for digits in product("01", repeat=treatments)]


@pytest.mark.parametrize("treatments", range(1, 6))
def test_terms_are_an_orthogonal_basis(treatments: int) -> None:
    """Catches a term that is missing, doubled or not the product of its treatments."""
    labels = all_combinations(treatments)
    terms = factorial_terms(labels)
    np.testing.assert_array_equal(terms.signs.T @ terms.signs, len(labels) * np.eye(len(labels)))
    for place, mask in enumerate(terms.masks):
        assert terms.order[place] == mask.count("1")
        for row, label in enumerate(labels):
            absent = sum(a == "1" and b == "0" for a, b in zip(mask, label, strict=True))
            assert terms.signs[row, place] == (-1) ** absent
    assert list(terms.order) == sorted(terms.order)


def test_two_treatments_by_hand() -> None:
    """Catches another scale: half a main effect, or a whole difference of differences."""
    codebook = builders.make_codebook(3, 2)
    labels, weights = factorial_contrasts(codebook)
    first, second = codebook.treatment_codes
    assert labels == (first, second, f"{first}:{second}")
    means = {"00": 1.0, "01": 4.0, "10": 2.0, "11": 11.0}
    found = weights @ [means[label] for label in codebook.combinations]
    # The first: 1 -> 2 without the second, 4 -> 11 with it; half of how much that differs.
    np.testing.assert_allclose(found, [(1 + 7) / 2, (3 + 9) / 2, (7 - 1) / 2])


def test_three_treatments_average_over_the_others() -> None:
    """Catches an average over the wrong half; brute force over all combinations."""
    codebook = builders.make_codebook(3, 3)
    labels, weights = factorial_contrasts(codebook)
    rng = np.random.default_rng(0)
    values = dict(zip(codebook.combinations, rng.normal(size=8), strict=True))
    found = dict(zip(labels, weights @ list(values.values()), strict=True))
    a, b, c = codebook.treatment_codes
    gain = [values[f"{x}1{y}"] - values[f"{x}0{y}"] for x, y in product("01", repeat=2)]
    assert found[b] == pytest.approx(np.mean(gain))
    differs = [
        (values["1" + x + "1"] - values["0" + x + "1"])
        - (values["1" + x + "0"] - values["0" + x + "0"])
        for x in "01"
    ]
    assert found[f"{a}:{c}"] == pytest.approx(np.mean(differs) / 2)


def test_labels_follow_the_codebook() -> None:
    """Catches treatments named by the wrong digit."""
    codebook = builders.make_codebook(3, 3)
    a, _, c = codebook.treatment_codes
    assert term_label("101", codebook) == f"{a}:{c}"


@pytest.mark.parametrize(
    "labels", [["00", "01", "10"], ["00", "01", "10", "10"], ["0", "2"], [], ["a", "b"]]
)
def test_incomplete_combinations_are_refused(labels: list[str]) -> None:
    """Catches contrasts over part of the combinations, which are no average effects."""
    with pytest.raises(DataError, match="every combination"):
        factorial_terms(labels)
