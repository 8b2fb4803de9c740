"""Simulated once for all tests of this folder."""

import pytest
from synthetic_study import Read, read

from bipbayes.bip.simulate import simulate_bip


@pytest.fixture(scope="session")
def default() -> Read:
    return read(simulate_bip())


@pytest.fixture(scope="session")
def retried() -> Read:
    """A seed whose first attempt misses a claim, so that `simulate_bip` tries again."""
    return read(simulate_bip(seed=4))
