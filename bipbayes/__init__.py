"""Bayesian hierarchical models of progression beside the OLS baseline of the 2017 BIP report."""

from importlib.metadata import version

__version__ = version("bipbayes")
