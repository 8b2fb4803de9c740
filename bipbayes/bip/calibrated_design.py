"""The design of the calibrated synthetic BIP: every count of the report, exactly.

Jobcenters and combinations are dealt out like cards without replacement, the longest runs of a
citizen first, so that the last single responses fill every total exactly. Numbers of progressions
are reached on *free* responses: the last of a citizen, analysed, whose earlier responses answer
every question and hold a complete set. There an answer given or withheld changes one count by one
and nothing else.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bipbayes.bip.facts import bip_codebook, fact, jobcenter_table
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Booleans, Integers, group_labels, memberships
from bipbayes.errors import SettingsError
from bipbayes.synthetic.design import (
    DOUBTFUL,
    EXTRA_WEIGHTS,
    LEAST,
    THOUSAND,
    Attendance,
    Design,
    draw_days,
    draw_gaps,
    first_rows,
    last_rows,
    members,
    previous_rows,
    respondent_positions,
    runs,
)
from bipbayes.synthetic.streams import Stream

GAP_ROWS: Final = {"citizen": 75, "caseworker": 330}  # thousandths of responses with gaps
UNANALYSED_LOST: Final = 60  # thousandths of B10 and B11 unanswered
ONLY_CASEWORKER: Final = 260  # occasions on which only the caseworker answers
ANALYSED_BOTH: Final = 7150  # repeat responses of both with known activities; B2 alone has 7027
ANALYSED_CASEWORKER: Final = 180  # of the caseworker alone
KNOWN_AT_FIRST: Final = (3, 4)
ROUNDS: Final = 400
WORD: Final = 64


@dataclass(frozen=True)
class Published:
    """What the report prints on sizes and means.

    Attributes
    ----------
    citizens
        Number of citizens.
    responses
        Responses with any answer of the citizen and of the caseworker, in codebook order.
    answers
        Table 1: number of progressions by outcome.
    thousandths
        Table 1: mean progression by outcome in thousandths of a scale point.
    combinations
        Table 3: analysed responses by combination (those of B1).
    jobcenter_percent
        Table 4: shape (jobcenter, group); groups are the treatments, then no intervention.
    """

    citizens: int
    responses: tuple[int, ...]
    answers: Integers
    thousandths: Integers
    combinations: Integers
    jobcenter_percent: Integers


@cache
def published() -> Published:
    """Read the report's numbers in the order of BIP's codebook."""
    codebook = bip_codebook()
    prose = fact("figures").set_index("key")["value"]
    rows = [fact("indicators"), fact("aggregates")]
    answers = pd.concat(rows).set_index("code").loc[list(codebook.outcomes)]
    table3 = fact("combinations").set_index("combination")["n"]
    return Published(
        citizens=int(prose["citizens"]),
        responses=tuple(int(prose[f"{name}_responses"]) for name in codebook.respondents),
        answers=answers["n_progression"].to_numpy(dtype=np.int64),
        thousandths=np.rint(answers["mean_progression"].to_numpy() * 1000).astype(np.int64),
        combinations=table3.loc[list(codebook.combinations)].to_numpy(dtype=np.int64),
        jobcenter_percent=_jobcenter_percent(codebook),
    )


def _jobcenter_percent(codebook: Codebook) -> Integers:
    table = fact("jobcenters").pivot(index="jobcenter", columns="group", values="percent")
    groups = list(group_labels(codebook))
    return table.loc[list(codebook.jobcenters), groups].to_numpy(dtype=np.int64)


def groups_of_combinations(codebook: Codebook) -> NDArray[np.bool_]:
    """Say which combination belongs to which group, shape (combination, group).

    Groups overlap: ``1010`` belongs to J and to S; only no intervention stands alone.
    """
    return memberships(pd.Series(codebook.combinations), codebook).to_numpy()


@dataclass(frozen=True)
class _Block:
    """One respondent's questions: their columns, and what Table 1 wants of them."""

    columns: Integers
    answers: Integers
    complete: int
    gap_rows: int


def calibrated_design(seed: int) -> Design:
    """Build the design of the calibrated synthetic BIP.

    `seed`: seed of the simulation. Returns: citizens, responses by respondent, progressions by
    outcome (Table 1), combinations (Table 3) exactly, and jobcenters' shares (Table 4) within the
    printed rounding. Raises SettingsError: A count cannot be reached with this seed.
    """
    facts, codebook = published(), bip_codebook()
    attendance = calibrated_attendance(
        Stream(seed, 1),
        citizens=facts.citizens,
        responses=(facts.responses[0], facts.responses[1]),
    )
    answered = _answered(Stream(seed, 2), attendance, facts=facts)
    begin = first_rows(attendance.citizen)
    counted = (previous_rows(answered[:, :1], begin)[:, 0] >= 0) & attendance.known
    table = jobcenter_table()
    totals = table[list(codebook.combinations)].to_numpy(dtype=np.int64)
    site = exact_sites(
        Stream(seed, 3), attendance.citizen, counted=counted, totals=totals.sum(axis=1)
    )
    stream = Stream(seed, 4)
    combination = exact_combinations(
        stream,
        runs(stream, attendance.citizen),
        site=site[attendance.citizen],
        counted=counted,
        totals=totals,
    )
    return Design(
        codebook=codebook,
        jobcenters=codebook.jobcenters,
        citizen=attendance.citizen,
        site=site,
        days=draw_days(Stream(seed, 5), attendance.citizen),
        combination=combination,
        known=attendance.known,
        doubtful=attendance.doubtful,
        present=attendance.present,
        answered=answered,
    )


