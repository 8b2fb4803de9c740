"""The OLS baseline and its standard errors."""

from bipbayes.ols.covariance import VCOV
from bipbayes.ols.estimates import estimate_ols
from bipbayes.ols.intervals import ols_intervals

__all__ = ["VCOV", "estimate_ols", "ols_intervals"]
