"""Exact repair: nudge answers by one until sums of changes are what they must be.

An answer ends one change and may begin another, so a nudge moves the sum of the combination in
which its change ends, and the opposite way that of the combination in which the next one ends;
where the response is complete, the average's sums as well. Combinations are repaired from the
rarest to the commonest; a nudge may disturb only combinations that are still to come. Within a
combination and a respondent, nudges *inside* complete responses move indicator and average
alike and nudges *outside* move the indicator alone; how many of each is fixed by the
indicators' and the average's needs together. Which answers move is random.
"""

from dataclasses import dataclass
from math import fsum

import numpy as np
from numpy.typing import NDArray

from bipbayes.errors import SettingsError
from bipbayes.synthetic.design import Design, members
from bipbayes.synthetic.streams import Stream
from bipbayes.synthetic.truth import Sums, combination_totals, sum_changes

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]

NOWHERE = -1


@dataclass(frozen=True)
class Ends:
    """Where an answer's changes count.

    Attributes
    ----------
    own
        Combination whose sum the answer enters with +1, `NOWHERE` if none.
    following
        Combination whose sum it enters with -1. Both of shape (response, outcome).
    """

    own: Integers
    following: Integers

    def effect(self, combination: int, *, rows: Integers, columns: Integers) -> Integers:
        """Effect of a nudge up on a combination's sums: -1, 0 or 1."""
        places = np.ix_(rows, columns)
        own = (self.own[places] == combination).astype(np.int64)
        return np.asarray(own - (self.following[places] == combination))

    def touching(self, combination: int, *, columns: Integers) -> Integers:
        """Rows with an answer that enters a combination's sums."""
        touches = (self.own[:, columns] == combination) | (
            self.following[:, columns] == combination
        )
        return np.flatnonzero(touches.any(axis=1))


@dataclass(frozen=True)
class _Moves:
    """Nudges open to one combination and respondent.

    `rows` are responses; `inside` and `outside` the effects of such nudges up on the
    combination's sums (0: not open), shape (row, member).
    """

    rows: Integers
    inside: Integers
    outside: Integers


def find_ends(design: Design) -> Ends:
    """Find where every answer's changes count."""
    questions = design.questions
    own = np.where(questions.sample, design.combination[:, None], NOWHERE)
    following = np.full_like(own, NOWHERE)
    rows, columns = np.nonzero(questions.sample)
    following[questions.previous[rows, columns], columns] = design.combination[rows]
    return Ends(own, following)


def repair(stream: Stream, design: Design, *, answers: Integers, wanted: Integers) -> Integers:
    """Nudge answers until every sum of changes equals its wanted total.

    Parameters
    ----------
    stream
        Source of randomness.
    design
        Who answers what, when and under which activities.
    answers
        Shape (response, question); not changed.
    wanted
        Totals in whole units, shape (outcome, combination). Each average must belong to one
        respondent, and each indicator to one average.

    Returns
    -------
    numpy.ndarray
        New answers.

    Raises
    ------
    SettingsError
        A total cannot be reached with the answers that may move.
    """
    answers, wanted, scale = answers.copy(), wanted.copy(), design.codebook.scale
    ends = find_ends(design)
    order = np.argsort(sum_changes(design, answers).count[0], kind="stable")
    rank = np.empty(len(order) + 1, dtype=np.int64)
    rank[order] = np.arange(len(order))
    rank[NOWHERE] = len(order)  # nowhere never disturbs anything
    for combination in order.tolist():
        need = wanted[:, combination] - combination_totals(design, answers, combination)
        for place, columns in enumerate(members(design.codebook)):
            average = len(design.codebook.indicators) + place
            moves = _moves(ends, rank, combination, columns=columns, average=average)
            steps = _share_out(
                answers[np.ix_(moves.rows, columns)],
                moves,
                need=need[columns],
                whole=int(need[average]),
                scale=scale,
            )
            given_way = steps.sum(axis=0) - need[columns]
            wanted[columns, combination] += given_way
            wanted[columns, order[-1]] -= given_way  # the printed mean stays
            _apply(
                stream, answers, moves, columns=columns, steps=steps, scale=design.codebook.scale
            )
    if (left := np.abs(wanted - sum_changes(design, answers).total)).any():
        raise SettingsError(f"{int((left > 0).sum())} sums of changes were not reached")
    return answers


def _moves(
    ends: Ends, rank: Integers, combination: int, *, columns: Integers, average: int
) -> _Moves:
    """Find the nudges that move a combination's sums and disturb no finished one."""
    rows = ends.touching(combination, columns=columns)
    every = np.r_[columns, average]
    places = np.ix_(rows, every)
    touched = np.minimum(rank[ends.own[places]], rank[ends.following[places]])
    free = np.minimum(touched[:, :-1], touched[:, -1:]) >= rank[combination]
    effect = ends.effect(combination, rows=rows, columns=every)
    effect, whole = np.where(free, effect[:, :-1], 0), effect[:, -1:]
    return _Moves(rows, np.where(whole == effect, effect, 0), np.where(whole == 0, effect, 0))


