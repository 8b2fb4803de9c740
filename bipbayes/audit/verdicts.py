"""The audit: one row a claim, with what OLS and the posterior say of it.

Each claim is read twice: for the report's own estimand (`effect`, against average progress) and
for the contrast with no intervention. Columns of the two begin with ``effect_`` and
``contrast_``. Claims on no intervention itself cannot be checked in the contrast, where it is
the reference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import pandas as pd
import xarray as xr

from bipbayes.audit.evidence import (
    POSTERIOR,
    AuditSettings,
    Evidence,
    estimand_columns,
    estimand_part,
    labelled_draws,
    select_fit,
    sources,
)
from bipbayes.audit.rules import (
    NOT_CHECKABLE,
    NOT_SUPPORTED,
    REVERSED,
    SIZE_COLUMNS,
    UPHELD,
    WEAKENED,
    WORDS,
    size_columns,
)
from bipbayes.audit.statements import KINDS, Statement, statements
from bipbayes.data.codebook import Codebook
from bipbayes.intervals import COMPARED
from bipbayes.option_words import BASELINE
from bipbayes.wording import Context, capital, number, percent, phrase

RULE_COLUMNS: Final = ("kind", "counted", "level", "likely", "beyond")
TEXT: Final = ("reason", "region", "note")


def audit_claims(
    claims: pd.DataFrame,
    intervals_frame: pd.DataFrame,
    draws: Mapping[str, xr.DataArray],
    codebook: Codebook,
    *,
    level: float,
    beyond: float = 0.1,
    settings: AuditSettings | None = None,
    inconsistencies: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Audit claims.

    Parameters
    ----------
    claims
        Checked claims (`bipbayes.audit.claims.read_claims`).
    intervals_frame
        The long frame: OLS with the errors of `settings`, and one posterior fit.
    draws
        Joint draws by estimand (``effect``, ``contrast``), dims chain, draw, outcome,
        combination; estimands without draws leave joint statements unchecked.
    codebook
        Names outcomes and combinations.
    level
        Level of the intervals to read.
    beyond
        The stated size, in standard deviations of progression, for statements on absence.
    settings
        Which fit, which errors, what is called likely.
    inconsistencies
        For each claim the ids of the report's own inconsistencies that bear on it; default: none.

    Returns
    -------
    pandas.DataFrame
        One row a claim in the claims' order: their columns, then those of each estimand
        (``effect_verdict_posterior``, ``contrast_verdict_classical``, ...), then printed sizes
        and the report's own inconsistencies that bear on the claim.

    Raises
    ------
    SettingsError
        No OLS intervals at this level, or several fits and none chosen.
    """
    settings = replace(settings or AuditSettings(), level=level, beyond=beyond)
    frame = select_fit(intervals_frame, settings)
    evidence = {}
    for estimand in COMPARED:
        found = sources(frame, estimand, settings)
        joint = labelled_draws(draws[estimand]) if estimand in draws else None
        evidence[estimand] = Evidence(
            found,
            None if joint is None else joint.without(found[POSTERIOR].silent),
            codebook.no_treatment if estimand == "contrast" else "",
        )
    rows = [
        _row(claim, statement, evidence, settings)
        for (_, claim), statement in zip(
            claims.iterrows(), statements(claims, codebook), strict=True
        )
    ]
    added = _ordered(rows, settings).assign(inconsistencies=inconsistencies or [""] * len(claims))
    return pd.concat([claims.reset_index(drop=True), added], axis=1)


def beside_baseline(audit: pd.DataFrame, adjusted: pd.DataFrame) -> pd.DataFrame:
    """Put the verdicts at the same previous answer beside the plain ones.

    Where treatment follows low answers, plain estimates are biased towards treatments; those of
    the analysis ``baseline`` are not, as far as the previous answer shows what was selected on.

    Parameters
    ----------
    audit, adjusted
        From `audit_claims`, of the same claims: with plain intervals and draws, and with those
        of the analysis ``baseline``.

    Returns
    -------
    pandas.DataFrame
        `audit` with, for each estimand, ``<estimand>_verdict_baseline`` and
        ``<estimand>_baseline_estimate``, ``_lower``, ``_upper``, ``_p_direction``.
    """
    taken = {f"posterior_{name}": f"baseline_{name}" for name in ("estimate", "lower", "upper")}
    taken |= {f"verdict_{POSTERIOR}": f"verdict_{BASELINE}", "p_direction": "baseline_p_direction"}
    added = {
        f"{estimand}_{name}": adjusted[f"{estimand}_{source}"].to_numpy()
        for estimand in COMPARED
        for source, name in taken.items()
    }
    return audit.assign(**added)


