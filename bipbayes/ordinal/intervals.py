"""Confidence intervals of the ordinal estimates as rows of the one long frame."""

from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import t

from bipbayes.data.codebook import Codebook
from bipbayes.errors import SettingsError
from bipbayes.intervals import interval_frame
from bipbayes.ols.multiplicity import adjust

SOURCE: Final = "ordinal"


def ordinal_intervals(
    estimates: xr.Dataset, codebook: Codebook, *, level: float = 0.95
) -> pd.DataFrame:
    """Turn ordinal estimates into the rows that OLS has, in the same units.

    ``effect`` is expected standardised progression under a combination, averaged over the
    sample's previous answers (zero: average progression), ``contrast`` the difference from no
    treatment. Families for Holm and Benjamini-Hochberg are those of OLS: all indicators, and all
    averages, of one estimand and one kind of standard error.

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
        Columns of `bipbayes.intervals.COLUMNS`, ``source`` ``ordinal``, ``vcov`` ``classical``
        or ``cluster_citizen``.

    Raises
    ------
    SettingsError
        The level is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise SettingsError(f"level {level} is no coverage; give a number between 0 and 1")
    reference = codebook.no_treatment
    effects = _effects(estimates)
    rows = pd.concat(
        [
            _rows(effects).assign(estimand="effect"),
            _rows(_contrasts(estimates, effects, reference)).assign(estimand="contrast"),
        ],
        ignore_index=True,
    )
    return interval_frame(_infer(rows, codebook, level))


def _effects(estimates: xr.Dataset) -> xr.Dataset:
    covariance = estimates["covariance"]
    same = covariance["combination"] == covariance["combination_"]
    variance = covariance.where(same, 0.0).sum("combination_", skipna=False)
    names = ["estimate", "df", "n", "n_citizens", "note"]
    return estimates[names].drop_vars("combination_", errors="ignore").assign(variance=variance)


def _contrasts(estimates: xr.Dataset, effects: xr.Dataset, reference: str) -> xr.Dataset:
    base = effects.sel(combination=reference, drop=True)
    shared = estimates["covariance"].sel(combination_=reference, drop=True)
    named = (f"{reference}: " + base["note"]).where(base["note"] != "", "")
    contrasts = effects.assign(
        estimate=effects["estimate"] - base["estimate"],
        variance=effects["variance"] + base["variance"] - 2 * shared,
        note=effects["note"].where(effects["note"] != "", named),
    )
    return contrasts.drop_sel(combination=reference)


def _rows(data: xr.Dataset) -> pd.DataFrame:
    names = ["estimate", "variance", "df", "n", "n_citizens", "note"]
    order = ["vcov", "outcome", "combination"]
    frame = data[names].to_dataframe(dim_order=order).reset_index()
    frame["se"] = np.sqrt(frame["variance"].clip(lower=0.0)).where(frame["note"] == "")
    return frame[[*order, "estimate", "se", "df", "n", "n_citizens", "note"]]


def _infer(rows: pd.DataFrame, codebook: Codebook, level: float) -> pd.DataFrame:
    half = t.ppf(0.5 + level / 2, rows["df"]) * rows["se"]
    statistic = (rows["estimate"] / rows["se"].where(rows["se"] > 0)).abs()
    rows = rows.assign(
        lower=rows["estimate"] - half,
        upper=rows["estimate"] + half,
        p_value=2 * t.sf(statistic, rows["df"]),
        level=level,
        kind="confidence",
        source=SOURCE,
        model="",
    )
    families = [rows["estimand"], rows["vcov"], rows["outcome"].isin(codebook.average_codes)]
    rows["p_holm"] = adjust(rows["p_value"], families, method="holm")
    rows["p_bh"] = adjust(rows["p_value"], families, method="bh")
    return rows.drop(columns="df")
