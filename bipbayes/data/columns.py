"""Turning a file's columns into text, dates and numbers, and noting what could not be."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bipbayes.data.codebook import Codebook
from bipbayes.data.study import Finding, first_rows

_ISO_DATE = r"\d{4}-\d{2}-\d{2}([T ].*)?"
MISSING_TOKENS = ("", "NA", "NaN", "nan", "None", "<NA>")


def to_text(values: pd.Series) -> pd.Series:
    """Return labels as text without surrounding blanks, in Unicode's form C.

    Whole floats lose their ``.0``. Only an empty entry is missing: ``NA`` and ``None`` are names.
    """
    if pd.api.types.is_float_dtype(values.dtype):
        whole = values.dropna()
        if bool((whole == whole.round()).all()):
            values = values.astype("Int64")
    text = values.astype("string").str.normalize("NFC").str.strip()
    return text.mask(text == "").astype("str")


def to_number(values: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return numbers and which entries were neither a number nor empty."""
    if pd.api.types.is_bool_dtype(values.dtype) or pd.api.types.is_numeric_dtype(values.dtype):
        return values.astype("float64"), pd.Series(False, index=values.index)
    text = values.astype("string").str.strip()
    empty = text.isna() | text.isin(MISSING_TOKENS)
    numbers = pd.to_numeric(text.mask(empty).str.replace(",", ".", regex=False), errors="coerce")
    numbers = numbers.astype("float64")
    return numbers, numbers.isna() & ~empty


def to_date(values: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return dates (days) and which entries could not be read as an ISO date."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        # A bare number has no epoch; guessing one would shift every date.
        return pd.Series(pd.NaT, index=values.index, dtype="datetime64[us]"), values.notna()
    text = values.astype("string").str.strip()
    # A time of the day is dropped; a year or a month alone is no day.
    whole = text.where(text.str.fullmatch(_ISO_DATE).fillna(False))
    days = pd.to_datetime(whole.str[:10], format="%Y-%m-%d", errors="coerce")
    days = days.astype("datetime64[us]")
    return days, (days.isna() & text.notna() & (text != "")).astype("bool")


def answers(frame: pd.DataFrame, codebook: Codebook) -> tuple[dict[str, pd.Series], list[Finding]]:
    """Return each indicator's answers by code and the faults found in them.

    Answers to an indicator with ``reverse`` are turned here, before anything sees them.
    """
    low, high = codebook.scale
    columns: dict[str, pd.Series] = {}
    findings = []
    for indicator in (*codebook.indicators, *codebook.unanalysed):
        if indicator.column not in frame:
            continue
        numbers, unread = to_number(frame[indicator.column])
        outside = numbers.notna() & ~numbers.isin(range(low, high + 1))
        findings += _value_findings(
            indicator.column, unread, outside, f"a whole number from {low} to {high}"
        )
        columns[indicator.code] = low + high - numbers if indicator.reverse else numbers
    return columns, findings + _turned(columns, codebook)


def _turned(answers: dict[str, pd.Series], codebook: Codebook) -> list[Finding]:
    turned = [code for code in codebook.reversed_codes if code in answers]
    if not turned:
        return []
    low, high = codebook.scale
    return [
        Finding(
            ", ".join(turned),
            "reverse = true in the codebook",
            len(turned),
            f"answers turned: {low + high} minus the answer",
        )
    ]


def ticks(frame: pd.DataFrame, names: Sequence[str]) -> tuple[dict[str, pd.Series], list[Finding]]:
    """Return 0/1 columns and the faults found in them."""
    columns: dict[str, pd.Series] = {}
    findings = []
    for name in names:
        numbers, unread = to_number(frame[name])
        outside = numbers.notna() & ~numbers.isin([0, 1])
        findings += _value_findings(name, unread, outside, "0, 1 or empty")
        columns[name] = numbers
    return columns, findings


def _value_findings(
    column: str, unread: pd.Series, outside: pd.Series, allowed: str
) -> list[Finding]:
    rules = {"entries that are no numbers": unread, "values outside the scale": outside}
    return [
        Finding(
            column, rule, int(rows.sum()), f"must be {allowed}", refused=True, rows=first_rows(rows)
        )
        for rule, rows in rules.items()
        if rows.any()
    ]


def lost_zeros(citizens: pd.Series) -> int:
    """Count ids that may have lost leading zeros: digits only, shorter than the others.

    Ids of digits that never start with 0 but differ in length are what a spreadsheet leaves of
    ids with a fixed width. Numbers counted from 1 look alike, so this only warns.
    """
    ids = citizens.dropna()
    digits = ids.str.fullmatch(r"\d+")
    if len(ids) == 0 or not bool(digits.all()) or bool(ids.str.startswith("0").any()):
        return 0
    lengths = ids.str.len().to_numpy()
    return int(np.unique(ids[lengths < lengths.max()]).size)
