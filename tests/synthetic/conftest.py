"""Simulated once for all tests of this folder."""

import pytest
from synthetic_study import Read, read

from bipbayes.synthetic.simulate import simulate


@pytest.fixture(scope="session")
def default() -> Read:
    return read(simulate())


@pytest.fixture(scope="session")
def retried() -> Read:
    """A seed whose first attempt misses a claim, so that `simulate` tries again."""
    return read(simulate(seed=4))
