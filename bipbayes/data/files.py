"""Reading a table from a file, one reader a format."""

import hashlib
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import pandas as pd

from bipbayes.data.text_files import column_name, read_csv
from bipbayes.errors import DataError

Reader = Callable[[Path], pd.DataFrame]

PERIODS: Final = "periods"  # attribute of a frame: columns of months, ... by what they hold
VARIABLE_LABELS: Final = "variable_labels"  # attribute of a frame: labels by column
VALUE_LABELS: Final = "value_labels"  # attribute of a frame: labels of codes by column
PARQUET: Final = ".parquet"
TEXT: Final = (".csv", ".tsv", ".txt")
_SHEET: Final = re.compile(r"xl/worksheets/[^/]+\.xml")
_UNCOUNTED: Final = re.compile(
    rb"""<c\s(?![^>]*t=["']str["'])[^>]*>\s*<f(?:[^>]*/>|[^>]*>[^<]*</f>)\s*"""
    rb"(?:<v\s*/>|<v>\s*</v>)?\s*</c>"
)
_ERROR: Final = re.compile(rb"""<c\s[^>]*t=["']e["']""")
_PERIOD_FORMATS: Final = {
    r"%-?tm|MOYR|MONYY|YYMM(?!DD)|MMYY": "months",
    r"%-?tq|QYR|YYQ": "quarters",
    r"%-?tw|WKYR|WEEK": "weeks",
    r"%-?th": "half-years",
    r"%-?ty|YEAR": "years",
    r"%-?tb": "business days",
}
_STATA_UNITS: Final[dict[str, Literal["D", "ms"]]] = {
    r"%-?(td|d)(?![a-z0-9])|%-?(td|d)[A-Z]": "D",
    r"%-?t[cC]": "ms",
}
_EXCEL_HOLDS: Final = 1e15  # Excel keeps 15 digits of a number and writes zeros for the rest


def read_excel(path: Path) -> pd.DataFrame:
    """Read the one sheet of an Excel workbook that holds anything, with its own types."""
    _refuse_unknown_cells(path)
    sheets = pd.read_excel(
        path, sheet_name=None, header=None, dtype="object", keep_default_na=False, na_values=[""]
    )
    filled = [sheet.dropna(how="all") for sheet in sheets.values()]
    filled = [sheet for sheet in filled if len(sheet)]
    if len(filled) != 1:
        raise DataError(
            f"{path.name} has {len(filled)} sheets that hold something; keep one, with a header "
            "line and one row a response"
        )
    header = ["" if pd.isna(name) else column_name(name) for name in filled[0].iloc[0]]
    body = filled[0].iloc[1:].reset_index(drop=True)
    body.columns = pd.Index(header)
    kept = (body.columns != "") | body.notna().any().to_numpy()
    frame = body.loc[:, kept].infer_objects()
    numbers = frame.select_dtypes("number")
    long = [str(name) for name in numbers.columns[(numbers.abs() >= _EXCEL_HOLDS).any()]]
    if long:
        raise DataError(
            f"{path.name}: {', '.join(long)}: numbers of more than 15 digits, which Excel cannot "
            "hold; their last digits are lost: format the column as text and enter them again"
        )
    return frame


