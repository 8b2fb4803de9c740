"""The words and their rules on hand-made intervals."""

from __future__ import annotations

import math
from itertools import product

import pytest

from bipbayes.audit.rules import (
    NOT_CHECKABLE,
    NOT_SUPPORTED,
    REVERSED,
    RULES,
    UPHELD,
    WEAKENED,
    WORDS,
    Cutoffs,
    Reading,
    Tally,
    joint_verdict,
    region,
    rules_table,
    single_verdict,
    size_verdict,
)
from bipbayes.audit.statements import KINDS
from bipbayes.phrases import catalogue

CUTOFFS = Cutoffs(level=0.95, likely=0.8, beyond=0.1)


def posterior(estimate: float, lower: float, upper: float, p_positive: float) -> Reading:
    side = 1 if lower > 0 else (-1 if upper < 0 else 0)
    return Reading(estimate, lower, upper, side, p_positive)


def ols(estimate: float, lower: float, upper: float) -> Reading:
    return posterior(estimate, lower, upper, math.nan)


CASES = [
    # kind, sign, reading, word
    ("significant", 1, posterior(0.3, 0.1, 0.5, 0.998), UPHELD),
    ("significant", 1, posterior(0.1, -0.02, 0.3, 0.93), WEAKENED),
    ("significant", 1, posterior(0.1, -0.02, 0.3, 0.80), WEAKENED),
    ("significant", 1, posterior(0.02, -0.2, 0.25, 0.79), NOT_SUPPORTED),
    ("significant", 1, posterior(-0.1, -0.3, 0.02, 0.07), NOT_SUPPORTED),
    ("significant", 1, posterior(-0.3, -0.5, -0.1, 0.002), REVERSED),
    ("significant", -1, posterior(-0.3, -0.5, -0.1, 0.002), UPHELD),
    ("significant", -1, posterior(-0.1, -0.3, 0.02, 0.07), WEAKENED),
    ("significant", -1, posterior(0.3, 0.1, 0.5, 0.998), REVERSED),
    ("significant", 1, ols(0.3, 0.1, 0.5), UPHELD),
    ("significant", 1, ols(0.01, -0.2, 0.22), WEAKENED),
    ("significant", 1, ols(-0.01, -0.22, 0.2), NOT_SUPPORTED),
    ("direction", 1, posterior(0.3, 0.1, 0.5, 0.998), UPHELD),
    ("direction", 1, posterior(0.1, -0.1, 0.3, 0.85), UPHELD),
    ("direction", 1, posterior(0.02, -0.2, 0.25, 0.6), WEAKENED),
    ("direction", 1, posterior(0.0, -0.2, 0.2, 0.5), NOT_SUPPORTED),
    ("direction", 1, posterior(-0.3, -0.5, -0.1, 0.002), REVERSED),
    ("direction", -1, ols(-0.01, -0.22, 0.2), UPHELD),
    ("direction", -1, ols(0.01, -0.2, 0.22), NOT_SUPPORTED),
    ("hedged", 1, posterior(0.1, -0.1, 0.3, 0.85), UPHELD),
    ("hedged", 1, posterior(0.3, 0.1, 0.5, 0.998), WEAKENED),
    ("hedged", 1, posterior(0.02, -0.2, 0.25, 0.6), WEAKENED),
    ("hedged", 1, posterior(-0.02, -0.25, 0.2, 0.4), NOT_SUPPORTED),
    ("hedged", 1, posterior(-0.3, -0.5, -0.1, 0.002), REVERSED),
    ("insignificant", 0, posterior(0.5, -0.1, 1.1, 0.94), UPHELD),
    ("insignificant", 0, posterior(0.06, 0.01, 0.11, 0.99), WEAKENED),
    ("insignificant", 0, posterior(0.15, 0.05, 0.25, 0.99), NOT_SUPPORTED),
    ("insignificant", 0, posterior(-0.06, -0.11, -0.01, 0.01), WEAKENED),
    ("insignificant", 0, posterior(-0.15, -0.25, -0.05, 0.01), NOT_SUPPORTED),
    ("insignificant", 0, posterior(-0.3, -0.5, -0.11, 0.001), REVERSED),
    ("some_effect", 0, posterior(-0.3, -0.5, -0.1, 0.002), UPHELD),
    ("some_effect", 0, posterior(-0.1, -0.3, 0.05, 0.1), WEAKENED),
    ("some_effect", 0, posterior(0.0, -0.2, 0.2, 0.5), NOT_SUPPORTED),
    ("no_opposite", 1, posterior(-0.1, -0.3, 0.02, 0.07), UPHELD),
    ("no_opposite", 1, posterior(-0.3, -0.5, -0.1, 0.002), REVERSED),
    ("no_opposite", -1, posterior(0.3, 0.1, 0.5, 0.998), REVERSED),
    ("nothing", 0, posterior(0.3, 0.1, 0.5, 0.998), NOT_CHECKABLE),
    ("significant", 1, ols(math.nan, math.nan, math.nan), NOT_CHECKABLE),
    ("insignificant", 0, ols(0.2, math.nan, math.nan), NOT_CHECKABLE),
]


