"""What one claim meets in one estimand: the numbers beside it and the word of every reading."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bipbayes.audit.blocks import Draws, grid
from bipbayes.audit.joint import tally
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
from bipbayes.audit.sources import ADJUSTED, POSTERIOR, AuditSettings, Source
from bipbayes.audit.statements import Statement

ABOUT_REFERENCE: Final = Verdict(NOT_CHECKABLE, "about no intervention, the reference itself")
NO_RESPONSE: Final = Verdict(NOT_CHECKABLE, "no response stands behind the estimate")
NO_DRAWS: Final = Verdict(NOT_CHECKABLE, "no joint draws")


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


COUNTED: Final = ("right_sign", "significant", "opposite")
MISSING: Final = Reading(np.nan, np.nan, np.nan, 0)


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
    statement: Statement, evidence: Evidence, *, settings: AuditSettings, cutoffs: Cutoffs
) -> dict[str, Any]:
    """Return a claim's columns for one estimand (see `estimand_columns`; some may be left out)."""
    kept = tuple(code for code in statement.combinations if code != evidence.reference)
    part: dict[str, Any] = {"estimates": len(kept) * len(statement.outcomes)}
    if not kept:
        words = {f"verdict_{name}": NOT_CHECKABLE for name in settings.readings}
        return part | words | {"reason": ABOUT_REFERENCE.reason}
    if statement.is_joint:
        return part | _joint_part(statement, kept, evidence, settings=settings, cutoffs=cutoffs)
    return part | _single_part(statement, evidence, settings=settings, cutoffs=cutoffs)


def _single_part(
    statement: Statement, evidence: Evidence, *, settings: AuditSettings, cutoffs: Cutoffs
) -> dict[str, Any]:
    key = (statement.outcomes[0], statement.combinations[0])
    part = _single_numbers(key, evidence, settings=settings)
    for name in settings.readings:
        reading = evidence.sources[name].readings.get(key, MISSING)
        verdict = single_verdict(statement.kind, statement.sign, reading, cutoffs)
        part[f"verdict_{name}"] = verdict.word
    posterior = evidence.sources[POSTERIOR].readings.get(key, MISSING)
    sign = statement.sign or (1 if posterior.estimate > 0 else -1)
    p_sign = posterior.p_positive if sign > 0 else 1 - posterior.p_positive
    part["p_direction"], part["p_wrong_sign"] = p_sign, 1 - p_sign
    if evidence.draws is not None:
        part["p_beyond"] = _p_beyond(statement, evidence.draws.of(*key)[:, None, None], cutoffs)
    part["region"] = region(posterior, cutoffs)
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
    statement: Statement,
    kept: tuple[str, ...],
    evidence: Evidence,
    *,
    settings: AuditSettings,
    cutoffs: Cutoffs,
) -> dict[str, Any]:
    part: dict[str, Any] = {}
    for name in settings.ols_readings:
        counts = _tally(statement, kept, evidence, name=name, cutoffs=cutoffs)
        part[f"verdict_{name}"] = joint_verdict(statement.kind, counts, cutoffs).word
    report = evidence.sources[settings.errors[0]]
    part |= _counts("ols", statement, kept, source=report)
    part |= _counts("posterior", statement, kept, source=evidence.sources[POSTERIOR])
    verdict = NO_DRAWS
    if evidence.draws is not None:
        counts = _tally(statement, kept, evidence, name=POSTERIOR, cutoffs=cutoffs)
        verdict = joint_verdict(statement.kind, counts, cutoffs)
        part["p_joint"], part["p_turned"] = counts.p_rule, counts.p_turned
        block = evidence.draws.block(statement.outcomes, kept)
        part["p_beyond"] = _p_beyond(statement, block, cutoffs)
    part["verdict_posterior"], part["reason"] = verdict
    return part


def _tally(
    statement: Statement,
    kept: tuple[str, ...],
    evidence: Evidence,
    *,
    name: str,
    cutoffs: Cutoffs,
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
    return tally(statement, inside, outside=outside, cutoffs=cutoffs, from_draws=from_draws)


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
