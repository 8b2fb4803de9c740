"""Simulated responses of any study, with known truth."""

import io
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bipbayes.data.checks import SYNTHETIC_COLUMN
from bipbayes.data.codebook import DO_NOT_KNOW, NO_TREATMENT, Codebook
from bipbayes.data.columns import role_columns
from bipbayes.data.sample import Booleans, Floats, Integers
from bipbayes.errors import DataError, SettingsError
from bipbayes.synthetic.design import Design, random_design, respondent_positions
from bipbayes.synthetic.latent import Process, draw_answers
from bipbayes.synthetic.streams import NORMAL_BITS, Stream
from bipbayes.synthetic.truth import PAIRS, expected_progression, shifted, truth_frame

EMPTY: Final = -1
SWITCH: Final = (1, 5)  # another activity of the same treatment than the citizen's usual one
SECOND: Final = (1, 6)  # each further box of a treatment
BESIDE: Final = (1, 100)  # "don't know" ticked beside an activity


def tick_boxes(stream: Stream, design: Design) -> dict[str, Integers]:
    """Tick the codebook's boxes.

    Parameters
    ----------
    stream
        Source of randomness.
    design
        Combinations, and where they are known.

    Returns
    -------
    dict
        Column name to 0, 1 or `EMPTY` (no such answer) by response, in codebook order.
        Where activities are known, the boxes say exactly the combination; where not,
        nothing is ticked, or only "don't know".
    """
    codebook = design.codebook
    boxes = {
        activity.column: np.zeros(len(design.citizen), dtype=np.int64)
        for activity in codebook.activities
    }
    for treatment in codebook.treatments:
        given = _treated(codebook, treatment.code)[design.combination] & design.known
        _tick_treatment(stream, design, given, boxes={c: boxes[c] for c in treatment.columns})
    untreated = design.known & (design.combination == 0)
    for column in role_columns(codebook, NO_TREATMENT):
        boxes[column][untreated] = 1
    doubtful = design.doubtful | (
        design.known & ~untreated & stream.happens(*BESIDE, len(design.citizen))
    )
    for column in role_columns(codebook, DO_NOT_KNOW):
        boxes[column][doubtful] = 1
    silent = ~design.present[:, -1]
    if not role_columns(codebook, NO_TREATMENT):  # zeros everywhere would mean no treatment
        silent = silent | ~design.known
    for ticks in boxes.values():
        ticks[silent] = EMPTY
    return boxes


def _treated(codebook: Codebook, treatment: str) -> Booleans:
    return np.array([codebook.has_treatment(name, treatment) for name in codebook.combinations])


def _tick_treatment(
    stream: Stream, design: Design, given: Booleans, *, boxes: dict[str, Integers]
) -> None:
    """Tick the citizen's usual box of a treatment, at times another one, at times several."""
    rows, columns = len(given), list(boxes)
    usual = stream.weighted(np.arange(len(columns), 0, -1) + 1, len(design.site))
    other = stream.below(len(columns), rows)
    main = np.where(stream.happens(*SWITCH, rows), other, usual[design.citizen])
    for place, column in enumerate(columns):
        ticked = (main == place) | stream.happens(*SECOND, rows)
        boxes[column][given & ticked] = 1


