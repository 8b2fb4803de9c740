"""What each source says of each estimate, and the word of every reading of a claim.

Readings are taken out of the long frame of intervals; what one claim meets in one estimand are
the numbers beside it.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bipbayes.audit.rules import (
    NOT_CHECKABLE,
    Cutoffs,
    Reading,
    Tally,
    Verdict,
    joint_verdict,
    region,
    single_verdict,
)
from bipbayes.audit.statements import Grid, Statement, tally
from bipbayes.errors import SettingsError
from bipbayes.intervals import COMPARED, PRIOR_DRIVEN
from bipbayes.sampling.labels import pooled

Key = tuple[str, str]
ADJUSTED: Final = {"holm": "p_holm", "bh": "p_bh"}
POSTERIOR: Final = "posterior"
ABOUT_REFERENCE: Final = Verdict(NOT_CHECKABLE, "about no intervention, the reference itself")
NO_RESPONSE: Final = Verdict(NOT_CHECKABLE, "no response stands behind the estimate")
NO_DRAWS: Final = Verdict(NOT_CHECKABLE, "no joint draws")
COUNTED: Final = ("right_sign", "significant", "opposite")
MISSING: Final = Reading(np.nan, np.nan, np.nan, 0)


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


@dataclass(frozen=True)
class Draws:
    """Draws of one estimand, ``[sample, outcome, combination]``, with their labels."""

    values: NDArray[np.float64]
    outcomes: pd.Index
    combinations: pd.Index

    def block(self, outcomes: Sequence[str], combinations: Sequence[str]) -> NDArray[np.float64]:
        """Return ``[sample, outcome, combination]`` of these labels, NaN where one is unknown."""
        rows = self.outcomes.get_indexer(pd.Index(outcomes))
        columns = self.combinations.get_indexer(pd.Index(combinations))
        block = self.values[:, rows][:, :, columns]
        block[:, rows < 0] = np.nan
        block[:, :, columns < 0] = np.nan
        return block

    def without(self, keys: Iterable[Key]) -> "Draws":
        """Return the draws with NaN in place of some estimates."""
        values = self.values.copy()
        for outcome, combination in keys:
            values[:, self.outcomes == outcome, self.combinations == combination] = np.nan
        return replace(self, values=values)


def labelled_draws(draws: xr.DataArray) -> Draws:
    """Bring draws, dims ``chain, draw, outcome, combination`` in any order, into `Draws`."""
    values = pooled(draws, "outcome", "combination")
    return Draws(values, pd.Index(draws["outcome"]), pd.Index(draws["combination"]))


def grid(
    outcomes: Sequence[str],
    combinations: Sequence[str],
    *,
    source: Source,
    draws: Draws | None,
    excepted: frozenset[Key] = frozenset(),
) -> Grid:
    """Return estimates as the joint rules take them.

    Parameters
    ----------
    outcomes, combinations
        Labels of the block.
    source
        Point estimates and the sides on which intervals exclude zero.
    draws
        Joint draws; None takes the point estimates as the only sample.
    excepted
        Pairs that count as absent.
    """
    sides = np.full((len(outcomes), len(combinations)), np.nan)
    points = np.full((1, *sides.shape), np.nan)
    for row, outcome in enumerate(outcomes):
        for column, combination in enumerate(combinations):
            reading = source.readings.get((outcome, combination))
            if reading is None or (outcome, combination) in excepted or not _complete(reading):
                continue
            sides[row, column] = reading.side
            points[0, row, column] = reading.estimate
    return Grid(points if draws is None else draws.block(outcomes, combinations), sides)


def _complete(reading: Reading) -> bool:
    return not (math.isnan(reading.estimate) or math.isnan(reading.lower))


@dataclass(frozen=True)
class AuditSettings(Cutoffs):
    """Choices of an audit, beside where the words begin.

    Attributes
    ----------
    model, vcov
        Which fit to audit with; ``""`` where the frame holds only one.
    kind
        Kind of the credible intervals, ``eti`` or ``hdi``.
    errors
        OLS standard errors to read the claims with; the first are the report's own, which
        Holm and Benjamini-Hochberg adjust.
    """

    model: str = ""
    vcov: str = ""
    kind: str = "eti"
    errors: tuple[str, ...] = ("classical", "cluster_citizen", "cluster_jobcenter")

    @property
    def ols_readings(self) -> tuple[str, ...]:
        """Names of the OLS readings: the standard errors, then the adjustments."""
        return (*self.errors, *ADJUSTED)

    @property
    def readings(self) -> tuple[str, ...]:
        """Names of all readings."""
        return (*self.ols_readings, POSTERIOR)


def select_fit(frame: pd.DataFrame, settings: AuditSettings) -> pd.DataFrame:
    """Keep the rows that an audit reads: one level, one fit, all jobcenters together.

    Raises SettingsError: no OLS rows at this level, or several fits and none chosen.
    """
    at_level = frame[
        ((frame["level"] - settings.level).abs() < 1e-9)
        & frame["estimand"].isin(COMPARED)
        & frame["jobcenter"].eq("")
    ]
    ols = at_level[at_level["source"] == "ols"]
    if ols[ols["vcov"] == settings.errors[0]].empty:
        found = sorted(frame.loc[frame["source"] == "ols", "level"].dropna().unique())
        raise SettingsError(
            f"the audit needs OLS intervals with {settings.errors[0]} errors at level "
            f"{settings.level}; "
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


def sources(frame: pd.DataFrame, estimand: str, settings: AuditSettings) -> dict[str, Source]:
    """Return each reading's estimates of one estimand (a reading without rows is empty)."""
    rows = frame[frame["estimand"] == estimand]
    ols = rows[rows["source"] == "ols"]
    by_errors = {name: _records(ols[ols["vcov"] == name]) for name in settings.errors}
    found = {name: _source(records) for name, records in by_errors.items()}
    for name, column in ADJUSTED.items():
        found[name] = _adjusted(by_errors[settings.errors[0]], column, level=settings.level)
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


