"""Who responds how often, who takes part on each occasion, and whose activities are known."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bipbayes.data.codebook import Codebook
from bipbayes.synthetic.design import first_rows
from bipbayes.synthetic.streams import Stream

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

LEAST: Final = 2  # the report keeps citizens with more than one response (figures.csv)
EXTRA_WEIGHTS: Final = np.array([26, 26, 19, 13, 8, 5, 3])  # responses beyond the second, 0 to 6
ONLY_CASEWORKER: Final = 260  # occasions on which only the caseworker answers
ANALYSED_BOTH: Final = 7150  # repeat responses of both with known activities; B2 alone has 7027
ANALYSED_CASEWORKER: Final = 180  # of the caseworker alone
KNOWN_AT_FIRST: Final = (3, 4)
DOUBTFUL: Final = (3, 10)  # share of "don't know" among unknown activities


@dataclass(frozen=True)
class Attendance:
    """Responses by citizen, and what is reported on each; rows by citizen and occasion."""

    citizen: Integers
    present: Booleans
    known: Booleans
    doubtful: Booleans


def calibrated_attendance(
    stream: Stream, *, citizens: int, responses: tuple[int, int]
) -> Attendance:
    """Draw the occasions of BIP with exact totals.

    Parameters
    ----------
    stream
        Source of randomness.
    citizens
        Number of citizens, each with at least two responses of both respondents.
    responses
        Number of responses of citizens and of caseworkers.
    """
    rows = responses[0] + ONLY_CASEWORKER
    citizen = _exact_rows(stream, citizens=citizens, rows=rows)
    later = np.flatnonzero(np.arange(rows) - first_rows(citizen) >= LEAST)
    chosen = later[stream.permutation(len(later))]
    lone = ONLY_CASEWORKER
    present = np.ones((rows, 2), dtype=np.bool_)
    present[chosen[:lone], 0] = False
    present[chosen[lone : lone + rows - responses[1]], 1] = False
    known = _known(stream, citizen=citizen, present=present)
    doubtful = ~known & present[:, 1] & stream.happens(*DOUBTFUL, rows)
    return Attendance(citizen, present, known, doubtful)


def random_attendance(
    stream: Stream,
    codebook: Codebook,
    *,
    citizens: int,
    known: tuple[int, int],
    responses: tuple[int, int] | None = None,
) -> Attendance:
    """Draw occasions for any codebook: each respondent takes part in 39 of 40.

    Parameters
    ----------
    stream
        Source of randomness.
    codebook
        Names the respondents.
    citizens
        Number of citizens.
    known
        Probability that activities are known, as a fraction.
    responses
        Fewest and most of a citizen, all numbers alike; default: two to eight, mostly few.
    """
    least, most = responses or (LEAST, LEAST)
    weights = EXTRA_WEIGHTS if responses is None else np.ones(most - least + 1, dtype=np.int64)
    counts = least + stream.weighted(weights, citizens)
    citizen = np.repeat(np.arange(citizens), counts)
    rows = len(citizen)
    present = stream.happens(39, 40, rows, len(codebook.respondents))
    present[:, -1] |= ~present.any(axis=1)
    reported = present[:, -1] & stream.happens(*known, rows)
    doubtful = ~reported & present[:, -1] & stream.happens(*DOUBTFUL, rows)
    return Attendance(citizen, present, reported, doubtful)


def _exact_rows(stream: Stream, *, citizens: int, rows: int) -> Integers:
    """Citizen by row: random numbers of responses with an exact total."""
    extra = stream.weighted(EXTRA_WEIGHTS, citizens)
    while (missing := rows - LEAST * citizens - int(extra.sum())) != 0:
        step = 1 if missing > 0 else -1
        room = extra < len(EXTRA_WEIGHTS) - 1 if step > 0 else extra > 0
        able = np.flatnonzero(room)
        extra[able[stream.permutation(len(able))][: abs(missing)]] += step
    return np.repeat(np.arange(citizens), LEAST + extra)


def _known(stream: Stream, *, citizen: Integers, present: Booleans) -> Booleans:
    """Choose the occasions whose activities are known, with exact numbers of repeat ones."""
    rows = len(citizen)
    first = first_rows(citizen) == np.arange(rows)
    known: Booleans = first & stream.happens(*KNOWN_AT_FIRST, rows)
    for wanted, eligible in (
        (ANALYSED_BOTH, present.all(axis=1)),
        (ANALYSED_CASEWORKER, present[:, 1] & ~present[:, 0]),
    ):
        places = np.flatnonzero(eligible & ~first)
        known[places[stream.permutation(len(places))][:wanted]] = True
    return known
