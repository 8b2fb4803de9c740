"""The one place where the command line meets its default study, the 2017 BIP report.

What is not given is BIP's: codebook, responses, characteristics, claims. The case is imported
when it is asked for, so that a study of one's own does not wait for it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from bipbayes.audit.claims import read_claims
from bipbayes.data.characteristics_codebook import CharacteristicsCodebook
from bipbayes.data.codebook import Codebook
from bipbayes.data.load_codebook import load_codebook
from bipbayes.data.study import Study

if TYPE_CHECKING:
    import xarray as xr

    from bipbayes.bip.simulate import CalibratedSimulation
    from bipbayes.describe.description import Description
    from bipbayes.tables.layout import Table
    from bipbayes.wording import Context


def codebook_or_default(path: Path | None) -> Codebook:
    """Read a codebook; without a path it is BIP's."""
    if path is not None:
        return load_codebook(path)
    from bipbayes.bip.codebook import bip_codebook

    return bip_codebook()


def characteristics_codebook() -> CharacteristicsCodebook:
    """Return the codebook of the report's Tables 4 to 11."""
    from bipbayes.bip.codebook import bip_characteristics

    return bip_characteristics()


def default_citizens() -> int:
    """Return how many citizens the report follows: the size of simulated studies."""
    from bipbayes.bip.calibrated_design import published

    return published().citizens


def default_simulation(seed: int | None = None, part: int = 0) -> "CalibratedSimulation":
    """Simulate responses that agree with the report."""
    from bipbayes.bip.simulate import simulate_bip
    from bipbayes.synthetic.simulate import DEFAULT_SEED

    return simulate_bip(seed=DEFAULT_SEED if seed is None else seed, part=part)


def default_characteristics(study: Study, seed: int | None = None) -> pd.DataFrame:
    """Simulate characteristics of a study's citizens."""
    from bipbayes.bip.register import simulate_characteristics
    from bipbayes.synthetic.simulate import DEFAULT_SEED

    return simulate_characteristics(study, seed=DEFAULT_SEED if seed is None else seed)


def default_register_limits() -> pd.DataFrame:
    """List what the synthetic register cannot show."""
    from bipbayes.bip.register import register_limits

    return register_limits()


def claims_or_default(path: Path | None, codebook: Codebook) -> pd.DataFrame:
    """Read and check claims; without a path they are the report's 284."""
    if path is not None:
        return read_claims(path, codebook)
    from bipbayes.bip.published import printed_claims

    return printed_claims(codebook)


def claim_inconsistencies(claims: pd.DataFrame) -> list[str]:
    """Name the report's own inconsistencies that bear on each claim."""
    from bipbayes.bip.published import claim_inconsistencies

    return claim_inconsistencies(claims)


def published_and_reproduced(
    study: Study,
    progression: "xr.Dataset",
    description: "Description",
    audit: pd.DataFrame,
    level: float,
) -> pd.DataFrame:
    """Put every number of the report beside the run's."""
    from bipbayes.bip.published import published_against_reproduced
    from bipbayes.bip.reproduced import reproduced

    values = reproduced(study, progression, description, audit=audit, level=level)
    return published_against_reproduced(values)


def published_tables(numbers: pd.DataFrame, context: "Context") -> "tuple[Table, pd.DataFrame]":
    """Count the published numbers by what became of them, and list the inconsistencies."""
    from bipbayes.bip.published import inconsistency_table, published_counts, published_table

    return published_table(published_counts(numbers), context), inconsistency_table()
