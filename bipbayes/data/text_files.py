"""Reading delimited text: its encoding, its delimiter, and rows that are not the header's shape."""

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Final

import pandas as pd

from bipbayes.errors import DataError, raise_all

_MARKS: Final = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
# Letters of DOS's code pages 850 and 865 that read as these signs under Windows's 1252.
_DOS: Final = re.compile(r"[^\W\d_][›‘„”][^\W\d_]|†[^\W\d_]|[^\W\d_]†")
_SEPARATOR: Final = re.compile(r'"?sep=(.)"?\r?\n?', re.IGNORECASE)


def read_csv(path: Path) -> pd.DataFrame:
    """Read delimited text as text, and refuse every row that is not the header's shape.

    Comma, semicolon or tab (or what Excel's first line ``sep=`` says); UTF-8, UTF-16 or else
    the Windows code page.
    """
    return next(csv_blocks(path))


def csv_blocks(path: Path, rows: int | None = None) -> Iterator[pd.DataFrame]:
    """Yield delimited text in blocks of some rows, or as one block; read as `read_csv` does."""
    encoding = _encoding(path)
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
            raise_all(DataError, f"{path.name} was refused:", faults)
            frame = pd.DataFrame([row for _, row in block], columns=pd.Index(header), dtype="str")
            frame = frame.mask(frame == "")
            yield frame.loc[:, (frame.columns != "") | frame.notna().any().to_numpy()]
            if not following:
                return
            block = following


def column_name(field: object) -> str:
    """Return a column's name in Unicode's form C, as codebooks are read."""
    return unicodedata.normalize("NFC", str(field)).strip()


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
                    "\0" in block or (encoding == "cp1252" and _DOS.search(block))
                    for block in blocks
                )
        except UnicodeDecodeError:
            continue
        if misread:
            break
        return encoding
    raise DataError(
        f"{path.name} is neither UTF-8 nor UTF-16 nor Windows's code page 1252 (an old DOS code "
        "page such as 850 or 865?); save it again as UTF-8"
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


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count} fields"
