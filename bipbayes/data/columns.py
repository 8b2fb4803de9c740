"""Turning a file's columns into text, dates and numbers, and noting what could not be."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final

import numpy as np
import pandas as pd

from bipbayes.data.codebook import DO_NOT_KNOW, NO_TREATMENT, Codebook
from bipbayes.data.files import VALUE_LABELS
from bipbayes.data.study import Finding, counted

_ISO_DATE: Final = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?)?"
)
# A moment of a time zone tells the day only where it is the zone's own midnight.
_ZONED_MIDNIGHT: Final = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]00:00(?::00(?:\.0+)?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})"
)
_NUMBER: Final = r"[+-]?(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?"
_SCIENTIFIC: Final = r"[0-9]+(?:[.,][0-9]+)?[eE]\+[0-9]+|[0-9]+[.,][0-9]+[eE][0-9]+"
_INVISIBLE: Final = r"[\s\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]*"
_DAYS: Final = (
    *("%d-%m-%Y", "%d/%m/%Y", "%d.%m.%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d"),
    *("%d%b%Y", "%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%B %d, %Y", "%d%m%Y"),
    *("%d-%m-%y", "%d/%m/%y", "%d.%m.%y", "%m/%d/%y"),
)
_TIMES: Final = ("", " %H:%M", " %H:%M:%S", ":%H:%M:%S", " %I:%M:%S %p")
# Day 0 of spreadsheets, Stata, SAS and Unix: what they show where there is no date.
_NO_DAYS: Final = ("1900-01-01", "1904-01-01", "1960-01-01", "1970-01-01")
FIRST_YEAR: Final = 1900
_HELD: Final = 2.0**63  # what a whole number of 64 bits holds
_TRIED: Final = 20  # entries by which formats of dates are sorted out
_SHEET_DIGITS: Final = 15  # of a number in a spreadsheet
_ENOUGH: Final = 5  # different ids, before rounding shows in them
MISSING_TOKENS = ("", "NA", "NaN", "nan", "None", "<NA>")


def to_text(values: pd.Series) -> pd.Series:
    """Return labels as text without surrounding blanks, in Unicode's form C.

    Whole floats lose their ``.0``. Only an entry without a visible sign is missing: ``NA`` and
    ``None`` are names.
    """
    if pd.api.types.is_float_dtype(values.dtype):
        whole = values.dropna().astype("float64")
        if bool((whole == whole.round()).all()) and bool((whole.abs() < _HELD).all()):
            values = values.astype("Int64")
    text = values.astype("string").str.normalize("NFC").str.strip()
    return text.mask(text.str.fullmatch(_INVISIBLE).fillna(False)).astype("str")


def to_number(values: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return numbers and which entries were neither a number nor empty."""
    if pd.api.types.is_bool_dtype(values.dtype) or pd.api.types.is_numeric_dtype(values.dtype):
        return values.astype("float64"), pd.Series(False, index=values.index)
    # Each text is read once, however many rows hold it.
    places, texts = pd.factorize(values.astype("string"))
    text = pd.Series(texts, dtype="string").str.strip()
    empty = text.isin(MISSING_TOKENS)
    # Digits of other scripts look like numbers to a person and are none here.
    plain = text.where(text.str.fullmatch(_NUMBER) & ~empty)
    read = pd.to_numeric(plain.str.replace(",", ".", regex=False), errors="coerce")
    numbers = np.append(read.to_numpy("float64", na_value=np.nan), np.nan)
    unread = np.append(np.isnan(numbers[:-1]) & ~empty.to_numpy(bool), False)
    return (
        pd.Series(numbers[places], index=values.index),
        pd.Series(unread[places], index=values.index),
    )


