"""Main effects and interactions, OLS and posterior side by side: one table of a run."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from bipbayes.comparison import shown_errors
from bipbayes.data.factorial import factorial_contrasts
from bipbayes.intervals import ALL_INDICATORS
from bipbayes.tables.comparison_table import (
    closing_notes,
    dagger,
    probability_text,
    source_note,
    starred_interval,
)
from bipbayes.tables.layout import Column, Table, printed_outcomes, rounding_note, table_caption
from bipbayes.tables.rounding import MOST_DECIMALS, row_decimals
from bipbayes.wording import Context, capital, number, outcome_label, percent, phrase, whole_number

ESTIMAND = "factorial"
# A term rests on all combinations; the smallest of them decides how precisely.
_OF_SMALLEST = {"n": "n_smallest", "n_citizens": "n_citizens_smallest"}


def factorial_rows(intervals: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Take factorial effects out of the long frame: the posterior, and OLS with its usual errors.

    Parameters
    ----------
    intervals
        Long frame of one model and one analysis.
    context
        Says which analysis, hence which errors.
    """
    rows = intervals[intervals["estimand"] == ESTIMAND]
    shown = (rows["source"] == "posterior") | (rows["vcov"] == shown_errors(context.analysis))
    return rows[shown].reset_index(drop=True)


def _smallest(rows: pd.DataFrame, context: Context) -> str:
    """Say n of the smallest combination once, or of each outcome where they differ."""
    language = context.language
    smallest = rows.groupby("outcome")["n"].min()
    texts = {name: whole_number(n, language=language) for name, n in smallest.items()}
    if len(set(texts.values())) == 1:
        return phrase("n_smallest", language, n=next(iter(texts.values())))
    order = [name for name in (ALL_INDICATORS, *context.codebook.outcomes) if name in texts]
    told = [
        f"{texts[name]} ({outcome_label(context.codebook, name, language=language)})"
        for name in order
    ]
    return phrase("n_smallest", language, n=", ".join(told))


def factorial_table(
    rows: pd.DataFrame, context: Context, *, outcomes: Sequence[str] | None = None
) -> Table:
    """Build the table.

    Returns
    -------
    Table
        The raw frame holds every outcome; printed are the outcomes asked for, an asterisk where
        an interval excludes zero.
    """
    language = context.language
    level = percent(float(rows["level"].iloc[0]), language)
    ols, posterior = capital(phrase("ols", language)), capital(phrase("posterior", language))
    columns = (
        Column("outcome", phrase("audit_header_outcome", language), align="l"),
        Column("term", phrase("factorial_term", language), align="l"),
        Column("ols_estimate", phrase("estimate", language), ols),
        Column("ols_interval", phrase("confidence_short", language, level=level), ols),
        Column("posterior_estimate", phrase("mean", language), posterior),
        Column("posterior_interval", phrase("credible_short", language, level=level), posterior),
        Column("p_positive", phrase("p_positive", language), posterior),
    )
    title = phrase("factorial_table", language)
    printed = rows[rows["outcome"].isin(printed_outcomes(context, outcomes))]
    return Table(
        name=ESTIMAND,
        caption=table_caption(context, title, phrase("in_units", language)),
        notes=_notes(printed, context),
        columns=columns,
        body=_body(printed, context),
        raw=rows.rename(columns=_OF_SMALLEST).dropna(axis="columns", how="all"),
    )


def _body(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    language, codebook = context.language, context.codebook
    rows = rows.assign(digits=MOST_DECIMALS)
    drawn = rows["source"] == "posterior"
    rows.loc[drawn, "digits"] = row_decimals(rows[drawn], sd="se")
    keyed = {
        (row["outcome"], row["combination"], row["source"] == "posterior"): row
        for row in rows.to_dict("records")
    }
    body = []
    for outcome in (ALL_INDICATORS, *codebook.outcomes):
        for term in factorial_contrasts(codebook)[0]:
            sides = [keyed.get((outcome, term, which)) for which in (False, True)]
            known = next((side for side in reversed(sides) if side is not None), None)
            if known is None:
                continue
            texts = {
                "outcome": outcome_label(codebook, outcome, language=language),
                "term": term.replace(":", " × ") + dagger(known["note"]),
            }
            for name, side in zip(("ols", "posterior"), sides, strict=True):
                texts |= _side(name, side, language)
            body.append(texts)
    return pd.DataFrame(body).fillna("")  # no OLS over all indicators


def _side(name: str, row: Mapping[Hashable, Any] | None, language: str) -> dict[str, str]:
    if row is None:
        return {}
    estimate, low, high, positive = (
        float(row[key]) for key in ("estimate", "lower", "upper", "p_positive")
    )
    digits = int(row["digits"])
    texts = {
        f"{name}_estimate": number(estimate, digits, language=language),
        f"{name}_interval": starred_interval(low, high, digits, language=language),
    }
    if name == "posterior":
        texts["p_positive"] = probability_text(positive, language=language)
    return texts


def _notes(rows: pd.DataFrame, context: Context) -> tuple[str, ...]:
    language = context.language
    notes = [phrase("factorial_note", language), _smallest(rows, context)]
    notes += [source_note(part.iloc[0], context) for _, part in rows.groupby("source", sort=False)]
    return (*notes, *closing_notes(rows, context, ESTIMAND, rounding_note(context)))