def responses_frame(
    design: Design, answers: Integers, boxes: dict[str, Integers], *, before: int = 0
) -> pd.DataFrame:
    """Build the wide table: one row a response, ordered by citizen and date.

    Parameters
    ----------
    design
        Gives citizens, jobcenters, dates and which questions are answered.
    answers
        Shape (response, question).
    boxes
        Tick boxes by column.
    before
        Citizens of other parts, who come first.
    """
    codebook = design.codebook
    ids = np.array([f"C{before + number:05d}" for number in range(1, len(design.site) + 1)])
    labels = np.array(design.jobcenters)
    days = pd.Series(design.days.astype("datetime64[D]").astype("datetime64[s]"))
    columns: dict[str, object] = {
        codebook.citizen: pd.array(ids[design.citizen], dtype="str"),
        codebook.jobcenter: pd.array(labels[design.site[design.citizen]], dtype="str"),
        # As the codebook says that the file writes them: it must read its own data.
        codebook.date: days.dt.strftime(codebook.dates) if codebook.dates else days,
    }
    entries = (*codebook.indicators, *codebook.unanalysed)
    # Each respondent's questions stand together: B1-B11, then S2-S12.
    for place in np.argsort(respondent_positions(codebook), kind="stable"):
        entry = entries[place]
        given = answers[:, place]
        if entry.reverse:  # a file holds what was ticked; reading turns it
            given = sum(codebook.scale) - given
        columns[entry.column] = _whole(given, ~design.answered[:, place])
    for column, ticks in boxes.items():
        columns[column] = _whole(ticks, ticks == EMPTY)
    columns[SYNTHETIC_COLUMN] = np.ones(len(design.citizen), dtype=np.int64)
    return pd.DataFrame(columns)


def _whole(values: Integers, empty: NDArray[np.bool_]) -> pd.arrays.IntegerArray:
    return pd.arrays.IntegerArray(values.astype(np.int64), empty.copy())


def csv_text(frame: pd.DataFrame) -> str:
    """Return the table as CSV; the same text for the same table everywhere."""
    stream = io.StringIO()
    frame.to_csv(stream, index=False, lineterminator="\n", date_format="%Y-%m-%d")
    return stream.getvalue()


def write_responses(frame: pd.DataFrame, path: Path) -> None:
    """Write responses as CSV (the same bytes everywhere) or Parquet, by the suffix.

    Raises
    ------
    DataError
        Another suffix.
    """
    if path.suffix.lower() == ".csv":
        path.write_bytes(csv_text(frame).encode("utf-8"))
    elif path.suffix.lower() == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        raise DataError(f"{path.name}: responses are written as .csv or .parquet; choose one")


DEFAULT_SEED: Final = 1
NEXT_PART: Final = 1 << 48
TYPICAL_SD: Final = 0.96  # of changes under the default process, in points of a scale 1 to 5
MEAN_CHANGE: Final = 0.02
DEFAULT_PROCESS: Final = Process()


@dataclass(frozen=True)
class EffectSds:
    """Standard deviations of the hierarchical effects, in standard deviations of progression.

    The terms are those of ``bipbayes/docs/statistics/model.md``, each drawn from a normal
    distribution.
    """

    combination: float = 0.08
    combination_respondent: float = 0.03
    combination_indicator: float = 0.05
    combination_jobcenter: float = 0.07
    jobcenter: float = 0.05
    jobcenter_indicator: float = 0.04


DEFAULT_SDS: Final = EffectSds()


def hierarchical_effects(
    stream: Stream, codebook: Codebook, *, jobcenters: int, sds: EffectSds
) -> Floats:
    """Draw effects from the hierarchical model.

    Returns
    -------
    numpy.ndarray
        Shape (combination, jobcenter, indicator). These move latent levels; what answers on
        a scale show of them is the simulation's `truth`.
    """
    indicators, combinations = len(codebook.indicators), len(codebook.combinations)
    respondent = respondent_positions(codebook)[:indicators]
    views = len(codebook.respondents)

    def draw(sd: float, *shape: int) -> Floats:
        return np.asarray(sd * (stream.normals(*shape) / 2.0**NORMAL_BITS))

    common = draw(sds.combination, combinations, 1, 1)
    view = draw(sds.combination_respondent, combinations, 1, views)[:, :, respondent]
    own = draw(sds.combination_indicator, combinations, 1, indicators)
    local = draw(sds.combination_jobcenter, combinations, jobcenters, 1)
    level = draw(sds.jobcenter, 1, jobcenters, 1)
    profile = draw(sds.jobcenter_indicator, 1, jobcenters, indicators)
    return common + view + own + local + level + profile