def to_date(values: pd.Series, date_format: str = "") -> tuple[pd.Series, pd.Series]:
    """Return dates (days) and which entries could not be read.

    Parameters
    ----------
    values
        Text, or a file's own dates. A time of the day is dropped; a moment of a time zone must
        be that zone's midnight.
    date_format
        How text tells the day (`datetime.strptime`); empty: ISO, such as 2017-05-31.
    """
    if pd.api.types.is_numeric_dtype(values.dtype):
        if not date_format:
            # A bare number has no epoch; guessing one would shift every date.
            return pd.Series(pd.NaT, index=values.index, dtype="datetime64[us]"), values.notna()
        numbers = values.astype("float64")
        if bool(((numbers % 1 == 0) & (numbers.abs() < 1e15) | numbers.isna()).all()):
            values = numbers.astype("Int64")
    elif pd.api.types.is_datetime64_any_dtype(values.dtype):
        date_format = ""
    elif date_format and (own := _own_days(values)).any():
        # A file's own days, alone as in SPSS or among text as in Excel, need no format.
        days, unread = to_date(values.where(own))
        others, unread_others = to_date(values.mask(own).astype("string"), date_format)
        return days.fillna(others), unread | unread_others
    text = values.astype("string").str.strip()
    if date_format:
        plain = text.where(text.str.fullmatch(r"[\x00-\x7f]*").fillna(False))
        days = pd.to_datetime(plain, format=date_format, errors="coerce")
        if re.search("%[a-zA-Z]%", date_format):  # 1022016 is no day without its zero
            whole = days.dt.strftime(date_format).str.casefold() == plain.str.casefold()
            days = days.where(whole.fillna(False))
    else:
        whole = text.str.fullmatch(f"(?:{_ISO_DATE}|{_ZONED_MIDNIGHT})").fillna(False)
        days = pd.to_datetime(text.where(whole).str[:10], format="%Y-%m-%d", errors="coerce")
    days = days.astype("datetime64[us]")
    return days, (days.isna() & text.notna() & (text != "")).astype("bool")


def _own_days(values: pd.Series) -> "pd.Series[bool]":
    """Say which entries are a file's own days in a column of mixed type."""
    if pd.api.types.is_object_dtype(values.dtype):
        return values.map(lambda entry: isinstance(entry, date)).astype("bool")
    return pd.Series(False, index=values.index)


def date_formats(text: pd.Series) -> list[str]:
    """Return the codebook's ways of writing days that read every entry of a text column."""
    ways = [day + time for day in _DAYS for time in _TIMES]
    for entry in text.head(_TRIED):
        ways = [written for written in ways if _reads(written, str(entry))]
    return [written for written in ways if to_date(text, written)[0].notna().all()]


def _reads(written: str, entry: str) -> bool:
    try:
        return bool(datetime.strptime(entry, written))
    except ValueError:
        return False


def date_advice(values: pd.Series, date_format: str = "") -> str:
    """Say which line of a codebook reads dates that the one it has does not, if one does."""
    if pd.api.types.is_numeric_dtype(values.dtype) and not date_format:
        return "numbers tell no day by themselves: give the column a format of days, or write text"
    text = values.astype("string").dropna().str.strip()
    if text.str.fullmatch(rf"{_ISO_DATE}(?:Z|[+-][0-9]{{2}}:?[0-9]{{2}})").any():
        return "moments of a time zone do not tell the day: write the day there, as 2017-05-31"
    if date_format and len(text) and to_date(text)[0].notna().all():
        return "they are ISO, such as 2017-05-31: take the line dates out of the codebook"
    found = [f'dates = "{written}"' for written in date_formats(text)]
    day = date(2017, 5, 31).strftime(date_format or "%Y-%m-%d")
    if found and len(text):
        return f"write them as {day}, or say in the codebook how they are: {' or '.join(found)}"
    wrong = text[to_date(values, date_format)[1].reindex(text.index)]
    known = {*_shapes(text.drop(wrong.index)), *_shapes(pd.Series([day]))}
    count = int(_shapes(wrong).isin(known).sum())
    if not count:
        return f"write them as {day}"
    told = f"{count} of them {'is' if count == 1 else 'are'} no day of the calendar"
    told += f", read as {date_format}" * bool(date_format)
    others = f"; write the others as {day}" * (count < len(wrong))
    return f"{told}: correct them, or leave the response out{others}"


def _shapes(text: pd.Series) -> pd.Series:
    """Return texts with a sign for each digit and one for each word, which days share."""
    words = text.str.replace(r"[^\W\d_]+", "a", regex=True)
    return words.str.replace(r"\d", "0", regex=True)


def last_year() -> int:
    """Return the last year that a response can be from, with a year's grace for clocks."""
    return datetime.now(UTC).year + 1


