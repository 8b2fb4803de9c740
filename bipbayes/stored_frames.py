"""What a stored frame says of itself, and how its text stays text in any reader.

In memory a combination is its digits (``0101``); a CSV's column ``combination`` holds ``J+S``
(``none`` for no treatment) and ``code`` holds ``c0101``, which no reader takes for a number.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

import pandas as pd

# Columns of combinations, each with the column of its digits.
CODES: Final = {"combination": "code", "previous": "previous_code"}
# Words that `pandas.read_csv` takes for missing unless told otherwise (those with a minus: below).
_MISSING: Final = (
    *("#N/A", "#N/A N/A", "#NA", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None"),
    *("n/a", "nan", "null"),
)
# A spreadsheet executes a cell that begins so, and readers take the zero from a site called 01 and
# the name from one called NA; an apostrophe before it makes it text.
_GUARDED: Final = rf"('*(?:[=+\-@\t\r]|(?:0[0-9]+|{'|'.join(map(re.escape, _MISSING))})$))"
_EXECUTED: Final = rf"^{_GUARDED}"
_HELD: Final = rf"^'{_GUARDED}"
MARKS: Final = ("synthetic", "preliminary", "reversed", "private")


def marked(
    frame: pd.DataFrame, *, synthetic: bool, preliminary: bool, turned: Collection[str] = ()
) -> pd.DataFrame:
    """Add the columns that say what a frame rests on.

    Parameters
    ----------
    frame
        Any frame; a mark that it has already is kept.
    synthetic
        Whether the data are synthetic; the column is always there.
    preliminary
        Whether draws are too few, or failed their checks; the column is there only then.
    turned
        Indicators whose answers the codebook turns: where there are any, a column ``reversed``
        is true in their rows (column ``outcome``).
    """
    marks: dict[str, bool | pd.Series] = {"synthetic": bool(synthetic)}
    if preliminary:
        marks["preliminary"] = True
    if turned and "outcome" in frame:
        marks["reversed"] = frame["outcome"].isin(list(turned))
    return frame.assign(**{name: value for name, value in marks.items() if name not in frame})


def unmarked(frame: pd.DataFrame) -> pd.DataFrame:
    """Drop the marks: they are the folder's, not the rows'."""
    return frame.drop(columns=list(MARKS), errors="ignore")


def readable(frame: pd.DataFrame, treatments: Sequence[str]) -> pd.DataFrame:
    """Return a frame as a CSV holds it: combinations in words, no formulas, no lost zeros.

    Parameters
    ----------
    frame
        Any frame; combinations are digits.
    treatments
        Codes in the order of the digits; without them the words are the codes.
    """
    frame = frame.copy()
    for column, code in CODES.items():
        # Columns of these names may hold something else: numbers, or words only.
        if column not in frame or not pd.api.types.is_string_dtype(frame[column]):
            continue
        digits = frame[column].astype("str")
        known = digits.str.fullmatch(f"[01]{{{len(treatments) or '1,'}}}").fillna(False)
        if known.any():
            codes = ("c" + digits).where(known, "")
            frame[column] = _mapped(digits.where(known), _words(treatments)).where(
                known, frame[column]
            )
            frame.insert(list(frame).index(column) + 1, code, codes)
    return _replaced(frame, _EXECUTED, r"'\1")


def filled(text: str, names: Mapping[str, str]) -> str:
    """Return a text with words in the place of braces such as ``{citizens}``."""
    for key, word in names.items():
        text = text.replace(f"{{{key}}}", word)
    return text


def spoken(frame: pd.DataFrame, words: Mapping[str, str]) -> pd.DataFrame:
    """Put a study's words in the place of braces, in the columns that hold sentences."""
    text = frame.select_dtypes(exclude=["number", "bool"])
    names = [name for name in map(str, text) if name.endswith(("note", "reason"))]
    said = {name: _mapped(frame[name], lambda told: filled(told, words)) for name in names}
    return frame.assign(**said)


def restored(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what `readable` was given, from the file read as text."""
    frame = _replaced(frame, _HELD, r"\1")
    for column, code in CODES.items():
        if column in frame and code in frame:
            codes = frame.pop(code)
            known = codes.fillna("") != ""
            frame[column] = frame[column].where(~known, codes.str.removeprefix("c"))
    return frame


def _words(treatments: Sequence[str]) -> Callable[[str], str]:
    def word(digits: str) -> str:
        if not treatments:
            return f"c{digits}"
        taken = [code for code, digit in zip(treatments, digits, strict=True) if digit == "1"]
        return "+".join(taken) or "none"

    return word


def _mapped(values: pd.Series, function: Callable[[str], str]) -> pd.Series:
    """Apply a function to each distinct value once."""
    return values.map({value: function(value) for value in values.dropna().unique()})


def _replaced(frame: pd.DataFrame, pattern: str, replacement: str) -> pd.DataFrame:
    """Replace in text, never in numbers."""
    changed = {}
    for name in map(str, frame):
        if not pd.api.types.is_string_dtype(frame[name]):
            continue
        # Each text once: most stand in hundreds of rows, and next to none changes.
        texts = {text: re.sub(pattern, replacement, text) for text in frame[name].dropna().unique()}
        if any(text != new for text, new in texts.items()):
            changed[name] = frame[name].map(texts)
    return frame.assign(**changed) if changed else frame
