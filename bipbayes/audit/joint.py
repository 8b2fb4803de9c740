"""Statements on many estimates at once, answered from joint draws.

For each draw it is counted how many estimates are as claimed, and the quantifier's rule is
applied to that count; the share of draws in which it holds is the posterior probability of the
statement. Marginal intervals cannot give it, since the estimates err together. OLS is read in
the same way with its point estimates as the only "draw"; a statement on significance then holds
where enough intervals exclude zero, which is what the report counts.

What counts as "as claimed" in a draw: the claimed sign; for ``few``, which has a ceiling, the
claimed sign and more than the stated size (half of all null effects have either sign); for
statements on absence, staying inside the region (on the other side, for "no setback").

The statement turned round: more than half of the estimates have the other sign; for ``few``
that more than half are as claimed; for ``especially`` that the share outside is the larger.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bipbayes.audit.quantifiers import ESPECIALLY, quantifier_holds
from bipbayes.audit.rules import Cutoffs, Tally
from bipbayes.audit.statements import Statement

SAMPLE_DIMS = {"chain", "draw", "sample"}
Flags = NDArray[np.bool_]
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """A block of estimates.

    Attributes
    ----------
    samples
        ``[sample, outcome, combination]``: draws, or the point estimates as one sample; NaN
        where there is no estimate.
    sides
        ``[outcome, combination]``: 1, -1 or 0, the side on which the interval excludes zero;
        NaN where there is no interval.
    """

    samples: Numbers
    sides: Numbers

    @property
    def present(self) -> Flags:
        """Where there is an estimate with an interval, ``[outcome, combination]``."""
        return np.isfinite(self.samples).all(axis=0) & np.isfinite(self.sides)


def tally(
    statement: Statement, inside: Grid, *, outside: Grid, cutoffs: Cutoffs, from_draws: bool
) -> Tally:
    """Count what a joint statement needs.

    Parameters
    ----------
    statement
        A statement on several estimates.
    inside
        Its estimates.
    outside
        The other combinations, for ``especially`` (an empty block otherwise).
    cutoffs
        Gives the stated size.
    from_draws
        True for posterior draws, False for OLS point estimates. Only draws can turn a
        statement round by themselves; OLS does so by its intervals.
    """
    grids = (inside, outside)
    as_claimed = [_as_claimed(statement, grid.samples, cutoffs.beyond) for grid in grids]
    by_interval = [_by_interval(statement, grid.sides)[None] for grid in grids]
    present = [grid.present for grid in grids]
    total = int(present[0].sum())
    if total == 0 or (statement.quantifier == ESPECIALLY and not present[1].any()):
        return Tally(np.nan, np.nan, False, np.nan, 0, total)
    intervals_hold = bool(_holds(statement, by_interval, present)[0])
    p_rule = float(_holds(statement, as_claimed, present).mean())
    if statement.kind == "significant" and intervals_hold and not from_draws:
        p_rule = 1.0
    return Tally(
        p_rule=p_rule,
        p_turned=_turned(statement, grids, present=present, cutoffs=cutoffs, from_draws=from_draws),
        intervals_hold=intervals_hold,
        contrary=float(1 - by_interval[0][0][present[0]].mean()),
        excluding=int((inside.sides[present[0]] != 0).sum()),
        total=total,
    )


def _as_claimed(statement: Statement, samples: Numbers, beyond: float) -> Flags:
    if statement.kind == "insignificant":
        return np.asarray(np.abs(samples) <= beyond)
    if statement.kind == "some_effect":
        return np.asarray(np.abs(samples) > beyond)
    if statement.kind == "no_opposite":
        return np.asarray(statement.sign * samples > -beyond)
    least = beyond if statement.quantifier == "few" else 0.0
    return np.asarray(statement.sign * samples > least)


def _by_interval(statement: Statement, sides: Numbers) -> Flags:
    if statement.kind == "insignificant":
        return np.asarray(sides == 0)
    if statement.kind == "some_effect":
        return np.asarray(sides != 0)
    if statement.kind == "no_opposite":
        return np.asarray(sides != -statement.sign)
    return np.asarray(sides == statement.sign)


def _holds(statement: Statement, flags: list[Flags], present: list[Flags]) -> Flags:
    members = _members(statement, flags[0], present[0])
    outside = flags[1][..., present[1]] if statement.quantifier == ESPECIALLY else None
    return quantifier_holds(statement.quantifier, members, outside)


def _members(statement: Statement, flags: Flags, present: Flags) -> Flags:
    """Reduce ``[sample, outcome, combination]`` to the units that the quantifier counts."""
    if statement.over == "pairs" or statement.quantifier == ESPECIALLY:
        return flags[..., present]
    axis = -1 if statement.over == "outcomes" else -2
    size = present.sum(axis=axis)
    mostly = 2 * (flags & present).sum(axis=axis) > size
    return np.asarray(mostly[..., size > 0])


def _turned(
    statement: Statement,
    grids: tuple[Grid, Grid],
    *,
    present: list[Flags],
    cutoffs: Cutoffs,
    from_draws: bool,
) -> float:
    """Return the probability of the statement turned round (1 or 0 for OLS)."""
    values = [grid.samples if from_draws else grid.sides[None] for grid in grids]
    size = cutoffs.beyond if from_draws else 0.0
    inside, outside = (_as_claimed(statement, block, size) for block in values)
    if statement.quantifier == ESPECIALLY:
        members = (outside[..., present[1]], inside[..., present[0]])
        return float(quantifier_holds(ESPECIALLY, *members).mean())
    most = inside if statement.quantifier == "few" else statement.sign * values[0] < 0
    return float(quantifier_holds("most", most[..., present[0]]).mean())
