"""Reading a table from a file, one reader a format."""

import csv
import hashlib
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final, Literal

import pandas as pd

from bipbayes.errors import DataError, raise_all

_MARKS: Final = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
# Letters of DOS's code pages 850 and 865, and of old Macintoshes, that read as these signs under
# Windows's 1252.
_OLD: Final = re.compile(
    r"[^\W\d_][›‘„”][^\W\d_]|[†¾¯][^\W\d_]|[^\W\d_][†¾¯¿]|®[a-zæøåäöü]|\b®[^\W\d_]"
)
_OTHERS: Final = 3  # rows, before the last one can be shorter than they are
_MANY: Final = 20  # rows of which the last is the shortest once in so many files
_CUT: Final = (
    "the last row, at line {line}, ends without the end of a line, and its last entry is shorter "
    "than all others: where the file was cut off, export it again; else end the line"
)
_SEPARATOR: Final = re.compile(r'"?sep=(.)"?\r?\n?', re.IGNORECASE)


def read_csv(path: Path) -> pd.DataFrame:
    """Read delimited text as text, and refuse every row that is not the header's shape.

    Comma, semicolon or tab (or what Excel's first line ``sep=`` says); UTF-8, UTF-16 or else
    the Windows code page.
    """
    return next(csv_blocks(path))


def csv_blocks(path: Path, rows: int | None = None) -> Iterator[pd.DataFrame]:
    """Yield delimited text in blocks of some rows, or as one block; read as `read_csv` does."""
    encoding, ended = _encoding(path), _ends_with_a_line(path)
    delimiter, before = _first_lines(path, encoding)
    with path.open(encoding=encoding, newline="") as stream:
        for _ in range(before):
            stream.readline()
        lines = _rows(stream, delimiter, name=path.name, before=before)
        header = [column_name(field) for field in next(lines)[1]]
        block = list(islice(lines, rows))
        while True:
            following = [] if rows is None else list(islice(lines, rows))
            faults = _shape_faults(block, header, delimiter, last=not following)
            short = not (following or ended or faults) and _is_short(block)
            if short and _is_cut(block):
                faults.append(_CUT.format(line=block[-1][0]))
            raise_all(DataError, f"{path.name} was refused:", faults)
            frame = pd.DataFrame([row for _, row in block], columns=pd.Index(header), dtype="str")
            frame = frame.mask(frame == "")
            kept = frame.loc[:, (frame.columns != "") | frame.notna().any().to_numpy()]
            kept.attrs[SHORT] = short
            yield kept
            if not following:
                return
            block = following


def column_name(field: object) -> str:
    """Return a column's name in Unicode's form C, as codebooks are read."""
    return unicodedata.normalize("NFC", str(field)).strip().lstrip("\ufeff")


def _first_lines(path: Path, encoding: str) -> tuple[str, int]:
    """Return what separates the header's fields, and how many lines come before it."""
    with path.open(encoding=encoding, newline="") as stream:
        first = stream.readline()
        separator = _SEPARATOR.fullmatch(first)
        header = next(filter(str.strip, stream if separator else chain([first], stream)), "")
    if not header:
        raise DataError(f"{path.name} is empty; a header line and one row a response are needed")
    return (separator[1], 1) if separator else (_delimiter(header), 0)


def _encoding(path: Path) -> str:
    """Say how a file's text is encoded; old DOS code pages are refused, since they misread."""
    with path.open("rb") as stream:
        head = stream.read(4)
    encodings = [encoding for mark, encoding in _MARKS if head.startswith(mark)][:1]
    if not encodings and b"\0" in head:
        encodings = ["utf-16-le" if head[1:2] == b"\0" else "utf-16-be"]
    for encoding in encodings or ["utf-8-sig", "cp1252"]:
        try:
            with path.open(encoding=encoding, newline="") as text:
                blocks = iter(lambda: text.read(1 << 22), "")
                misread = any(
                    "\0" in block or (encoding == "cp1252" and _OLD.search(block))
                    for block in blocks
                )
        except UnicodeDecodeError:
            continue
        if misread:
            break
        return encoding
    raise DataError(
        f"{path.name} is neither UTF-8 nor UTF-16 nor Windows's code page 1252 (an old DOS code "
        "page such as 850 or 865, or an old Macintosh's?); save it again as UTF-8"
    )


