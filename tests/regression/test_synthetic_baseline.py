"""OLS on the default synthetic BIP against statsmodels."""

import pytest
import xarray as xr
from statsmodels_reference import assert_equals_statsmodels

from bipbayes.bip.facts import bip_codebook
from bipbayes.bip.simulate import simulate_bip
from bipbayes.data.progression import progression
from bipbayes.data.read import responses_from_frame
from bipbayes.regression import estimate_ols


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    study = responses_from_frame(simulate_bip().responses, bip_codebook())
    return progression(study)


def test_two_outcomes_equal_statsmodels(data: xr.Dataset) -> None:
    """Catches what only real sizes show: sparse combinations, citizens in many combinations."""
    estimates = estimate_ols(data, bip_codebook())
    for outcome in ("B1", "caseworker_mean"):
        assert_equals_statsmodels(data, estimates, outcome)


@pytest.mark.slow
def test_every_outcome_equals_statsmodels(data: xr.Dataset) -> None:
    codebook = bip_codebook()
    estimates = estimate_ols(data, codebook)
    for outcome in codebook.outcomes:
        assert_equals_statsmodels(data, estimates, outcome)
