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

import numpy as np
from numpy.typing import NDArray

from bipbayes.errors import SettingsError
from bipbayes.synthetic.design import Design, members
from bipbayes.synthetic.streams import Stream
from bipbayes.synthetic.sums import sum_changes

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

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

    def effect(self, combination: int, columns: Integers) -> Integers:
        """Effect of a nudge up on a combination's sums: -1, 0 or 1."""
        own = (self.own[:, columns] == combination).astype(np.int64)
        return np.asarray(own - (self.following[:, columns] == combination))


@dataclass(frozen=True)
class _Moves:
    """Nudges open to one combination and respondent, shape (response, member)."""

    effect: Integers
    inside: Booleans
    outside: Booleans


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
    answers, wanted = answers.copy(), wanted.copy()
    ends = find_ends(design)
    order = np.argsort(sum_changes(design, answers).count[0], kind="stable")
    rank = np.empty(len(order) + 1, dtype=np.int64)
    rank[order] = np.arange(len(order))
    rank[NOWHERE] = len(order)  # nowhere never disturbs anything
    for combination in order.tolist():
        need = wanted[:, combination] - sum_changes(design, answers).total[:, combination]
        for place, columns in enumerate(members(design.codebook)):
            average = len(design.codebook.indicators) + place
            moves = _moves(ends, rank, combination, columns=columns, average=average)
            needs = _reachable(
                design, answers, moves, columns=columns, need=need[columns], whole=need[average]
            )
            shift = needs.sum(axis=0) - need[columns]
            wanted[columns, combination] += shift
            wanted[columns, order[-1]] -= shift  # the printed mean stays
            for column, steps in zip(columns.tolist(), needs.T.tolist(), strict=True):
                member = int(np.searchsorted(columns, column))
                for allowed, step in zip((moves.inside, moves.outside), steps, strict=True):
                    _nudge(
                        stream,
                        answers[:, column],
                        effect=np.where(allowed[:, member], moves.effect[:, member], 0),
                        steps=step,
                        scale=design.codebook.scale,
                    )
    if (left := np.abs(wanted - sum_changes(design, answers).total)).any():
        raise SettingsError(f"{int((left > 0).sum())} sums of changes were not reached")
    return answers


def _moves(
    ends: Ends, rank: Integers, combination: int, *, columns: Integers, average: int
) -> _Moves:
    """Find the nudges that move a combination's sums and disturb no finished one."""
    every = np.r_[columns, average]
    touched = np.minimum(rank[ends.own[:, every]], rank[ends.following[:, every]])
    free = np.minimum(touched[:, :-1], touched[:, -1:]) >= rank[combination]
    effect = ends.effect(combination, columns)
    whole = ends.effect(combination, np.array([average]))
    moving = free & (effect != 0)
    return _Moves(effect, moving & (whole == effect), moving & (whole == 0))


def _room(values: Integers, effect: Integers, scale: tuple[int, int]) -> tuple[int, int]:
    """How far nudges can lower and raise a sum."""
    low, high = scale
    below = np.where(effect > 0, values - low, high - values)[effect != 0]
    above = np.where(effect > 0, high - values, values - low)[effect != 0]
    return int(below.sum()), int(above.sum())


def _reachable(
    design: Design,
    answers: Integers,
    moves: _Moves,
    *,
    columns: Integers,
    need: Integers,
    whole: int,
) -> Integers:
    """Choose steps inside and outside by member: their sum is the need, the inside sum `whole`.

    Shape (2, member). Where too few answers lie outside complete responses, the members'
    needs give way by the difference, spread over the members.
    """
    scale = design.codebook.scale
    rooms = np.array(
        [
            [
                _room(answers[:, column], np.where(mask[:, m], moves.effect[:, m], 0), scale)
                for m, column in enumerate(columns.tolist())
            ]
            for mask in (moves.inside, moves.outside)
        ]
    )  # (inside/outside, member, below/above)
    lowest = np.maximum(-rooms[1, :, 0], need - rooms[0, :, 1])
    highest = np.minimum(rooms[1, :, 1], need + rooms[0, :, 0])
    lowest = np.minimum(lowest, highest)
    width = rooms.sum(axis=2)
    outside = need * width[1] // np.maximum(width.sum(axis=0), 1)
    outside = _spread(np.clip(outside, lowest, highest), int(need.sum() - whole), lowest, highest)
    inside = _spread(need - outside, whole, -rooms[0, :, 0], rooms[0, :, 1])
    if inside.sum() != whole:
        raise SettingsError("an average's sum of changes cannot be reached; use another seed")
    return np.stack([inside, outside])


def _spread(values: Integers, total: int, lowest: Integers, highest: Integers) -> Integers:
    """Move values by ones, where the most room is, until they sum to the total (or cannot)."""
    values = values.copy()
    while (rest := total - int(values.sum())) != 0:
        room = highest - values if rest > 0 else values - lowest
        place = int(np.argmax(room))
        if room[place] <= 0:
            break
        values[place] += 1 if rest > 0 else -1
    return values


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
