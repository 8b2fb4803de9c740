"""A fuzzer over readers and codebooks: a right answer or a sentence, whatever comes in.

Some 5 minutes long at its full size (``--runslow``): a file is read 20 to 80 times a second, a
codebook 200 times. A small part of it runs always.
``FUZZ_EXAMPLES=20000 pytest --runslow tests/data/test_fuzz.py`` looks longer.
"""

import csv
import io
import os
import tomllib
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_bad_inputs import CODEBOOK, good

from bipbayes.data.load_codebook import parse_codebook
from bipbayes.data.read import read_responses
from bipbayes.errors import BipbayesError

FAST, SLOW = 60, int(os.environ.get("FUZZ_EXAMPLES", "2500"))
BOOK = parse_codebook(tomllib.loads(CODEBOOK))
FRAME = good()
CELLS = FRAME.astype("str").to_numpy().tolist()
HOSTILE = (
    *("", " ", "NA", "nan", "None", "null", "-", ".", "0", "1", "5", "6", "-1", "1.0", "1,0"),
    *("1e0", "3.5", "1e308", "inf", "TRUE", "ja", "\u0661", "\uff11", "1\u00a0", "\u200b1"),
    *("2016-02-30", "01-02-2016", "9999-12-31", "0001-01-01", "2016-01-15 25:99", "42384"),
    *("2016-01-15T00:00:00+02:00", "16-01-15", "1.5e10", "12345678901234567890", "007"),
    *("somebody0x", "SOMEBODY0X", "somebody0x ", "nordby", "Nordby\u200b", "Nørdby", "=1+1", "'1"),
    *('a"b', "a;b", "a,b", "a\nb", "a\tb", "\ufeff", "\x00", "\x1a", "😀", "x" * 5000, "#REF!"),
)
values = st.sampled_from(HOSTILE) | st.text(max_size=12) | st.integers().map(str)
places = st.tuples(st.integers(0, len(CELLS) - 1), st.integers(0, len(CELLS[0]) - 1))
always = settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    max_examples=FAST,
)


def _text(cells: list[list[str]], *, delimiter: str = ",") -> str:
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, lineterminator="\n").writerows(
        [list(FRAME.columns), *cells]
    )
    return written.getvalue()


def _read(path: Path) -> Any:
    """Read a file; ``None`` where it was refused in a sentence without anybody's values."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return read_responses(path, BOOK)
        except BipbayesError as error:
            told = str(error)
            assert told and "Traceback" not in told
            assert not any(f"somebody{n}x" in told for n in range(4)), "a person's id is told"
            return None


def _holds_cells(folder: Path, changes: dict[tuple[int, int], str], delimiter: str) -> None:
    """What is accepted has the file's rows and persons, but for what a finding counts."""
    cells = [list(row) for row in CELLS]
    for (row, column), value in changes.items():
        cells[row][column] = value
    path = folder / "responses.csv"
    path.write_text(_text(cells, delimiter=delimiter), encoding="utf-8", newline="")
    study = _read(path)
    if study is None:
        return
    people = FRAME.columns.get_loc("citizen")
    rows, persons = len(cells), len({row[people].strip() for row in cells})
    assert (study.size == (rows, persons)) or study.findings, (
        f"{study.size} of {(rows, persons)} and not a word"
    )


def _holds_bytes(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    study = _read(path)
    if study is not None:
        assert 0 < study.size[1] <= study.size[0]


def _mangled(data: Any) -> bytes:
    """Return a file with bytes taken out, put in or changed."""
    content = bytearray(_text(CELLS), "utf-8")
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(content)))
        kind = data.draw(st.sampled_from(("in", "out", "cut", "twice")))
        piece = data.draw(st.sampled_from((b'"', b"\n", b"\r", b";", b",", b"\x00", b"\xff", b"'"))
                          | st.binary(min_size=1, max_size=4))  # fmt: skip
        length = data.draw(st.integers(1, 40))
        if kind == "in":
            content[place:place] = piece
        elif kind == "out":
            del content[place : place + length]
        elif kind == "cut":
            del content[place:]
        else:
            content[place:place] = content[place : place + length]
    return bytes(content)


def _holds_codebook(data: Any) -> None:
    """A codebook with any part replaced, renamed, doubled or taken away."""
    table = tomllib.loads(CODEBOOK)
    for _ in range(data.draw(st.integers(1, 3))):
        _spoil(data, table)
    try:
        book = parse_codebook(table)
    except BipbayesError as error:
        assert str(error)
        return
    assert book.indicators and book.treatments


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(HOSTILE)
    | st.text(max_size=8)
)  # fmt: skip
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def _spoil(data: Any, table: Any) -> None:
    """Change one part of a nested table, somewhere."""
    inside = table
    while True:
        keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        deeper = isinstance(inside[key], dict | list) and data.draw(st.booleans())
        if not deeper:
            break
        inside = inside[key]
    kind = data.draw(st.sampled_from(("replace", "remove", "rename", "double")))
    if kind == "replace":
        inside[key] = data.draw(anything)
    elif kind == "remove":
        del inside[key]
    elif isinstance(inside, list):
        inside.append(inside[key])
    else:
        name = data.draw(
            st.text(max_size=6) | st.sampled_from(("code", "label", "columns", "../x"))
        )
        inside[name] = inside[key] if kind == "double" else inside.pop(key)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a place for one file after the other."""
    return tmp_path


@always
@given(changes=st.dictionaries(places, values, min_size=1, max_size=4),
       delimiter=st.sampled_from(",;\t"))  # fmt: skip
def test_hostile_cells_are_read_right_or_refused(
    folder: Path, changes: dict[tuple[int, int], str], delimiter: str
) -> None:
    """Catches a traceback, a warning of a library, and rows or persons that change in silence."""
    _holds_cells(folder, changes, delimiter)


@always
@given(data=st.data())
def test_mangled_files_end_in_a_study_or_a_sentence(folder: Path, data: Any) -> None:
    """Catches a traceback on a file that was cut, doubled or overwritten in places."""
    _holds_bytes(folder / "responses.csv", _mangled(data))


@always
@given(data=st.data())
def test_spoilt_codebooks_end_in_a_codebook_or_a_sentence(data: Any) -> None:
    """Catches a traceback on wrong kinds of values, missing, renamed and doubled parts."""
    _holds_codebook(data)


@pytest.mark.slow
@settings(always, max_examples=SLOW)
@given(changes=st.dictionaries(places, values, min_size=1, max_size=4),
       delimiter=st.sampled_from(",;\t"))  # fmt: skip
def test_many_hostile_cells(
    folder: Path, changes: dict[tuple[int, int], str], delimiter: str
) -> None:
    """Catches what the small part does not meet."""
    _holds_cells(folder, changes, delimiter)


@pytest.mark.slow
@settings(always, max_examples=2 * SLOW)
@given(data=st.data())
def test_many_mangled_files(folder: Path, data: Any) -> None:
    """Catches what the small part does not meet."""
    _holds_bytes(folder / "responses.csv", _mangled(data))


@pytest.mark.slow
@settings(always, max_examples=4 * SLOW)
@given(data=st.data())
def test_many_spoilt_codebooks(data: Any) -> None:
    """Catches what the small part does not meet."""
    _holds_codebook(data)
