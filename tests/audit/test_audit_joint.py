"""Joint statements against enumeration of the draws, one by one."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from bipbayes.audit.rules import Cutoffs
from bipbayes.audit.statements import KINDS, QUANTIFIERS, Grid, Statement, tally

CUTOFFS = Cutoffs(beyond=0.1)
OUTCOMES = ("Q1", "Q2", "Q3", "Q4", "Q5")
INSIDE = ("10", "11", "12")
OUTSIDE = ("01", "02")


def statement(kind: str, quantifier: str, over: str, sign: int = 1) -> Statement:
    return Statement("A", kind, sign, OUTCOMES, INSIDE, OUTSIDE, quantifier, over)


def random_grid(combinations: int, *, seed: int, gaps: bool = False) -> Grid:
    rng = np.random.default_rng(seed)
    samples = rng.normal(0.03, 0.12, size=(60, len(OUTCOMES), combinations))
    sides = rng.choice([-1.0, 0.0, 1.0], size=samples.shape[1:])
    if gaps:
        samples[:, 0, 0] = np.nan
        sides[2, 1] = np.nan
        sides[4, :] = np.nan
    return Grid(samples, sides)


def as_claimed(kind: str, sign: int, value: float, *, quantifier: str) -> bool:
    if kind == "insignificant":
        return -0.1 <= value <= 0.1
    if kind == "some_effect":
        return not -0.1 <= value <= 0.1
    if kind == "no_opposite":
        return sign * value > -0.1
    return sign * value > (0.1 if quantifier == "few" else 0)


def counted(quantifier: str, truths: list[bool]) -> bool:
    number, total = sum(truths), len(truths)
    rules = {
        "all": number == total,
        "almost_all": 10 * number >= 8 * total,
        "vast_majority": 10 * number >= 8 * total,
        "most": number > total / 2,
        "mostly": number > total / 2,
        "generally": number > total / 2,
        "several": number >= 3,
        "few": 1 <= number <= 4,
    }
    return rules[quantifier]


def units(truth: dict[tuple[int, int], bool], over: str) -> list[bool]:
    """Truths of what is counted: pairs, or outcomes (combinations) by their majority."""
    if over == "pairs":
        return list(truth.values())
    lines: dict[int, list[bool]] = {}
    for (row, column), value in truth.items():
        lines.setdefault(row if over == "outcomes" else column, []).append(value)
    return [sum(line) > len(line) / 2 for line in lines.values()]


def _truths(case: Statement, grid: Grid, draw: int) -> dict[tuple[int, int], bool]:
    return {
        key: as_claimed(
            case.kind, case.sign, float(grid.samples[draw][key]), quantifier=case.quantifier
        )
        for key in product(*map(range, grid.sides.shape))
        if np.isfinite(grid.sides[key]) and np.isfinite(grid.samples[draw][key])
    }


def enumerate_rule(case: Statement, inside: Grid, outside: Grid) -> list[bool]:
    """Go through the draws and count by hand."""
    answers = []
    for draw in range(len(inside.samples)):
        truths = [_truths(case, grid, draw) for grid in (inside, outside)]
        if case.quantifier == "especially":
            shares = [sum(truth.values()) / len(truth) for truth in truths]
            answers.append(shares[0] > shares[1])
        else:
            members = units(truths[0], case.over)
            answers.append(counted(case.quantifier, members))
    return answers


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("over", ["outcomes", "combinations", "pairs"])
@pytest.mark.parametrize("quantifier", QUANTIFIERS)
def test_joint_probability_equals_enumeration(quantifier: str, over: str, gaps: bool) -> None:
    """Catches products of marginals, a wrong axis, gaps counted as False, a moved cut-off."""
    inside = random_grid(3, seed=1, gaps=gaps)
    outside = random_grid(2, seed=2)
    for kind, sign in product(KINDS[:-1], (1, -1)):
        case = statement(kind, quantifier, over, sign)
        found = tally(case, inside, outside=outside, cutoffs=CUTOFFS, from_draws=True)
        assert found.p_rule == np.mean(enumerate_rule(case, inside, outside)), (kind, sign)


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("quantifier", QUANTIFIERS)
def test_intervals_are_counted_as_enumeration_counts_them(quantifier: str, gaps: bool) -> None:
    """Catches intervals that speak for a statement counted against it, or on the wrong side."""
    inside = random_grid(3, seed=4, gaps=gaps)
    outside = random_grid(2, seed=5)
    for kind, sign, over in product(KINDS[:-1], (1, -1), ("outcomes", "combinations")):
        case = statement(kind, quantifier, over, sign)
        found = tally(case, inside, outside=outside, cutoffs=CUTOFFS, from_draws=True)
        claimed = {
            "insignificant": (0,),
            "some_effect": (1, -1),
            "no_opposite": (0, sign),
        }.get(kind, (sign,))
        truths = [
            {key: grid.sides[key] in claimed for key in zip(*np.nonzero(grid.present), strict=True)}
            for grid in (inside, outside)
        ]
        shares = [sum(truth.values()) / len(truth) for truth in truths]
        assert found.contrary == pytest.approx(1 - shares[0])
        assert found.excluding == np.abs(inside.sides[inside.present]).sum()
        if quantifier == "especially":
            assert found.intervals_hold == (shares[0] > shares[1])
        else:
            assert found.intervals_hold == counted(quantifier, units(truths[0], over))


def test_especially_turned_round_has_the_larger_share_outside() -> None:
    """Catches a reversal that is the statement itself."""
    inside, outside = random_grid(3, seed=1), random_grid(2, seed=2)
    case = statement("direction", "especially", "pairs")
    found = tally(case, inside, outside=outside, cutoffs=CUTOFFS, from_draws=True)
    assert found.p_turned == np.mean(enumerate_rule(case, outside, inside))
    assert found.p_turned != found.p_rule


def test_dependence_between_estimates_matters() -> None:
    """Catches a joint probability made of marginal ones: these two agree in every margin."""
    signs = np.where(np.arange(100) % 2 == 0, 1.0, -1.0)
    together = np.stack([signs, signs], axis=1)[:, None, :]
    opposed = np.stack([signs, -signs], axis=1)[:, None, :]
    case = Statement("A", "direction", 1, ("Q1",), ("10", "11"), (), "all", "combinations")
    none = Grid(np.zeros((1, 1, 0)), np.zeros((1, 0)))
    found = [
        tally(
            case, Grid(draws, np.zeros((1, 2))), outside=none, cutoffs=CUTOFFS, from_draws=True
        ).p_rule
        for draws in (together, opposed)
    ]
    assert found == [0.5, 0.0]


@pytest.mark.parametrize(
    ("quantifier", "expected"), [("mostly", 0.25), ("all", 0.25), ("several", 0.25), ("few", 0.5)]
)
def test_turned_round(quantifier: str, expected: float) -> None:
    """Catches a reversal that is the mere denial: most must have the other sign (few: this one)."""
    samples = np.array(
        [[[1.0, 1, 1, 1]], [[1.0, 1, 1, -1]], [[1.0, 1, -1, -1]], [[1.0, -1, -1, -1]]]
    )
    four = ("a", "b", "c", "d")
    case = Statement("A", "direction", 1, ("Q1",), four, (), quantifier, "combinations")
    none = Grid(np.zeros((4, 1, 0)), np.zeros((1, 0)))
    found = tally(
        case, Grid(samples, np.zeros((1, 4))), outside=none, cutoffs=CUTOFFS, from_draws=True
    )
    assert found.p_turned == expected


def test_ols_is_read_by_points_and_intervals() -> None:
    """Catches OLS significance taken from signs, or its reversal from point estimates."""
    points = np.array([[[0.2, 0.2, 0.2, -0.2]]])
    four = ("a", "b", "c", "d")
    case = Statement("A", "significant", 1, ("Q1",), four, (), "mostly", "combinations")
    none = Grid(np.zeros((1, 1, 0)), np.zeros((1, 0)))
    for sides, holds, turned in (
        ([1.0, 1, 1, 0], True, 0.0),
        ([1.0, 1, 0, 0], False, 0.0),
        ([-1.0, -1, -1, 0], False, 1.0),
    ):
        found = tally(
            case,
            Grid(points, np.array([sides])),
            outside=none,
            cutoffs=CUTOFFS,
            from_draws=False,
        )
        assert (found.intervals_hold, found.p_turned) == (holds, turned)
        assert found.p_rule == 1.0


def test_nothing_to_compare_with() -> None:
    """Catches "especially" judged although nothing lies outside the pattern."""
    case = statement("direction", "especially", "pairs")
    none = Grid(np.zeros((60, 5, 0)), np.zeros((5, 0)))
    found = tally(case, random_grid(3, seed=1), outside=none, cutoffs=CUTOFFS, from_draws=True)
    assert np.isnan(found.p_rule)
