"""The design of the calibrated synthetic BIP: every count of the report, exactly."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bipbayes.data.load_codebook import bip_codebook
from bipbayes.errors import SettingsError
from bipbayes.synthetic.attendance import Attendance, calibrated_attendance
from bipbayes.synthetic.dates import draw_days
from bipbayes.synthetic.design import (
    Design,
    first_rows,
    last_rows,
    members,
    previous_rows,
    respondent_positions,
)
from bipbayes.synthetic.gaps import THOUSAND, draw_gaps, fit_complete, fit_counts
from bipbayes.synthetic.published import Published, published
from bipbayes.synthetic.sequences import exact_combinations, exact_sites, runs
from bipbayes.synthetic.solved import jobcenter_table
from bipbayes.synthetic.streams import Stream

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

GAP_ROWS: Final = {"citizen": 75, "caseworker": 330}  # thousandths of responses with gaps
UNANALYSED_LOST: Final = 60  # thousandths of B10 and B11 unanswered


@dataclass(frozen=True)
class _Block:
    """One respondent's questions: their columns, and what Table 1 wants of them."""

    columns: Integers
    answers: Integers
    complete: int
    gap_rows: int


def calibrated_design(seed: int) -> Design:
    """Build the design of the calibrated synthetic BIP.

    Parameters
    ----------
    seed
        Seed of the simulation.

    Returns
    -------
    Design
        Citizens, responses by respondent, progressions by outcome (Table 1), combinations
        (Table 3) exactly, and jobcenters' shares (Table 4) within the printed rounding.

    Raises
    ------
    SettingsError
        A count cannot be reached with this seed.
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
    """Last, analysed responses after a complete one: see `bipbayes.synthetic.gaps`."""
    begin = first_rows(attendance.citizen)
    complete = answered.all(axis=1)
    seen = np.cumsum(complete) - complete
    return repeat & last_rows(attendance.citizen) & (seen - seen[begin] > 0)
