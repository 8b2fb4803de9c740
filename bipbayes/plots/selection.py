"""Rows of the long frame that a figure draws, and what they have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from bipbayes.errors import DataError
from bipbayes.intervals import FREQUENTIST

_WIDER: Final = 0.3  # share of the axis by which OLS intervals may widen it on either side


@dataclass(frozen=True)
class Side:
    """What all intervals of one source in a figure share."""

    source: str
    model: str
    vcov: str
    estimand: str
    level: float
    kind: str


def select(
    frame: pd.DataFrame,
    *,
    source: str,
    estimand: str | Sequence[str],
    vcov: str = "",
    **labels: str,
) -> pd.DataFrame:
    """Return rows of the long frame.

    Parameters
    ----------
    frame
        Long frame of intervals.
    source
        ``posterior``, or ``ols`` for the frequentist side (OLS, or the ordered probit).
    estimand
        One or several.
    vcov
        Which errors; ``""`` takes what there is.
    **labels
        Other columns and the text that they must hold (``outcome="B1"``).
    """
    estimands = [estimand] if isinstance(estimand, str) else list(estimand)
    sources = FREQUENTIST if source in FREQUENTIST else (source,)
    chosen = frame["source"].isin(sources) & frame["estimand"].isin(estimands)
    if vcov:
        labels["vcov"] = vcov
    for column, value in labels.items():
        chosen &= frame[column] == value
    return frame[chosen]


def paired_effects(frame: pd.DataFrame, outcomes: Sequence[str], *, vcov: str) -> pd.DataFrame:
    """Return a row for every outcome and combination whose effect both sources estimate.

    `frame`: long frame of intervals; `vcov`: OLS errors. Returns: ``outcome, combination, n, ols,
    posterior``.
    """
    keys = ["outcome", "combination"]
    ols = select(frame, source="ols", estimand="effect", vcov=vcov).set_index(keys)
    posterior = select(frame, source="posterior", estimand="effect").set_index(keys)
    data = ols[["n"]].assign(ols=ols["estimate"], posterior=posterior["estimate"]).reset_index()
    return data[data["outcome"].isin(outcomes)].dropna(subset=["ols", "posterior"])


def side_of(rows: pd.DataFrame) -> Side | None:
    """Return what the rows share, or None where there are no rows.

    Raises
    ------
    DataError
        If rows of several models, errors, levels or kinds of interval stand together: a figure
        must be able to say which it shows.
    """
    rows = rows[rows["source"].notna()]
    if rows.empty:
        return None
    columns = ("source", "model", "vcov", "level", "kind")
    mixed = {name: sorted(rows[name].unique()) for name in columns if rows[name].nunique() > 1}
    if mixed:
        raise DataError(f"a figure would mix {mixed}; choose one of each before drawing")
    first = rows.iloc[0]
    return Side(
        source=first["source"],
        model=first["model"],
        vcov=first["vcov"],
        estimand=first["estimand"],
        level=float(first["level"]),
        kind=first["kind"],
    )


def limits_of(values: pd.DataFrame) -> tuple[float, float]:
    """Return the limits of an axis that holds all values, and zero, with some room."""
    numbers = np.append(values.to_numpy(dtype=float).ravel(), 0.0)
    low, high = np.nanmin(numbers), np.nanmax(numbers)
    room = 0.04 * (high - low or 1.0)
    return float(low - room), float(high + room)


def cut_limits(whole: Sequence[float], ends: Sequence[float]) -> tuple[float, float]:
    """Return the limits of an axis on which the widest intervals are cut at its ends.

    Parameters
    ----------
    whole
        What must be seen, such as posterior intervals, points and zero.
    ends
        Of all intervals: they widen the axis a little, so that few are cut.
    """
    low, high = min(whole), max(whole)
    room = _WIDER * max(high - low, 1e-6)
    margin = 0.03 * (high - low) or 1e-6
    first, last = max(min([low, *ends]), low - room), min(max([high, *ends]), high + room)
    return first - margin, last + margin
