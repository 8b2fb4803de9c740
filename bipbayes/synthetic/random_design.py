"""The design of a study of any shape: random numbers, nothing calibrated."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bipbayes.data.codebook import Codebook
from bipbayes.errors import SettingsError
from bipbayes.synthetic.attendance import random_attendance
from bipbayes.synthetic.dates import draw_days
from bipbayes.synthetic.design import Design, respondent_positions
from bipbayes.synthetic.gaps import draw_gaps
from bipbayes.synthetic.sequences import random_combinations, runs
from bipbayes.synthetic.streams import Stream

Integers = NDArray[np.int64]

SHARES: Final = 0
KNOWN: Final = (3, 4)
LOST: Final = 80  # thousandths of answers
GAP_ROWS: Final = 250  # thousandths of responses in which they are lost
TREATED: Final = 35  # percent of responses with a treatment, where the codebook gives no shares
PERCENT: Final = 100


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
    for place in range(len(codebook.respondents)):
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
