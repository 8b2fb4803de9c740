"""Latent levels and the answers cut from them, in whole-number arithmetic.

Citizen i, occasion t, question k of respondent r, in scale points:

    answer[i,t,k]  = round(level[i,k] + walk[i,t,k] + noise[i,t,k]), cut to the scale
    level[i,k]     = middle[k] + person[i] + view[i,r] + own[i,k]
    walk[i,t,k]    = walk[i,t-1,k] + step[i,t,k] + drift[combination, jobcenter, k]
                     + slope * (weeks since the last response - their mean)
    noise[i,t,k]   = steadiness[i,r] * (mood[i,t] + impression[i,t,r] + error[i,t,k])

Everything random is normal (steadiness log-normal, mean square 1). `drift` carries the effects
of combinations and jobcenters on change. This is not the model that is fitted: levels are
measured with error, answers are cut to the scale, and changes are not normal.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from bipbayes.data.sample import Floats, Integers
from bipbayes.synthetic.design import Design, first_rows, respondent_positions
from bipbayes.synthetic.streams import (
    NORMAL_BITS,
    Stream,
    normal_quantiles,
    normal_table,
    quantised,
)

COEFFICIENT_BITS: Final = 8
POINT_BITS: Final = NORMAL_BITS + COEFFICIENT_BITS  # one scale point is 2**20
MEAN_GAP: Final = 151  # days
REFERENCE_WIDTH: Final = 4  # sizes below are for a scale of 1 to 5


@dataclass(frozen=True)
class Process:
    """Standard deviations of the latent process in 256ths of a scale point.

    The defaults give changes with a standard deviation near 0.95 points, correlated 0.25
    within a respondent, and 8 to 12 % of unchanged averages.
    """

    person: int = 80
    view: int = 120
    own: int = 160
    step: int = 40
    mood: int = 60
    impression: int = 84
    error: int = 150
    steadiness: tuple[float, ...] = (0.66, 0.78)  # sd of the logarithm, by respondent in turn
    slope: int = -3  # change by week


@cache
def steadiness_table(spread: float) -> Integers:
    """Log-normal factors with mean square one at the normal table's quantiles, in 256ths."""
    return quantised(np.exp(spread * normal_quantiles() - spread**2), bits=COEFFICIENT_BITS)


def middles(questions: int) -> Integers:
    """Middle of each question relative to the scale's, in 256ths of a point: -0.3 to 0.3."""
    return ((np.arange(questions) * 5) % 9 - 4) * 19


def draw_answers(stream: Stream, design: Design, *, drift: Floats, process: Process) -> Integers:
    """Draw all answers, also where the design leaves a question unanswered.

    Parameters
    ----------
    stream
        Source of randomness.
    design
        Who answers what and when.
    drift
        Expected change in scale points, shape (combination, jobcenter, indicator).
    process
        Sizes of the latent parts.

    Returns
    -------
    numpy.ndarray
        Whole numbers on the codebook's scale, shape (response, question).
    """
    respondent = respondent_positions(design.codebook)
    rows, questions = design.answered.shape
    latent = _levels(stream, design, respondent, process=process)[design.citizen]
    latent += _walk(stream, design, process=process)
    latent[:, : drift.shape[2]] += _drifts(design, drift)
    latent += _noise(stream, design, respondent, process=process)
    low, high = design.codebook.scale
    width = high - low
    # Middle of the scale in half points, so that it is whole; + half a point to round.
    position = (latent * width) // REFERENCE_WIDTH + ((low + high + 1) << (POINT_BITS - 1))
    return np.asarray(np.clip(position >> POINT_BITS, low, high)).reshape(rows, questions)


def _levels(stream: Stream, design: Design, respondent: Integers, *, process: Process) -> Integers:
    citizens, views = len(design.site), int(respondent.max()) + 1
    person = process.person * stream.normals(citizens, 1)
    view = process.view * stream.normals(citizens, views)[:, respondent]
    own = process.own * stream.normals(citizens, len(respondent))
    return person + view + own + (middles(len(respondent)) << NORMAL_BITS)


def _walk(stream: Stream, design: Design, *, process: Process) -> Integers:
    """Random steps since the first response."""
    steps = process.step * stream.normals(*design.answered.shape)
    return _since_first(steps, first_rows(design.citizen))


def _drifts(design: Design, drift: Floats) -> Integers:
    """Add expected changes up since the first response."""
    begin = first_rows(design.citizen)
    table = quantised(drift, bits=POINT_BITS)
    return _since_first(table[design.combination, design.site[design.citizen]], begin)


def weeks_shift(design: Design, process: Process) -> Integers:
    """Part of the walk that follows the time since the last response, by response."""
    begin = first_rows(design.citizen)
    gaps = np.diff(design.days, prepend=design.days[0]) - MEAN_GAP
    gaps[begin == np.arange(len(begin))] = 0
    steps = (process.slope * gaps * (1 << NORMAL_BITS)) // 7
    return _since_first(steps[:, None], begin)


def _noise(stream: Stream, design: Design, respondent: Integers, *, process: Process) -> Integers:
    rows, questions = design.answered.shape
    views = int(respondent.max()) + 1
    words = stream.below(len(normal_table()), len(design.site), views)
    spreads = [process.steadiness[view % len(process.steadiness)] for view in range(views)]
    factors = [steadiness_table(spread)[words[:, view]] for view, spread in enumerate(spreads)]
    steadiness = np.column_stack(factors)[design.citizen][:, respondent]
    mood = process.mood * stream.normals(rows, 1)
    impression = process.impression * stream.normals(rows, views)[:, respondent]
    error = process.error * stream.normals(rows, questions)
    noise = (steadiness * (mood + impression + error)) >> COEFFICIENT_BITS
    return noise + weeks_shift(design, process)


def _since_first(steps: Integers, begin: Integers) -> Integers:
    """Add steps up within citizens, leaving out each citizen's first row."""
    total = np.cumsum(steps, axis=0)
    return np.asarray(total - total[begin])
