"""Cutting responses of any size into parts of whole citizens, out of core.

A folder of Parquet files none of which shares a citizen with another is in parts already.
Anything else is streamed once and dealt out by a number drawn from the citizen's id, so that a
part holds all responses of its citizens, whatever their order in the files.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bipbayes.data.columns import to_text
from bipbayes.data.files import PARQUET, data_files, read_parquet, same_columns
from bipbayes.data.text_files import csv_blocks
from bipbayes.errors import DataError

PART_ROWS: Final = 100_000  # responses of a part, more or less
BATCH_ROWS: Final = 250_000  # responses that are in memory while they are dealt out
LARGE: Final = 1_000_000  # responses from which a file is read in parts unasked
_ROW: Final = "row of the file"
_CSV_BYTES: Final = 100  # of a response in a CSV file, at least
_MOST: Final = 500  # parts, each an open file while rows are dealt out


@dataclass(frozen=True)
class Part:
    """A Parquet file of whole citizens; `first` rows of the data come before it.

    ``None``: they come from everywhere, and a column says from which rows.
    """

    path: Path
    first: int | None

    def read(self) -> tuple[pd.DataFrame, np.ndarray]:
        """Return its responses and the data row, counted from 1, of each."""
        frame = read_parquet(self.path)
        if self.first is not None:
            return frame, np.arange(len(frame)) + self.first + 1
        return frame.drop(columns=_ROW), frame[_ROW].to_numpy()


def is_large(path: Path) -> bool:
    """Say whether data are too many to be read at once, from their files' sizes alone."""
    files = data_files(path)
    if not files or _by_folder(path, files):
        return False
    if _is_parquet(files):
        try:
            return bool(sum(pq.read_metadata(file).num_rows for file in files) >= LARGE)
        except (pa.ArrowException, OSError):
            return False  # reading says what is wrong
    return sum(file.stat().st_size for file in files) >= LARGE * _CSV_BYTES


def cut(
    path: Path, keys: tuple[str, str], folder: Path, *, part_rows: int = PART_ROWS
) -> list[Part]:
    """Cut data into parts of whole citizens.

    Parameters
    ----------
    path
        A Parquet or text file, or a folder of such files.
    keys
        Columns of the citizens and of the sites, which are read as text.
    folder
        Where parts are written, if they must be.
    part_rows
        Responses of a part, more or less.

    Raises
    ------
    DataError
        There is nothing to cut, a file cannot be read, or columns differ between files.
    """
    files = data_files(path)
    if not files:
        raise DataError(f"{path.name}: only Parquet and text files are read in parts")
    if _by_folder(path, files):
        raise DataError(
            f"{path.name}: names of folders hold a column (name=value), which is not read in "
            "parts; write the column into the files"
        )
    try:
        return _cut(files, keys, folder, part_rows=part_rows)
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise  # of the system, such as a full disk
        # The library's message may quote values of a citizen; only its kind is repeated.
        raise DataError(
            f"{path.name} cannot be read in parts ({type(error).__name__}); check that every file "
            "is complete, has the format its name says and holds the same kinds of columns"
        ) from None


def column_names(path: Path) -> list[str]:
    """Return the columns of data, or none where they cannot be told."""
    files = data_files(path)
    if _by_folder(path, files):
        return []
    try:
        if files and _is_parquet(files):
            return list(pq.read_schema(files[0]).names)
        return list(next(csv_blocks(files[0], 1)).columns) if files else []
    except (pa.ArrowException, OSError):
        return []


def _is_parquet(files: Sequence[Path]) -> bool:
    return files[0].suffix.lower() == PARQUET


def _by_folder(path: Path, files: Sequence[Path]) -> bool:
    """Say whether folders' names tell a column, as in ``site=A/1.parquet``."""
    return path.is_dir() and any(
        "=" in name for file in files for name in file.relative_to(path).parts[:-1]
    )


