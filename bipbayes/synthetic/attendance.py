"""Who responds how often, who takes part on each occasion, and whose activities are known."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bipbayes.data.codebook import Codebook
from bipbayes.synthetic.streams import Stream

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

LEAST: Final = 2  # the report keeps citizens with more than one response (figures.csv)
EXTRA_WEIGHTS: Final = np.array([26, 26, 19, 13, 8, 5, 3])  # responses beyond the second, 0 to 6
DOUBTFUL: Final = (3, 10)  # share of "don't know" among unknown activities


@dataclass(frozen=True)
class Attendance:
    """Responses by citizen, and what is reported on each; rows by citizen and occasion."""

    citizen: Integers
    present: Booleans
    known: Booleans
    doubtful: Booleans


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
