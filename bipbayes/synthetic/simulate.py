"""Simulated responses: the calibrated synthetic BIP, or any study with known truth."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bipbayes.data.codebook import Codebook
from bipbayes.data.load_codebook import bip_codebook
from bipbayes.errors import SettingsError
from bipbayes.synthetic.activities import tick_boxes
from bipbayes.synthetic.calibrated_design import calibrated_design
from bipbayes.synthetic.design import Design
from bipbayes.synthetic.effects import EffectSds, calibrated_effects, hierarchical_effects
from bipbayes.synthetic.frame import responses_frame, write_frame
from bipbayes.synthetic.latent import Process, draw_answers
from bipbayes.synthetic.published import published
from bipbayes.synthetic.random_design import random_design
from bipbayes.synthetic.repair import repair
from bipbayes.synthetic.solved import nominal_sd, stored_truth, target_effects
from bipbayes.synthetic.streams import Stream
from bipbayes.synthetic.sums import divisors, sum_changes, wanted_totals
from bipbayes.synthetic.truth import PAIRS, expected_progression, shifted, truth_frame
from bipbayes.synthetic.verify import verify_calibration

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Effects = Literal["calibrated", "hierarchical"]

DEFAULT_SEED: Final = 1
KINDS: Final[tuple[Effects, ...]] = ("calibrated", "hierarchical")
ATTEMPTS: Final = 8
NEXT_ATTEMPT: Final = 1 << 40  # far from any seed that is asked for
NEXT_PART: Final = 1 << 48
REPAIRS: Final = 2  # the first moves the standard deviations a little, the second settles
TYPICAL_SD: Final = 0.96  # of changes under the default process, in points of a scale 1 to 5
MEAN_CHANGE: Final = 0.02
DEFAULT_SDS: Final = EffectSds()
DEFAULT_PROCESS: Final = Process()
STATEMENT: Final = {
    "calibrated": (
        "Synthetic data, built to agree with the numbers and statements of the 2017 BIP report. "
        "No citizen stands behind them; they prove nothing about Denmark."
    ),
    "hierarchical": (
        "Synthetic data with effects drawn from a hierarchical model. No citizen stands behind "
        "them; their truth is known."
    ),
}


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
    effects
        ``calibrated`` or ``hierarchical``.
    seed, part
        As asked for.
    description
        Everything that was set, for the run's record.
    """

    responses: pd.DataFrame
    design: Design
    drift: Floats
    process: Process
    effects: Effects
    seed: int
    part: int
    description: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def truth(self) -> pd.DataFrame:
        """Expected standardised progression of each cell; see `simulate_truth`.

        Package data for the default calibrated simulation, else computed when first asked.
        """
        if self.effects == "calibrated" and (self.seed, self.part) == (DEFAULT_SEED, 0):
            return stored_truth()
        return simulate_truth(self)


def simulate(
    *,
    seed: int = DEFAULT_SEED,
    effects: Effects = "calibrated",
    part: int = 0,
    codebook: Codebook | None = None,
    n_citizens: int | None = None,
    n_jobcenters: int | None = None,
    sds: EffectSds = DEFAULT_SDS,
    process: Process = DEFAULT_PROCESS,
) -> Simulation:
    """Simulate responses.

    Parameters
    ----------
    seed
        The same seed gives the same bytes on every machine.
    effects
        ``"calibrated"``: BIP as the report prints it (Tables 1, 3, 4 and its statements on
        Figures 3 to 24). ``"hierarchical"``: effects drawn from the hierarchical model, any
        shape of study, truth known.
    part
        Which part of a simulation of several times the size: a data set of its own citizens,
        with the same effects, sites and sizes, whatever the number of parts.
    codebook
        Default BIP's; another one only with hierarchical effects.
    n_citizens, n_jobcenters
        Size, with hierarchical effects only; default BIP's number of citizens and the
        codebook's jobcenters.
    sds
        Standard deviations of the effects; the calibrated data use those over jobcenters.
    process
        Sizes of levels and noise.

    Returns
    -------
    Simulation

    Raises
    ------
    SettingsError
        Settings that contradict each other, or a published number that a seed cannot reach.
    """
    codebook = codebook or bip_codebook()
    _check(codebook, effects=effects, seed=seed, part=part, sizes=(n_citizens, n_jobcenters))
    own_seed = seed + part * NEXT_PART
    if effects == "calibrated":
        drift = _calibrated_drift(codebook, sds)
        design, answers = _calibrated(drift, seed=own_seed, process=process)
    else:
        design = random_design(
            codebook,
            own_seed,
            citizens=n_citizens or published().citizens,
            jobcenters=n_jobcenters,
            weights=Stream(seed, 12),
        )
        drift = _hierarchical_drift(design, seed=seed, sds=sds)
        answers = draw_answers(Stream(own_seed, 7), design, drift=drift, process=process)
    boxes = tick_boxes(Stream(own_seed, 6), design)
    settings = {"effects": effects, "seed": seed, "study": codebook.name}
    sizes = {"citizens": len(design.site), "responses": len(design.citizen)}
    sizes["jobcenters"] = len(design.jobcenters)
    parts = {"effect_sds": asdict(sds), "process": asdict(process)}
    return Simulation(
        responses=responses_frame(design, answers, boxes, before=part * len(design.site)),
        design=design,
        drift=drift,
        process=process,
        effects=effects,
        seed=seed,
        part=part,
        description={**settings, **sizes, **parts, "statement": STATEMENT[effects]},
    )


