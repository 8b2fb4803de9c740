"""Posterior effects under every analysis that a folder holds, side by side."""

from collections.abc import Sequence

import pandas as pd

from bipbayes.intervals import ANALYSES
from bipbayes.tables.comparison_table import closing_notes, dagger, source_note, starred_interval
from bipbayes.tables.layout import Column, Table, printed_outcomes, rounding_note, table_caption
from bipbayes.tables.rounding import row_decimals
from bipbayes.wording import (
    Context,
    analysis_meaning,
    analysis_name,
    capital,
    number,
    outcome_label,
    percent,
    phrase,
)

ESTIMAND = "effect"


def analyses_rows(intervals: pd.DataFrame, *, model: str) -> pd.DataFrame:
    """Take one model's posterior effects under all analyses out of the long frame.

    Parameters
    ----------
    intervals
        Long frame.
    model
        Name of the model.
    """
    chosen = (intervals["model"] == model) & (intervals["estimand"] == ESTIMAND)
    return intervals[chosen & (intervals["source"] == "posterior")].reset_index(drop=True)


def analyses_table(
    rows: pd.DataFrame, context: Context, *, outcomes: Sequence[str] | None = None
) -> Table:
    """Build the table of all analyses.

    Returns: the raw frame holds every outcome and every diagnostic; printed are means and
    intervals, rounded as their Monte Carlo errors allow.
    """
    language = context.language
    stored = [name for name in ANALYSES if (rows["analysis"] == name).any()]
    level = percent(float(rows["level"].iloc[0]), language)
    columns = [
        Column("outcome", phrase("audit_header_outcome", language), align="l"),
        Column("combination", phrase("combination", language), align="l"),
        Column("n", phrase("n", language)),
    ]
    for name in stored:
        group = capital(analysis_name(name, language=language))
        columns.append(Column(f"mean_{name}", phrase("mean", language), group))
        interval = phrase("credible_short", language, level=level)
        columns.append(Column(f"interval_{name}", interval, group))
    return Table(
        name="analyses",
        caption=table_caption(
            context, phrase("analyses_table", language), phrase("in_units", language)
        ),
        notes=_notes(rows, stored, context),
        columns=tuple(columns),
        body=_body(rows, context, outcomes=printed_outcomes(context, outcomes)),
        raw=rows.dropna(axis="columns", how="all"),
    )


def _body(rows: pd.DataFrame, context: Context, *, outcomes: list[str]) -> pd.DataFrame:
    language, codebook = context.language, context.codebook
    rows = rows.assign(digits=row_decimals(rows, sd="se"))
    body = []
    for outcome in outcomes:
        here = rows[rows["outcome"] == outcome]
        for combination in codebook.combinations:
            lines = here[here["combination"] == combination]
            if lines.empty:
                continue
            n = number(float(lines["n"].max()), 0, language=language)
            texts = {
                "outcome": outcome_label(codebook, outcome, language=language),
                "combination": codebook.combination_label(combination, language),
                "n": n + max(map(dagger, lines["note"])),
            }
            body.append(texts | _cells(lines, language))
    return pd.DataFrame(body)


def _cells(lines: pd.DataFrame, language: str) -> dict[str, str]:
    """Mean and interval by analysis; an asterisk where the interval excludes zero."""
    texts = {}
    for row in lines.to_dict("records"):
        digits, name = int(row["digits"]), row["analysis"]
        ends = float(row["lower"]), float(row["upper"])
        texts[f"mean_{name}"] = number(float(row["estimate"]), digits, language=language)
        texts[f"interval_{name}"] = starred_interval(*ends, digits, language=language)
    return texts


def _notes(rows: pd.DataFrame, stored: list[str], context: Context) -> tuple[str, ...]:
    language = context.language
    notes = [
        f"{capital(analysis_name(name, language=language))}: "
        f"{analysis_meaning(name, language=language)}"
        for name in stored
    ]
    closing = closing_notes(rows, context, ESTIMAND, rounding_note(context))
    return (*notes, source_note(rows.iloc[0], context), *closing)
