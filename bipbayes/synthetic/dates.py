"""Irregular dates of responses, just under 22 weeks apart on average."""

from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bipbayes.synthetic.design import first_rows, last_rows
from bipbayes.synthetic.streams import Stream, normal_quantiles, quantised

Integers = NDArray[np.int64]

EPOCH: Final = date(1970, 1, 1).toordinal()
BEGIN: Final = date(2013, 1, 7).toordinal() - EPOCH
END: Final = date(2017, 5, 7).toordinal() - EPOCH  # data extraction (figures.csv)
SHORTEST: Final = 70
TYPICAL: Final = 73.4  # days beyond the shortest, at the median; the mean gap is 151 days
SPREAD: Final = 0.45
FRIDAY: Final = 4


def draw_days(stream: Stream, citizen: Integers) -> Integers:
    """Draw the date of every response, in days since 1970-01-01.

    Gaps are the quantiles of a shifted log-normal in random order, so their mean is the same
    for every seed. A first response falls anywhere that leaves room for the citizen's others
    before the extraction date; dates on a weekend move to the Friday before.
    """
    begin = first_rows(citizen)
    repeat = begin != np.arange(len(citizen))
    gaps = np.zeros(len(citizen), dtype=np.int64)
    gaps[repeat] = _gap_quantiles(int(repeat.sum()))[stream.permutation(int(repeat.sum()))]
    passed = np.cumsum(gaps)
    passed -= passed[begin]
    total = passed[last_rows(citizen)][citizen]
    room = END - BEGIN
    passed = np.where(total > room, passed * room // np.maximum(total, 1), passed)
    total = np.minimum(total, room)
    start = (stream.below(1 << 16, int(citizen[-1]) + 1)[citizen] * (room - total + 1)) >> 16
    days = BEGIN + start + passed
    weekday = (days + 3) % 7  # 1970-01-01 was a Thursday
    return np.asarray(days - np.maximum(weekday - FRIDAY, 0))


def _gap_quantiles(size: int) -> Integers:
    table = normal_quantiles()
    gaps = SHORTEST + quantised(TYPICAL * np.exp(SPREAD * table), bits=0)
    places = ((2 * np.arange(size) + 1) * len(table)) // (2 * max(size, 1))
    return gaps[places]
