"""One source's estimates of one outcome as a formatted table: OLS, or a posterior, by itself."""

from typing import Final

import numpy as np
import pandas as pd

from bipbayes.intervals import FREQUENTIST
from bipbayes.tables.comparison_table import (
    closing_notes,
    dagger,
    probability_text,
    source_note,
    starred_interval,
)
from bipbayes.tables.layout import Column, Table, rounding_note, table_caption
from bipbayes.tables.rounding import MOST_DECIMALS, row_decimals
from bipbayes.wording import Context, capital, number, outcome_label, percent, phrase

_SMALLEST: Final = 0.001  # p values below are told as such


def interval_table(
    rows: pd.DataFrame, context: Context, *, outcome: str, estimand: str = "effect"
) -> Table:
    """Build the table, one row a combination in codebook order.

    Returns
    -------
    Table
        OLS numbers have three decimals, posterior numbers as many as their Monte Carlo error
        allows; an asterisk marks intervals that exclude zero.
    """
    chosen = rows[(rows["outcome"] == outcome) & (rows["estimand"] == estimand)]
    order = {code: place for place, code in enumerate(context.codebook.combinations)}
    raw = chosen.sort_values("combination", key=lambda codes: codes.map(order))
    raw = raw.reset_index(drop=True)
    frequentist = bool(raw["source"].isin(FREQUENTIST).any())
    label = outcome_label(context.codebook, outcome, language=context.language)
    words = phrase(estimand, context.language)
    title = phrase("comparison", context.language, outcome=label, estimand=words)
    return Table(
        name=f"intervals_{outcome}" if estimand == "effect" else f"intervals_{estimand}_{outcome}",
        caption=table_caption(context, title, phrase("in_units", context.language)),
        notes=_notes(raw, context, estimand, frequentist),
        columns=_columns(raw, context, frequentist),
        body=_body(raw, context, frequentist),
        raw=raw,
    )


def _body(raw: pd.DataFrame, context: Context, frequentist: bool) -> pd.DataFrame:
    language = context.language
    places = np.full(len(raw), MOST_DECIMALS) if frequentist else row_decimals(raw, sd="se")
    rows = []
    for (_, row), digits in zip(raw.iterrows(), places, strict=True):
        ends = row["lower"], row["upper"]
        rows.append(
            {
                "combination": context.codebook.combination_label(row["combination"], language),
                "n": number(row["n"], 0, language=language) + dagger(row["note"]),
                "estimate": number(row["estimate"], int(digits), language=language),
                "interval": starred_interval(*ends, int(digits), language=language),
                "p_value": _p_text(row["p_value"], language),
                "p_holm": _p_text(row["p_holm"], language),
                "p_positive": probability_text(row["p_positive"], language=language),
            }
        )
    return pd.DataFrame(rows)


def _p_text(value: float, language: str) -> str:
    if value < _SMALLEST:
        return f"<{number(_SMALLEST, 3, language=language)}"
    return number(value, 3, language=language)


def _columns(raw: pd.DataFrame, context: Context, frequentist: bool) -> tuple[Column, ...]:
    language = context.language
    level = percent(float(raw["level"].iloc[0]), language) if len(raw) else ""
    kind = "confidence_short" if frequentist else "credible_short"
    probabilities = ("p_value", "p_holm") if frequentist else ("p_positive",)
    return (
        Column("combination", phrase("combination", language), align="l"),
        Column("n", phrase("n", language)),
        Column("estimate", phrase("estimate" if frequentist else "mean", language)),
        Column("interval", phrase(kind, language, level=level)),
        *(Column(name, phrase(name, language)) for name in probabilities),
    )


def _notes(
    raw: pd.DataFrame, context: Context, estimand: str, frequentist: bool
) -> tuple[str, ...]:
    if raw.empty:
        return ()
    middle = [] if frequentist else [rounding_note(context)]
    closing = closing_notes(raw, context, estimand, *middle, averages=False)
    return tuple(capital(note) for note in (source_note(raw.iloc[0], context), *closing))
