"""Confidence intervals of the OLS estimates as the one long frame."""

from typing import Final

import pandas as pd
import xarray as xr

from bipbayes.data.codebook import Codebook
from bipbayes.intervals import PLAIN
from bipbayes.regression.covariance import CLASSICAL, CLUSTER_JOBCENTER
from bipbayes.regression.factorial import factorial_of
from bipbayes.regression.inference import (
    checked_level,
    confidence_frame,
    contrasts_of,
    effects_of,
    estimate_rows,
    first_note,
    without_noise,
)
from bipbayes.regression.reasons import COMMON_VARIANCE

SOURCE: Final = "ols"
_SATURATED: Final = ("standardised_effect", "standardised_contrast", "jobcenter")


def ols_intervals(
    estimates: xr.Dataset, codebook: Codebook, *, level: float = 0.95
) -> pd.DataFrame:
    """Turn OLS estimates into confidence intervals, p values and adjusted p values.

    ``effect`` is the difference from average progression, ``contrast`` the difference from no
    treatment (full covariance), ``standardised_effect`` and ``standardised_contrast`` the same
    with jobcenters weighted alike in all combinations, ``jobcenter`` the mean of a combination
    in a jobcenter, ``factorial`` the main effects and interactions of the treatments, from the
    effects (`bipbayes.regression.factorial`). Families for Holm and Benjamini-Hochberg, each for
    one kind of standard error and one estimand: all indicators together (BIP: 320 effects, 300
    contrasts, 300 factorial effects of all orders), all averages together (32, 30 and 30). What
    has no p value does not count. No error is given where all changes behind an estimate are
    alike (`bipbayes.regression.inference.without_noise`); a contrast or factorial effect of which
    one part has no error has none.

    Parameters
    ----------
    estimates
        From `bipbayes.regression.estimates.estimate_ols`.
    codebook
        The study's.
    level
        Coverage, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        Columns of `bipbayes.intervals.COLUMNS`; ``n`` and ``n_citizens`` are those of the
        combination (for a contrast, too; for a factorial effect the smallest one). Empty
        standard errors have their reason in ``note``, and classical ones from the regression on
        combinations x jobcenters say that their residual variance is common to all of it.

    Raises
    ------
    SettingsError
        The level is not between 0 and 1.
    """
    reference = codebook.no_treatment
    plain, standardised = _plain(estimates), _standardised(estimates)
    rows = [
        estimate_rows(effects_of(plain), "effect"),
        estimate_rows(contrasts_of(plain, reference), "contrast"),
        estimate_rows(effects_of(standardised), "standardised_effect"),
        estimate_rows(contrasts_of(standardised, reference), "standardised_contrast"),
        estimate_rows(_jobcenters(estimates), "jobcenter"),
        estimate_rows(factorial_of(plain, codebook), "factorial"),
    ]
    frame = confidence_frame(
        rows,
        codebook,
        level=checked_level(level),
        source=SOURCE,
        analysis=str(estimates.attrs.get("adjust", PLAIN)),
    )
    pooled = frame["estimand"].isin(_SATURATED) & frame["vcov"].eq(CLASSICAL) & frame["se"].notna()
    frame.loc[pooled, "note"] = COMMON_VARIANCE
    return frame


def _plain(estimates: xr.Dataset) -> xr.Dataset:
    note = first_note(estimates["note"], estimates["reason"])
    names = ["estimate", "covariance", "df", "n", "n_citizens"]
    return without_noise(estimates[names].assign(note=note))


def _standardised(estimates: xr.Dataset) -> xr.Dataset:
    names = {"saturated_df": "df"}
    names |= {f"standardised_{name}": name for name in ("estimate", "covariance", "note")}
    return without_noise(estimates[[*names, "n", "n_citizens"]].rename(names))


def _jobcenters(estimates: xr.Dataset) -> xr.Dataset:
    own = ("estimate", "variance", "n", "n_citizens", "note")
    names = {"saturated_df": "df"} | {f"jobcenter_{name}": name for name in own}
    data = estimates[list(names)].rename(names)
    return without_noise(data.sel(vcov=data["vcov"] != CLUSTER_JOBCENTER))