def _delimiter(text: str) -> str:
    header = re.split(r"[\r\n]", text, maxsplit=1)[0]
    return max((",", ";", "\t"), key=lambda each: len(next(csv.reader([header], delimiter=each))))


def _rows(
    text: Iterable[str], delimiter: str, *, name: str, before: int
) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that holds anything, with the number of the line where it starts."""
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    line = before + 1
    try:
        for row in reader:
            if any(field.strip() for field in row):
                yield line, row
            line = before + reader.line_num + 1
    except csv.Error:
        raise DataError(
            f"{name}: quotes are not balanced in the row that starts at line {line}; a quote "
            "inside a field is written twice, in a field that is quoted"
        ) from None


def _shape_faults(
    rows: list[tuple[int, list[str]]], header: list[str], delimiter: str, *, last: bool
) -> list[str]:
    """Name rows with other fields than the header, and quotes that swallow whole rows."""
    faults, width = [], len(header)
    other = [(line, len(row)) for line, row in rows if len(row) != width]
    if last and len(other) == 1 and other[0][0] == rows[-1][0] and other[0][1] < width:
        line, fields = other[0]
        faults.append(
            f"the last row, at line {line}, has {_fields(fields)}, the header {width}: the file "
            "was cut off, or a line stands below the table; export it again"
        )
    elif other:
        line, fields = other[0]
        reason = "a delimiter too many, or one inside a field without quotes, shifts what follows"
        if width == 1:
            reason = "remove lines above the header"
        faults.append(
            f"rows have {_fields(fields)}, the header {width} ({len(other)}, first at line "
            f"{line}); {reason}"
        )
    again = [line for line, row in rows if row[0] and [column_name(x) for x in row] == header]
    if again and width > 1:
        faults.append(
            f"the header stands among the rows ({len(again)}, first at line {again[0]}): files "
            "were put one below the other; remove these lines"
        )
    swallowed = [
        line
        for line, row in rows
        if any("\n" in field and field.count(delimiter) >= width - 1 for field in row)
    ]
    if swallowed:
        faults.append(
            f"fields hold whole rows ({len(swallowed)}, first at line {swallowed[0]}); quotes are "
            "not balanced: a quote inside a field is written twice"
        )
    return faults


def _ends_with_a_line(path: Path) -> bool:
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - 4))
        return bool({*b"\r\n"} & {*stream.read()})


def _is_short(rows: list[tuple[int, list[str]]]) -> bool:
    """Say whether the last entry of all is shorter than the others of its column."""
    *others, last = (len(row[-1]) for _, row in rows) if rows else [0]
    return len(others) >= _OTHERS and last < min(others)


def _is_cut(rows: list[tuple[int, list[str]]]) -> bool:
    """Say whether a last entry that is shorter cannot well be a whole one.

    Where the others have one length; or where they are so many that the shortest is seldom last.
    """
    others = [len(row[-1]) for _, row in rows[:-1]]
    return len(set(others)) == 1 or len(others) >= _MANY


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count} fields"


Reader = Callable[[Path], pd.DataFrame]

PERIODS: Final = "periods"  # attribute of a frame: columns of months, ... by what they hold
SHORT: Final = "short"  # attribute of a frame: whether the file may have been cut off
HEADER: Final = "header"  # attribute of a frame: whether its names were a file's first line
VARIABLE_LABELS: Final = "variable_labels"  # attribute of a frame: labels by column
VALUE_LABELS: Final = "value_labels"  # attribute of a frame: labels of codes by column
PARQUET: Final = ".parquet"
TEXT: Final = (".csv", ".tsv", ".txt")
EXCEL: Final = (".xlsx", ".xlsm")
_BOOK: Final = "xl/workbook.xml"
_SHEET: Final = re.compile(r"xl/worksheets/[^/]+\.xml")
_UNCOUNTED: Final = re.compile(
    rb"""<(?:x:)?c\s(?![^>]*t=["']str["'])[^>]*>\s*<(?:x:)?f(?:[^>]*/>|[^>]*>[^<]*</(?:x:)?f>)\s*"""
    rb"(?:<(?:x:)?v\s*/>|<(?:x:)?v>\s*</(?:x:)?v>)?\s*</(?:x:)?c>"
)
_FORMULA: Final = re.compile(rb"<(?:x:)?f[\s>]")
_TO_BE_COUNTED: Final = re.compile(rb"""fullCalcOnLoad=["'](?:1|true)["']""")
_ERROR: Final = re.compile(rb"""<(?:x:)?c\s[^>]*t=["']e["']""")
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
    """Refuse cells that would be read as empty or 0: formulas without their value, and errors."""
    with zipfile.ZipFile(path) as book:
        sheets = [book.read(name) for name in book.namelist() if _SHEET.fullmatch(name)]
        # Programs that cannot calculate write 0 for each value, and that it must be counted.
        to_be_counted = _BOOK in book.namelist() and _TO_BE_COUNTED.search(book.read(_BOOK))
    for pattern, what, advice in (
        (
            _FORMULA if to_be_counted else _UNCOUNTED,
            "formulas without their values",
            "open and save it in a spreadsheet",
        ),
        (_ERROR, "cells that hold an error such as #N/A", "correct or empty them"),
    ):
        if count := sum(len(pattern.findall(sheet)) for sheet in sheets):
            raise DataError(f"{path.name}: {what} ({count}); {advice}")


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a Parquet file, or all of a folder, with its own types; a named index is columns."""
    files = data_files(path)
    _same_kinds(files)
    if by_folder(path, files):
        frame = pd.read_parquet(path)
    else:  # what folders above are called is no column
        names: Any = [str(file) for file in files]
        frame = pd.read_parquet(names, partitioning=None)
    named = [name for name in frame.index.names if name is not None]
    return frame.reset_index(level=named) if named else frame


def by_folder(path: Path, files: Sequence[Path]) -> bool:
    """Say whether folders' names tell a column, as in ``site=A/1.parquet``."""
    return path.is_dir() and any(
        "=" in name for file in files for name in file.relative_to(path).parts[:-1]
    )


def _same_kinds(files: Sequence[Path]) -> None:
    """Refuse Parquet files of which the first would decide what is read of the others."""
    from pyarrow.parquet import read_schema

    schemas = [read_schema(file) for file in files]
    same_columns([sorted(schema.names) for schema in schemas])
    differ = [
        name
        for name in schemas[0].names
        if len({_kind(schema.field(name).type) for schema in schemas} - {"null"}) > 1
    ]
    if differ:
        raise DataError(
            f"{', '.join(differ)}: the files of the folder hold different types, such as text and "
            "numbers; store text in all"
        )


def _kind(held: Any) -> str:
    """Say what a column of Parquet holds: numbers of any type are one kind, and so is text."""
    from pyarrow import types

    held = held.value_type if types.is_dictionary(held) else held
    if types.is_integer(held) or types.is_floating(held):
        return "number"
    return "text" if types.is_string(held) or types.is_large_string(held) else str(held)


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
    **dict.fromkeys(EXCEL, read_excel),
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
    if not path.exists():
        there = [file.name for file in path.parent.glob("*") if file.suffix.lower() in READERS]
        near = _near(path.name, there, 0.8) or "; give the path of one that is there"
        raise DataError(f"there is no file {path}{near}")
    if reader is None:
        known = f"{', '.join(READERS)}{_near(suffix, READERS)}"
        raise DataError(
            f"{path.name}: unknown format {path.suffix!r}; what is read ends in {known}"
        )
    try:
        frame = reader(path)
    except DataError:
        raise
    except Exception as error:
        # The library's message may quote values of a citizen; only its kind is repeated.
        raise DataError(
            f"{path.name} cannot be read as {suffix[1:]} ({type(error).__name__}); "
            "check that the file is complete and has the format its name says"
        ) from None
    frame.attrs[HEADER] = suffix in (*TEXT, *EXCEL)
    return frame


def _near(name: str, names: Iterable[str], alike: float = 0.6) -> str:
    close = get_close_matches(name, names, n=1, cutoff=alike)
    return f"; did you mean {close[0]!r}?" if close else ""


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, or of all files of a folder with their names."""
    if path.is_dir():
        whole = hashlib.sha256()
        for part in data_files(path):
            whole.update(f"{part.relative_to(path).as_posix()} {file_digest(part)}\n".encode())
        return whole.hexdigest()
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