def far_dates(days: pd.Series) -> "pd.Series[bool]":
    """Say which dates lie outside of all years that a response can be from."""
    plausible: pd.Series[bool] = days.isna() | days.dt.year.between(FIRST_YEAR, last_year())
    return ~plausible


def no_days(days: pd.Series) -> "pd.Series[bool]":
    """Say which dates are what programs show where there is none."""
    return days.isin(pd.to_datetime(list(_NO_DAYS)))


def to_answers(
    values: pd.Series,
    words: Sequence[str] = (),
    *,
    low: int = 0,
    missing: Sequence[int | str] = (),
) -> tuple[pd.Series, pd.Series]:
    """Return answers as numbers, those in words by their place; and what was neither.

    Parameters
    ----------
    values
        A file's column.
    words
        Of the answers from `low` on.
    low
        Number of the first word.
    missing
        Numbers and words that mean no answer.
    """
    numbers, unread = to_number(values)
    numbers = numbers.mask(numbers.isin([code for code in missing if isinstance(code, int)]))
    known: dict[str, float] = dict.fromkeys([str(code) for code in missing], np.nan)
    known |= {word: float(place) for place, word in enumerate(words, start=low)}
    if not known or not unread.any():
        return numbers, unread
    text = values.astype("string").str.strip().str.normalize("NFC")
    named = text.map(known, na_action="ignore").astype("float64")
    return named.where(named.notna(), numbers), unread & ~text.isin(list(known))


def answers(frame: pd.DataFrame, codebook: Codebook) -> tuple[dict[str, pd.Series], list[Finding]]:
    """Return each indicator's answers by code and the faults found in them.

    Answers to an indicator with ``reverse`` are turned here, before anything sees them.
    """
    low, high = codebook.scale
    columns: dict[str, pd.Series] = {}
    findings, removed = [], {}
    for indicator in (*codebook.indicators, *codebook.unanalysed):
        if indicator.column not in frame:
            continue
        numbers, unread = to_answers(
            frame[indicator.column], indicator.answers, low=low, missing=indicator.missing
        )
        outside = numbers.notna() & ~numbers.isin(range(low, high + 1))
        allowed = f"a whole number from {low} to {high}"
        if unread.any():
            allowed += _words_advice(frame[indicator.column], indicator.answers)
        allowed += _labelled_advice(frame, indicator.column, range(low, high + 1))
        findings += _value_findings(indicator.column, unread, outside, allowed)
        if indicator.missing:
            removed[indicator.column] = _removed(frame[indicator.column], numbers, unread)
        findings += _other_order(frame[indicator.column], indicator.answers)
        columns[indicator.code] = low + high - numbers if indicator.reverse else numbers
    return columns, findings + _removals(removed, "answers") + _turned(columns, codebook)


def _other_order(values: pd.Series, words: Sequence[str]) -> list[Finding]:
    """Warn where a file has an order of its words, and it is not the codebook's."""
    kind = values.dtype
    if not isinstance(kind, pd.CategoricalDtype) or not kind.ordered:
        return []
    held = [str(word).strip() for word in kind.categories]
    differ = [word for word in held if word in words] != [word for word in words if word in held]
    rule = "words that the file orders otherwise than the codebook's 'answers'"
    advice = "the codebook's order counts, from the lowest to the highest: look which is right"
    return counted(str(values.name), rule, len(held) if differ else 0, advice)


def _removed(values: pd.Series, numbers: pd.Series, unread: pd.Series) -> int:
    """Count entries of a column that say something and are read as nothing."""
    given, words = to_number(values)
    return int(((given.notna() | words) & numbers.isna() & ~unread).sum())


def _removals(counts: Mapping[str, int], what: str) -> list[Finding]:
    """Say how many entries of each column the codebook's missing codes take away."""
    by_column = {name: count for name, count in counts.items() if count}
    rule = f"{what} that the codebook's 'missing' reads as none"
    found = Finding("missing", rule, sum(by_column.values()), "left empty", by_column=by_column)
    return [found] * bool(by_column)