@pytest.mark.parametrize(("kind", "sign", "reading", "word"), CASES)
def test_single_words(kind: str, sign: int, reading: Reading, word: str) -> None:
    """Catches a cut-off moved, a sign forgotten, or OLS graded by a p value."""
    assert single_verdict(kind, sign, reading, CUTOFFS).word == word


def test_every_word_is_reached_and_no_other() -> None:
    """Catches a rule that can never apply, or a word that the rule book does not state."""
    for kind in (kind for kind in KINDS if kind != "nothing"):
        reached = {case[3] for case in CASES if case[0] == kind} - {NOT_CHECKABLE}
        assert reached == set(RULES["single", kind]), kind
    assert {case[3] for case in CASES} == set(WORDS)
    assert all(f"verdict_{word}" in catalogue() for word in WORDS)


@pytest.mark.parametrize("kind", ["significant", "direction", "hedged", "no_opposite"])
def test_turning_all_signs_changes_no_word(kind: str) -> None:
    """Catches rules that treat a setback differently from progress."""
    for sign, reading in product((1, -1), [case[2] for case in CASES]):
        mirrored = Reading(
            -reading.estimate, -reading.upper, -reading.lower, -reading.side, 1 - reading.p_positive
        )
        assert (
            single_verdict(kind, sign, reading, CUTOFFS).word
            == single_verdict(kind, -sign, mirrored, CUTOFFS).word
        )


@pytest.mark.parametrize(
    ("printed", "word"), [(0.15, UPHELD), (0.14, NOT_SUPPORTED), (0.31, UPHELD), (0.32, WEAKENED)]
)
def test_a_printed_size_may_be_rounded(printed: float, word: str) -> None:
    """Catches a size called wrong that the interval holds before it is rounded for print."""
    for sign in (1, -1):
        ends = sorted([sign * 0.153, sign * 0.307])
        assert size_verdict(sign * printed, 2, posterior(sign * 0.23, *ends, 0.5)) == word


def test_the_adjusted_p_value_decides_not_the_interval() -> None:
    """Catches Holm's reading falling back on the unadjusted interval."""
    adjusted_away = Reading(0.3, 0.1, 0.5, 0)
    assert single_verdict("significant", 1, adjusted_away, CUTOFFS).word == WEAKENED
    assert single_verdict("insignificant", 0, adjusted_away, CUTOFFS).word == UPHELD


@pytest.mark.parametrize(
    ("lower", "upper", "where"),
    [
        (-0.09, 0.09, "inside"),
        (0.01, 0.09, "inside"),
        (-0.1, 0.05, "open"),
        (-0.3, 0.3, "open"),
        (0.05, 0.3, "open"),
        (0.11, 0.3, "outside"),
        (-0.3, -0.11, "outside"),
        (math.nan, math.nan, ""),
    ],
)
def test_absence_needs_the_whole_interval_inside_the_region(
    lower: float, upper: float, where: str
) -> None:
    """Catches absence called where the interval merely includes zero."""
    assert region(posterior(0.0, lower, upper, 0.5), CUTOFFS) == where


