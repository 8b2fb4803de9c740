"""A tiny validation: a study of another shape than BIP."""

import pytest
from builders import make_codebook

from bipbayes.validation.settings import CLOSED, ValidationSettings


@pytest.fixture(scope="session")
def codebook():
    return make_codebook(4, 2, jobcenters=("a", "b", "c"))


@pytest.fixture(scope="session")
def tiny():
    return ValidationSettings(
        replicates=3,
        replicates_per_truth=2,
        citizens=90,
        population=3000,
        vcov=("response", "citizen"),
        engines=(CLOSED,),
        seed=5,
    )
