"""Tables of the checks: one layout for all, said in data which column is what."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import pandas as pd

from bipbayes.tables.comparison_table import interval_text, probability_text
from bipbayes.tables.layout import Column, Table, table_caption
from bipbayes.wording import (
    Context,
    capital,
    number,
    outcome_label,
    phrase,
    respondent_word,
)

TEXT: Final = "text"  # as it stands
WORDS: Final = "words"  # a phrase of its own
NAMED: Final = "named"  # a word of the catalogue that all outputs share
GROUP: Final = "group"  # outcome, combination, respondent or other label
PROBABILITY: Final = "probability"
INTERVAL: Final = "interval"  # columns <name>_lower and <name>_upper, or lower and upper

SHOWN: Final[Mapping[str, Mapping[str, str | int]]] = {
    "prior": {"model": TEXT, "quantity": WORDS, "sd": 3, "inside_0.3": 2, "inside_0.6": 2,
              "inside_1": 2},
    "cells": {"by": WORDS, "group": GROUP, "cells": 0, "spread": 2, "largest": 1,
              "outside_50": 2, "outside_95": 3, "kurtosis": 2},
    "residuals": {"by": WORDS, "group": GROUP, "n": 0, "mean": 3, "expected": 3, "sd": 3,
                  "residual": 2, "pit": PROBABILITY},
    "lag": {"outcome": GROUP, "pairs": 0, "correlation": 2, "interval": INTERVAL, "claimed": 2},
    "calendar": {"outcome": GROUP, "blocks": 0, "shock": 2, "interval": INTERVAL, "limit": 2,
                 "p_value": PROBABILITY},
    "changes": {"group": GROUP, "statistic": WORDS, "observed": 3, "normal": 3, "rounded": 3,
                "on_scale": 3, "ordinal": 3},
    "sensitivity": {"estimand": NAMED, "quantities": 0, "prior_median": 3, "prior_largest": 3,
                    "likelihood_median": 3, "weak": 0, "conflict": 0},
    "engines": {"estimand": NAMED, "quantities": 0, "measure": WORDS, "worst": 3, "chance": 1,
                "outcome": GROUP, "combination": GROUP, "jobcenter": TEXT},
    "leave_out": {"unit": WORDS, "model": TEXT, "method": WORDS, "elpd": 1, "elpd_se": 1,
                  "difference": 1, "difference_se": 1, "units": 0, "replaced": 0,
                  "unreliable": 0},
    "specification": {"source": NAMED, "model": TEXT, "vcov": NAMED, "previous": WORDS,
                      "estimate": 3, "interval": INTERVAL, "p_positive": PROBABILITY},
    "improved": {"estimand": NAMED, "combination": GROUP, "outcomes": 0, "expected": 1,
                 "interval": INTERVAL, "p_at_least": PROBABILITY},
    "ranks": {"outcome": GROUP, "combination": GROUP, "rank": 1, "interval": INTERVAL,
              "p_best": PROBABILITY},
    "pooling": {"estimand": NAMED, "combination": GROUP, "n": 0, "median": 2, "lowest": 2,
                "highest": 2},
    "signs": {"estimand": NAMED, "vcov": NAMED, "significant": 0, "type_s_median": 3,
              "type_s_likely": 0, "type_m_median": 2, "type_m_largest": 2},
}  # fmt: skip
_INTERVAL_DECIMALS: Final = {"improved": 0, "ranks": 0, "lag": 2, "calendar": 2}


def check_table(
    name: str,
    frame: pd.DataFrame,
    context: Context,
    *,
    raw: pd.DataFrame | None = None,
    file_name: str = "",
    values: Mapping[str, object] | None = None,
) -> Table:
    """Build the table of a check.

    Parameters
    ----------
    name
        Of the check, a key of `SHOWN`.
    frame
        Rows to print, with the columns of `SHOWN`.
    context
        Codebook, language, and what the caption must say.
    raw
        Frame behind it for the CSV; default: `frame`.
    file_name
        Other than ``check_<name>``.
    values
        What the braces of caption and note stand for.

    Returns
    -------
    Table
        Its CSV marks synthetic data in a column of that name.
    """
    language, told = context.language, dict(values or {})
    body = pd.DataFrame(
        {
            column: _texts(frame, column, kind, name=name, context=context)
            for column, kind in SHOWN[name].items()
        }
    )
    columns = tuple(
        Column(column, _header(column, told, language), align="r" if _is_number(kind) else "l")
        for column, kind in SHOWN[name].items()
    )
    return Table(
        name=file_name or f"check_{name}",
        caption=table_caption(context, phrase(f"check_{name}_title", language, **told)),
        notes=(phrase(f"check_{name}_note", language, **told),),
        columns=columns,
        body=body,
        raw=frame if raw is None else raw,
    )


def _texts(
    frame: pd.DataFrame, column: str, kind: str | int, *, name: str, context: Context
) -> list[str]:
    language = context.language
    if kind == INTERVAL:
        places = _INTERVAL_DECIMALS.get(name, 3)
        return [
            interval_text(float(low), float(high), places, language=language)
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


def _header(column: str, values: Mapping[str, object], language: str) -> str:
    return phrase(f"check_column_{column.replace('.', '_')}", language, **values)


def _is_number(kind: str | int) -> bool:
    return isinstance(kind, int) or kind in (PROBABILITY, INTERVAL)
