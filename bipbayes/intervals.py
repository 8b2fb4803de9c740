"""The one long frame of intervals: OLS and posterior in the same columns."""

from typing import Final

import numpy as np
import pandas as pd
from scipy.special import ndtr

from bipbayes.errors import DataError, raise_all
from bipbayes.option_words import CREDIBLE, ORDINAL
from bipbayes.phrases import phrases_of

TEXT_COLUMNS: Final = (
    "source",
    "model",
    "vcov",
    "analysis",
    "estimand",
    "outcome",
    "combination",
    "jobcenter",
)
COLUMNS: Final = (
    *TEXT_COLUMNS,
    "n",
    "n_citizens",
    "estimate",
    "se",
    "lower",
    "upper",
    "level",
    "kind",
    "p_value",
    "p_holm",
    "p_bh",
    "p_positive",
    "p_wrong_sign",
    "p_rope",
    "ess_bulk",
    "ess_tail",
    "r_hat",
    "mcse",
    "places_moved",
    "note",
)
KEYS: Final = TEXT_COLUMNS
FREQUENTIST: Final = ("ols", "ordinal")
SOURCES: Final = (*FREQUENTIST, "posterior")
# What progression was adjusted for ("" for nothing: the plain analysis), or the ordinal one.
PLAIN: Final = ""
ANALYSES: Final = (PLAIN, "baseline", "covariates", "baseline+covariates", ORDINAL)
KINDS: Final = ("confidence", *CREDIBLE)
COMPARED: Final = ("effect", "contrast")
"""Estimands that OLS and posterior are compared on, the audit reads and figures take draws of."""
CONTRASTS: Final = ("contrast", "standardised_contrast")
OVERALL: Final = (*COMPARED, "standardised_effect", "standardised_contrast")
"""Estimands of a combination over all jobcenters, that OLS has, too."""
ESTIMANDS: Final = tuple(phrases_of("estimands"))
ALL_INDICATORS: Final = "all_indicators"
NO_SPREAD: Final = "all changes of the outcome are alike: it has no standard deviation"
PRIOR_DRIVEN: Final = "prior-driven"  # a note: no response stands behind the row


def places_moved(effect: pd.Series | np.ndarray | float) -> np.ndarray:
    """Translate an effect size into places moved in a queue of 100 persons.

    The report's own translation (its page on effect sizes): somebody in the middle of a
    queue of 100 who improves by ``d`` standard deviations passes ``100 (Phi(d) - 0.5)`` others.

    Parameters
    ----------
    effect
        Effect sizes in standard deviations of progression, any shape.

    Returns
    -------
    numpy.ndarray
        Places, positive is forward; same shape.
    """
    return np.asarray(100.0 * (ndtr(np.asarray(effect, dtype=float)) - 0.5))


def interval_frame(rows: pd.DataFrame) -> pd.DataFrame:
    """Bring rows into the long frame's columns and check their labels.

    Parameters
    ----------
    rows
        Any subset of `COLUMNS`; text columns missing become ``""``, numbers ``NaN``.
        ``places_moved`` is computed from ``estimate``.

    Returns
    -------
    pandas.DataFrame
        The columns `COLUMNS` in order with a fresh index.

    Raises
    ------
    DataError
        Unknown columns, sources, kinds or estimands, limits in the wrong order, or a key
        that stands twice.
    """
    unknown = sorted(set(rows.columns) - set(COLUMNS))
    frame = rows.reindex(columns=list(COLUMNS)).reset_index(drop=True)
    for column in (*TEXT_COLUMNS, "kind", "note"):
        frame[column] = frame[column].astype("object").fillna("").astype("str")
    frame["places_moved"] = places_moved(frame["estimate"])
    raise_all(DataError, "These rows are no interval frame:", _faults(frame, unknown))
    return frame


def _faults(frame: pd.DataFrame, unknown: list[str]) -> list[str]:
    faults = [f"unknown columns {unknown}; known: {list(COLUMNS)}"] if unknown else []
    labels = {"source": SOURCES, "kind": KINDS, "estimand": ESTIMANDS, "analysis": ANALYSES}
    for column, allowed in labels.items():
        wrong = sorted(set(frame[column]) - set(allowed))
        if wrong:
            faults.append(f"column {column!r} holds {wrong}; allowed: {list(allowed)}")
    crossed = int((frame["lower"] > frame["upper"]).sum())
    if crossed:
        faults.append(f"{crossed} rows have a lower limit above the upper one")
    repeated = int(frame.duplicated([*KEYS, "kind", "level"]).sum())
    if repeated:
        faults.append(f"{repeated} rows repeat an estimate that stands already")
    return faults


def excludes_zero(frame: pd.DataFrame) -> pd.Series:
    """Say for each row whether its interval leaves zero out (False where there is none)."""
    return (frame["lower"] > 0) | (frame["upper"] < 0)


def of_analysis(frame: pd.DataFrame, analysis: str) -> pd.DataFrame:
    """Return the rows of one analysis, all sources.

    Parameters
    ----------
    frame
        Long frame, or another with a column ``analysis``.
    analysis
        One of `ANALYSES`.
    """
    return frame[frame["analysis"] == analysis]


def frequentist(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that are no posterior: OLS, or the ordered probit."""
    return frame[frame["source"].isin(FREQUENTIST)]


def join_frames(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Put interval frames under one another (empty ones are left out)."""
    filled = [frame for frame in frames if len(frame)]
    if not filled:
        return interval_frame(pd.DataFrame())
    # Columns that are empty in one source would change dtype if concatenated as objects.
    return pd.concat([frame.astype(_dtypes()) for frame in filled], ignore_index=True)


def _dtypes() -> dict[str, str]:
    text = {*TEXT_COLUMNS, "kind", "note"}
    return {column: "str" if column in text else "float64" for column in COLUMNS}