def tally(
    p_rule: float,
    *,
    p_turned: float = 0.0,
    intervals_hold: bool = False,
    contrary: float = 0.0,
    excluding: int = 0,
    total: int = 8,
) -> Tally:
    return Tally(p_rule, p_turned, intervals_hold, contrary, excluding, total)


JOINT_CASES = [
    ("significant", tally(0.99, intervals_hold=True), UPHELD),
    ("significant", tally(0.99), WEAKENED),
    ("significant", tally(0.5, intervals_hold=True), WEAKENED),
    ("significant", tally(0.5), NOT_SUPPORTED),
    ("significant", tally(0.01, p_turned=0.98), REVERSED),
    ("direction", tally(0.8), UPHELD),
    ("direction", tally(0.6), WEAKENED),
    ("direction", tally(0.5), NOT_SUPPORTED),
    ("direction", tally(0.02, p_turned=0.975), REVERSED),
    # "several" of each sign: turned round it is true too, which does not reverse it.
    ("direction", tally(0.99, p_turned=0.99), UPHELD),
    ("direction", tally(0.01, p_turned=0.5), NOT_SUPPORTED),
    ("hedged", tally(0.9), UPHELD),
    ("hedged", tally(0.9, excluding=1), WEAKENED),
    ("hedged", tally(0.6), WEAKENED),
    ("hedged", tally(0.3), NOT_SUPPORTED),
    ("hedged", tally(0.0, p_turned=1.0), REVERSED),
    ("no_opposite", tally(0.1, intervals_hold=True), UPHELD),
    ("no_opposite", tally(0.1, contrary=0.2), WEAKENED),
    ("no_opposite", tally(0.1, contrary=0.4), NOT_SUPPORTED),
    ("no_opposite", tally(0.1, contrary=0.6), REVERSED),
    ("nothing", tally(0.9), NOT_CHECKABLE),
    ("direction", tally(math.nan), NOT_CHECKABLE),
    ("direction", tally(0.9, total=0), NOT_CHECKABLE),
]


@pytest.mark.parametrize(("kind", "counts", "word"), JOINT_CASES)
def test_joint_words(kind: str, counts: Tally, word: str) -> None:
    """Catches a joint statement judged by its marginal intervals alone, or by draws alone."""
    assert joint_verdict(kind, counts, CUTOFFS).word == word


def test_every_joint_word_is_reached() -> None:
    """Catches a joint rule that can never apply."""
    names = {"no_opposite": "absence"}
    for kind in ("significant", "direction", "hedged", "no_opposite"):
        reached = {case[2] for case in JOINT_CASES if case[0] == kind} - {NOT_CHECKABLE}
        assert reached == set(RULES["joint", names.get(kind, kind)])


def test_rule_book_is_complete() -> None:
    """Catches a kind of claim without a written rule."""
    table = rules_table()
    assert set(KINDS) - {"nothing"} <= set(table.loc[table["about"] == "single", "kind"])
    assert set(table["word"]) == set(WORDS)
    assert table["rule"].str.len().gt(0).all()


@pytest.mark.parametrize("p_turned, word", [(0.96, NOT_SUPPORTED), (0.98, REVERSED)])
def test_certain_is_what_an_equal_tailed_interval_leaves_out_on_one_side(p_turned, word) -> None:
    """Catches a statement called reversed from 0.95 on, where both tails together are 0.05."""
    assert CUTOFFS.certain == pytest.approx(0.975)
    tally = Tally(1 - p_turned, p_turned, False, 0.9, 3, 10)
    assert joint_verdict("direction", tally, CUTOFFS).word == word