def _room(values: Integers, effect: Integers, scale: tuple[int, int]) -> tuple[Integers, Integers]:
    """How far nudges can lower and raise each member's sum."""
    low, high = scale
    down, up = values - low, high - values
    below = np.where(effect > 0, down, up) * np.abs(effect)
    above = np.where(effect > 0, up, down) * np.abs(effect)
    return below.sum(axis=0), above.sum(axis=0)


def _share_out(
    values: Integers,
    moves: _Moves,
    *,
    need: Integers,
    whole: int,
    scale: tuple[int, int],
) -> Integers:
    """Choose steps inside and outside by member: their sum is the need, the inside sum `whole`.

    Shape (2, member). Where too few answers lie outside complete responses, the members'
    needs give way by the difference, spread over the members.
    """
    below, above = _room(values, moves.inside, scale)
    below_outside, above_outside = _room(values, moves.outside, scale)
    highest = np.minimum(above_outside, need + below)
    lowest = np.minimum(np.maximum(-below_outside, need - above), highest)
    width_outside = below_outside + above_outside
    outside = need * width_outside // np.maximum(width_outside + below + above, 1)
    outside = _spread(np.clip(outside, lowest, highest), int(need.sum()) - whole, lowest, highest)
    inside = _spread(need - outside, whole, -below, above)
    if inside.sum() != whole:
        raise SettingsError("an average's sum of changes cannot be reached; use another seed")
    return np.stack([inside, outside])


def _spread(values: Integers, total: int, lowest: Integers, highest: Integers) -> Integers:
    """Move values by ones, where the most room is, until they sum to the total (or cannot)."""
    if not lowest.sum() < total < highest.sum():
        return (lowest if total <= lowest.sum() else highest).copy()
    values = values.copy()
    while (rest := total - int(values.sum())) != 0:
        room = highest - values if rest > 0 else values - lowest
        place = int(np.argmax(room))
        values[place] += 1 if rest > 0 else -1
    return values


def _apply(
    stream: Stream,
    answers: Integers,
    moves: _Moves,
    *,
    columns: Integers,
    steps: Integers,
    scale: tuple[int, int],
) -> None:
    """Make the chosen steps, in place."""
    for member, column in enumerate(columns.tolist()):
        values = answers[moves.rows, column]
        for effect, step in zip((moves.inside, moves.outside), steps[:, member], strict=True):
            _nudge(stream, values, effect=effect[:, member], steps=int(step), scale=scale)
        answers[moves.rows, column] = values


def _nudge(
    stream: Stream,
    values: Integers,
    *,
    effect: Integers,
    steps: int,
    scale: tuple[int, int],
) -> None:
    """Move a sum by `steps`, in place: random answers by one each, in as many turns as needed."""
    low, high = scale
    sign = 1 if steps > 0 else -1
    left = abs(steps)
    while left:
        moved = values + sign * effect
        places = np.flatnonzero((effect != 0) & (moved >= low) & (moved <= high))
        if not len(places):
            raise SettingsError(f"{left} nudges find no answer to move; use another seed")
        places = places[stream.permutation(len(places))][:left]
        values[places] += sign * effect[places]
        left -= len(places)


def wanted_totals(
    sums: Sums, effects: Floats, *, thousandths: Integers, divisor: Integers
) -> Integers:
    """Whole totals that give the printed means and come nearest to the target effects.

    Parameters
    ----------
    sums
        Gives numbers of changes and standard deviations as they are.
    effects
        Target effects, shape (outcome, combination).
    thousandths
        Printed means in thousandths of a scale point, by outcome.
    divisor
        Whole units of a scale point, by outcome.

    Returns
    -------
    numpy.ndarray
        Shape (outcome, combination). Sums are exactly rounded (`math.fsum`), so that no
        machine rounds a total differently.
    """
    totals = np.empty_like(sums.total)
    for outcome, row in enumerate(effects.tolist()):
        n = sums.count[outcome].tolist()
        size = sum(n)
        shift = fsum(a * b for a, b in zip(n, row, strict=True)) / size
        sd, unit = sums.sd(outcome), int(divisor[outcome])
        mean = unit * int(thousandths[outcome]) / 1000
        exact = [a * (mean + sd * (d - shift)) for a, d in zip(n, row, strict=True)]
        totals[outcome] = np.rint(exact).astype(np.int64)
        printed = (2 * size * unit * int(thousandths[outcome]) + 1000) // 2000
        rest = printed - int(totals[outcome].sum())
        largest = np.argsort(-sums.count[outcome], kind="stable")[: abs(rest)]
        totals[outcome, largest] += 1 if rest > 0 else -1
    return totals
