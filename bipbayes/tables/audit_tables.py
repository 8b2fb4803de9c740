"""Tables of the audit: every claim, counts of the words, the design."""

from typing import Any, Final

import pandas as pd

from bipbayes.audit.evidence import POSTERIOR
from bipbayes.audit.rules import WORDS
from bipbayes.audit.verdicts import audit_counts, reading_words
from bipbayes.option_words import BASELINE
from bipbayes.tables.comparison_table import probability_text
from bipbayes.tables.layout import Column, Table, table_caption
from bipbayes.wording import Context, capital, meaning_of_significant, number, percent, phrase

_READINGS: Final = (
    *(("effect", name) for name in ("classical", "cluster_citizen", "cluster_jobcenter")),
    *(("effect", name) for name in ("holm", "bh", POSTERIOR, BASELINE)),
    ("contrast", POSTERIOR),
    ("contrast", BASELINE),
)


def claims_table(audit: pd.DataFrame, context: Context) -> Table:
    """Build the table of all claims (the CSV holds every column of the audit)."""
    language = context.language
    readings = [
        (estimand, name) for estimand, name in _READINGS if _column(estimand, name) in audit
    ]
    body = audit[["claim_id", "outcome", "combination", "direction", "significant"]].copy()
    body["combination"] = _combinations(audit, context)
    for estimand, name in readings:
        words = audit[_column(estimand, name)]
        body[_column(estimand, name)] = [phrase(f"verdict_{text}", language) for text in words]
    chance = audit["effect_p_joint"].fillna(audit["effect_p_direction"])
    chance = chance.where(audit["direction"] != "none")
    body["probability"] = [probability_text(float(value), language=language) for value in chance]
    verdicts = tuple(
        Column(
            _column(estimand, name),
            _reading(name, language),
            group=capital(phrase(estimand, language)),
            align="l",
        )
        for estimand, name in readings
    )
    first = [_header(name, language, align="l") for name in body.columns[:5]]
    meaning = [
        f"{capital(phrase(name, language))}: {meaning_of_significant(name, language=language)}"
        for name in ("effect", "contrast")
    ]
    notes = (*meaning, _note("probability", language), _note("absence", language))
    columns = (*first, *verdicts, _header("probability", language))
    return _table("audit", context, columns=columns, body=body, raw=audit, notes=notes)


def audit_counts_table(audit: pd.DataFrame, context: Context) -> Table:
    """Build the table of counted words, one row an estimand and reading."""
    language = context.language
    raw = audit_counts(audit)
    total = raw[raw["kind"] == "all"]
    heads = {name: capital(phrase(name, language)) for name in total["estimand"].unique()}
    rows = [
        {
            "reading": f"{heads[str(estimand)]}: {_reading(str(name), language)}",
            **{text: str(count) for text, count in zip(part["word"], part["claims"], strict=True)},
        }
        for (estimand, name), part in total.groupby(["estimand", "reading"], sort=False)
    ]
    body = pd.DataFrame(rows)
    columns = (
        _header("reading", language, align="l"),
        *(Column(name, capital(phrase(f"verdict_{name}", language))) for name in WORDS),
    )
    notes = (_note("absence", language),)
    return _table("audit_counts", context, columns=columns, body=body, raw=raw, notes=notes)


def design_table(summary: pd.DataFrame, context: Context, *, level: float) -> Table:
    """Build the table of the design analysis."""
    language = context.language
    decimals = {"n": 0, "se": 3, "true_effect": 2, "power": 2, "type_s": 2, "type_m": 1}
    body = pd.DataFrame(
        {
            name: [number(float(value), places, language=language) for value in summary[name]]
            for name, places in decimals.items()
        }
    )
    body.insert(0, "combination", _combinations(summary, context))
    columns = (
        _header("combination", language, align="l"),
        *(_header(name, language) for name in decimals),
    )
    outcomes = int(summary["outcomes"].max()) if len(summary) else 0
    note = _note("design", language, outcomes=outcomes, level=percent(level, language))
    return _table("design", context, columns=columns, body=body, raw=summary, notes=(note,))


def _table(
    name: str,
    context: Context,
    *,
    columns: tuple[Column, ...],
    body: pd.DataFrame,
    raw: pd.DataFrame,
    notes: tuple[str, ...],
) -> Table:
    caption = table_caption(context, phrase(f"audit_caption_{name}", context.language))
    return Table(name, caption, notes, columns, body, raw)


def _combinations(frame: pd.DataFrame, context: Context) -> list[str]:
    """Name combinations in words; patterns of several stay as they are written."""
    codebook = context.codebook
    return [
        codebook.combination_label(text, context.language)
        if text in codebook.combinations
        else text
        for text in frame["combination"]
    ]


def _column(estimand: str, reading: str) -> str:
    return f"{estimand}_verdict_{reading}"


def _reading(name: str, language: str) -> str:
    posterior = phrase(POSTERIOR, language)
    if name == BASELINE:
        return capital(f"{posterior}, {phrase('analysis_baseline', language)}")
    return capital(posterior if name == POSTERIOR else f"OLS {reading_words(name, language)}")


def _header(name: str, language: str, *, align: str = "r") -> Column:
    header = phrase(f"audit_header_{name.replace(' ', '_')}", language)
    return Column(name, header, align=align)


def _note(name: str, language: str, **values: Any) -> str:
    return phrase(f"audit_note_{name}", language, **values)
