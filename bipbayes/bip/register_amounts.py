"""The register's amounts and shares of time, in whole units: days, weeks and kroner.

Each citizen's amount is a tilted probability (`register_tilt`) of a range, so that means by
group come out up to rounding. Time is counted in whole weeks of the last three years and of the
two years before, and the shares of five years are the sum of the two.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bipbayes.bip.register_panel import Panel
from bipbayes.bip.register_tilt import tilted_shares
from bipbayes.synthetic.streams import NORMAL_BITS, Stream

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

AGES: Final = (18.0, 66.0)
AGE_SPREAD: Final = 1.1  # of the logit
HUNDREDTHS: Final = 100
YEAR_WEEKS: Final = 52
WEEKS_SPREAD: Final = 0.9
FEES: Final = (60.0, 240.0)  # kroner a service
FEES_SPREAD: Final = 0.5
STATES: Final = (
    "employed",
    "self_supporting",
    "education",
    "social_assistance",
    "sickness_benefit",
)
TIME_SPREAD: Final = 2.0  # citizens spend their time in few of the states
TIME_KEPT: Final = 0.8  # part of that spread which both periods share
MILLIONTHS: Final = 10**6


def draw_ages(stream: Stream, panel: Panel, printed: Floats) -> Floats:
    """Draw ages in years with two decimals."""
    noise = AGE_SPREAD * _normals(stream, len(panel.citizens), 1)
    ages = _in_range(panel.counts, printed, limits=AGES, noise=noise)
    return np.asarray(np.rint(ages * HUNDREDTHS) / HUNDREDTHS)


def draw_weeks(stream: Stream, panel: Panel, printed: Floats) -> Floats:
    """Draw whole weeks with a visit to the general practitioner, out of a year's."""
    noise = WEEKS_SPREAD * _normals(stream, len(panel.citizens), 1)
    limits = (0.0, float(YEAR_WEEKS))
    return np.asarray(np.rint(_in_range(panel.counts, printed, limits=limits, noise=noise)))


def draw_fees(stream: Stream, panel: Panel, printed: Floats, *, services: Floats) -> Floats:
    """Draw whole kroner in proportion to the services."""
    noise = FEES_SPREAD * _normals(stream, len(services), 1)
    counts = panel.counts * services[:, None]
    # The mean fee a service within each group, weighted by services.
    mean = printed * panel.total / np.maximum(counts.sum(axis=0), 1.0)
    return np.asarray(np.rint(_in_range(counts, mean, limits=FEES, noise=noise) * services))


def draw_times(stream: Stream, panel: Panel, printed: dict[str, Floats]) -> dict[str, Floats]:
    """Draw shares of time in the last three and five years, by column.

    Parameters
    ----------
    stream
        Source of randomness.
    panel
        Counted responses by citizen and group.
    printed
        Wanted means by column (parts of 1), shape (group,).

    Returns
    -------
    dict
        Shares cut to six decimals; those of a window sum to less than 1.
    """
    recent = np.array([printed[f"{state}_three_years"] for state in STATES])
    whole = np.array([printed[f"{state}_five_years"] for state in STATES])
    # Five years are the last three and the two before.
    earlier = np.maximum((5 * whole - 3 * recent) / 2, 0.0)
    size = len(panel.citizens)
    kept = TIME_KEPT * TIME_SPREAD * _normals(stream, size, len(STATES))
    own = np.sqrt(1 - TIME_KEPT**2) * TIME_SPREAD
    weeks = [
        _weeks(panel, means, noise=kept + own * _normals(stream, size, len(STATES)), length=length)
        for means, length in ((recent, 3 * YEAR_WEEKS), (earlier, 2 * YEAR_WEEKS))
    ]
    columns = {}
    for place, state in enumerate(STATES):
        three, two = weeks[0][:, place], weeks[1][:, place]
        columns[f"{state}_five_years"] = _share(three + two, 5 * YEAR_WEEKS)
        columns[f"{state}_three_years"] = _share(three, 3 * YEAR_WEEKS)
    return columns


def _weeks(panel: Panel, means: Floats, *, noise: Floats, length: int) -> Integers:
    """Whole weeks in each state, at least one left for other states; shape (citizen, state)."""
    rest = np.maximum(1 - means.sum(axis=0), 0.01)
    base = np.log((means / rest).mean(axis=1)) + noise
    counts = panel.counts.astype(float)
    shares = tilted_shares(base, counts, targets=means * panel.total)
    edges = np.rint(np.cumsum(shares, axis=1) * length).astype(np.int64)
    edges = np.minimum(edges, length - 1)
    return np.asarray(np.diff(edges, axis=1, prepend=0))


def _share(weeks: Integers, length: int) -> Floats:
    return np.asarray((weeks * MILLIONTHS // length) / MILLIONTHS)


def _in_range(
    counts: NDArray[np.number], means: Floats, *, limits: tuple[float, float], noise: Floats
) -> Floats:
    """Amounts between two limits with the wanted means by group, weighted by `counts`."""
    low, high = limits
    place = (means - low) / (high - low)
    middle = float(np.clip(place.mean(), 0.01, 0.99))
    base = np.log(middle / (1 - middle)) + noise
    weights = np.asarray(counts, dtype=float)
    shares = tilted_shares(base, weights, targets=(place * weights.sum(axis=0))[None, :])
    return np.asarray(low + (high - low) * shares[:, 0])


def _normals(stream: Stream, *shape: int) -> Floats:
    return np.asarray(stream.normals(*shape) / 2.0**NORMAL_BITS)
