"""Who gets which category, so that every group's weighted count is as wanted.

First a random draw with tilted probabilities, then a repair in whole numbers: citizens with the
same counts by group are alike for every total, so the best single move is sought among these
kinds of citizens, whatever the number of citizens.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bipbayes.bip.register_tilt import tilted_shares
from bipbayes.synthetic.streams import Stream

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

MOVES: Final = 4000
WEIGHT_BITS: Final = 44
DRAW_BITS: Final = 31
FLOOR: Final = 1e-6  # smallest base share; a category wanted nowhere is left empty by the repair


def allocate(
    stream: Stream, counts: Integers, *, targets: Floats, eligible: Booleans, full: bool = False
) -> Integers:
    """Draw one category for each eligible citizen.

    Parameters
    ----------
    stream
        Source of randomness.
    counts
        Counted responses, shape (citizen, group).
    targets
        Wanted weighted counts, shape (category, group). Scaled down where a group's categories
        together want more than its eligible responses.
    eligible
        Citizens who may get a category.
    full
        True where every eligible citizen gets one (targets are scaled to fit).

    Returns
    -------
    numpy.ndarray
        Category by citizen, -1 for none; integers of 64 bits.
    """
    rows = np.flatnonzero(eligible)
    own = counts[rows]
    wanted = _feasible(targets, own.sum(axis=0), full=full)
    kinds, kind = _kinds(own)
    chosen = _draw(stream, kinds, kind, wanted=wanted, full=full)
    held = np.zeros((len(kinds), len(wanted) + (not full)), dtype=np.int64)
    np.add.at(held, (kind, chosen), 1)
    balanced = _repair(kinds, held, wanted=wanted, weights=_weights(counts.sum(axis=0)))
    chosen = _reassign(stream, kind, chosen, held=held, wanted=balanced)
    result = np.full(len(counts), -1, dtype=np.int64)
    result[rows] = np.where(chosen < len(targets), chosen, -1)
    return result


def choose(stream: Stream, counts: Integers, *, target: Floats, eligible: Booleans) -> Booleans:
    """Draw which eligible citizens carry a characteristic (`target` by group)."""
    chosen = allocate(stream, counts, targets=target[None, :], eligible=eligible)
    return np.asarray(chosen == 0)


def _feasible(targets: Floats, total: Integers, *, full: bool) -> Integers:
    """Whole-number targets that leave nothing negative for the rest."""
    sums = np.maximum(targets.sum(axis=0), 1e-12)
    factor = total / sums if full else np.minimum(1.0, total / sums)
    return np.rint(np.maximum(targets, 0.0) * factor).astype(np.int64)


def _kinds(counts: Integers) -> tuple[Integers, Integers]:
    """Distinct rows of counts, and which of them each row is."""
    base = int(counts.max(initial=0)) + 1
    keys = counts @ (base ** np.arange(counts.shape[1], dtype=np.int64))
    _, first, kind = np.unique(keys, return_index=True, return_inverse=True)
    return counts[first], kind.astype(np.int64)


def _draw(
    stream: Stream, kinds: Integers, kind: Integers, *, wanted: Integers, full: bool
) -> Integers:
    """Category by row; the last one, of number `len(wanted)`, is none."""
    numbers = np.bincount(kind, minlength=len(kinds))
    total = max(int((numbers @ kinds).sum()), 1)
    share = np.maximum(wanted.sum(axis=1) / total, FLOOR)
    rest = FLOOR if full else max(1 - float(share.sum()), FLOOR)
    shares = tilted_shares(
        np.tile(np.log(share / rest), (len(kinds), 1)),
        kinds.astype(float),
        targets=wanted.astype(float),
        numbers=numbers.astype(float),
    )
    if full:
        shares = shares / shares.sum(axis=1, keepdims=True)
    edges = np.rint(np.cumsum(shares, axis=1) * 2**DRAW_BITS).astype(np.int64)
    if full:
        edges[:, -1] = 2**DRAW_BITS
    draws = stream.below(2**DRAW_BITS, len(kind))
    return np.asarray((draws[:, None] >= edges[kind]).sum(axis=1))


@dataclass
class _Balance:
    """Kinds of citizens, how many of each hold which category, and what is still wrong."""

    kinds: Integers
    held: Integers
    excess: Integers
    weights: Integers
    counted: Integers

    def best(self) -> tuple[int, int, int] | None:
        """Find the move (kind, from, to) that lowers the squared excess most."""
        squares = (self.kinds**2) @ self.weights
        cross = 2 * (self.kinds * self.weights) @ self.excess.T
        leave = (squares[:, None] - cross) * self.counted
        enter = (squares[:, None] + cross) * self.counted
        gain = leave[:, :, None] + enter[:, None, :]
        gain[self.held == 0] = 0
        same = np.arange(gain.shape[1])
        gain[:, same, same] = 0
        place = int(np.argmin(gain))
        kind, source, goal = np.unravel_index(place, gain.shape)
        return None if gain.ravel()[place] >= 0 else (int(kind), int(source), int(goal))

    def move(self, kind: int, source: int, goal: int) -> None:
        """Move one citizen of a kind."""
        self.held[kind, source] -= 1
        self.held[kind, goal] += 1
        self.excess[source] -= self.kinds[kind]
        self.excess[goal] += self.kinds[kind]


def _repair(kinds: Integers, held: Integers, *, wanted: Integers, weights: Integers) -> Integers:
    """Move citizens between categories while that brings the group counts nearer.

    Returns how many of each kind then hold each category.
    """
    excess = held.T @ kinds
    excess[: len(wanted)] -= wanted
    counted = (np.arange(held.shape[1]) < len(wanted)).astype(np.int64)
    balance = _Balance(kinds, held.copy(), excess, weights, counted)
    for _ in range(MOVES):
        move = balance.best()
        if move is None:
            break
        balance.move(*move)
    return balance.held


def _weights(total: Integers) -> Integers:
    """Inverse squares of the groups' sizes as whole numbers, so that sums are exact."""
    sizes = np.maximum(total, 1).astype(float)
    return np.rint(2.0**WEIGHT_BITS / sizes**2).astype(np.int64)


def _reassign(
    stream: Stream, kind: Integers, chosen: Integers, *, held: Integers, wanted: Integers
) -> Integers:
    """Change as few citizens as possible so that each kind holds what is wanted."""
    result = chosen.copy()
    order = stream.permutation(len(kind))
    for k in np.flatnonzero((held != wanted).any(axis=1)):
        rows = order[kind[order] == k]
        surplus = held[k] - wanted[k]
        for category in np.flatnonzero(surplus > 0):
            free = rows[chosen[rows] == category][: surplus[category]]
            lacking = np.repeat(np.arange(len(surplus)), np.maximum(-surplus, 0))
            result[free] = lacking[: len(free)]
            surplus = surplus + np.bincount(lacking[: len(free)], minlength=len(surplus))
    return result
