"""Confidence intervals of the ordinal estimates as rows of the one long frame."""

from typing import Final

import pandas as pd
import xarray as xr

from bipbayes.data.codebook import Codebook
from bipbayes.intervals import ORDINAL
from bipbayes.regression.factorial import factorial_of
from bipbayes.regression.inference import (
    checked_level,
    confidence_frame,
    contrasts_of,
    effects_of,
    estimate_rows,
)

SOURCE: Final = "ordinal"


def ordinal_intervals(
    estimates: xr.Dataset, codebook: Codebook, *, level: float = 0.95
) -> pd.DataFrame:
    """Turn ordinal estimates into the rows that OLS has, in the same units.

    ``effect`` is expected standardised progression under a combination, averaged over the
    sample's previous answers (zero: average progression), ``contrast`` the difference from no
    treatment, ``factorial`` the treatments' main effects and interactions. Families for Holm
    and Benjamini-Hochberg are those of OLS: all indicators, and all averages, of one estimand
    and one kind of standard error.

    Parameters
    ----------
    estimates
        From `bipbayes.ordinal.estimates.estimate_ordinal`.
    codebook
        The study's.
    level
        Coverage, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        Columns of `bipbayes.intervals.COLUMNS`, ``source`` and ``analysis`` ``ordinal``, ``vcov``
        ``classical`` or ``cluster_citizen``. There is no ordered probit by jobcenter (a cell of
        twenty responses has none of its own), so jobcenters' effects and what weights
        jobcenters alike have no rows here; the posterior has them.

    Raises
    ------
    SettingsError
        The level is not between 0 and 1.
    """
    names = ["estimate", "covariance", "df", "n", "n_citizens", "note"]
    source = estimates[names]
    rows = [
        estimate_rows(effects_of(source), "effect"),
        estimate_rows(contrasts_of(source, codebook.no_treatment), "contrast"),
        estimate_rows(factorial_of(source, codebook), "factorial"),
    ]
    return confidence_frame(
        rows, codebook, level=checked_level(level), source=SOURCE, analysis=ORDINAL
    )