def _cut(
    files: Sequence[Path], keys: tuple[str, str], folder: Path, *, part_rows: int
) -> list[Part]:
    """Take files as the parts that they are, or deal their rows out."""
    if _is_parquet(files):
        same_columns([pq.read_schema(file).names for file in files])
        _check_keys(files, keys)
        sizes = [pq.read_metadata(file).num_rows for file in files]
        if max(sizes) <= 3 * part_rows and _disjoint(files, keys[0]):
            starts = np.cumsum([0, *sizes[:-1]]).tolist()
            parts = [Part(file, start) for file, start in zip(files, starts, strict=True)]
            filled = [part for part, size in zip(parts, sizes, strict=True) if size]
            return filled or parts[:1]
        count = -(-sum(sizes) // part_rows)
    else:
        count = -(-sum(file.stat().st_size for file in files) // (part_rows * _CSV_BYTES))
    return _dealt(files, keys[0], folder, count=min(max(count, 1), _MOST))


def _check_keys(files: Sequence[Path], keys: Sequence[str]) -> None:
    """Refuse ids and labels that read as other text in another part.

    Numbers with decimals turn the whole ones of a column into text with decimals, too.
    """
    for key in keys:
        kinds = {_kind(pq.read_schema(file).field(key).type) for file in files}
        if len(kinds) > 1:
            told = ", ".join(sorted(map(str, kinds)))
            raise DataError(
                f"{key}: the files hold it as different types ({told}); store it as text in all"
            )
        if pa.types.is_floating(kinds.pop()):
            columns = (pq.read_table(file, columns=[key])[key] for file in files)
            odd = sum(pc.sum(pc.not_equal(pc.floor(each), each)).as_py() or 0 for each in columns)
            if odd:
                raise DataError(
                    f"{key}: labels that are numbers with decimals ({odd}); in parts they must be "
                    "whole numbers or text: store them as text"
                )


def _kind(kind: pa.DataType) -> pa.DataType:
    """Return what a column holds, whether or not it is stored by a dictionary."""
    held = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.string() if pa.types.is_large_string(held) else held


def _disjoint(files: Sequence[Path], citizen: str) -> bool:
    """Say whether no citizen stands in two files."""
    lots = [np.unique(_lots(pq.read_table(file, columns=[citizen])[citizen])) for file in files]
    return len(np.unique(np.concatenate(lots))) == sum(map(len, lots))


def _lots(column: pa.ChunkedArray) -> np.ndarray:
    """Draw a number for each row from the citizen's id, as it is read."""
    encoded = column.combine_chunks().dictionary_encode()
    lots = pd.util.hash_array(to_text(encoded.dictionary.to_pandas()).to_numpy(dtype=object))
    # Rows without a citizen go anywhere: reading refuses them.
    lots = np.append(lots, np.uint64(0))
    return np.asarray(lots[encoded.indices.fill_null(len(lots) - 1).to_numpy()])


def _dealt(files: Sequence[Path], citizen: str, folder: Path, *, count: int) -> list[Part]:
    """Stream files into `count` parts by the citizens' lots."""
    parts = [Part(folder / f"part-{number:05d}.parquet", None) for number in range(count)]
    start, schema = 0, None
    with ExitStack() as stack:
        writers: dict[int, pq.ParquetWriter] = {}
        for batch in _tables(files):
            schema = batch.schema if schema is None else schema
            same_columns([schema.names, batch.column_names])
            rows = np.arange(start, start + len(batch)) + 1
            start += len(batch)
            table = batch.cast(schema)
            part = (_lots(table[citizen]) % np.uint64(count)).astype("int64")
            order = np.argsort(part, kind="stable")
            bounds = np.searchsorted(part[order], np.arange(count + 1))
            table = table.append_column(_ROW, pa.array(rows)).take(order)
            for number in np.flatnonzero(np.diff(bounds)).tolist():
                if number not in writers:
                    writers[number] = stack.enter_context(
                        pq.ParquetWriter(parts[number].path, table.schema)
                    )
                writers[number].write_table(
                    table.slice(bounds[number], bounds[number + 1] - bounds[number])
                )
    if not start:
        raise DataError("the files hold no response")
    return [part for number, part in enumerate(parts) if number in writers]


def _tables(files: Sequence[Path]) -> Iterator[pa.Table]:
    """Yield the files' rows in batches."""
    for file in files:
        if file.suffix.lower() == PARQUET:
            with pq.ParquetFile(file) as content:
                for batch in content.iter_batches(batch_size=BATCH_ROWS):
                    yield pa.Table.from_batches([batch])
        else:
            for frame in csv_blocks(file, BATCH_ROWS // 5):
                names = list(frame.columns)
                if repeated := sorted({name for name in names if names.count(name) > 1}):
                    raise DataError(
                        f"{file.name}: column names that repeat ({', '.join(repeated)}); rename"
                    )
                yield pa.Table.from_pandas(frame, preserve_index=False, schema=_text(names))


def _text(names: Sequence[str]) -> pa.Schema:
    kinds: Mapping[str, pa.DataType] = dict.fromkeys(names, pa.string())
    return pa.schema(kinds)