def _words_advice(values: pd.Series, words: Sequence[str]) -> str:
    """Say how answers in words are read, and which of the codebook's words a column lacks."""
    none = "; what means no answer must be empty, or stand in the codebook's line missing = [...]"
    if not words:
        return (
            ", or words that the codebook lists from lowest to highest: "
            f'answers = ["...", ...]{none}'
        )
    held = set(values.astype("string").str.strip().str.normalize("NFC").dropna())
    lacking = [word for word in words if word not in held]
    advice = f", or a word of the codebook's 'answers', written as in the file{none}"
    if not lacking:
        return advice
    told = ", ".join(map(repr, lacking))
    return f"{advice}; no row holds {told} ({len(lacking)} of its {len(words)} words)"


def _labelled_advice(frame: pd.DataFrame, column: str, scale: range) -> str:
    """Say which labelled codes of a column lie outside the scale, and how they become missing."""
    labels = frame.attrs.get(VALUE_LABELS, {}).get(column, {})
    outside = sorted(int(code) for code in labels if _is_whole(code) and code not in scale)
    if not outside:
        return ""
    told = ", ".join(map(str, outside))
    return (
        f"; the file labels codes outside the scale ({told}): where they mean no answer, the "
        f"codebook's line missing = [{told}] reads them so"
    )


def _is_whole(code: object) -> bool:
    return isinstance(code, int | float) and float(code).is_integer()


def site_names(
    frame: pd.DataFrame, column: str, kept: Sequence[str]
) -> tuple[pd.Series, list[Finding]]:
    """Return labels of sites as text, a file's own value labels in the place of codes.

    Where two codes would get one name, all codes stay, and that is told.

    Parameters
    ----------
    frame
        A file's columns with its value labels.
    column
        The sites.
    kept
        What the codebook calls them: where it lists the codes, these stay.
    """
    codes = to_text(frame[column])
    labels = frame.attrs.get(VALUE_LABELS, {}).get(column, {})
    values = to_text(pd.Series(list(labels)))
    names = dict(zip(values, to_text(pd.Series(list(labels.values()), dtype="str")), strict=True))
    if set(names) & set(kept):
        return codes, []
    used = {code: names.get(code, code) for code in codes.dropna().unique()}
    told = {code: code if pd.isna(name) else name for code, name in used.items()}
    holders = Counter(told.values())
    shared = [code for code, name in told.items() if holders[name] > 1]
    rule = "codes of {jobcenters} that share a label"
    advice = "codes stand in the place of all labels: give each a label of its own, or one code"
    # Where no row has a label, the mapped column would be one of numbers.
    return codes if shared or not told else codes.map(told), counted(
        column, rule, len(shared), advice
    )


def _turned(answers: dict[str, pd.Series], codebook: Codebook) -> list[Finding]:
    turned = [code for code in codebook.reversed_codes if code in answers]
    if not turned:
        return []
    return [
        Finding(
            ", ".join(turned),
            "reverse = true in the codebook",
            len(turned),
            "answers turned: lowest plus highest of the scale minus the answer",
            of_columns=True,
        )
    ]


def ticks(
    frame: pd.DataFrame, names: Sequence[str], missing: Sequence[int | str] = ()
) -> tuple[dict[str, pd.Series], list[Finding]]:
    """Return 0/1 columns and the faults found in them; 0 and 1 are never missing."""
    unsaid = [code for code in missing if code not in (0, 1)]
    columns: dict[str, pd.Series] = {}
    findings, removed = [], {}
    for name in names:
        numbers, unread = to_answers(frame[name], missing=unsaid)
        outside = numbers.notna() & ~numbers.isin([0, 1])
        allowed = "0, 1 or empty" + _labelled_advice(frame, name, range(2))
        findings += _value_findings(name, unread, outside, allowed)
        if unsaid:
            removed[name] = _removed(frame[name], numbers, unread)
        columns[name] = numbers
    return columns, findings + _removals(removed, "entries of boxes")