def _adjusted(records: dict[Key, dict[str, Any]], column: str, *, level: float) -> Source:
    """Read OLS with adjusted p values; without one (a family of none) nothing can be read."""
    kept = {key: row for key, row in records.items() if not math.isnan(row[column])}
    readings = {
        key: _reading(row, int(np.sign(row["estimate"])) if row[column] <= 1 - level else 0)
        for key, row in kept.items()
    }
    return Source(readings, kept)


def _reading(row: dict[str, Any], side: int) -> Reading:
    p_positive = row["p_positive"] if row["source"] == POSTERIOR else math.nan
    return Reading(row["estimate"], row["lower"], row["upper"], side, p_positive)


def _side(row: dict[str, Any]) -> int:
    return 1 if row["lower"] > 0 else (-1 if row["upper"] < 0 else 0)


@dataclass(frozen=True)
class Evidence:
    """All that is known of one estimand.

    Attributes
    ----------
    sources
        Estimates by reading.
    draws
        Joint posterior draws, or None.
    reference
        The combination that the estimand cannot speak of (``""``: none).
    """

    sources: dict[str, Source]
    draws: Draws | None
    reference: str = ""


def estimand_columns(settings: AuditSettings) -> tuple[str, ...]:
    """Return the columns of one estimand, without its prefix, in order."""
    return (
        *(f"verdict_{name}" for name in settings.readings),
        "reason",
        "estimates",
        "n",
        "n_citizens",
        *(f"ols_{name}" for name in ("estimate", "se", "lower", "upper")),
        *(f"ols_p_{name}" for name in settings.ols_readings),
        *(f"ols_{name}" for name in COUNTED),
        *(f"posterior_{name}" for name in ("estimate", "lower", "upper")),
        "p_direction",
        "p_wrong_sign",
        "p_joint",
        "p_turned",
        "p_beyond",
        "region",
        *(f"posterior_{name}" for name in COUNTED),
        "note",
    )


def estimand_part(
    statement: Statement, evidence: Evidence, settings: AuditSettings
) -> dict[str, Any]:
    """Return a claim's columns for one estimand (see `estimand_columns`; some may be left out)."""
    kept = tuple(code for code in statement.combinations if code != evidence.reference)
    part: dict[str, Any] = {"estimates": len(kept) * len(statement.outcomes)}
    if not kept:
        words = {f"verdict_{name}": NOT_CHECKABLE for name in settings.readings}
        return part | words | {"reason": ABOUT_REFERENCE.reason}
    if statement.is_joint:
        return part | _joint_part(statement, kept, evidence, settings)
    return part | _single_part(statement, evidence, settings)


def _single_part(
    statement: Statement, evidence: Evidence, settings: AuditSettings
) -> dict[str, Any]:
    key = (statement.outcomes[0], statement.combinations[0])
    part = _single_numbers(key, evidence, settings=settings)
    for name in settings.readings:
        reading = evidence.sources[name].readings.get(key, MISSING)
        verdict = single_verdict(statement.kind, statement.sign, reading, settings)
        part[f"verdict_{name}"] = verdict.word
    posterior = evidence.sources[POSTERIOR].readings.get(key, MISSING)
    sign = statement.sign or (1 if posterior.estimate > 0 else -1)
    p_sign = posterior.p_positive if sign > 0 else 1 - posterior.p_positive
    part["p_direction"], part["p_wrong_sign"] = p_sign, 1 - p_sign
    if evidence.draws is not None:
        block = evidence.draws.block(*([label] for label in key))
        part["p_beyond"] = _p_beyond(statement, block, settings)
    part["region"] = region(posterior, settings)
    silent = key in evidence.sources[POSTERIOR].silent
    part["reason"] = NO_RESPONSE.reason if silent else verdict.reason
    return part


