"""Reading a table from a file, one reader a format."""

import csv
import hashlib
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Final

import pandas as pd

from bipbayes.errors import DataError

Reader = Callable[[Path], pd.DataFrame]


def read_csv(path: Path) -> pd.DataFrame:
    """Read a CSV file as text: comma or semicolon, UTF-8 or else the Windows code page."""
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252")
    if not text.strip():
        raise DataError(f"{path.name} is empty; a header line and one row a response are needed")
    delimiter = _delimiter(text)
    frame = pd.read_csv(
        StringIO(text), sep=delimiter, dtype="str", keep_default_na=False, na_values=[""]
    )
    header = next(csv.reader(StringIO(text), delimiter=delimiter))
    if len(header) == len(frame.columns):
        frame.columns = pd.Index(header)  # pandas renames the second of two equal names
    return frame


def _delimiter(text: str) -> str:
    header = text.split("\n", 1)[0]
    return max((",", ";", "\t"), key=header.count)


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a Parquet file with its own types."""
    return pd.read_parquet(path)


def _labelled(function: str) -> Reader:
    def read(path: Path) -> pd.DataFrame:
        import pyreadstat

        frame, _ = getattr(pyreadstat, function)(str(path), apply_value_formats=False)
        return pd.DataFrame(frame)

    return read


READERS: Final[dict[str, Reader]] = {
    ".csv": read_csv,
    ".txt": read_csv,
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
        One of the formats in `READERS`.

    Returns
    -------
    pandas.DataFrame
        Text columns for CSV (types are settled by the checks), the file's types otherwise.

    Raises
    ------
    DataError
        The file is missing, of an unknown format or unreadable.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(READERS)
        raise DataError(f"{path.name}: unknown format {path.suffix!r}; known formats: {known}")
    if not path.is_file():
        raise DataError(f"there is no file {path}; give the path of the responses with --data")
    try:
        return reader(path)
    except DataError:
        raise
    except Exception as error:
        # The library's message may quote values of a citizen; only its kind is repeated.
        raise DataError(
            f"{path.name} cannot be read as {path.suffix[1:]} ({type(error).__name__}); "
            "check that the file is complete and has the format its name says"
        ) from None


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