def simulate_truth(simulation: Simulation, *, pairs: int = PAIRS) -> pd.DataFrame:
    """Compute what estimates from a simulation estimate, by large Monte Carlo.

    Parameters
    ----------
    simulation
        Result of `simulate`.
    pairs
        Mirrored pairs of replicates of the whole data set.

    Returns
    -------
    pandas.DataFrame
        Long: outcome, combination, jobcenter, estimand (``effect``: over the jobcenters as
        observed; ``jobcenter``), value in standard deviations of progression, mcse.
    """
    expected = expected_progression(
        simulation.design,
        simulation.drift,
        process=simulation.process,
        seed=simulation.seed,
        pairs=pairs,
    )
    if simulation.effects == "calibrated":
        expected = shifted(expected, target_effects().to_numpy())
    return truth_frame(simulation.design, expected)


def write_responses(simulation: Simulation, path: Path) -> None:
    """Write the responses as CSV (the same bytes everywhere) or Parquet, by the suffix."""
    write_frame(simulation.responses, path)


def _check(
    codebook: Codebook, *, effects: str, seed: int, part: int, sizes: tuple[int | None, int | None]
) -> None:
    if effects not in KINDS:
        raise SettingsError(f"effects={effects!r} is unknown; allowed: {', '.join(KINDS)}")
    if seed < 0:
        raise SettingsError(f"seed={seed} is negative; use a whole number from 0")
    if part < 0:
        raise SettingsError(f"part={part} is negative; parts are counted from 0")
    if effects == "calibrated" and not codebook.is_bip:
        raise SettingsError(
            f"only BIP is calibrated, not {codebook.name!r}; use effects='hierarchical'"
        )
    if effects == "calibrated" and any(size is not None for size in sizes):
        raise SettingsError(
            "the calibrated data have the report's size; use --scale, or effects='hierarchical'"
        )


def _calibrated_drift(codebook: Codebook, sds: EffectSds) -> Floats:
    indicators = len(codebook.indicators)
    effects = calibrated_effects(codebook, target_effects().to_numpy(), sds=sds)
    sd = nominal_sd().to_numpy()[:indicators]
    return np.asarray(published().thousandths[:indicators] / 1000 + sd * effects)


def _hierarchical_drift(design: Design, *, seed: int, sds: EffectSds) -> Floats:
    effects = hierarchical_effects(
        Stream(seed, 8), design.codebook, jobcenters=len(design.jobcenters), sds=sds
    )
    return MEAN_CHANGE + TYPICAL_SD * effects


def _calibrated(drift: Floats, *, seed: int, process: Process) -> tuple[Design, Integers]:
    """Simulate until everything published is met: the first try does, but for rare seeds.

    Then a combination with two dozen responses has too few answers to some question.
    """
    faults = ""
    for attempt in range(ATTEMPTS):
        own_seed = seed + attempt * NEXT_ATTEMPT
        try:
            design = calibrated_design(own_seed)
            answers = _repaired(design, drift, seed=own_seed, process=process)
            verify_calibration(design, answers)
        except SettingsError as error:
            faults = str(error)
            continue
        return design, answers
    raise SettingsError(f"{ATTEMPTS} attempts with seed {seed} failed. {faults}")


def _repaired(design: Design, drift: Floats, *, seed: int, process: Process) -> Integers:
    """Draw answers, then repair them until means and effects are the wanted ones."""
    answers = draw_answers(Stream(seed, 7), design, drift=drift, process=process)
    targets = target_effects().to_numpy()
    for turn in range(REPAIRS):
        wanted = wanted_totals(
            sum_changes(design, answers),
            targets,
            thousandths=published().thousandths,
            divisor=divisors(design.codebook),
        )
        answers = repair(Stream(seed, 11, turn), design, answers=answers, wanted=wanted)
    return answers