def _single_numbers(
    key: tuple[str, str], evidence: Evidence, *, settings: AuditSettings
) -> dict[str, Any]:
    part: dict[str, Any] = {}
    ols = evidence.sources[settings.errors[0]].rows.get(key, {})
    posterior = evidence.sources[POSTERIOR].rows.get(key, {})
    for column in ("n", "n_citizens"):
        part[column] = ols.get(column, posterior.get(column, np.nan))
    for column in ("estimate", "se", "lower", "upper"):
        part[f"ols_{column}"] = ols.get(column, np.nan)
    for name in settings.errors:
        row = evidence.sources[name].rows.get(key, {})
        part[f"ols_p_{name}"] = row.get("p_value", np.nan)
    for name, column in ADJUSTED.items():
        part[f"ols_p_{name}"] = ols.get(column, np.nan)
    for column in ("estimate", "lower", "upper"):
        part[f"posterior_{column}"] = posterior.get(column, np.nan)
    part["note"] = posterior.get("note", "") or ols.get("note", "")
    return part


def _joint_part(
    statement: Statement, kept: tuple[str, ...], evidence: Evidence, settings: AuditSettings
) -> dict[str, Any]:
    part: dict[str, Any] = {}
    for name in settings.ols_readings:
        counts = _tally(statement, kept, evidence, settings, name=name)
        part[f"verdict_{name}"] = joint_verdict(statement.kind, counts, settings).word
    report = evidence.sources[settings.errors[0]]
    part |= _counts("ols", statement, kept, source=report)
    part |= _counts("posterior", statement, kept, source=evidence.sources[POSTERIOR])
    verdict = NO_DRAWS
    if evidence.draws is not None:
        counts = _tally(statement, kept, evidence, settings, name=POSTERIOR)
        verdict = joint_verdict(statement.kind, counts, settings)
        part["p_joint"], part["p_turned"] = counts.p_rule, counts.p_turned
        block = evidence.draws.block(statement.outcomes, kept)
        part["p_beyond"] = _p_beyond(statement, block, settings)
    part["verdict_posterior"], part["reason"] = verdict
    return part


def _tally(
    statement: Statement,
    kept: tuple[str, ...],
    evidence: Evidence,
    settings: AuditSettings,
    *,
    name: str,
) -> Tally:
    from_draws = name == POSTERIOR
    inside, outside = (
        grid(
            statement.outcomes,
            combinations,
            source=evidence.sources[name],
            draws=evidence.draws if from_draws else None,
            excepted=statement.excepted,
        )
        for combinations in (kept, statement.outside)
    )
    return tally(statement, inside, outside=outside, cutoffs=settings, from_draws=from_draws)


def _counts(
    prefix: str, statement: Statement, kept: tuple[str, ...], *, source: Source
) -> dict[str, int]:
    """Count inside a pattern: estimates with the claimed sign, and intervals that exclude zero.

    Without a claimed sign, intervals on either side are counted as significant.
    """
    keys = [(outcome, code) for outcome in statement.outcomes for code in kept]
    found = [source.readings[key] for key in keys if key in source.readings]
    sign = statement.sign
    right = sum(sign * reading.estimate > 0 for reading in found)
    opposite = sum(reading.side == -sign for reading in found if sign)
    excluding = sum(reading.side != 0 for reading in found)
    counts = zip(COUNTED, (right, excluding - opposite, opposite), strict=True)
    return {f"{prefix}_{name}": count for name, count in counts}


def _p_beyond(statement: Statement, block: NDArray[np.float64], cutoffs: Cutoffs) -> float:
    """Return P(at least one estimate lies beyond the stated size).

    On the claimed side for statements of a sign, on the other side for "no setback", on either
    side for statements of no significance.
    """
    present = np.isfinite(block).all(axis=0)
    if not present.any():
        return float("nan")
    if statement.kind in ("significant", "direction"):
        size = statement.sign * block
    elif statement.kind == "no_opposite":
        size = -statement.sign * block
    else:
        size = np.abs(block)
    return float((size[:, present] > cutoffs.beyond).any(axis=1).mean())
