"""One table of inputs that must be refused: never a traceback, a wrong study or a citizen's value.

Every entry is a file or a codebook of its own; `test_the_table_is_long` counts them.
"""

import re
import tomllib
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest
from bipbayes.scripts import command
from typer.testing import CliRunner

from bipbayes.data.load_codebook import load_codebook, parse_codebook
from bipbayes.data.read import read_responses
from bipbayes.errors import BipbayesError, CodebookError, DataError

CODEBOOK = """
name = "Small"
scale = [1, 5]
none = "nothing"
[[indicators]]
code = "q1"
respondent = "citizen"
[[indicators]]
code = "q2"
respondent = "citizen"
[treatments.J]
columns = ["visit"]
[treatments.H]
columns = ["doctor"]
[averages.mean]
members = ["q1", "q2"]
"""
ROWS = 12
BOXES = ("visit", "doctor", "nothing")


def good() -> pd.DataFrame:
    """Rows that are read without a word."""
    number = np.arange(ROWS)
    return pd.DataFrame(
        {
            "citizen": [f"somebody{place // 3}x" for place in number],
            "jobcenter": np.where(number < 6, "Nordby", "Sydby"),
            "date": [f"2016-{place % 3 + 1:02}-15" for place in number],
            "q1": number % 5 + 1,
            "q2": (number * 2) % 5 + 1,
            "visit": number % 2,
            "doctor": 0,
            "nothing": 1 - number % 2,
        }
    )


def text(frame: pd.DataFrame) -> str:
    """The frame as CSV."""
    return frame.to_csv(index=False)


@dataclass(frozen=True)
class Bad:
    """A bad input: how it is written, what the refusal must say, what it must not."""

    name: str
    write: Callable[[Path], Path]
    says: str
    hides: str = ""
    codebook: str = CODEBOOK
    error: type[BipbayesError] = DataError


def csv(content: str | bytes, suffix: str = ".csv") -> Callable[[Path], Path]:
    """Write a file of this content."""

    def write(folder: Path) -> Path:
        path = folder / f"data{suffix}"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def with_value(column: str, value: Any, row: int = 4) -> pd.DataFrame:
    """Good rows but for one entry."""
    frame = good()
    frame[column] = frame[column].astype("object")
    frame.loc[row, column] = value
    return frame


ANSWERS = (
    "0", "6", "-1", "2.5", "2,5", "99", "1e9", "1E2", "abc", "x1", "٣", "３", "1;2", "=1+1",
    "inf", "-inf", "true", "1/2", "2016-01-01", "1 2", "0x1", "1_0", "½", "--3", "+", ".", "1.2.3",
    "①", "1\u200b", "²", "#N/A", "#REF!", "<NA", "don't know", "9999999999999999999999", "1e400",
)  # fmt: skip
TICKS = ("2", "-1", "0.5", "yes", "x", "1,1", "TRUE", "J", "１", "1 0", "☑", "1e1")
DATES = (
    "2016", "2016-05", "2016-13-01", "2016-02-30", "2016-00-10", "2016-05-00", "9999-12-31",
    "1753-01-01", "0001-01-01", "1899-12-31", "2100-01-01", "2061-05-31", "2016-05-31T25:99",
    "2016-05-31 25:99", "2016-05-31T24:00", "2016-05-31T12:60", "2016-05-31 noon",
    "2016-05-31, later", "２０１６-05-31", "2016-05-3１", "31/31/2016", "20160531", "2016-W05",
    "2016-W05-1", "2016-5-3", "16-05-31", "42401", "42401.5", "2016-05-31T12:00Z",
    "2016-05-31T00:00+5", "2016-05-31T23:00:00+00:00", "today", "-2016-05-31", "2016/05/31",
    "31-05-2016", "05/31/2016", "31.05.2016", "31. maj 2016", "2016-151", "2016–05–31", "Q2 2016",
    "2016-05-31T", "2016-05-31T00", "1464652800", "2016-05-31 00:00:00 CET",
)  # fmt: skip


