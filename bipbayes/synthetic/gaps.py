"""Unanswered questions in clumps.

A response has no gap, or several, so that far fewer responses have all members of an average than
any one question.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bipbayes.synthetic.streams import Stream

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

THOUSAND: Final = 1000
SPREAD: Final = 750  # of 1000 gaps drawn at first; the rest is placed exactly


def draw_gaps(stream: Stream, present: Booleans, *, lost: Integers, gap_rows: int) -> Booleans:
    """Draw which questions are answered.

    Parameters
    ----------
    stream
        Source of randomness.
    present
        Whether the respondent takes part, by response.
    lost
        Wanted gaps by question, in thousandths of the responses.
    gap_rows
        Responses with gaps, in thousandths; gaps occur only there.

    Returns
    -------
    numpy.ndarray
        Shape (response, question). A respondent who takes part answers something.
    """
    rows = len(present)
    clump = stream.happens(gap_rows, THOUSAND, rows)
    chance = np.minimum(lost * SPREAD // gap_rows, THOUSAND - 100)
    missing = clump[:, None] & (stream.below(THOUSAND, rows, len(lost)) < chance)
    missing[missing.all(axis=1), stream.below(len(lost), 1)[0]] = False
    return present[:, None] & ~missing