@dataclass(frozen=True)
class Simulation:
    """Simulated responses and how they came about.

    Attributes
    ----------
    design
        Citizens, occasions and activities, also where the file does not tell them.
    answers
        Shape (response, question).
    drift
        Expected latent change in scale points, shape (combination, jobcenter, indicator).
    seed, part
        As asked for.
    """

    effects: ClassVar[str] = "hierarchical"
    statement: ClassVar[str] = (
        "Synthetic data with effects drawn from a hierarchical model. No citizen stands behind "
        "them; their truth is known."
    )

    design: Design
    answers: Integers
    drift: Floats
    seed: int
    part: int

    @cached_property
    def responses(self) -> pd.DataFrame:
        """One row a response in the file's format, with a column ``synthetic`` of ones."""
        boxes = tick_boxes(Stream(part_seed(self.seed, self.part), 6), self.design)
        before = self.part * len(self.design.site)
        return responses_frame(self.design, self.answers, boxes, before=before)

    @property
    def description(self) -> dict[str, Any]:
        """Everything that was set and how large the simulation is, for the run's record."""
        return {
            "effects": self.effects,
            "seed": self.seed,
            "study": self.design.codebook.name,
            "citizens": len(self.design.site),
            "responses": len(self.design.citizen),
            "jobcenters": len(self.design.jobcenters),
            "effect_sds": asdict(DEFAULT_SDS),
            "process": asdict(DEFAULT_PROCESS),
            "statement": self.statement,
        }

    @cached_property
    def truth(self) -> pd.DataFrame:
        """Expected standardised progression of each cell; see `simulate_truth`."""
        return self.simulate_truth()

    def simulate_truth(self, *, pairs: int = PAIRS) -> pd.DataFrame:
        """Compute what estimates from the simulation estimate, by large Monte Carlo.

        Parameters
        ----------
        pairs
            Mirrored pairs of replicates of the whole data set.

        Returns
        -------
        pandas.DataFrame
            Long: outcome, combination, jobcenter, estimand (``effect``: over the jobcenters as
            observed; ``jobcenter``), value in standard deviations of progression, mcse.
        """
        expected = expected_progression(
            self.design, self.drift, process=DEFAULT_PROCESS, seed=self.seed, pairs=pairs
        )
        targets = self.targets
        return truth_frame(self.design, expected if targets is None else shifted(expected, targets))

    @property
    def targets(self) -> Floats | None:
        """Effects by outcome and combination that the answers were moved to, if they were."""
        return None


def simulate(
    codebook: Codebook,
    *,
    citizens: int,
    jobcenters: int | None = None,
    seed: int = DEFAULT_SEED,
    part: int = 0,
) -> Simulation:
    """Simulate responses with effects drawn from the hierarchical model.

    Parameters
    ----------
    codebook
        A study of any shape.
    citizens, jobcenters
        Size; the jobcenters are the codebook's by default.
    seed
        The same seed gives the same bytes on every machine.
    part
        Which part of a simulation of several times the size: a data set of its own citizens,
        with the same effects, sites and sizes, whatever the number of parts.

    Returns
    -------
    Simulation

    Raises
    ------
    SettingsError
        Settings that contradict each other.
    """
    own_seed = part_seed(seed, part)
    design = random_design(
        codebook, own_seed, citizens=citizens, jobcenters=jobcenters, weights=Stream(seed, 12)
    )
    effects = hierarchical_effects(
        Stream(seed, 8), codebook, jobcenters=len(design.jobcenters), sds=DEFAULT_SDS
    )
    drift = MEAN_CHANGE + TYPICAL_SD * effects
    answers = draw_answers(Stream(own_seed, 7), design, drift=drift, process=DEFAULT_PROCESS)
    return Simulation(design, answers, drift, seed, part)


def part_seed(seed: int, part: int) -> int:
    """Return the seed of a part's own citizens, far from those of the others.

    Raises
    ------
    SettingsError
        A negative seed or part.
    """
    if seed < 0:
        raise SettingsError(f"seed={seed} is negative; use a whole number from 0")
    if part < 0:
        raise SettingsError(f"part={part} is negative; parts are counted from 0")
    return seed + part * NEXT_PART
