"""Counts of the audit's words, and one paragraph of them that could stand in an abstract."""

from typing import Final

import pandas as pd

from bipbayes.audit.evidence import BASELINE, POSTERIOR
from bipbayes.audit.rules import NOT_CHECKABLE, NOT_SUPPORTED, REVERSED, UPHELD, WEAKENED, WORDS
from bipbayes.audit.statements import KINDS
from bipbayes.intervals import COMPARED
from bipbayes.wording import Context, capital, number, percent, phrase

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


def abstract_paragraph(frame: pd.DataFrame, context: Context, *, model: str = "") -> str:
    """Write the counts as a paragraph; every number in it is counted from the audit.

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
    told = [phrase("audit_paragraph", language, **values), _baseline_sentence(frame, language)]
    if context.synthetic:
        key = "audit_synthetic_bip" if context.codebook.is_bip else "audit_synthetic"
        told.append(phrase(key, language))
    if context.preliminary:
        told.append(f"{capital(phrase('preliminary', language))}.")
    return " ".join(told)


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
    upheld = frame[f"effect{VERDICT}{POSTERIOR}"].eq(UPHELD)
    significant = frame["kind"].eq("significant")
    insignificant = frame["kind"].isin(["insignificant", "hedged"])
    inside = frame["effect_region"].eq("inside")
    return {
        "significant": int(significant.sum()),
        "significant_upheld": int((significant & upheld).sum()),
        "insignificant": int(insignificant.sum()),
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
