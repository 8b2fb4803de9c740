"""Tables of the checks: one layout for all, said in data which column is what."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from bipbayes.tables.comparison_table import interval_text, probability_text
from bipbayes.tables.layout import Column, Table, table_caption
from bipbayes.wording import Context, capital, number, outcome_label, phrase, respondent_word


@dataclass(frozen=True)
class Interval:
    """A column of the limits ``lower`` and ``upper``, and their decimals."""

    decimals: int = 3


type Columns = Mapping[str, str | int | Interval]
"""Columns of a table, and how each is written: one of the words below, or its decimals."""
TEXT: Final = "text"  # as it stands
WORDS: Final = "words"  # a phrase of its own
NAMED: Final = "named"  # a word of the catalogue that all outputs share
GROUP: Final = "group"  # outcome, combination, respondent or other label
PROBABILITY: Final = "probability"


def check_table(
    name: str,
    columns: Columns,
    frame: pd.DataFrame,
    context: Context,
    *,
    raw: pd.DataFrame | None = None,
    of: str = "",
    values: Mapping[str, object] | None = None,
) -> Table:
    """Build the table of a check.

    `name`: of the check; `columns`: what is printed, and how; `frame`: rows to print; `context`:
    codebook, language, and what the caption must say; `raw`: frame behind it for the CSV; default:
    `frame`; `of`: which of several, behind ``check_<name>`` in its name; `values`: what the braces
    of caption and note stand for.

    Returns: its CSV marks synthetic data in a column of that name.
    """
    language, told = context.language, dict(values or {})
    body = pd.DataFrame(
        {column: _texts(frame, column, kind, context) for column, kind in columns.items()}
    )
    headed = tuple(
        Column(
            column,
            phrase(f"check_column_{column.replace('.', '_')}", language, **told),
            align="r" if isinstance(kind, int | Interval) or kind == PROBABILITY else "l",
        )
        for column, kind in columns.items()
    )
    return Table(
        name=f"check_{name}{of}",
        caption=table_caption(context, phrase(f"check_{name}_title", language, **told)),
        notes=(phrase(f"check_{name}_note", language, **told),),
        columns=headed,
        body=body,
        raw=frame if raw is None else raw,
    )


def _texts(
    frame: pd.DataFrame, column: str, kind: str | int | Interval, context: Context
) -> list[str]:
    language = context.language
    if isinstance(kind, Interval):
        return [
            interval_text(float(low), float(high), kind.decimals, language=language)
            for low, high in zip(frame["lower"], frame["upper"], strict=True)
        ]
    writers: dict[str, Callable[[Any], str]] = {
        TEXT: str,
        WORDS: lambda value: words(column, str(value), language),
        NAMED: lambda value: capital(phrase(str(value), language)) if value else "",
        GROUP: lambda value: group_label(str(value), context),
        PROBABILITY: lambda value: probability_text(float(value), language=language),
    }
    if isinstance(kind, int):
        return [number(float(value), kind, language=language) for value in frame[column]]
    return [writers[kind](value) for value in frame[column]]


def words(column: str, value: str, language: str) -> str:
    """Return the phrase for a value of a column, such as a statistic; ``""`` stays empty."""
    if not value:
        return ""
    if column == "statistic" and value.startswith("at_least_"):
        return phrase("check_statistic_at_least", language, points=value.rsplit("_", 1)[1])
    return phrase(f"check_{column}_{value.replace(' ', '_')}", language)


def group_label(value: str, context: Context) -> str:
    """Name an outcome, combination or respondent; other labels stand as they are."""
    codebook, language = context.codebook, context.language
    if value in (*codebook.outcomes, "all_indicators"):
        return outcome_label(codebook, value, language=language)
    if value in codebook.combinations:
        return codebook.combination_label(value, language)
    return capital(respondent_word(value, language=language))
