"""The calibrated synthetic BIP: responses that agree with what the report prints."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bipbayes.bip.calibrated_design import calibrated_design, published
from bipbayes.bip.claims import verify_calibration
from bipbayes.bip.codebook import bip_codebook
from bipbayes.bip.facts import nominal_sd, stored_truth, target_effects
from bipbayes.bip.repair import repair, wanted_totals
from bipbayes.data.codebook import Codebook
from bipbayes.errors import SettingsError
from bipbayes.synthetic.design import Design
from bipbayes.synthetic.latent import Process, draw_answers
from bipbayes.synthetic.simulate import (
    DEFAULT_PROCESS,
    DEFAULT_SDS,
    DEFAULT_SEED,
    EffectSds,
    Simulation,
    description,
    hierarchical_effects,
    part_seed,
    ticked_responses,
)
from bipbayes.synthetic.streams import Stream
from bipbayes.synthetic.truth import divisors, sum_changes

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ATTEMPTS: Final = 8
NEXT_ATTEMPT: Final = 1 << 40  # far from any seed that is asked for
REPAIRS: Final = 2  # the first moves the standard deviations a little, the second settles
STATEMENT: Final = (
    "Synthetic data, built to agree with the numbers and statements of the 2017 BIP report. "
    "No citizen stands behind them; they prove nothing about Denmark."
)
FIXED_SEED: Final = 20170507
"""The calibrated generator's jobcenter effects: the same for every seed of the data."""


@dataclass(frozen=True)
class CalibratedSimulation(Simulation):
    """A simulation whose effects are the report's; its default one's truth is package data."""

    @cached_property
    def truth(self) -> pd.DataFrame:
        """Expected standardised progression of each cell."""
        if (self.seed, self.part) == (DEFAULT_SEED, 0):
            return stored_truth()
        return self.simulate_truth()

    @property
    def targets(self) -> Floats:
        """The effects that the answers were repaired to."""
        return target_effects().to_numpy()


def simulate_bip(
    *,
    seed: int = DEFAULT_SEED,
    part: int = 0,
    sds: EffectSds = DEFAULT_SDS,
    process: Process = DEFAULT_PROCESS,
) -> CalibratedSimulation:
    """Simulate BIP as the report prints it: Tables 1, 3, 4, its statements on Figures 3 to 24.

    Parameters
    ----------
    seed, part, process
        As for `bipbayes.synthetic.simulate.simulate`.
    sds
        Only those over jobcenters are used.

    Raises
    ------
    SettingsError
        A published number that a seed cannot reach.
    """
    codebook, own_seed = bip_codebook(), part_seed(seed, part)
    drift = _calibrated_drift(codebook, sds)
    design, answers = _calibrated(drift, seed=own_seed, process=process)
    return CalibratedSimulation(
        responses=ticked_responses(design, answers, seed=seed, part=part),
        design=design,
        drift=drift,
        process=process,
        seed=seed,
        part=part,
        description={
            **description("calibrated", design, seed=seed, sds=sds, process=process),
            "statement": STATEMENT,
        },
    )


def _calibrated_drift(codebook: Codebook, sds: EffectSds) -> Floats:
    indicators = len(codebook.indicators)
    effects = calibrated_effects(codebook, target_effects().to_numpy(), sds=sds)
    sd = nominal_sd().to_numpy()[:indicators]
    return np.asarray(published().thousandths[:indicators] / 1000 + sd * effects)


def calibrated_effects(codebook: Codebook, targets: Floats, *, sds: EffectSds) -> Floats:
    """Target effects plus fixed differences between jobcenters.

    Returns shape (combination, jobcenter, indicator).

    Parameters
    ----------
    codebook
        BIP's.
    targets
        Target effects, shape (outcome, combination).
    sds
        Only the jobcenters' standard deviations are used.
    """
    local = EffectSds(0, 0, 0, sds.combination_jobcenter, sds.jobcenter, sds.jobcenter_indicator)
    jobcenters = len(codebook.jobcenters)
    stream = Stream(FIXED_SEED)
    differences = hierarchical_effects(stream, codebook, jobcenters=jobcenters, sds=local)
    return targets[: len(codebook.indicators)].T[:, None, :] + differences


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
