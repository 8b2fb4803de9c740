"""Jobcenters and combinations: persistent over a citizen's responses, with exact totals.

A citizen's responses fall into runs with one combination each. Where totals are given, runs are
dealt out like cards without replacement, the longest first, so that the last single responses
fill every total exactly.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bipbayes.synthetic.streams import Stream

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

STAY: Final = (11, 20)  # a response continues the run of the one before
WORD: Final = 64


def deal(stream: Stream, weights: Integers, *, totals: Integers) -> Integers:
    """Deal weighted items out to boxes so that the weights in each box sum to its total.

    Parameters
    ----------
    stream
        Source of randomness.
    weights
        Whole numbers from 0; there must be enough ones to fill up.
    totals
        One for each box, with the same sum as the weights.

    Returns
    -------
    numpy.ndarray
        Box by item, drawn in proportion to the room left; -1 for items too heavy for any
        box that is left (the caller splits them).
    """
    order = stream.permutation(len(weights))
    order = order[np.argsort(-weights[order], kind="stable")]
    words = stream.words(len(weights)).tolist()
    left = totals.tolist()
    boxes = np.full(len(weights), -1, dtype=np.int64)
    all_weights = weights.tolist()
    for item, word in zip(order.tolist(), words, strict=True):
        weight = all_weights[item]
        rooms = [room if room >= weight else 0 for room in left] if weight else totals.tolist()
        if not (total := sum(rooms)):
            continue
        box = _box(rooms, (word * total) >> WORD)
        boxes[item] = box
        left[box] -= weight
    return boxes


def _box(rooms: list[int], mark: int) -> int:
    for box, room in enumerate(rooms):
        if mark < room:
            return box
        mark -= room
    return len(rooms) - 1


def runs(stream: Stream, citizen: Integers) -> Integers:
    """Return a number for each run of responses with one combination, by response."""
    begins = np.r_[True, citizen[1:] != citizen[:-1]]
    return np.asarray(np.cumsum(begins | ~stream.happens(*STAY, len(citizen))) - 1)


def exact_sites(
    stream: Stream, citizen: Integers, *, counted: Booleans, totals: Integers
) -> Integers:
    """Deal jobcenters to citizens, with exact totals of counted responses.

    Parameters
    ----------
    stream
        Source of randomness.
    citizen
        Citizen by response.
    counted
        The responses that the totals count.
    totals
        Counted responses by jobcenter.
    """
    weights = np.bincount(citizen, weights=counted).astype(np.int64)
    return deal(stream, weights, totals=totals)


def exact_combinations(
    stream: Stream, run: Integers, *, site: Integers, counted: Booleans, totals: Integers
) -> Integers:
    """Deal combinations to responses, with exact totals of counted responses.

    Parameters
    ----------
    stream
        Source of randomness.
    run
        Run by response.
    site
        Jobcenter by response.
    counted
        The responses that the totals count.
    totals
        Shape (jobcenter, combination).
    """
    combination = np.full(len(run), -1, dtype=np.int64)
    for place, wanted in enumerate(totals):
        inside = np.flatnonzero(site == place)
        names, item = np.unique(run[inside], return_inverse=True)
        weights = np.bincount(item, weights=counted[inside], minlength=len(names))
        boxes = deal(stream, weights.astype(np.int64), totals=wanted)
        combination[inside] = boxes[item]
        torn = inside[combination[inside] < 0]
        if len(torn):  # runs too long for what is left: deal their responses one by one
            used = combination[inside[counted[inside] & (combination[inside] >= 0)]]
            left = wanted - np.bincount(used, minlength=len(wanted))
            combination[torn] = deal(stream, counted[torn].astype(np.int64), totals=left)
    return combination


def random_combinations(
    stream: Stream, run: Integers, *, site: Integers, weights: Integers
) -> Integers:
    """Draw combinations by response, once for each run, by its jobcenter's weights."""
    sites = site[np.unique(run, return_index=True)[1]]
    drawn = np.empty(len(sites), dtype=np.int64)
    for place, row in enumerate(weights):
        inside = np.flatnonzero(sites == place)
        drawn[inside] = stream.weighted(row, len(inside))
    return drawn[run]