def values() -> Iterable[Bad]:
    """Single entries that are none of what a column may hold."""
    for column in ("q1", "q2"):
        for value in ANSWERS:
            yield Bad(f"{column}={value}", csv(text(with_value(column, value))), column, value)
    for column in BOXES:
        for value in TICKS:
            yield Bad(f"{column}={value}", csv(text(with_value(column, value))), column, value)
    for value in DATES:
        yield Bad(f"date={value}", csv(text(with_value("date", value))), "date: dates ", value)
    danish = f'dates = "%d-%m-%Y"\n{CODEBOOK}'
    says = "they are ISO, such as 2017-05-31: take the line dates out"
    yield Bad("ISO beside dates", csv(text(good())), says, codebook=danish)
    days = good().assign(date=[f"{1 + row % 28:02d}-03-2015" for row in range(len(good()))])
    days.loc[[0, 3], "date"] = ["31-02-2015", "31-04-2015"]
    says = "(2, data rows 1, 4); 2 of them are no day of the calendar, read as %d-%m-%Y"
    yield Bad("no day of the calendar", csv(text(days)), says, codebook=danish)
    days.loc[3, "date"] = "soon"
    says = "1 of them is no day of the calendar, read as %d-%m-%Y: correct them, or leave the "
    says += "response out; write the others as 31-05-2017"
    yield Bad("no day, and no date", csv(text(days)), says, "soon", codebook=danish)
    iso = csv(text(with_value("date", "2015-02-31")))
    yield Bad("no ISO day", iso, "1 of them is no day of the calendar: correct them")
    for column in ("citizen", "jobcenter", "date"):
        for value in ("", "  ", "\t", "\u00a0"):
            content = text(with_value(column, value))
            yield Bad(f"{column}={value!r}", csv(content), f"{column}: rows without a value (1, ")
    for column in ("citizen", "jobcenter"):
        content = text(with_value(column, "two\nlines"))
        yield Bad(f"{column} of two lines", csv(content), "line break", "two\nlines")
    sheet = good().assign(citizen=[str(10**16 + 3 * 10**15 * (i // 2)) for i in range(ROWS)])
    yield Bad("ids of a spreadsheet", csv(text(sheet)), "labels that have lost digits (12, ")
    for value in ("1.23E+08", "1,23e+08", "1e+05", "1.2E8"):
        content = text(with_value("citizen", value))
        yield Bad(f"citizen={value}", csv(content), "labels that have lost digits (1, ", value)


def shapes() -> Iterable[Bad]:
    """Files whose rows are not the header's."""
    lines = text(good()).splitlines()
    for row in (1, 5, len(lines) - 1):
        for what, line in (("more", lines[row] + ",1"), ("many more", lines[row] + ",,,,9")):
            content = "\n".join([*lines[:row], line, *lines[row + 1 :]])
            yield Bad(f"{what} in {row}", csv(content), f"(1, first at line {row + 1})")
    for row in (1, 5):
        content = "\n".join([*lines[:row], lines[row].rsplit(",", 1)[0], *lines[row + 1 :]])
        yield Bad(f"fewer in {row}", csv(content), f"first at line {row + 1})")
    for length in (3, 12, 25, 34):
        content = "\n".join([*lines[:-1], lines[-1][:length].rsplit(",", 1)[0]])
        yield Bad(f"cut after {length}", csv(content), "the file was cut off")
    below = text(good()) + "12 rows\n"
    yield Bad(
        "line below", csv(below), "has 1 field, the header 8: the file was cut off, or a line"
    )
    above = "# survey\n" + text(good())
    yield Bad("line above", csv(above), "(13, first at line 2); remove lines above the header")
    wider = "\n".join([lines[0] + ",", *lines[1:]])
    yield Bad(
        "header too long", csv(wider), "rows have 8 fields, the header 9 (12, first at line 2)"
    )
    cut = "\n".join(lines)[:-1]
    yield Bad("cut in the last entry", csv(cut), "at line 13, ends without the end of a line")
    many = pd.concat([good().assign(citizen=good()["citizen"] + str(n)) for n in range(2)])
    many["word"] = ["never", "often"] * 11 + ["always", "no"]
    says = "at line 25, ends without the end of a line, and its last entry is shorter"
    yield Bad("cut in one of many words", csv(text(many)[:-1]), says)
    for row, content in (
        (14, text(good()) * 2),
        (4, "\n".join([*lines[:3], lines[0], *lines[3:]])),
    ):
        says = f"the header stands among the rows (1, first at line {row})"
        yield Bad(f"header at {row}", csv(content), says)
    trailing = "\n".join([lines[0], *(line + "," for line in lines[1:])])
    yield Bad("trailing commas", csv(trailing), "rows have 9 fields, the header 8 (12, ")


def quotes() -> Iterable[Bad]:
    """Quotes that would swallow rows."""
    lines = text(good()).splitlines()
    for row in (1, 6, len(lines) - 1):
        begun = lines[row].replace("Nordby", '"Nordby').replace("Sydby", '"Sydby')
        content = "\n".join([*lines[:row], begun, *lines[row + 1 :]])
        yield Bad(f"quote in {row}", csv(content), f"quotes are not balanced in the row that "
                  f"starts at line {row + 1}")  # fmt: skip
    every = "\n".join(line.replace("dby", 'dby"').replace("Nor", '"Nor') for line in lines)
    yield Bad("quote opened again", csv(every.replace('dby"', "dby")), "not balanced")
    swallowed = lines.copy()
    for row in (2, 3):
        swallowed[row] = swallowed[row].replace("Nordby", '"')
    yield Bad("swallowed row", csv("\n".join(swallowed)), "whole rows (1, first at line 3)")


def headers() -> Iterable[Bad]:
    """Files without the columns, or in letters that nobody can tell."""
    lines = text(good()).splitlines()
    for first, second in (("q1", "q2"), ("citizen", "jobcenter"), ("visit", "doctor")):
        content = text(good()).replace(second, first, 1)
        yield Bad(f"two columns {first}", csv(content), f"{first}: column names that repeat")
    for content, says in (
        ("", "is empty"),
        (" \n \n", "is empty"),
        (lines[0], "no response"),
        (lines[0] + "\n\n\n", "no response"),
        ("sep=;\n", "is empty"),
        (f"sep=;\n{text(good())}", "the header is one column"),
        ("no table at all\nof any kind", "lacks"),
        ("\n".join(lines[1:]), "lacks"),
        (text(good()).replace(",", "|"), "a first line such as sep=| says"),
    ):
        yield Bad(f"file {content[:99]!r}", csv(content), says)
    danish = text(good().assign(jobcenter="Rødby Ålborg"))
    for page in ("cp850", "cp865", "cp437"):
        made = danish.replace("ø", "æ") if page == "cp437" else danish
        yield Bad(page, csv(made.encode(page, "replace")), "code page")
    yield Bad("Macintosh", csv(danish.encode("mac_roman")), "an old Macintosh's?)")
    yield Bad("NUL", csv(text(good()).replace("Nordby", "Nord\0by")), "code page")
    yield Bad("bytes", csv(bytes(range(256)) * 4), "code page")
    for column in good().columns:
        rest = good().drop(columns=column)
        yield Bad(f"without {column}", csv(text(rest)), "the file lacks")
        yield Bad(f"{column} renamed", csv(text(good().rename(columns={column: "z"}))), "lacks")


def rows() -> Iterable[Bad]:
    """Rows that contradict one another, or themselves."""
    twice = pd.concat([good(), good().iloc[[3]].assign(q1=good()["q1"].iloc[3] % 5 + 1)])
    yield Bad("two rows of a day", csv(text(twice)), "different rows of one person and date (2")
    mixed = good().assign(synthetic=[1] + [0] * (ROWS - 1))
    yield Bad("synthetic among real", csv(text(mixed)), "never mix")
    for sign in ("\x0b", "\x85", "\u2028"):
        content = text(with_value("jobcenter", f"Nord{sign}by"))
        yield Bad(f"site with {sign!r}", csv(content), "jobcenter: labels that hold a line break")
    for sign in ("\x07", "\x1b", "\ufffd", "\uffff"):
        content = text(with_value("jobcenter", f"Nord{sign}by"))
        yield Bad(f"site with {sign!r}", csv(content), "jobcenter: labels with signs that cannot")
    for site in ("\u200b", "\ufeff\u00a0", "\u00ad"):
        content = text(with_value("jobcenter", site))
        yield Bad(f"site {site!r}", csv(content), "jobcenter: rows without a value (1")
    for one, other in (("1", "1.0"), ("1", "01"), ("7,0", "7")):
        sites = np.where(np.arange(ROWS) < 6, one, other)
        yield Bad(f"sites {one} and {other}", csv(text(good().assign(jobcenter=sites))), "zeros")
    for code, box in (("J", "visit"), ("H", "doctor")):
        told = good().assign(**{code: good()[box]})
        for value in (1 - told.loc[4, box], 7, "yes"):
            wrong = told.astype({code: "object"})
            wrong.loc[4, code] = value
            yield Bad(f"{code}={value} beside boxes", csv(text(wrong)), f"{code}: says something")
    for twin in ("nordby", "NORDBY", "Nord\u200bby", "Nord by", "Ｎordby", "Nоrdby"):
        yield Bad(f"site {twin!r}", csv(text(with_value("jobcenter", twin))), "jobcenter: ", twin)
    for says in (
        "jobcenter: labels that the codebook's list of sites lacks (6, first in data rows 7, 8, 9)",
        "jobcenter: the codebook lists sites that no row holds (1); Westby",
    ):
        listed = f'jobcenters = ["Nordby", " Westby "]\n{CODEBOOK}'
        yield Bad(f"not listed: {says[:30]}", csv(text(good())), says, "Sydby", listed)
    for sites, says in (('["A", "B", "A"]', "stand more than once: ['A']"),
                        ('["A b", "a B"]', "differ only by case: ['A b', 'a B']")):  # fmt: skip
        yield bad_book("scale =", f"jobcenters = {sites}\nscale =", f"jobcenters {says}")


WRITERS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    ".parquet": lambda frame, path: frame.to_parquet(path),
    ".xlsx": lambda frame, path: frame.to_excel(path, index=False),
    ".dta": lambda frame, path: pyreadstat.write_dta(frame, str(path)),
    ".sav": lambda frame, path: pyreadstat.write_sav(frame, str(path)),
}


def made(suffix: str, frame: pd.DataFrame) -> Callable[[Path], Path]:
    """Write a frame in a format."""

    def write(folder: Path) -> Path:
        WRITERS[suffix](frame, folder / f"data{suffix}")
        return folder / f"data{suffix}"

    return write


def cut(suffix: str, share: float) -> Callable[[Path], Path]:
    """Write the first part of a file's bytes."""

    def write(folder: Path) -> Path:
        path = made(suffix, good())(folder)
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
        return path

    return write


def named(suffix: str, other: str) -> Callable[[Path], Path]:
    """Write a file of one format under the name of another."""

    def write(folder: Path) -> Path:
        return made(suffix, good())(folder).rename(folder / f"data{other}")

    return write


def broken() -> Iterable[Bad]:
    """Files that are cut, of another format than their name says, or of none."""
    for suffix in WRITERS:
        for share in (0.0, 0.3, 0.8):
            yield Bad(f"{suffix} cut at {share}", cut(suffix, share), "cannot be read as")
        for other in sorted({*WRITERS, ".sas7bdat"} - {suffix}):
            yield Bad(f"{suffix} as {other}", named(suffix, other), "cannot be read as")
        yield Bad(f"text as {suffix}", csv(text(good()), suffix), "cannot be read as")
    for suffix in (".xls", ".ods", ".json", ".docx", ".gz", ""):
        yield Bad(f"suffix {suffix!r}", csv(text(good()), suffix), "unknown format")
    yield Bad("absent", lambda folder: folder / "absent.csv", "no file")
    yield Bad("empty folder", lambda folder: folder, "without Parquet or text files")


def folder_of(*parts: pd.DataFrame) -> Callable[[Path], Path]:
    """Write a folder of Parquet files, beside what programs and people leave there."""

    def write(folder: Path) -> Path:
        place = folder / "parts"
        place.mkdir()
        for number, part in enumerate(parts):
            part.to_parquet(place / f"{number}.parquet", index=False)
        for name in ("README.md", "_SUCCESS", ".DS_Store"):
            (place / name).write_text("not a table")
        return place

    return write


def folders() -> Iterable[Bad]:
    """Folders of files that are not alike, of which the first would decide."""
    first, second = good()[:6], good()[6:]
    for name, other, says in (
        ("lacks a column", second.drop(columns="q2"), "have different columns (q2)"),
        ("has another column", second.assign(q3=1), "have different columns (q3)"),
        ("holds text", second.assign(q1=second["q1"].astype("str")), "q1: the files of the folder"),
        ("holds days", second.assign(date=pd.to_datetime(second["date"])), "date: the files of"),
    ):
        yield Bad(f"a part {name}", folder_of(first, other), says)
    ids = [part.assign(citizen=part.index // 3 + 1) for part in (first, second)]
    texts = ids[1].assign(citizen="00" + ids[1]["citizen"].astype("str"))
    yield Bad(
        "a part has ids as text", folder_of(ids[0], texts), "citizen: the files of the folder"
    )


def cells(number: int, value: str) -> Callable[[Path], Path]:
    """Write a workbook with one cell of q1 set to a formula or an error."""

    def write(folder: Path) -> Path:
        path = made(".xlsx", good())(folder)
        book = openpyxl.load_workbook(path)
        for row in range(2, 2 + number):
            book.active.cell(row, 4).value = value
        book.save(path)
        return path

    return write


def rewritten(*changes: tuple[str, str]) -> Callable[[Path], Path]:
    """Write a workbook with formulas whose XML is changed, as other programs write it."""

    def write(folder: Path) -> Path:
        path = cells(3, "=1+1")(folder)
        with zipfile.ZipFile(path) as book:
            parts = {name: book.read(name).decode() for name in book.namelist()}
        sheet = "xl/worksheets/sheet1.xml"
        for old, new in changes:
            parts[sheet] = re.sub(old, new, parts[sheet])
        with zipfile.ZipFile(path, "w") as book:
            for name, part in parts.items():
                book.writestr(name, part)
        return path

    return write


def formats() -> Iterable[Bad]:
    """What cannot be, in every format that has types of its own."""
    yield Bad("formulas", cells(3, "=1+1"), "formulas without their values (3); open and save")
    zero, prefix = (r"<v\s*/>|<v></v>", "<v>1</v>"), (r"(</?)(?=\w)", r"\1x:")
    for name, changes in (
        ("with a value that stands for none", (zero,)),
        ("of other names in XML", (prefix, ("xmlns=", "xmlns:x="))),
    ):
        yield Bad(f"formulas {name}", rewritten(*changes), "formulas without their values (3); op")
    yield Bad("errors", cells(2, "#REF!"), "cells that hold an error such as #N/A (2)")
    labels = {"visit": {0: "no", 1: "yes", 9: "unknown"}}
    wild = with_value("visit", 9).infer_objects()
    for suffix in (".sav", ".dta"):
        writer = getattr(pyreadstat, f"write_{suffix[1:]}")

        def write(folder: Path, writer: Any = writer, suffix: str = suffix) -> Path:
            writer(wild, str(folder / f"data{suffix}"), variable_value_labels=labels)
            return folder / f"data{suffix}"

        yield Bad(f"{suffix} labelled box", write, "0, 1 or empty; the file labels codes outside")
    for suffix in WRITERS:
        for column, value, says in (
            ("q1", 6, "q1: values outside the scale (1, data row 5)"),
            ("q2", -3, "q2: values outside"),
            ("visit", 2, "visit: values outside"),
            ("citizen", "", "citizen: rows without"),
            ("date", "9999-12-31", "(1, data row 5); correct them, or leave"),
            ("date", "soon", "date: dates that cannot be read (1, data row 5)"),
        ):
            frame = with_value(column, value).infer_objects()
            yield Bad(f"{suffix} {column}={value}", made(suffix, frame), says)
        bare = made(suffix, good().assign(date=np.arange(42000.0, 42000 + ROWS)))
        says = "dates that cannot be read (12, first in data rows 1, 2, 3); numbers tell no day by"
        yield Bad(f"{suffix} dates are numbers", bare, says)
        wide = made(suffix, good().assign(citizen=2.0**53 + 2 * np.arange(ROWS)))
        says = "15 digits" if suffix == ".xlsx" else "lost digits (12"
        yield Bad(f"{suffix} long ids", wide, says)
        rounded = np.float32(123456700 + 8 * np.arange(ROWS)).astype("float64")
        yield Bad(f"{suffix} rounded ids", made(suffix, good().assign(citizen=rounded)), "lost")


def bad_book(old: str, new: str, says: str) -> Bad:
    """A codebook with one line changed."""
    book = CODEBOOK.replace(old, new)
    write = csv(text(good()))
    return Bad(f"codebook {new!r}", write, says, codebook=book, error=CodebookError)


def codebooks() -> Iterable[Bad]:
    """Codebooks that would be misread."""

    for name in ("J", "visit"):
        both = f"codes of indicators or averages are treatments or boxes, too: ['{name}']"
        new = f'code = "{name}"\ncolumn = "q2"\nrespondent = "x"\n[[indicators]]\ncode = "q2"'
        yield bad_book('code = "q2"', f"{new}\ncolumn = 'q3'", both)
        yield bad_book("[averages.mean]", f"[averages.{name}]", both)
    for name in ("q2", "q9", "J"):
        says = f"indicator 'q2': counterpart '{name}' is unknown; known: q1"
        yield bad_book('code = "q2"', f'code = "q2"\ncounterpart = "{name}"', says)
    for value in ("-1", "1001", "99999999999999999999"):
        says = "q2: 'figure' must be a whole number from 0 to"
        yield bad_book('code = "q2"', f'code = "q2"\nfigure = {value}', says)
    for box in ("visit", "nothing"):
        twice = f"activities = [{{ column = '{box}' }}, {{ column = '{box}' }}]"
        yield bad_book("scale =", f"{twice}\nscale =", f"a box more than once: ['{box}']")
    for columns in ('"visit"', "3", "[]", "true", "[1]", '[""]', '{ a = "visit" }', '[["visit"]]'):
        yield bad_book(
            'columns = ["visit"]', f"columns = {columns}", "treatment 'J': 'columns' must be"
        )
    for members in ('"q1q2"', "2", "[]", "[1, 2]", '{ q1 = "q2" }'):
        yield bad_book(
            'members = ["q1", "q2"]', f"members = {members}", "average 'mean': 'members' must be"
        )
    yield bad_book(
        'code = "q2"\nrespondent = "citizen"',
        'code = "q2"\nrespondent = "teacher"',
        "several respondents (citizen, teacher); make an average for each",
    )
    yield bad_book('["q1", "q2"]', '["q1", "q2", "q1"]', "counts members more than once: ['q1']")
    yield bad_book('["q1", "q2"]', '["q1", "q9"]', "no indicators: ['q9']")
    yield bad_book('none = "nothing"', 'none = "visit"', "is also a treatment's")
    yield bad_book('none = "nothing"', 'dont_know = "doctor"', "is also a treatment's")
    yield bad_book('none = "nothing"', 'none = "z"\ndont_know = "z"', "name the same box")
    for dates in ('"%Y"', '"%m-%Y"', '"%d-%m"', '"dd-mm-yyyy"', '""', "3", "true", '["%d"]', '"%q"',
                  '"%d-%m-%Y-%d"', '"%Y-%m-%d %"'):  # fmt: skip
        yield bad_book(
            "scale =", f"dates = {dates}\nscale =", "'dates' must be a text that tells day"
        )
    for words in ('"Never"', "5", "[]", "[1, 2, 3, 4, 5]", '["a", "b"]',
                  '["a", "b", "c", "d", "a"]', '["a", "b", "c", "d", " a "]',
                  '["a", "b", "c", "d", "e", "f"]'):  # fmt: skip
        yield bad_book("scale =", f"answers = {words}\nscale =", "'answers'")
        yield bad_book('code = "q2"', f'code = "q2"\nanswers = {words}', "indicator q2: 'answers' ")
    yield bad_book("scale =", 'jobcenters = "AB"\nscale =', "'jobcenters' must be a list")
    words = 'answers = ["a", "b", "c", "d", "e"]\nmissing = ["e", "f"]\nscale ='
    yield bad_book("scale =", words, "'missing' holds words of 'answers': ['e']")
    for scale in ("[0, 1001]", "[0, 1000000000000]", "[5, 1]", "[1, 1]", "[1.0, 5.0]", "[1]", "[]",
                  '"1-5"', "[1, 2, 3]", "[true, 5]", "[9999999999, 10000000003]"):  # fmt: skip
        yield bad_book(
            "scale = [1, 5]", f"scale = {scale}", "the codebook: 'scale' must be two whole"
        )


def no_toml() -> Iterable[Bad]:
    """Codebooks that the reader of TOML itself breaks on, whatever room Python has for it."""
    for name, value in (("digits", "9" * 5000), ("brackets", "[" * 20_000 + "]" * 20_000)):
        book = CODEBOOK.replace("scale =", f"x = {value}\nscale =")
        says, write = "is no valid TOML", csv(text(good()))
        yield Bad(f"codebook of many {name}", write, says, codebook=book, error=CodebookError)


def kinds() -> Iterable[Bad]:
    """Codebooks with values of another kind than their keys take."""
    wrong = (
        "3",
        "1.5",
        "true",
        "[]",
        '["a"]',
        "{ a = 1 }",
        '""',
        '"a\\u0007b"',
        '"a\\nb"',
        "2016-01-01",
    )
    for key in ("name", "citizen", "jobcenter", "date"):
        for value in wrong:
            yield bad_book(
                'name = "Small"', f"{key} = {value}", f"the codebook: '{key}' must be a text"
            )
    for key in ("code", "respondent", "column", "counterpart"):
        for value in wrong:
            first = f"{key} = {value}\n"
            rest = {"code": 'respondent = "x"', "respondent": 'code = "q2"'}.get(key, "")
            new = first + (rest or 'code = "q2"\nrespondent = "x"')
            old = 'code = "q2"\nrespondent = "citizen"'
            yield bad_book(old, new, f"'{key}' must be a text of one line")
    for key in ("optional", "progression", "reverse"):
        for value in ('"false"', "0", "[]", "{}"):
            yield bad_book(
                'code = "q2"', f'code = "q2"\n{key} = {value}', f"q2: '{key}' must be true or"
            )
    for value in ('"Sleep"', "3", "[]", "true", "{ en = 3 }", '{ en = "" }', '{ en = "a\\nb" }'):
        yield bad_book(
            'code = "q2"', f'code = "q2"\nlabel = {value}', "q2: 'label' must be lines by"
        )
        new = f'label = {value}\ncolumns = ["visit"]'
        yield bad_book('columns = ["visit"]', new, "treatment 'J': 'label' must be lines by")
        new = f'label = {value}\nmembers = ["q1", "q2"]'
        yield bad_book('members = ["q1", "q2"]', new, "average 'mean': 'label' must be lines by")


def places() -> Iterable[Bad]:
    """Codebooks with keys, names and codes that mean nothing in their place."""
    for old, place in (('columns = ["visit"]', "treatment 'J'"), ("members =", "average 'mean'"),
                       ('code = "q2"', "indicator q2"), ("scale =", "the codebook")):  # fmt: skip
        yield bad_book(old, f"lable = 1\n{old}", f"{place}: key 'lable' is unknown; known: ")
    foreign = "language 'dk' is unknown; known: en, da; did you mean 'da'?"
    for old, place in (('columns = ["visit"]', "treatment 'J'"), ("members =", "average 'mean'"),
                       ('code = "q2"', "indicator q2")):  # fmt: skip
        labelled = f'label = {{ en = "a", dk = "b" }}\n{old}'
        yield bad_book(old, labelled, f"{place}: 'label': {foreign}")
    yield bad_book('code = "q2"', 'lable = {}\ncode = "q2"', "did you mean 'label'?")
    for line in ('higher = { en = "a", dk = "b" }', 'words = { citizen = { en = "a", dk = "b" } }'):
        yield bad_book("scale =", f"{line}\nscale =", foreign)
    for name in ("../q", "a/b", "a b", "forælder", "1e5"):
        new = f'code = "q2"\nrespondent = "{name}"'
        yield bad_book(
            'code = "q2"\nrespondent = "citizen"', new, f"respondent '{name}': a code holds"
        )
    for codes in ("8", '["8"]', "[8.5]", "[true]", '[" "]', "[3]", "{}"):
        yield bad_book("scale =", f"missing = {codes}\nscale =", "the codebook: 'missing' ")


PARTS = (
    values,
    shapes,
    quotes,
    headers,
    rows,
    broken,
    folders,
    formats,
    codebooks,
    no_toml,
    kinds,
    places,
)
TABLE = [bad for part in PARTS for bad in part()]


@pytest.mark.parametrize("bad", TABLE, ids=lambda bad: bad.name.encode("unicode_escape").decode())
def test_bad_inputs_are_refused_in_words(bad: Bad, tmp_path: Path) -> None:
    """Catches tracebacks, inputs that are taken for others, and values of citizens in messages."""
    data = bad.write(tmp_path)
    book = tmp_path / "codebook.toml"
    book.write_text(bad.codebook, encoding="utf-8")
    with pytest.raises(bad.error) as caught:
        read_responses(data, load_codebook(book))
    message = str(caught.value)
    assert bad.says in message
    assert not ("was cut off, or" in message and "ends without the end" in message)  # said twice
    assert "somebody" not in message
    if len(bad.hides) > 3:
        assert bad.hides not in message.replace("2016-05-31", "")


def test_the_table_is_long() -> None:
    """Catches entries that are the same twice."""
    names = [bad.name for bad in TABLE]
    assert len(set(names)) == len(names) >= 300


def test_a_codebook_of_many_sites_and_with_a_mark_is_read(tmp_path: Path) -> None:
    """Catches minutes for a list of sites, and the mark of UTF-8 that Windows writes first."""
    sites = ", ".join(f'"s{number}"' for number in range(50_000))
    book = tmp_path / "codebook.toml"
    book.write_text(f"jobcenters = [{sites}]\n{CODEBOOK}", encoding="utf-8-sig")
    assert len(load_codebook(book).jobcenters) == 50_000


def test_the_good_rows_are_read(tmp_path: Path) -> None:
    """Catches a table of refusals that refuse everything."""
    book = tmp_path / "codebook.toml"
    book.write_text(CODEBOOK, encoding="utf-8")
    study = read_responses(csv(text(good()))(tmp_path), load_codebook(book))
    assert len(study.responses) == ROWS and not study.findings


def test_a_folder_of_good_parts_is_read(tmp_path: Path) -> None:
    """Catches notes beside Parquet files that are read as such; a part may hold no answer."""
    parts = (good()[:6], good()[6:].assign(q2=None))
    study = read_responses(folder_of(*parts)(tmp_path), parse_codebook(tomllib.loads(CODEBOOK)))
    assert study.size == (ROWS, 4) and study.responses["q2"].notna().sum() == 6


def test_the_command_leaves_with_two(tmp_path: Path) -> None:
    """Catches a refusal that ends in a traceback or in exit code 0 at the command line."""
    book = tmp_path / "codebook.toml"
    book.write_text(CODEBOOK, encoding="utf-8")
    data = csv(text(with_value("q1", "6")))(tmp_path)
    run = CliRunner().invoke(command(), ["check-data", str(data), "--codebook", str(book)])
    assert run.exit_code == 2 and "q1: values outside the scale (1, data row 5)" in run.output
    data.write_text(text(good()), encoding="utf-8")
    run = CliRunner().invoke(command(), ["check-data", str(data), "--codebook", str(book)])
    assert run.exit_code == 0 and "12 responses of 4 persons in 2 sites" in run.output


def test_a_short_last_word_may_be_a_whole_one(tmp_path: Path) -> None:
    """Catches files without a last line end that are refused for a "no" after "yes" and "maybe"."""
    words = ["yes", "maybe"] * 5 + ["yes", "no"]
    book = tmp_path / "codebook.toml"
    book.write_text(CODEBOOK, encoding="utf-8")
    for ending, told in (("", 1), ("\n", 0)):
        written = text(good().assign(word=words)).rstrip("\n") + ending
        study = read_responses(csv(written)(tmp_path), load_codebook(book))
        found = [one for one in study.findings if "last line that is not ended" in one.rule]
        assert [one.rows for one in found] == [(12,)] * told
        assert len(study.responses) == ROWS