def _refuse_unknown_cells(path: Path) -> None:
    """Refuse cells that would be read as empty: formulas without their value, and errors."""
    with zipfile.ZipFile(path) as book:
        sheets = [book.read(name) for name in book.namelist() if _SHEET.fullmatch(name)]
    for pattern, what, advice in (
        (_UNCOUNTED, "formulas without their values", "open and save it in a spreadsheet"),
        (_ERROR, "cells that hold an error such as #N/A", "correct or empty them"),
    ):
        if count := sum(len(pattern.findall(sheet)) for sheet in sheets):
            raise DataError(f"{path.name}: {what} ({count}); {advice}")


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a Parquet file, or all of a folder, with its own types; a named index is columns."""
    frame = pd.read_parquet(path)
    named = [name for name in frame.index.names if name is not None]
    return frame.reset_index(level=named) if named else frame


def data_files(path: Path) -> list[Path]:
    """Return the Parquet or text files that data consist of; none, if of another format.

    Of a folder all files below it, Parquet's if there are any; names that begin with ``.`` or
    ``_`` are those of programs (``_temporary``, ``.ipynb_checkpoints``), not of data.
    """
    if path.is_file():
        return [path] if path.suffix.lower() in (PARQUET, *TEXT) else []
    found = [
        file
        for file in sorted(path.rglob("*"))
        if not any(part.startswith((".", "_")) for part in file.relative_to(path).parts)
        and file.is_file()
    ]
    parquet = [file for file in found if file.suffix.lower() == PARQUET]
    return parquet or [file for file in found if file.suffix.lower() in TEXT]


def same_columns(names: Sequence[Sequence[str]]) -> None:
    """Refuse files of one folder with different columns.

    Raises
    ------
    DataError
        Names the columns that differ.
    """
    kinds = {tuple(one) for one in names}
    if len(kinds) < 2:
        return
    every = set().union(*kinds)
    differ = sorted(name for name in every if any(name not in one for one in kinds))
    told = ", ".join(differ) or "their order"
    raise DataError(
        f"the {len(names)} files of the folder have different columns ({told}); give them the "
        "same ones"
    )


def _read_texts(path: Path) -> pd.DataFrame:
    """Read the text files of a folder as one."""
    frames = [read_csv(file) for file in data_files(path)]
    same_columns([list(frame.columns) for frame in frames])
    return pd.concat(frames, ignore_index=True)


def _labelled(function: str) -> Reader:
    def read(path: Path) -> pd.DataFrame:
        import pyreadstat

        frame, meta = getattr(pyreadstat, function)(str(path), apply_value_formats=False)
        table = _with_dates(pd.DataFrame(frame), meta.original_variable_types)
        table.attrs[VALUE_LABELS] = dict(meta.variable_value_labels)
        table.attrs[VARIABLE_LABELS] = dict(meta.column_names_to_labels)
        return table

    return read


def _with_dates(frame: pd.DataFrame, formats: dict[str, Any]) -> pd.DataFrame:
    """Read days whatever their display mask, and note columns that hold months or the like."""
    periods: dict[str, str] = {}
    for name, display in formats.items():
        if not pd.api.types.is_numeric_dtype(frame[name].dtype):
            continue
        for pattern, unit in _STATA_UNITS.items():
            if re.match(pattern, str(display)):
                since = pd.to_timedelta(frame[name], unit=unit, errors="coerce")
                frame[name] = pd.Timestamp("1960-01-01") + since
        for pattern, period in _PERIOD_FORMATS.items():
            if re.match(pattern, str(display)):
                periods[name] = period
    frame.attrs[PERIODS] = periods
    return frame


READERS: Final[dict[str, Reader]] = {
    ".csv": read_csv,
    ".txt": read_csv,
    ".tsv": read_csv,
    ".xlsx": read_excel,
    ".xlsm": read_excel,
    ".parquet": read_parquet,
    ".dta": _labelled("read_dta"),
    ".sav": _labelled("read_sav"),
    ".zsav": _labelled("read_sav"),
    ".sas7bdat": _labelled("read_sas7bdat"),
}


def read_table(path: Path) -> pd.DataFrame:
    """Read a table by the file's suffix.

    Parameters
    ----------
    path
        One of the formats in `READERS`, or a folder of Parquet or of text files.

    Returns
    -------
    pandas.DataFrame
        Text columns for CSV (types are settled by the checks), the file's types otherwise. The
        attribute ``periods`` names columns of months, weeks and so on, which are no days;
        ``value_labels`` holds what Stata and SPSS files call codes, by column.

    Raises
    ------
    DataError
        The file is missing, of an unknown format or unreadable.
    """
    suffix, reader = path.suffix.lower(), READERS.get(path.suffix.lower())
    if path.is_dir() and (files := data_files(path)):
        suffix = files[0].suffix.lower()
        reader = read_parquet if suffix == PARQUET else _read_texts
    elif path.is_dir():
        raise DataError(
            f"{path} is a folder without Parquet or text files; give one file, or such a folder"
        )
    if reader is None:
        known = ", ".join(READERS)
        raise DataError(f"{path.name}: unknown format {path.suffix!r}; known formats: {known}")
    if not path.exists():
        raise DataError(f"there is no file {path}; give the path of the responses with --data")
    try:
        return reader(path)
    except DataError:
        raise
    except Exception as error:
        # The library's message may quote values of a citizen; only its kind is repeated.
        raise DataError(
            f"{path.name} cannot be read as {suffix[1:]} ({type(error).__name__}); "
            "check that the file is complete and has the format its name says"
        ) from None


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, or of all files of a folder with their names."""
    if path.is_dir():
        whole = hashlib.sha256()
        for part in data_files(path):
            whole.update(f"{part.relative_to(path).as_posix()} {file_digest(part)}\n".encode())
        return whole.hexdigest()
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
