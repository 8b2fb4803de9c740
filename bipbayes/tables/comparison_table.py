"""OLS and posterior side by side for one outcome: a formatted table of data/comparison.csv."""

import numpy as np
import pandas as pd

from bipbayes.intervals import PRIOR_DRIVEN
from bipbayes.option_words import ORDINAL
from bipbayes.tables.layout import Column, Table, rounding_note, table_caption
from bipbayes.tables.rounding import MOST_DECIMALS, PROBABILITY_DECIMALS, row_decimals
from bipbayes.wording import (
    Context,
    capital,
    interval_words,
    meaning_of_significant,
    number,
    outcome_label,
    percent,
    phrase,
)


def comparison_table(
    comparison: pd.DataFrame,
    context: Context,
    *,
    outcome: str,
    estimand: str = "effect",
) -> Table:
    """Build the table of one outcome and estimand, one row a combination in codebook order.

    Returns
    -------
    Table
        OLS numbers (exact) have three decimals, posterior numbers as many as their Monte Carlo
        error allows; an asterisk marks intervals that exclude zero.
    """
    chosen = (comparison["outcome"] == outcome) & (comparison["estimand"] == estimand)
    order = {code: place for place, code in enumerate(context.codebook.combinations)}
    raw = comparison[chosen].sort_values("combination", key=lambda codes: codes.map(order))
    name = f"comparison_{outcome}" if estimand == "effect" else f"comparison_{estimand}_{outcome}"
    return Table(
        name=name,
        caption=_caption(context, outcome, estimand),
        notes=comparison_notes(raw, context, estimand),
        columns=comparison_columns(raw, context),
        body=comparison_body(raw, context),
        raw=_whole_counts(raw.reset_index(drop=True)),
        document=f"comparison_{estimand}",
    )


def interval_text(low: float, high: float, decimals: int, *, language: str) -> str:
    """Write an interval: ``[0.01, 0.20]``, in Danish ``[0,01; 0,20]``; ``""`` if unknown."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return ""
    ends = {
        name: number(end, decimals, language=language)
        for name, end in (("low", low), ("high", high))
    }
    return phrase("interval", language, **ends)


def starred_interval(low: float, high: float, decimals: int, *, language: str) -> str:
    """Write an interval, with an asterisk where it excludes zero."""
    star = "*" if low > 0 or high < 0 else ""
    return interval_text(low, high, decimals, language=language) + star


def dagger(note: str) -> str:
    """Return the mark of a number with no answers behind it, ``""`` for any other."""
    return " †" if note == PRIOR_DRIVEN else ""


def source_note(row: pd.Series, context: Context, *, kind: str = "", errors: str = "vcov") -> str:
    """Say which interval a source's rows have, under which errors, and of which model."""
    language, kind = context.language, kind or str(row["kind"])
    return phrase(
        "ols_note" if kind == "confidence" else "posterior_note",
        language,
        interval=interval_words(float(row["level"]), kind, language=language),
        model=row["model"],
        errors=phrase(row[errors], language),
    )


def closing_notes(
    rows: pd.DataFrame, context: Context, estimand: str, *middle: str, averages: bool = True
) -> list[str]:
    """Say what the signs of a table's rows mean, then what else there is to know of them."""
    language = context.language
    notes = [phrase("star", language), meaning_of_significant(estimand, language=language)]
    notes += middle
    if averages and rows["outcome"].isin(context.codebook.average_codes).any():
        notes.append(phrase("average_counts", language))
    if (rows["note"] == PRIOR_DRIVEN).any():
        notes.append(phrase("prior_driven_note", language))
    return notes


def probability_text(value: float, *, language: str) -> str:
    """Write a probability from draws: two decimals, never 0 or 1."""
    if not np.isfinite(value):
        return ""
    smallest = 10.0**-PROBABILITY_DECIMALS
    if value > 1 - smallest:
        return f">{number(1 - smallest, PROBABILITY_DECIMALS, language=language)}"
    if value < smallest:
        return f"<{number(smallest, PROBABILITY_DECIMALS, language=language)}"
    return number(value, PROBABILITY_DECIMALS, language=language)


def comparison_body(raw: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Write rows of data/comparison.csv as texts, a column for each of `comparison_columns`."""
    language = context.language
    places = row_decimals(raw, sd="posterior_sd")
    rows = []
    for row, digits in zip(raw.to_dict("records"), places, strict=True):  # thousands, and quick so
        ols = row["ols_lower"], row["ols_upper"], MOST_DECIMALS
        posterior = row["posterior_lower"], row["posterior_upper"], int(digits)
        rows.append(
            {
                "combination": context.codebook.combination_label(row["combination"], language),
                "n": number(row["n"], 0, language=language) + dagger(row["note"]),
                "ols_estimate": number(row["ols_estimate"], MOST_DECIMALS, language=language),
                "ols_interval": starred_interval(*ols, language=language),
                "posterior_mean": number(row["posterior_mean"], int(digits), language=language),
                "posterior_interval": starred_interval(*posterior, language=language),
                "p_positive": probability_text(row["p_positive"], language=language),
                "pooling": number(row["pooling_factor"], 2, language=language),
            }
        )
    return pd.DataFrame(rows)


def comparison_columns(raw: pd.DataFrame, context: Context) -> tuple[Column, ...]:
    """Return the columns of rows of data/comparison.csv."""
    language = context.language
    level = "" if raw.empty else percent(float(raw["level"].iloc[0]), language)
    ols, posterior = capital(_source(context)), capital(phrase("posterior", language))
    return (
        Column("combination", phrase("combination", language), align="l"),
        Column("n", phrase("n", language)),
        Column("ols_estimate", phrase("estimate", language), ols),
        Column("ols_interval", phrase("confidence_short", language, level=level), ols),
        Column("posterior_mean", phrase("mean", language), posterior),
        Column("posterior_interval", phrase("credible_short", language, level=level), posterior),
        Column("p_positive", phrase("p_positive", language), posterior),
        Column("pooling", phrase("pooling", language), posterior),
    )


def _source(context: Context) -> str:
    """Name the frequentist side: OLS, or the ordered probit."""
    return phrase(ORDINAL if context.analysis == ORDINAL else "ols", context.language)


def _caption(context: Context, outcome: str, estimand: str) -> str:
    language, codebook = context.language, context.codebook
    label = outcome_label(codebook, outcome, language=language)
    title = phrase("comparison", language, outcome=label, estimand=phrase(estimand, language))
    in_report = codebook.is_bip and not context.analysis
    figure = codebook.figure(outcome) if in_report else None
    told = "" if figure is None else phrase("report_figure", language, figure=figure)
    return table_caption(context, title, phrase("in_units", language), told)


def comparison_notes(raw: pd.DataFrame, context: Context, estimand: str) -> tuple[str, ...]:
    """Say what rows of data/comparison.csv are, and what their signs mean."""
    if raw.empty:
        return ()
    first = raw.iloc[0]
    pooling = phrase("pooling_note", context.language, source=_source(context))
    notes = [
        source_note(first, context, kind="confidence", errors="vcov_ols"),
        source_note(first, context, errors="vcov_posterior"),
        *closing_notes(raw, context, estimand, pooling, rounding_note(context)),
    ]
    return tuple(capital(note) for note in notes)


def _whole_counts(raw: pd.DataFrame) -> pd.DataFrame:
    """Return counts as whole numbers, empty ones empty."""
    return raw.astype({name: "Int64" for name in ("n", "n_citizens") if name in raw})
