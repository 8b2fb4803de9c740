"""The OLS baseline and its standard errors."""

from bipbayes.regression.covariance import VCOV
from bipbayes.regression.estimates import estimate_ols
from bipbayes.regression.intervals import ols_intervals

__all__ = ["VCOV", "estimate_ols", "ols_intervals"]
