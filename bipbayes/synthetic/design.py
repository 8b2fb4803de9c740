"""What a simulated study consists of before any answer is drawn.

`random_design` makes one of any shape, of random numbers, nothing calibrated: who responds how
often and takes part on each occasion; irregular dates, just under 22 weeks apart on average;
combinations that persist (a citizen's responses fall into runs with one combination each);
unanswered questions in clumps (a response has no gap, or several, so that far fewer responses have
all members of an average than any one question).
"""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final

import numpy as np

from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Booleans, Integers
from bipbayes.errors import SettingsError
from bipbayes.synthetic.streams import Stream, normal_quantiles, quantised


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
    asked = [entry.respondent for entry in (*codebook.indicators, *codebook.unanalysed)]
    # Some may answer nothing that is analysed, and are none of the codebook's `respondents`.
    return np.array([list(dict.fromkeys(asked)).index(name) for name in asked])


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


EPOCH: Final = date(1970, 1, 1).toordinal()
BEGIN: Final = date(2013, 1, 7).toordinal() - EPOCH
END: Final = date(2017, 5, 7).toordinal() - EPOCH  # data extraction (figures.csv)
SHORTEST: Final = 70
TYPICAL: Final = 73.4  # days beyond the shortest, at the median; the mean gap is 151 days
GAP_SPREAD: Final = 0.45
FRIDAY: Final = 4
THOUSAND: Final = 1000
DRAWN: Final = 750  # of 1000 gaps drawn at first; the rest is placed exactly
STAY: Final = (11, 20)  # a response continues the run of the one before
LEAST: Final = 2  # the report keeps citizens with more than one response (figures.csv)
EXTRA_WEIGHTS: Final = np.array([26, 26, 19, 13, 8, 5, 3])  # responses beyond the second, 0 to 6
DOUBTFUL: Final = (3, 10)  # share of "don't know" among unknown activities
SHARES: Final = 0
KNOWN: Final = (3, 4)
LOST: Final = 80  # thousandths of answers
GAP_ROWS: Final = 250  # thousandths of responses in which they are lost
TREATED: Final = 35  # percent of responses with a treatment, where the codebook gives no shares
PERCENT: Final = 100


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
    gaps = SHORTEST + quantised(TYPICAL * np.exp(GAP_SPREAD * table), bits=0)
    places = ((2 * np.arange(size) + 1) * len(table)) // (2 * max(size, 1))
    return gaps[places]


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
    chance = np.minimum(lost * DRAWN // gap_rows, THOUSAND - 100)
    missing = clump[:, None] & (stream.below(THOUSAND, rows, len(lost)) < chance)
    missing[missing.all(axis=1), stream.below(len(lost), 1)[0]] = False
    return present[:, None] & ~missing


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
    respondents = int(respondent_positions(codebook).max()) + 1
    present = stream.happens(39, 40, rows, respondents)
    present[:, -1] |= ~present.any(axis=1)
    reported = present[:, -1] & stream.happens(*known, rows)
    doubtful = ~reported & present[:, -1] & stream.happens(*DOUBTFUL, rows)
    return Attendance(citizen, present, reported, doubtful)


def random_design(
    codebook: Codebook,
    seed: int,
    *,
    citizens: int,
    jobcenters: int | None = None,
    responses: tuple[int, int] | None = None,
    weights: Stream | None = None,
) -> Design:
    """Build a random design.

    Parameters
    ----------
    codebook
        Any study's.
    seed
        Seed of the simulation.
    citizens
        Number of citizens.
    jobcenters
        Number of jobcenters; default: the codebook's, or 4 where it lists none.
    responses
        Fewest and most of a citizen; default: two to eight.
    weights
        Draws the sites' shares of the combinations; default: the same for all seeds, so that
        studies and the population that they stand for differ by chance alone.

    Returns
    -------
    Design
        Combinations come in the codebook's shares where it has them for these jobcenters;
        otherwise each treatment is given in about a third of the responses, with differences
        between jobcenters.
    """
    labels = jobcenter_labels(codebook, jobcenters)
    if citizens < len(labels):
        raise SettingsError(f"{citizens} citizens cannot fill {len(labels)} jobcenters; raise them")
    stream = Stream(seed, 10)
    attendance = random_attendance(
        stream, codebook, citizens=citizens, known=KNOWN, responses=responses
    )
    shares = _weights(weights or Stream(SHARES, 12), codebook, labels)
    site = stream.weighted(shares.sum(axis=1), citizens)
    run = runs(stream, attendance.citizen)
    respondent = respondent_positions(codebook)
    answered = attendance.present[:, respondent]
    for place in range(attendance.present.shape[1]):
        columns = np.flatnonzero(respondent == place)
        answered[:, columns] = draw_gaps(
            stream,
            attendance.present[:, place],
            lost=np.full(len(columns), LOST),
            gap_rows=GAP_ROWS,
        )
    return Design(
        codebook=codebook,
        jobcenters=labels,
        citizen=attendance.citizen,
        site=site,
        days=draw_days(stream, attendance.citizen),
        combination=random_combinations(stream, run, site=site[attendance.citizen], weights=shares),
        known=attendance.known,
        doubtful=attendance.doubtful,
        present=attendance.present,
        answered=answered,
    )


def jobcenter_labels(codebook: Codebook, jobcenters: int | None) -> tuple[str, ...]:
    """Labels of the jobcenters: the codebook's as far as they go, else numbers."""
    wanted = jobcenters or len(codebook.jobcenters) or 4
    if wanted <= len(codebook.jobcenters):
        return codebook.jobcenters[:wanted]
    width = len(str(wanted))
    return tuple(f"{number:0{width}d}" for number in range(1, wanted + 1))


def _weights(stream: Stream, codebook: Codebook, labels: tuple[str, ...]) -> Integers:
    """Weights of the combinations by jobcenter, shape (jobcenter, combination)."""
    if codebook.shares and labels == codebook.jobcenters:
        return np.array(codebook.shares, dtype=np.int64)
    treated = [
        [codebook.has_treatment(name, code) for code in codebook.treatment_codes]
        for name in codebook.combinations
    ]
    shares = np.where(treated, TREATED, PERCENT - TREATED).astype(float) / PERCENT
    base = np.rint(1e5 * shares.prod(axis=1)).astype(np.int64)
    return base * (64 + stream.below(128, len(labels), len(base))) // 64 + 1