def _value_findings(
    column: str, unread: pd.Series, outside: pd.Series, allowed: str
) -> list[Finding]:
    advice = f"must be {allowed}"
    return [
        *counted(column, "entries that are no numbers", unread, advice, refused=True),
        *counted(column, "values outside the scale", outside, advice, refused=True),
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


def lost_digits(values: pd.Series) -> pd.Series:
    """Say which ids or labels have lost digits, since they were stored as numbers.

    Those are numbers above 2^24 in a column of 32-bit floats, above 2^53 in one of 64 bits,
    text in scientific notation; numbers above 2^24 that are all whole 32-bit floats, as one
    in eight or fewer is by chance, unless all end in 0; and numbers of more than 15 digits that
    all have zeros after these, as a spreadsheet leaves them.
    """
    kind = values.dtype
    if not (pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)):
        text = values.astype("string").str.strip()
        many = text.str.fullmatch("[0-9]{16,}").fillna(False).astype("bool")
        ends = text[many].str[_SHEET_DIGITS:].drop_duplicates()
        if text[many].nunique() >= _ENOUGH and bool(ends.str.fullmatch("0+").all()):
            return many
        return text.str.fullmatch(_SCIENTIFIC).fillna(False).astype("bool")
    numbers = values.astype("float64").abs()
    limit = {"float16": 2.0**11, "float32": 2.0**24}.get(str(kind).lower(), 2.0**53)
    if pd.api.types.is_float_dtype(kind) and bool((numbers >= limit).any()):
        return (numbers >= limit).fillna(False)
    long = numbers[numbers > 2.0**24]
    rounded = long.nunique() >= _ENOUGH and bool((long == long.astype("float32")).all())
    if rounded and bool((long % 10 != 0).any()):
        return (numbers > 2.0**24).fillna(False)
    return pd.Series(False, index=values.index)


def holding(labels: pd.Series, signs: str) -> pd.Series:
    """Say which labels hold one of some signs (the inside of a pattern's brackets)."""
    return labels.str.contains(f"[{signs}]").fillna(False).astype("bool")


UNKNOWN = ""


def role_columns(codebook: Codebook, role: str) -> list[str]:
    """Columns of the boxes that play a role (a treatment's code, ``none``, ``dont_know``)."""
    return [activity.column for activity in codebook.activities if activity.role == role]


def uses_boxes(frame: pd.DataFrame, codebook: Codebook) -> bool:
    """Say whether a file gives tick boxes (else one 0/1 column a treatment)."""
    boxes = [column for entry in codebook.treatments for column in entry.columns]
    return any(column in frame.columns for column in boxes)


def combinations(frame: pd.DataFrame, codebook: Codebook) -> pd.Series:
    """Return each response's combination of treatments.

    Boxes: at least one box of a treatment or the box "none" must be ticked; nothing ticked, or
    only "don't know", is unknown and never "no treatment". A treatment ticked beside "none"
    wins. A codebook without a "none" box, or a file with one 0/1 column a treatment, says "no
    treatment" with explicit zeros; unless something is ticked, an empty column is unknown.

    Parameters
    ----------
    frame
        One row a response; boxes 0, 1 or missing.
    codebook
        Says which box belongs to which treatment.

    Returns
    -------
    pandas.Series
        Text such as ``"0101"`` in the order of the treatments, ``""`` where unknown.
    """
    boxes = uses_boxes(frame, codebook)
    columns = [list(entry.columns) if boxes else [entry.code] for entry in codebook.treatments]
    ticked = np.column_stack([(frame[names] == 1).any(axis=1).to_numpy() for names in columns])
    codes = np.array(["0", "1"])[ticked.astype("int64")]
    text = pd.Series(["".join(row) for row in codes], index=frame.index, dtype="str")
    known = (
        _boxes_known(frame, codebook, ticked, columns)
        if boxes
        else frame[list(codebook.treatment_codes)].notna().all(axis=1).to_numpy()
    )
    return text.where(known, UNKNOWN)


def _boxes_known(
    frame: pd.DataFrame, codebook: Codebook, ticked: np.ndarray, columns: list[list[str]]
) -> np.ndarray:
    """Say where the boxes tell the combination: something ticked, or a "no" to every box."""
    anything = ticked.any(axis=1)
    none = role_columns(codebook, NO_TREATMENT)
    if none:
        return np.asarray(anything | (frame[none] == 1).any(axis=1).to_numpy())
    answered = frame[[name for names in columns for name in names]].notna().all(axis=1).to_numpy()
    doubtful = (frame[role_columns(codebook, DO_NOT_KNOW)] == 1).any(axis=1).to_numpy()
    return np.asarray(anything | (answered & ~doubtful))
