"""What a simulated study consists of before any answer is drawn."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Booleans, Integers


@dataclass(frozen=True)
class Design:
    """Who answers what and when, under which activities.

    Rows are responses, ordered by citizen and occasion.

    Attributes
    ----------
    codebook
        Labels and shapes.
    jobcenters
        Labels of the jobcenters.
    citizen
        Position of the citizen by response.
    site
        Position of the jobcenter by citizen.
    days
        Date by response, days since 1970-01-01.
    combination
        Position of the combination by response, also where the file does not tell it.
    known
        Whether the activities are reported.
    doubtful
        Whether only "don't know" is ticked (only where not known).
    present
        Whether a respondent takes part, shape (response, respondent).
    answered
        Whether a question is answered, shape (response, indicator then unanalysed).
    """

    codebook: Codebook
    jobcenters: tuple[str, ...]
    citizen: Integers
    site: Integers
    days: Integers
    combination: Integers
    known: Booleans
    doubtful: Booleans
    present: Booleans
    answered: Booleans

    @cached_property
    def questions(self) -> "Questions":
        """Indicators and averages with the responses their changes run between."""
        indicators = self.answered[:, : len(self.codebook.indicators)]
        averages = [indicators[:, places].all(axis=1) for places in members(self.codebook)]
        answered = np.column_stack([indicators, *averages])
        previous = previous_rows(answered, first_rows(self.citizen))
        return Questions(answered, previous, (previous >= 0) & self.known[:, None])


@dataclass(frozen=True)
class Questions:
    """Changes by response and outcome (indicators, then averages).

    Attributes
    ----------
    answered
        Whether there is an answer.
    previous
        Row of the citizen's latest earlier answer, -1 where there is no change.
    sample
        Whether the change belongs to the analysis sample.
    """

    answered: Booleans
    previous: Integers
    sample: Booleans


def members(codebook: Codebook) -> list[Integers]:
    """Positions of each average's members among the indicators."""
    codes = codebook.indicator_codes
    return [
        np.array([codes.index(code) for code in average.members], dtype=np.int64)
        for average in codebook.averages
    ]


def respondent_positions(codebook: Codebook) -> Integers:
    """Position of the respondent of each question, indicators then unanalysed."""
    entries = (*codebook.indicators, *codebook.unanalysed)
    return np.array([codebook.respondents.index(entry.respondent) for entry in entries])


def first_rows(citizen: Integers) -> Integers:
    """Row of the citizen's first response, by response."""
    rows = np.arange(len(citizen))
    starts = np.r_[True, citizen[1:] != citizen[:-1]]
    return np.asarray(np.maximum.accumulate(np.where(starts, rows, 0)))


def last_rows(citizen: Integers) -> Booleans:
    """Whether a response is its citizen's last."""
    return np.asarray(np.r_[citizen[1:] != citizen[:-1], True])


def previous_rows(answered: Booleans, begin: Integers) -> Integers:
    """Row of the latest earlier answer to the same question, -1 where there is no change.

    Parameters
    ----------
    answered
        Shape (response, question), rows ordered by citizen and date.
    begin
        Row of the citizen's first response, by response.
    """
    rows = np.arange(len(answered))[:, None]
    last = np.maximum.accumulate(np.where(answered, rows, -1), axis=0)
    earlier = np.vstack([np.full((1, answered.shape[1]), -1), last[:-1]])
    return np.where(answered & (earlier >= begin[:, None]), earlier, -1)
