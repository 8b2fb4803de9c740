"""Confidence intervals of the OLS estimates as the one long frame."""

from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import t

from bipbayes.data.codebook import Codebook
from bipbayes.errors import SettingsError
from bipbayes.intervals import interval_frame
from bipbayes.ols.covariance import CLUSTER_JOBCENTER
from bipbayes.ols.multiplicity import adjust

_COLUMNS: Final = (
    "estimand",
    "vcov",
    "outcome",
    "combination",
    "jobcenter",
    "n",
    "n_citizens",
    "estimate",
    "se",
    "df",
    "note",
)


def ols_intervals(
    estimates: xr.Dataset, codebook: Codebook, *, level: float = 0.95
) -> pd.DataFrame:
    """Turn OLS estimates into confidence intervals, p values and adjusted p values.

    ``effect`` is the difference from average progression, ``contrast`` the difference from no
    treatment (full covariance), ``standardised_effect`` and ``standardised_contrast`` the same
    with jobcenters weighted alike in all combinations, ``jobcenter`` the mean of a combination
    in a jobcenter. Families for Holm and Benjamini-Hochberg, each for one kind of standard
    error and one estimand: all indicators together (BIP: 320 effects, 300 contrasts), all
    averages together (32 and 30). What has no p value does not count.

    Parameters
    ----------
    estimates
        From `bipbayes.ols.estimates.estimate_ols`.
    codebook
        The study's.
    level
        Coverage, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        Columns of `bipbayes.intervals.COLUMNS`; ``n`` and ``n_citizens`` are those of the
        combination (for a contrast, too). Empty standard errors have their reason in ``note``.

    Raises
    ------
    SettingsError
        The level is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise SettingsError(f"level {level} is no coverage; give a number between 0 and 1")
    reference = codebook.no_treatment
    plain = _plain(estimates)
    standardised = _standardised(estimates)
    rows = pd.concat(
        [
            _rows(_effects(plain), "effect"),
            _rows(_contrasts(plain, reference), "contrast"),
            _rows(_effects(standardised), "standardised_effect"),
            _rows(_contrasts(standardised, reference), "standardised_contrast"),
            _rows(_jobcenters(estimates), "jobcenter"),
        ],
        ignore_index=True,
    )
    return interval_frame(_infer(rows, codebook, level))


def _plain(estimates: xr.Dataset) -> xr.Dataset:
    note = _first(estimates["note"], estimates["reason"])
    names = ["estimate", "covariance", "df", "n", "n_citizens"]
    return estimates[names].assign(note=note)


def _standardised(estimates: xr.Dataset) -> xr.Dataset:
    return xr.Dataset(
        {
            "estimate": estimates["standardised_estimate"],
            "covariance": estimates["standardised_covariance"],
            "df": estimates["saturated_df"],
            "n": estimates["n"],
            "n_citizens": estimates["n_citizens"],
            "note": estimates["standardised_note"],
        }
    )


def _effects(source: xr.Dataset) -> xr.Dataset:
    covariance = source["covariance"]
    same = covariance["combination"] == covariance["combination_"]
    variance = covariance.where(same, 0.0).sum("combination_", skipna=False)
    return source.drop_vars(["covariance", "combination_"]).assign(variance=variance)


def _contrasts(source: xr.Dataset, reference: str) -> xr.Dataset:
    """Subtract the combination without treatment; variances from the full covariance."""
    effects = _effects(source)
    base = effects.sel(combination=reference, drop=True)
    shared = source["covariance"].sel(combination_=reference, drop=True)
    variance = effects["variance"] + base["variance"] - 2 * shared
    named = (f"{reference}: " + base["note"]).where(base["note"] != "", "")
    contrasts = effects.assign(
        estimate=effects["estimate"] - base["estimate"],
        variance=variance,
        note=_first(effects["note"], named),
    )
    return contrasts.drop_sel(combination=reference)


def _jobcenters(estimates: xr.Dataset) -> xr.Dataset:
    data = xr.Dataset(
        {
            "estimate": estimates["jobcenter_estimate"],
            "variance": estimates["jobcenter_variance"],
            "df": estimates["saturated_df"],
            "n": estimates["jobcenter_n"],
            "n_citizens": estimates["jobcenter_n_citizens"],
            "note": estimates["jobcenter_note"],
        }
    )
    return data.sel(vcov=data["vcov"] != CLUSTER_JOBCENTER)


def _first(note: xr.DataArray, other: xr.DataArray) -> xr.DataArray:
    """Join two kinds of notes: the second where the first says nothing."""
    note, other = xr.broadcast(note, other)
    return note.where(note != "", other)


def _rows(data: xr.Dataset, estimand: str) -> pd.DataFrame:
    """One row for each label of the dataset's dims, in the labels' order."""
    order = [d for d in ("vcov", "outcome", "combination", "jobcenter") if d in data.dims]
    frame = data.to_dataframe(dim_order=order).reset_index()
    # Rounding can leave a variance a hair below zero; what says "not to be used" is a note.
    variance = frame["variance"].clip(lower=0.0)
    blank = frame["note"] != ""
    frame["se"] = np.sqrt(variance).where(~blank)
    frame["estimand"] = estimand
    return frame.reindex(columns=list(_COLUMNS))


def _infer(rows: pd.DataFrame, codebook: Codebook, level: float) -> pd.DataFrame:
    """Add limits and p values from t with the rows' degrees of freedom."""
    rows = rows.fillna({"jobcenter": ""})
    half = t.ppf(0.5 + level / 2, rows["df"]) * rows["se"]
    statistic = (rows["estimate"] / rows["se"].where(rows["se"] > 0)).abs()
    rows = rows.assign(
        lower=rows["estimate"] - half,
        upper=rows["estimate"] + half,
        p_value=2 * t.sf(statistic, rows["df"]),
        level=level,
        kind="confidence",
        source="ols",
        model="",
    )
    families = [rows["estimand"], rows["vcov"], rows["outcome"].isin(codebook.average_codes)]
    rows["p_holm"] = adjust(rows["p_value"], families, method="holm")
    rows["p_bh"] = adjust(rows["p_value"], families, method="bh")
    return rows.drop(columns="df")
