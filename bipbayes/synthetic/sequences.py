"""Combinations that persist: a citizen's responses fall into runs with one combination each."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bipbayes.synthetic.streams import Stream

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

STAY: Final = (11, 20)  # a response continues the run of the one before


def runs(stream: Stream, citizen: Integers) -> Integers:
    """Return a number for each run of responses with one combination, by response."""
    begins = np.r_[True, citizen[1:] != citizen[:-1]]
    return np.asarray(np.cumsum(begins | ~stream.happens(*STAY, len(citizen))) - 1)


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
