"""What each source says of each estimate, taken out of the long frame of intervals."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import pandas as pd

from bipbayes.audit.rules import Cutoffs, Reading
from bipbayes.errors import SettingsError
from bipbayes.intervals import PRIOR_DRIVEN

Key = tuple[str, str]
ESTIMANDS: Final = ("effect", "contrast")
ADJUSTED: Final = {"holm": "p_holm", "bh": "p_bh"}
POSTERIOR: Final = "posterior"
BASELINE: Final = "baseline"  # the posterior at the same previous answer


@dataclass(frozen=True)
class AuditSettings:
    """Choices of an audit.

    Attributes
    ----------
    model, vcov
        Which fit to audit with; ``""`` where the frame holds only one.
    kind
        Kind of the credible intervals, ``eti`` or ``hdi``.
    errors
        OLS standard errors to read the claims with; the first are the report's own, which
        Holm and Benjamini-Hochberg adjust.
    likely
        Probability from which a sign or a joint statement is called likely.
    """

    model: str = ""
    vcov: str = ""
    kind: str = "eti"
    errors: tuple[str, ...] = ("classical", "cluster_citizen", "cluster_jobcenter")
    likely: float = 0.8

    @property
    def ols_readings(self) -> tuple[str, ...]:
        """Names of the OLS readings: the standard errors, then the adjustments."""
        return (*self.errors, *ADJUSTED)

    @property
    def readings(self) -> tuple[str, ...]:
        """Names of all readings."""
        return (*self.ols_readings, POSTERIOR)


@dataclass(frozen=True)
class Source:
    """All estimates of one estimand under one reading.

    Attributes
    ----------
    readings
        By outcome and combination.
    rows
        The rows of the long frame they came from, as mappings.
    """

    readings: dict[Key, Reading]
    rows: dict[Key, dict[str, Any]]

    @cached_property
    def silent(self) -> set[Key]:
        """Estimates behind which there is no response."""
        return {key for key, row in self.rows.items() if row.get("note") == PRIOR_DRIVEN}


def select_fit(frame: pd.DataFrame, settings: AuditSettings, *, level: float) -> pd.DataFrame:
    """Keep the rows that an audit reads: one level, one fit, all jobcenters together.

    Raises
    ------
    SettingsError
        No OLS rows at this level, or several fits and none chosen.
    """
    at_level = frame[
        ((frame["level"] - level).abs() < 1e-9)
        & frame["estimand"].isin(ESTIMANDS)
        & frame["jobcenter"].eq("")
    ]
    ols = at_level[at_level["source"] == "ols"]
    if ols[ols["vcov"] == settings.errors[0]].empty:
        found = sorted(frame.loc[frame["source"] == "ols", "level"].dropna().unique())
        raise SettingsError(
            f"the audit needs OLS intervals with {settings.errors[0]} errors at level {level}; "
            f"the frame holds OLS intervals at levels {found}"
        )
    fit = at_level[(at_level["source"] == POSTERIOR) & (at_level["kind"] == settings.kind)]
    for column, wanted in (("model", settings.model), ("vcov", settings.vcov)):
        fit = _choose(fit, column, wanted=wanted)
    return pd.concat([ols, fit])


def _choose(fit: pd.DataFrame, column: str, *, wanted: str) -> pd.DataFrame:
    found = sorted(fit[column].unique())
    if not found:
        return fit
    chosen = wanted or found[0]
    if (not wanted and len(found) > 1) or chosen not in found:
        raise SettingsError(
            f"the audit reads one fit, but column {column!r} of the posterior intervals holds "
            f"{found} and {wanted!r} was asked for; name one of them"
        )
    return fit[fit[column] == chosen]


def sources(
    frame: pd.DataFrame, estimand: str, *, settings: AuditSettings, cutoffs: Cutoffs
) -> dict[str, Source]:
    """Return each reading's estimates of one estimand (a reading without rows is empty)."""
    rows = frame[frame["estimand"] == estimand]
    ols = rows[rows["source"] == "ols"]
    by_errors = {name: _records(ols[ols["vcov"] == name]) for name in settings.errors}
    found = {name: _source(records) for name, records in by_errors.items()}
    for name, column in ADJUSTED.items():
        found[name] = _adjusted(by_errors[settings.errors[0]], column, cutoffs=cutoffs)
    found[POSTERIOR] = _heard(_source(_records(rows[rows["source"] == POSTERIOR])))
    return found


def _heard(source: Source) -> Source:
    """Leave out what no response speaks of: the prior cannot uphold a statement."""
    kept = {key: reading for key, reading in source.readings.items() if key not in source.silent}
    return Source(kept, source.rows)


def _records(rows: pd.DataFrame) -> dict[Key, dict[str, Any]]:
    keys = zip(rows["outcome"], rows["combination"], strict=True)
    records = ({str(name): value for name, value in row.items()} for row in rows.to_dict("records"))
    return dict(zip(keys, records, strict=True))


def _source(records: dict[Key, dict[str, Any]]) -> Source:
    return Source({key: _reading(row, _side(row)) for key, row in records.items()}, records)


def _adjusted(records: dict[Key, dict[str, Any]], column: str, *, cutoffs: Cutoffs) -> Source:
    """Read OLS with adjusted p values; without one (a family of none) nothing can be read."""
    kept = {key: row for key, row in records.items() if not math.isnan(row[column])}
    readings = {
        key: _reading(row, _sign(row["estimate"]) if row[column] <= 1 - cutoffs.level else 0)
        for key, row in kept.items()
    }
    return Source(readings, kept)


def _reading(row: dict[str, Any], side: int) -> Reading:
    p_positive = row["p_positive"] if row["source"] == POSTERIOR else math.nan
    return Reading(row["estimate"], row["lower"], row["upper"], side, p_positive)


def _side(row: dict[str, Any]) -> int:
    return 1 if row["lower"] > 0 else (-1 if row["upper"] < 0 else 0)


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)
