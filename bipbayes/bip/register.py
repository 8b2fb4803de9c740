"""A synthetic register: characteristics of citizens that give the printed Tables 4 to 11.

The printed shares and means are weighted counts of citizens, whose weights are the responses
they have in each group. Every characteristic is drawn so that these come out, the wholes before
their parts (`bipbayes.bip.register_shares`), the amounts in whole units: each citizen's is a tilted
probability of a range; time is counted in whole weeks of the last three years and of the two
years before, and the shares of five years are the sum of the two. All draws come
from one seed, and decisions fall in whole numbers, so the frame is the same on every machine.

Three places of the report contradict themselves (``inconsistencies.csv``):

- X13, number of children: the rows add up to 90 to 95 % in four groups. The register keeps the
  printed shares; a citizen may stand in none of the rows.
- X35, general practitioner: fewer services than weeks with one. Both rows cannot hold, so the
  weeks are as printed and the services as near as they can be, one for each of these weeks.
- X36, penal code: more convicted than charged in O and S. Here every conviction has a charge;
  both shares meet half-way, within half a point of print.

Only X35 puts values out of reach (`register_limits`).
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bipbayes.bip.facts import audit_table, bip_characteristics, fact
from bipbayes.bip.register_shares import (
    Draft,
    Panel,
    draw_shares,
    make_panel,
    printed_values,
    tilted_shares,
)
from bipbayes.data.sample import Floats, Integers
from bipbayes.data.study import Study
from bipbayes.synthetic.simulate import DEFAULT_SEED
from bipbayes.synthetic.streams import NORMAL_BITS, Stream

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
STREAM: Final = 11
"""Label that keeps the register's random numbers apart from those of the responses."""


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

    `panel`: counted responses by citizen and group; `printed`: wanted means by column (parts of 1),
    shape (group,). Returns: shares cut to six decimals; those of a window sum to less than 1.
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


def simulate_characteristics(study: Study, *, seed: int = DEFAULT_SEED) -> pd.DataFrame:
    """Simulate one row a citizen of a study.

    Parameters
    ----------
    study
        Responses with the report's four treatments; synthetic ones, of any size.
    seed
        Whole number; the same seed and study give the same frame, byte for byte.

    Returns
    -------
    pandas.DataFrame
        The citizen's id (under the study's own column name), the 63 columns of
        `bip_characteristics` and ``synthetic`` (1), citizens in order of first appearance.

    Raises
    ------
    SettingsError
        The study has other treatments than the report's tables.
    """
    codebook = bip_characteristics()
    panel = make_panel(study)
    printed = printed_values(panel.groups)
    kinds = {entry.column: entry.kind for entry in codebook.characteristics}
    stream = Stream(seed, STREAM)
    shares = {column: value for column, value in printed.items() if kinds[column] == "share"}
    draft = Draft(stream, panel, shares)
    draw_shares(draft)
    columns: dict[str, object] = {
        name: held.astype(np.int64) for name, held in draft.columns.items()
    }
    columns |= draw_times(stream, panel, printed)
    columns["age"] = draw_ages(stream, panel, printed["age"])
    weeks = draw_weeks(stream, panel, printed["general_practitioner_weeks"])
    # One service for each week with a visit is as near as print allows (X35).
    services = weeks
    fees = draw_fees(stream, panel, printed["general_practitioner_fees"], services=services)
    columns["general_practitioner_weeks"] = weeks.astype(np.int64)
    columns["general_practitioner_services"] = services.astype(np.int64)
    columns["general_practitioner_fees"] = fees.astype(np.int64)
    frame = pd.DataFrame({name: columns[name] for name in codebook.columns})
    frame.insert(0, study.codebook.citizen, list(panel.citizens))
    return frame.assign(synthetic=1)


def register_limits() -> pd.DataFrame:
    """List the printed values that contradict print itself, and what the register does.

    Returns
    -------
    pandas.DataFrame
        ``table``, ``section_en``, ``row_en``, ``group``, ``value`` and ``unit`` (as printed),
        ``inconsistency`` (its id), ``possible`` (whether the printed value still comes out within
        one percentage point, 2 % for amounts), ``reason``; one row a value, in the report's order.
    """
    limits = audit_table("register")
    limits = limits.assign(
        table=limits["table"].astype("int64"),
        possible=limits["possible"] == "yes",
        group=limits["group"].str.split(),
    )
    keys = ["table", "section_en", "row_en", "group"]
    printed = fact("characteristics")[[*keys, "value", "unit"]]
    return printed.merge(limits.explode("group"), on=keys, how="inner", validate="1:1")
