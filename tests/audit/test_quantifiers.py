"""The report's words of quantity as numeric rules."""

import numpy as np
import pytest

from bipbayes.audit.statements import ESPECIALLY, QUANTIFIER_RULES, quantifier_holds
from bipbayes.bip.facts import fact


@pytest.mark.parametrize(
    ("word", "members", "least"),
    [("all", 7, 7), ("", 1, 1), ("almost_all", 20, 16), ("vast_majority", 11, 9)]
    + [("vast_majority", 5, 4)]
    + [(word, 8, 5) for word in ("most", "mostly", "generally")]
    + [(word, 7, 4) for word in ("most", "mostly", "generally")]
    + [("several", 8, 3), ("few", 11, 1)],
)
def test_least_number_of_true_members(word: str, members: int, least: int) -> None:
    """Catches a share that is off by one member, such as half for more than half."""
    for count in (least - 1, least):
        truth = np.arange(members) < count
        assert bool(quantifier_holds(word, truth)) == (count == least)


def test_few_has_an_upper_end() -> None:
    """Catches 'few' without its largest number."""
    assert quantifier_holds("few", np.arange(11) < 4)
    assert not quantifier_holds("few", np.arange(11) < 5)


def test_especially_compares_shares_not_counts() -> None:
    """Catches counts compared where inside and outside differ in size."""
    inside, outside = np.array([True, False]), np.array([True, True, False, False, False])
    assert quantifier_holds(ESPECIALLY, inside, outside)
    assert not quantifier_holds(ESPECIALLY, outside, inside)
    assert not quantifier_holds(ESPECIALLY, inside, np.array([True, False, True, False]))


def test_draws_are_kept() -> None:
    """Catches a rule that mixes draws: the last axis alone holds the members."""
    truth = np.array([[True, True, True], [True, False, False]])
    assert quantifier_holds("most", truth).tolist() == [True, False]
    assert quantifier_holds(ESPECIALLY, truth, ~truth).tolist() == [True, False]


def test_every_word_of_the_report_has_a_rule() -> None:
    """Catches a quantifier in claims.csv that nothing reads."""
    assert set(fact("claims")["quantifier"]) <= {*QUANTIFIER_RULES, ESPECIALLY}


@pytest.mark.parametrize(
    ("word", "inside", "words"),
    [("some", [True], "unknown"), ("all", [], "no estimate"), (ESPECIALLY, [True], "outside")],
)
def test_what_cannot_be_judged_is_refused(word: str, inside: list[bool], words: str) -> None:
    """Catches a vacuous truth: 'all' of nothing."""
    with pytest.raises(ValueError, match=words):
        quantifier_holds(word, np.array(inside, dtype=bool))
