"""The OLS baseline and its standard errors."""
