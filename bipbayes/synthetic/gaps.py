"""Unanswered questions: clustered gaps, with exact numbers of progressions where asked.

Gaps come in clumps (a response has none, or several), so that far fewer responses have all
members of an average than any one question. Exact numbers are reached on *free* responses: the
last of a citizen, analysed, whose earlier responses answer every question and hold a complete
set. There an answer given or withheld changes one count by one and nothing else.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bipbayes.errors import SettingsError
from bipbayes.synthetic.streams import Stream

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

THOUSAND: Final = 1000
SPREAD: Final = 750  # of 1000 gaps drawn at first; the rest is placed exactly
ROUNDS: Final = 400


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


def fit_counts(
    stream: Stream, answered: Booleans, *, free: Booleans, surplus: Integers
) -> Booleans:
    """Give or withhold answers on free responses until every question's count fits.

    Parameters
    ----------
    stream
        Source of randomness.
    answered
        Shape (response, question).
    free
        Responses that may be changed.
    surplus
        Progressions too many by question (negative: too few).
    """
    answered = answered.copy()
    for question, excess in enumerate(surplus.tolist()):
        holds = answered[:, question]
        able = free & holds & (answered.sum(axis=1) > 1) if excess > 0 else free & ~holds
        places = _in_order(stream, able, first=~answered.all(axis=1))
        if len(places) < abs(excess):
            raise SettingsError(
                f"question {question + 1} needs {abs(excess)} changed answers, "
                f"only {len(places)} are free; use another seed"
            )
        answered[places[: abs(excess)], question] = excess < 0
    return answered


def fit_complete(stream: Stream, answered: Booleans, *, free: Booleans, surplus: int) -> Booleans:
    """Swap gaps between free responses until the number of complete ones fits.

    Each swap moves a gap in one question from one response to another, so the questions' own
    counts stay, and makes one response more (or fewer) complete.
    """
    answered = answered.copy()
    questions = answered.shape[1]
    for turn in range(ROUNDS * questions):
        if surplus == 0:
            return answered
        question = turn % questions
        gaps = (~answered).sum(axis=1)
        gap_here = ~answered[:, question]
        if surplus > 0:  # fill one of several gaps, open one in a complete response
            fill = free & gap_here & (gaps > 1)
            open_ = free & (gaps == 0)
        else:  # fill the only gap, open one where others are
            fill = free & gap_here & (gaps == 1)
            open_ = free & ~gap_here & (gaps > 0) & (gaps < questions - 1)
        nothing = np.zeros(len(free), dtype=np.bool_)
        to_fill = _in_order(stream, fill, first=nothing)
        to_open = _in_order(stream, open_, first=nothing)
        share = -(-abs(surplus) // questions)
        size = min(len(to_fill), len(to_open), share)
        answered[to_fill[:size], question] = True
        answered[to_open[:size], question] = False
        surplus -= size if surplus > 0 else -size
    raise SettingsError(f"complete responses still differ by {surplus}; use another seed")


def _in_order(stream: Stream, able: Booleans, *, first: Booleans) -> Integers:
    """Rows that are able, in random order but those in `first` before the others."""
    places = np.flatnonzero(able)
    places = places[stream.permutation(len(places))]
    return np.concatenate([places[first[places]], places[~first[places]]])
