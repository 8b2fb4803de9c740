"""Simulated responses of any study, with known truth."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd

from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Floats, Integers
from bipbayes.errors import SettingsError
from bipbayes.synthetic.design import Design, respondent_positions
from bipbayes.synthetic.frame import responses_frame, tick_boxes
from bipbayes.synthetic.latent import Process, draw_answers
from bipbayes.synthetic.random_design import random_design
from bipbayes.synthetic.streams import NORMAL_BITS, Stream
from bipbayes.synthetic.truth import PAIRS, expected_progression, shifted, truth_frame

DEFAULT_SEED: Final = 1
NEXT_PART: Final = 1 << 48
TYPICAL_SD: Final = 0.96  # of changes under the default process, in points of a scale 1 to 5
MEAN_CHANGE: Final = 0.02
DEFAULT_PROCESS: Final = Process()
STATEMENT: Final = (
    "Synthetic data with effects drawn from a hierarchical model. No citizen stands behind them; "
    "their truth is known."
)


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
    responses
        One row a response in the file's format, with a column ``synthetic`` of ones.
    design
        Citizens, occasions and activities, also where the file does not tell them.
    drift
        Expected latent change in scale points, shape (combination, jobcenter, indicator).
    process
        Sizes of the latent parts.
    seed, part
        As asked for.
    description
        Everything that was set, for the run's record.
    """

    responses: pd.DataFrame
    design: Design
    drift: Floats
    process: Process
    seed: int
    part: int
    description: Mapping[str, Any] = field(default_factory=dict)

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
            self.design, self.drift, process=self.process, seed=self.seed, pairs=pairs
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
    sds: EffectSds = DEFAULT_SDS,
    process: Process = DEFAULT_PROCESS,
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
    sds
        Standard deviations of the effects.
    process
        Sizes of levels and noise.

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
        Stream(seed, 8), codebook, jobcenters=len(design.jobcenters), sds=sds
    )
    drift = MEAN_CHANGE + TYPICAL_SD * effects
    answers = draw_answers(Stream(own_seed, 7), design, drift=drift, process=process)
    return Simulation(
        responses=ticked_responses(design, answers, seed=seed, part=part),
        design=design,
        drift=drift,
        process=process,
        seed=seed,
        part=part,
        description={
            **description("hierarchical", design, seed=seed, sds=sds, process=process),
            "statement": STATEMENT,
        },
    )


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


def ticked_responses(design: Design, answers: Integers, *, seed: int, part: int) -> pd.DataFrame:
    """Tick the boxes that say the combinations and write answers in the file's format."""
    boxes = tick_boxes(Stream(part_seed(seed, part), 6), design)
    return responses_frame(design, answers, boxes, before=part * len(design.site))


def description(
    effects: str, design: Design, *, seed: int, sds: EffectSds, process: Process
) -> dict[str, Any]:
    """Say what was set and how large the simulation is."""
    return {
        "effects": effects,
        "seed": seed,
        "study": design.codebook.name,
        "citizens": len(design.site),
        "responses": len(design.citizen),
        "jobcenters": len(design.jobcenters),
        "effect_sds": asdict(sds),
        "process": asdict(process),
    }