def audit_columns(settings: AuditSettings | None = None) -> tuple[str, ...]:
    """Return the columns that an audit adds to the claims, in order."""
    part = estimand_columns(settings or AuditSettings())
    both = (f"{estimand}_{column}" for estimand in COMPARED for column in part)
    return (*RULE_COLUMNS, *both, *SIZE_COLUMNS, "inconsistencies")


def _ordered(rows: list[dict[str, Any]], settings: AuditSettings) -> pd.DataFrame:
    """Give every audit the same columns, whatever kinds of claims there are."""
    frame = pd.DataFrame(rows).reindex(columns=list(audit_columns(settings)))
    texts = [f"{estimand}_{column}" for estimand in COMPARED for column in TEXT]
    texts += [column for column in SIZE_COLUMNS if column.endswith("_verdict")]
    for column in texts:
        frame[column] = frame[column].astype("object").fillna("").astype("str")
    return frame


def _row(
    claim: pd.Series,
    statement: Statement,
    evidence: Mapping[str, Evidence],
    settings: AuditSettings,
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "kind": statement.kind,
        "counted": statement.over,
        "level": settings.level,
        "likely": settings.likely,
        "beyond": settings.beyond,
    }
    for estimand, known in evidence.items():
        part = estimand_part(statement, known, settings)
        row |= {f"{estimand}_{column}": value for column, value in part.items()}
    key = (statement.outcomes[0], statement.combinations[0])
    ols, posterior = (
        evidence["effect"].sources[name].readings.get(key)
        for name in (settings.errors[0], POSTERIOR)
    )
    return row | size_columns(claim, ols, posterior)


VERDICT: Final = "_verdict_"


def audit_counts(frame: pd.DataFrame) -> pd.DataFrame:
    """Count the words.

    Parameters
    ----------
    frame
        An audit (`bipbayes.audit.verdicts.audit_claims`).

    Returns
    -------
    pandas.DataFrame
        ``estimand``, ``reading`` (standard errors, adjustment or ``posterior``), ``kind`` (of
        claim; ``all``), ``word``, ``claims``. Every word has a row, also where it counts none;
        kinds that no claim has are left out.
    """
    readings = readings_of(frame)
    rows = []
    for estimand, reading in readings:
        verdicts = frame[f"{estimand}{VERDICT}{reading}"]
        for kind in ("all", *(kind for kind in KINDS if frame["kind"].eq(kind).any())):
            chosen = verdicts if kind == "all" else verdicts[frame["kind"].eq(kind)]
            count = chosen.value_counts()
            common = {"estimand": estimand, "reading": reading, "kind": kind}
            rows += [{**common, "word": name, "claims": int(count.get(name, 0))} for name in WORDS]
    return pd.DataFrame(rows, columns=["estimand", "reading", "kind", "word", "claims"])


