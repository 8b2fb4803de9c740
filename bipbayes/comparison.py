"""OLS and posterior side by side, for the same quantity (``data/comparison.csv``)."""

from typing import Final

import numpy as np
import pandas as pd

from bipbayes.errors import DataError
from bipbayes.intervals import COMPARED, excludes_zero
from bipbayes.option_words import ORDINAL

KEYS: Final = ["estimand", "outcome", "combination"]
_JOINED: Final = ["analysis", *KEYS]
_OLS: Final = ("estimate", "se", "lower", "upper", "p_value", "p_holm", "p_bh")
_POSTERIOR: Final = {"estimate": "mean", "se": "sd", "lower": "lower", "upper": "upper"}
_SHARED: Final = ("p_positive", "p_wrong_sign", "p_rope", "mcse", "kind")
COLUMNS: Final = (
    *KEYS,
    "n",
    "n_citizens",
    "vcov_ols",
    "model",
    "vcov_posterior",
    "analysis",
    *(f"ols_{name}" for name in _OLS),
    *(f"posterior_{name}" for name in _POSTERIOR.values()),
    "level",
    *_SHARED,
    "pooling_factor",
    "ols_excludes_zero",
    "posterior_excludes_zero",
    "verdict_change",
    "ols_places_moved",
    "posterior_places_moved",
    "note",
)


def compare(ols: pd.DataFrame, posterior: pd.DataFrame, *, vcov_ols: str = "") -> pd.DataFrame:
    """Put OLS and posterior side by side, each analysis with its own.

    Parameters
    ----------
    ols, posterior
        Long frames of intervals (`bipbayes.intervals.COLUMNS`); the posterior's rows of one or
        of several models. Under the analysis ``ordinal`` the ordered probit stands in the place
        of OLS, also in the columns ``ols_*``.
    vcov_ols
        Which standard errors of OLS to show; default: those of `shown_errors`.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`, one row for each estimand (effect, contrast), outcome and combination, in
        the order of the OLS rows. ``pooling_factor`` is 1 - (posterior sd / OLS se)², the share
        of the OLS estimate's variance that pooling removed: 0 where the estimate stands on its
        own, near 1 where it lives off the others; negative where the posterior is the less
        certain one (OLS errors too small). Variances are compared rather than distances to a
        pooled mean, since effects here have several pooled means at once.

    Raises
    ------
    DataError
        The two sides share no row, or their intervals have different levels.
    """
    left = _rows(ols)
    errors = vcov_ols if vcov_ols else left["analysis"].map(shown_errors)
    left = left[left["vcov"] == errors]
    right = _rows(posterior)
    both = left.merge(right, on=_JOINED, suffixes=("_ols", "_posterior"), how="inner")
    if not len(both):
        raise DataError("OLS and posterior have no estimate in common; run both on the same data")
    different = int((both["level_ols"] != both["level_posterior"]).sum())
    if different:
        raise DataError(
            f"{different} estimates have another level under OLS than under the posterior; "
            "run both with the same level"
        )
    return _arranged(both)


def shown_errors(analysis: str) -> str:
    """Return which standard errors comparisons show: the report's, where there are such.

    The ordered probit has errors of averages only where it clusters by citizen.
    """
    return "cluster_citizen" if analysis == ORDINAL else "classical"


def _rows(frame: pd.DataFrame) -> pd.DataFrame:
    rows = frame[frame["estimand"].isin(COMPARED)]
    excludes = excludes_zero(rows).astype("boolean").mask(rows["lower"].isna())
    return rows.assign(excludes=excludes)


def _arranged(both: pd.DataFrame) -> pd.DataFrame:
    columns: dict[str, object] = {key: both[key] for key in KEYS}
    # Read back from a file whose other rows lack them, counts are floats.
    columns |= {name: both[f"{name}_ols"].astype("Int64") for name in ("n", "n_citizens")}
    columns |= {"vcov_ols": both["vcov_ols"], "model": both["model_posterior"]}
    columns |= {"vcov_posterior": both["vcov_posterior"], "analysis": both["analysis"]}
    columns |= {f"ols_{name}": both[f"{name}_ols"] for name in _OLS}
    columns |= {f"posterior_{new}": both[f"{old}_posterior"] for old, new in _POSTERIOR.items()}
    columns |= {"level": both["level_ols"]}
    columns |= {name: both[f"{name}_posterior"] for name in _SHARED}
    columns |= {
        "pooling_factor": 1 - (both["se_posterior"] / both["se_ols"]) ** 2,
        "ols_excludes_zero": both["excludes_ols"],
        "posterior_excludes_zero": both["excludes_posterior"],
        "verdict_change": verdict_change(both),
        "ols_places_moved": both["places_moved_ols"],
        "posterior_places_moved": both["places_moved_posterior"],
        "note": both["note_posterior"].where(both["note_posterior"] != "", both["note_ols"]),
    }
    return pd.DataFrame(columns)[list(COLUMNS)].reset_index(drop=True)


def verdict_change(both: pd.DataFrame) -> pd.Series:
    """Say in words what pooling does to the verdict "the interval excludes zero".

    Parameters
    ----------
    both
        Columns ``excludes_ols``, ``excludes_posterior``, ``estimate_ols``,
        ``estimate_posterior``; a missing interval gives ``""``.
    """
    sides = both[["excludes_ols", "excludes_posterior"]].astype("boolean")
    before, after = (sides[name].fillna(value=False).astype(bool) for name in sides)
    turned = np.sign(both["estimate_ols"]) != np.sign(both["estimate_posterior"])
    words = np.select(
        [before & after & turned, before & after, before & ~after, ~before & after],
        [
            "excludes zero on the other side",
            "stays: excludes zero",
            "excluded zero, now includes it",
            "included zero, now excludes it",
        ],
        "stays: includes zero",
    )
    missing = sides.isna().any(axis=1)
    return pd.Series(np.where(missing, "", words), index=both.index, dtype="str")
