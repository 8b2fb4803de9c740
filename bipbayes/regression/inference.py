"""From estimates with covariances to rows with limits and p values: OLS and ordered probit."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import t

from bipbayes.data.codebook import Codebook
from bipbayes.errors import SettingsError
from bipbayes.intervals import interval_frame
from bipbayes.regression.multiplicity import adjust
from bipbayes.regression.reasons import ALL_ALIKE

# Outcomes have standard deviation 1, so an error this small beside 1 / sqrt(n) is rounding noise;
# one change of 1 among a million equal ones leaves 1e-3 of it.
_NOISE: Final = 1e-10

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


def checked_level(level: float) -> float:
    """Return a coverage unchanged.

    Raises
    ------
    SettingsError
        It does not lie between 0 and 1.
    """
    if not 0 < level < 1:
        raise SettingsError(f"level {level} is no coverage; give a number between 0 and 1")
    return level


def without_noise(source: xr.Dataset) -> xr.Dataset:
    """Note where a variance is rounding noise, so that no certainty is made of it.

    An estimate is an average with weights that sum to 1, so its variance is at least 1 / n where
    its responses vary as all do. It is noise under

    - ``classical`` errors, whose variance is pooled, where the changes are alike within every
      combination (or cell);
    - ``HC1`` and ``HC3`` where the changes of this combination are alike;
    - ``cluster_citizen`` where its residuals sum to zero within every citizen;
    - ``cluster_jobcenter`` where the mean stays the same whichever jobcenter is left out.

    In an average over jobcenters all of its cells must be so: a cell that is alike by chance
    takes nothing from the error's expectation.

    Parameters
    ----------
    source
        ``covariance`` (or ``variance``), ``n`` and ``note``.
    """
    variance = source["variance"] if "variance" in source else effects_of(source)["variance"]
    alike = variance <= _NOISE**2 / source["n"].where(source["n"] > 0)
    return source.assign(note=_noted(source["note"], alike))


def cancelled(note: xr.DataArray, *, variance: xr.DataArray, parts: xr.DataArray) -> xr.DataArray:
    """Add the reason where the variance of a difference is what rounding leaves of its parts'.

    Parameters
    ----------
    note
        What is known already; it is kept.
    variance, parts
        Variance of the difference, and what it would be if its parts did not covary.
    """
    return _noted(note, variance <= _NOISE * parts)


def _noted(note: xr.DataArray, alike: xr.DataArray) -> xr.DataArray:
    note, alike = xr.broadcast(note, alike)
    return note.where((note != "") | ~alike, ALL_ALIKE)


def effects_of(source: xr.Dataset) -> xr.Dataset:
    """Put ``variance``, the diagonal of ``covariance``, in its place.

    Parameters
    ----------
    source
        ``estimate[outcome, combination]``,
        ``covariance[vcov, outcome, combination, combination_]``, ``df``, ``n``, ``n_citizens``
        and ``note``.
    """
    covariance = source["covariance"]
    same = covariance["combination"] == covariance["combination_"]
    variance = covariance.where(same, 0.0).sum("combination_", skipna=False)
    return source.drop_vars(["covariance", "combination_"]).assign(variance=variance)


def contrasts_of(source: xr.Dataset, reference: str) -> xr.Dataset:
    """Subtract the combination without treatment; variances from the full covariance.

    Parameters
    ----------
    source
        As for `effects_of`.
    reference
        The combination without treatment, which the result leaves out.
    """
    effects = effects_of(source)
    base = effects.sel(combination=reference, drop=True)
    shared = source["covariance"].sel(combination_=reference, drop=True)
    variance = effects["variance"] + base["variance"] - 2 * shared
    named = (f"{reference}: " + base["note"]).where(base["note"] != "", "")
    contrasts = effects.assign(
        estimate=effects["estimate"] - base["estimate"],
        variance=variance,
        note=cancelled(
            first_note(effects["note"], named),
            variance=variance,
            parts=effects["variance"] + base["variance"],
        ),
    )
    return contrasts.drop_sel(combination=reference)


def first_note(note: xr.DataArray, other: xr.DataArray) -> xr.DataArray:
    """Join two kinds of notes: the second where the first says nothing."""
    note, other = xr.broadcast(note, other)
    return note.where(note != "", other)


def estimate_rows(data: xr.Dataset, estimand: str) -> pd.DataFrame:
    """One row for each label of the dataset's dims, in the labels' order.

    Parameters
    ----------
    data
        From `effects_of` or `contrasts_of`, possibly by ``jobcenter``.
    estimand
        Its name in the long frame.
    """
    order = [d for d in ("vcov", "outcome", "combination", "jobcenter") if d in data.dims]
    frame = data.to_dataframe(dim_order=order).reset_index()
    # Rounding can leave a variance a hair below zero; what says "not to be used" is a note.
    variance = frame["variance"].clip(lower=0.0)
    blank = frame["note"] != ""
    frame["se"] = np.sqrt(variance).where(~blank)
    frame["estimand"] = estimand
    return frame.reindex(columns=list(_COLUMNS))


def confidence_frame(
    rows: Sequence[pd.DataFrame], codebook: Codebook, *, level: float, source: str, analysis: str
) -> pd.DataFrame:
    """Add limits and p values from t with the rows' degrees of freedom.

    Parameters
    ----------
    rows
        From `estimate_rows`, one frame an estimand.
    codebook
        Says which outcomes are averages: a family of their own for Holm and
        Benjamini-Hochberg, within one estimand and one kind of standard error.
    level
        Coverage.
    source, analysis
        Labels of the long frame.

    Returns
    -------
    pandas.DataFrame
        `bipbayes.intervals.COLUMNS`.
    """
    frame = pd.concat(rows, ignore_index=True)
    half = t.ppf(0.5 + level / 2, frame["df"]) * frame["se"]
    statistic = (frame["estimate"] / frame["se"].where(frame["se"] > 0)).abs()
    frame = frame.assign(
        lower=frame["estimate"] - half,
        upper=frame["estimate"] + half,
        p_value=2 * t.sf(statistic, frame["df"]),
        level=level,
        kind="confidence",
        source=source,
        model="",
        analysis=analysis,
    )
    families = [frame["estimand"], frame["vcov"], frame["outcome"].isin(codebook.average_codes)]
    frame["p_holm"] = adjust(frame["p_value"], families, method="holm")
    frame["p_bh"] = adjust(frame["p_value"], families, method="bh")
    return interval_frame(frame.drop(columns="df"))
