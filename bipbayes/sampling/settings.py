"""How to fit, and the seeds that derive from the one seed of a run."""

import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np

from bipbayes.errors import SettingsError, raise_all

SAMPLER: Final = "nutpie"


@dataclass(frozen=True)
class SamplerSettings:
    """What an engine is asked to do.

    Attributes
    ----------
    draws, tune
        Kept and discarded draws of each chain; the exact engine discards none.
    chains
        Independent chains.
    target_accept
        Acceptance rate that the sampler's step size is tuned to.
    points
        Points over the standard deviations in a round of the exact engine, a power of two.
    seed
        The run's seed; the sampler's own derives from it (`derived_seed`).
    """

    draws: int = 1500
    tune: int = 800
    chains: int = 4
    target_accept: float = 0.98
    seed: int = 0
    points: int = 1024

    def __post_init__(self) -> None:
        faults = [
            f"{name} must be at least {least}, not {value}"
            for name, value, least in (
                ("draws", self.draws, 4),
                ("tune", self.tune, 10),
                ("chains", self.chains, 1),
                ("seed", self.seed, 0),
                ("points", self.points, 16),
            )
            if value < least
        ]
        if not 0 < self.target_accept < 1:
            faults.append(f"target_accept must lie between 0 and 1, not {self.target_accept}")
        raise_all(SettingsError, "These sampler settings were refused:", faults)


DEFAULTS: Final = SamplerSettings()


def derived_seed(seed: int, purpose: str) -> int:
    """Derive the seed of one use of randomness from the seed of the run.

    Parameters
    ----------
    seed
        The run's.
    purpose
        What it is for, such as ``"posterior/hierarchical"``; other purposes get other streams.

    Returns
    -------
    int
        31 bits, the same on every machine.
    """
    # A checksum of the name rather than a counter: adding a use leaves the others as they were.
    stream = np.random.SeedSequence([seed, zlib.crc32(purpose.encode())])
    return int(stream.generate_state(1)[0] >> 1)