def _answered(stream: Stream, attendance: Attendance, *, facts: Published) -> Booleans:
    """Which questions are answered, with Table 1's numbers of progressions."""
    codebook = bip_codebook()
    respondent = respondent_positions(codebook)
    answered = attendance.present[:, respondent]
    for place, block in enumerate(_blocks(facts)):
        answered[:, block.columns] = _fitted_block(
            stream, attendance, present=attendance.present[:, place], block=block
        )
    extra = slice(len(codebook.indicators), None)
    answered[:, extra] &= ~stream.happens(UNANALYSED_LOST, THOUSAND, *answered[:, extra].shape)
    return answered


def _blocks(facts: Published) -> list[_Block]:
    """Blocks in the order of the respondents; each average belongs to one respondent."""
    codebook = bip_codebook()
    blocks = []
    for name in codebook.respondents:
        row = next(
            place
            for place, average in enumerate(codebook.averages)
            if codebook.respondent_of(average.code) == name
        )
        columns = members(codebook)[row]
        complete = int(facts.answers[len(codebook.indicators) + row])
        blocks.append(_Block(columns, facts.answers[columns], complete, GAP_ROWS[name]))
    return blocks


def _fitted_block(
    stream: Stream, attendance: Attendance, *, present: Booleans, block: _Block
) -> Booleans:
    begin = first_rows(attendance.citizen)
    repeat = (begin != np.arange(len(begin))) & attendance.known & present
    most = int(repeat.sum())
    lost = (most - block.answers) * THOUSAND // most
    answered = draw_gaps(stream, present, lost=lost, gap_rows=block.gap_rows)
    free = _free_rows(attendance, answered, repeat=repeat)
    counts = _progressions(attendance, answered)
    answered = fit_counts(stream, answered, free=free, surplus=counts[:-1] - block.answers)
    counts = _progressions(attendance, answered)
    answered = fit_complete(stream, answered, free=free, surplus=int(counts[-1]) - block.complete)
    if (_progressions(attendance, answered) != [*block.answers, block.complete]).any():
        raise SettingsError("the numbers of progressions of Table 1 were not reached")
    return answered


def _with_complete(answered: Booleans) -> Booleans:
    """Add one more column: the set is complete."""
    return np.column_stack([answered, answered.all(axis=1)])


def _progressions(attendance: Attendance, answered: Booleans) -> Integers:
    """Count analysed progressions by question, and of the complete set."""
    previous = previous_rows(_with_complete(answered), first_rows(attendance.citizen))
    return np.asarray(((previous >= 0) & attendance.known[:, None]).sum(axis=0))


def _free_rows(attendance: Attendance, answered: Booleans, *, repeat: Booleans) -> Booleans:
    """Last, analysed responses after a complete one: see the module."""
    begin = first_rows(attendance.citizen)
    complete = answered.all(axis=1)
    seen = np.cumsum(complete) - complete
    return repeat & last_rows(attendance.citizen) & (seen - seen[begin] > 0)


def calibrated_attendance(
    stream: Stream, *, citizens: int, responses: tuple[int, int]
) -> Attendance:
    """Draw the occasions of BIP with exact totals.

    `citizens`: number of citizens, each with at least two responses of both respondents;
    `responses`: number of responses of citizens and of caseworkers.
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


def deal(stream: Stream, weights: Integers, *, totals: Integers) -> Integers:
    """Deal weighted items out to boxes so that the weights in each box sum to its total.

    `weights`: whole numbers from 0; there must be enough ones to fill up; `totals`: one for each
    box, with the same sum as the weights. Returns: box by item, drawn in proportion to the room
    left; -1 for items too heavy for any box that is left (the caller splits them).
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


def exact_sites(
    stream: Stream, citizen: Integers, *, counted: Booleans, totals: Integers
) -> Integers:
    """Deal jobcenters to citizens, with exact totals of counted responses.

    `citizen`: citizen by response; `counted`: the responses that the totals count; `totals`:
    counted responses by jobcenter.
    """
    weights = np.bincount(citizen, weights=counted).astype(np.int64)
    return deal(stream, weights, totals=totals)


def exact_combinations(
    stream: Stream, run: Integers, *, site: Integers, counted: Booleans, totals: Integers
) -> Integers:
    """Deal combinations to responses, with exact totals of counted responses.

    `run`: run by response; `site`: jobcenter by response; `counted`: the responses that the totals
    count; `totals`: shape (jobcenter, combination).
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


def fit_counts(
    stream: Stream, answered: Booleans, *, free: Booleans, surplus: Integers
) -> Booleans:
    """Give or withhold answers on free responses until every question's count fits.

    `answered`: shape (response, question); `free`: responses that may be changed; `surplus`:
    progressions too many by question (negative: too few).
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