def readings_of(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the pairs of estimand and reading that an audit holds, in its order."""
    return [
        (estimand, column.removeprefix(f"{estimand}{VERDICT}"))
        for estimand in COMPARED
        for column in frame.columns
        if column.startswith(f"{estimand}{VERDICT}")
    ]


def abstract_sentences(frame: pd.DataFrame, context: Context, *, model: str = "") -> list[str]:
    """Write the counts as sentences of a paragraph; every number is counted from the audit.

    Parameters
    ----------
    frame
        An audit.
    context
        Language; whether the data are synthetic or the draws no result, which it then says.
    model
        Name of the model whose posterior answered.
    """
    language = context.language
    values = {
        "claims": len(frame),
        "model": f" ({phrase('model', language, name=model)})" if model else "",
        "ols": _ols_counts(frame, context),
        "level": percent(_only(frame, "level"), language),
        "beyond": as_written(_only(frame, "beyond"), language),
        **_word_counts(frame["effect_verdict_posterior"], ""),
        **_word_counts(frame["contrast_verdict_posterior"], "contrast_"),
        **_kind_counts(frame),
    }
    told = phrase("audit_paragraph", language, **values).splitlines()
    told.append(_baseline_sentence(frame, language))
    if context.synthetic:
        key = "audit_synthetic_bip" if context.codebook.is_bip else "audit_synthetic"
        told.append(phrase(key, language))
    if context.preliminary:
        told.append(f"{capital(phrase('preliminary', language))}.")
    return told


def _baseline_sentence(frame: pd.DataFrame, language: str) -> str:
    """Say how many verdicts stand at the same previous answer, where that was fitted."""
    if f"effect{VERDICT}{BASELINE}" not in frame:
        return phrase("audit_unadjusted", language)
    plain, adjusted = (frame[f"effect{VERDICT}{name}"] for name in (POSTERIOR, BASELINE))
    pair = (frame[f"contrast{VERDICT}{name}"].eq(UPHELD) for name in (POSTERIOR, BASELINE))
    against, against_adjusted = pair
    return phrase(
        "audit_adjusted",
        language,
        upheld=int(plain.eq(UPHELD).sum()),
        both=int((plain.eq(UPHELD) & adjusted.eq(UPHELD)).sum()),
        baseline=int(adjusted.eq(UPHELD).sum()),
        changed=int(plain.ne(adjusted).sum()),
        contrast_both=int((against & against_adjusted).sum()),
        contrast_upheld=int(against.sum()),
    )


def _word_counts(verdicts: pd.Series, prefix: str) -> dict[str, int]:
    names = {
        "upheld": UPHELD,
        "weakened": WEAKENED,
        "unsupported": NOT_SUPPORTED,
        "reversed": REVERSED,
    }
    counts = {f"{prefix}{key}": int(verdicts.eq(name).sum()) for key, name in names.items()}
    return {**counts, f"{prefix}checkable": int(verdicts.ne(NOT_CHECKABLE).sum())}


def _kind_counts(frame: pd.DataFrame) -> dict[str, int]:
    frame = frame[frame[f"effect{VERDICT}{POSTERIOR}"].ne(NOT_CHECKABLE)]
    upheld = frame[f"effect{VERDICT}{POSTERIOR}"].eq(UPHELD)
    significant = frame["kind"].eq("significant")
    insignificant = frame["kind"].isin(["insignificant", "hedged"])
    inside = frame["effect_region"].eq("inside")
    return {
        "significant": int(significant.sum()),
        "significant_upheld": int((significant & upheld).sum()),
        "insignificant": int(insignificant.sum()),
        "hedged": int(frame["kind"].eq("hedged").sum()),
        "plain": int(frame["kind"].eq("insignificant").sum()),
        "insignificant_upheld": int((insignificant & upheld).sum()),
        "inside": int((insignificant & upheld & inside).sum()),
    }


def _ols_counts(frame: pd.DataFrame, context: Context) -> str:
    language = context.language
    names = [
        name
        for estimand, name in readings_of(frame)
        if estimand == "effect" and name not in (POSTERIOR, BASELINE)
    ]
    parts = []
    for place, name in enumerate(names):
        upheld = int(frame[f"effect{VERDICT}{name}"].eq(UPHELD).sum())
        part = f"{upheld} {reading_words(name, language)}"
        if place == 0 and context.codebook.is_bip:
            part = f"{part} {phrase('audit_own', language)}"
        parts.append(part)
    if len(parts) < 2:
        return "".join(parts)
    return phrase("audit_and", language, listed=", ".join(parts[:-1]), last=parts[-1])


def reading_words(name: str, language: str) -> str:
    """Name an OLS reading: ``with classical errors``, ``after Holm's adjustment``."""
    if name in ("holm", "bh"):
        return phrase(f"audit_read_{name}", language)
    return phrase("audit_read_with", language, errors=phrase(name, language))


def _only(frame: pd.DataFrame, column: str) -> float:
    return float(frame[column].iloc[0])


def as_written(value: float, language: str) -> str:
    """Write a cut-off with the decimals that it was given with, at least one."""
    return number(value, max(1, len(f"{value:g}".partition(".")[2])), language=language)
