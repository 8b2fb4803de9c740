"""What a validation is asked to do; the same settings continue a stored one."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from bipbayes.cells import VCOV
from bipbayes.errors import SettingsError, raise_all
from bipbayes.intervals import PLAIN
from bipbayes.option_words import BASELINE, NUTS
from bipbayes.validation.generator import Generator

CLOSED: Final = "closed forms"
PLUGGED: Final = "closed forms, sds plugged in"
ENGINES: Final = (CLOSED, PLUGGED, NUTS)
DEFAULT_GENERATOR: Final = Generator()
LASTING: Final = Generator(slope=0.3, cut=False)


def _selected(strength: float, *, loyalty: float = 0.0) -> dict[str, Any]:
    """Treatment after low answers, analysed plainly and at the same previous answer."""
    generator = Generator(selection=strength, loyalty=loyalty)
    return {"generator": generator, "analyses": (PLAIN, BASELINE), "population": 20_000}


DESIGNS: Final[Mapping[str, Mapping[str, Any]]] = {
    "bip": {},
    "continuous": {"generator": Generator(cut=False)},
    "small": {"citizens": 500, "jobcenters": 4},
    "two-sites": {"jobcenters": 2},
    "many-sites": {"jobcenters": 25},
    "slopes-small": {"citizens": 120, "generator": replace(LASTING, responses=(7, 13))},
    "slopes-bip": {"generator": LASTING},
    "shocks": {"generator": Generator(shock=0.15)},
    "selection-0": _selected(0.0),
    "selection-0.75": _selected(0.75),
    "selection-1.5": _selected(1.5),
    "selection-loyal": _selected(1.5, loyalty=1.0),
}
"""Named designs: what differs from the default settings.

BIP's size (answers rounded and cut, or continuous); 4 jobcenters and about 1,000 changes; 2 and 25
jobcenters; lasting slopes of 120 citizens with 6 to 12 changes, and of BIP; shocks by jobcenter and
quarter; treatment after low answers, plain and at the same previous answer, also where who was
treated before is more often treated again.
"""
OLS_VCOV: Final = ("classical", "cluster_citizen")


@dataclass(frozen=True)
class ValidationSettings:
    """Settings of the simulation study.

    Attributes
    ----------
    replicates
        Simulated studies.
    replicates_per_truth
        Studies that share one set of effects (and its population).
    citizens, jobcenters
        Size of a study; ``None`` takes the codebook's jobcenters.
    population
        Citizens of the population that a truth is averaged over.
    analyses
        Plain (``""``), ``baseline``.
    models
        Names of models, or paths of model files (the sampler only).
    vcov
        Working covariances.
    engines
        ``closed forms`` (standard deviations integrated over), ``closed forms, sds plugged in``,
        ``nuts`` (the sampler).
    draws, tune, chains
        Of the sampler.
    generator
        Where the data come from.
    seed
        All others derive from it.
    """

    replicates: int = 100
    replicates_per_truth: int = 2
    citizens: int = 3707
    jobcenters: int | None = None
    population: int = 40_000
    analyses: tuple[str, ...] = (PLAIN,)
    models: tuple[str, ...] = ("hierarchical",)
    vcov: tuple[str, ...] = VCOV
    engines: tuple[str, ...] = (CLOSED, NUTS)
    draws: int = 500
    tune: int = 400
    chains: int = 2
    generator: Generator = DEFAULT_GENERATOR
    seed: int = 1

    def __post_init__(self) -> None:
        raise_all(SettingsError, "These settings of a validation were refused:", self._faults())

    def record(self) -> dict[str, Any]:
        """Return the settings as plain values, without how many replicates are wanted."""
        values = asdict(self)
        del values["replicates"]
        return values

    def digest(self) -> str:
        """Digest of what makes two validations the same."""
        return hashlib.sha256(repr(sorted(self.record().items())).encode()).hexdigest()[:16]

    def _faults(self) -> list[str]:
        faults = [
            f"{name} must be at least {least}, not {value}"
            for name, value, least in (
                ("replicates", self.replicates, 1),
                ("replicates_per_truth", self.replicates_per_truth, 1),
                ("citizens", self.citizens, 10),
                ("population", self.population, 100),
                ("draws", self.draws, 50),
                ("chains", self.chains, 1),
            )
            if value < least
        ]
        for name, values, allowed in (
            ("vcov", self.vcov, VCOV),
            ("engines", self.engines, ENGINES),
            ("analyses", self.analyses, (PLAIN, BASELINE)),
        ):
            unknown = sorted(set(values) - set(allowed))
            if unknown:
                faults.append(f"{name} {unknown} are unknown; known: {', '.join(allowed)}")
        return faults
