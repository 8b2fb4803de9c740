"""The one place where the command line meets its default study, the 2017 BIP report.

What is not given is BIP's: codebook, responses, characteristics, claims.
"""

from pathlib import Path

import pandas as pd
import xarray as xr

from bipbayes.audit.claims import read_claims
from bipbayes.bip.calibrated_design import published
from bipbayes.bip.facts import bip_characteristics, bip_codebook
from bipbayes.bip.published import (
    claim_inconsistencies,
    inconsistency_table,
    printed_claims,
    published_against_reproduced,
    published_counts,
    published_table,
    reproduced,
)
from bipbayes.bip.register import register_limits, simulate_characteristics
from bipbayes.bip.simulate import CalibratedSimulation, simulate_bip
from bipbayes.data.codebook import Codebook
from bipbayes.data.load_codebook import load_codebook
from bipbayes.data.study import Study
from bipbayes.describe.description import Description
from bipbayes.synthetic.simulate import DEFAULT_SEED
from bipbayes.tables.layout import Table
from bipbayes.wording import Context

__all__ = [
    "bip_characteristics",
    "claim_inconsistencies",
    "claims_or_default",
    "codebook_or_default",
    "default_citizens",
    "default_simulation",
    "published_and_reproduced",
    "published_tables",
    "register_limits",
    "simulate_characteristics",
]


def codebook_or_default(path: Path | None) -> Codebook:
    """Read a codebook; without a path it is BIP's."""
    return bip_codebook() if path is None else load_codebook(path)


def default_citizens() -> int:
    """Return how many citizens the report follows: the size of simulated studies."""
    return published().citizens


def default_simulation(seed: int | None = None, part: int = 0) -> CalibratedSimulation:
    """Simulate responses that agree with the report."""
    return simulate_bip(seed=DEFAULT_SEED if seed is None else seed, part=part)


def claims_or_default(path: Path | None, codebook: Codebook) -> pd.DataFrame:
    """Read and check claims; without a path they are the report's 284."""
    return printed_claims(codebook) if path is None else read_claims(path, codebook)


def published_and_reproduced(
    study: Study,
    progression: xr.Dataset,
    description: Description,
    audit: pd.DataFrame,
    level: float,
) -> pd.DataFrame:
    """Put every number of the report beside the run's."""
    values = reproduced(study, progression, description, audit=audit, level=level)
    return published_against_reproduced(values)


def published_tables(numbers: pd.DataFrame, context: Context) -> tuple[Table, pd.DataFrame]:
    """Count the published numbers by what became of them, and list the inconsistencies."""
    return published_table(published_counts(numbers), context), inconsistency_table()
