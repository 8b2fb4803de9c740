"""Write finished tables to files, one document a kind; of each of `FORMATS` the writer is here."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import batched, groupby
from pathlib import Path
from typing import Final

import pandas as pd

from bipbayes.atomic import write_frame, write_text
from bipbayes.data.study_words import study_words
from bipbayes.errors import SettingsError, raise_all, unknown
from bipbayes.stored_frames import marked
from bipbayes.tables import FORMATS
from bipbayes.tables.html import html
from bipbayes.tables.latex import latex
from bipbayes.tables.layout import Table
from bipbayes.wording import Context

type Writer = Callable[[Sequence[Table], Path, Context], None]


def _write_csv(tables: Sequence[Table], path: Path, context: Context) -> None:
    """Write the raw frames, marked: full precision and a decimal point in every language."""
    frame = marked(
        pd.concat([table.raw for table in tables], ignore_index=True),
        synthetic=context.synthetic,
        preliminary=context.preliminary,
        turned=context.codebook.reversed_codes,
    )
    words = study_words(context.codebook.words, "en")
    write_frame(path, frame, treatments=context.codebook.treatment_codes, words=words)


def _write_latex(tables: Sequence[Table], path: Path, context: Context) -> None:
    # Floats that no text parts pile up until LaTeX gives up.
    parts = ("\n".join(map(latex, part)) for part in batched(tables, _FLOATS))
    write_text(path, "\n\\clearpage\n\n".join(parts))


def _write_html(tables: Sequence[Table], path: Path, context: Context) -> None:
    write_text(path, html(tables, language=context.language))


def _write_word(tables: Sequence[Table], path: Path, context: Context) -> None:
    from bipbayes.tables.word import write_word  # half a second that few runs need

    write_word(tables, path, language=context.language)


def _write_markdown(tables: Sequence[Table], path: Path, context: Context) -> None:
    write_text(path, "\n".join(map(markdown, tables)))


WRITERS: Final[Mapping[str, Writer]] = dict(
    zip(FORMATS, (_write_csv, _write_latex, _write_html, _write_word, _write_markdown), strict=True)
)
_FLOATS: Final = 25  # tables of LaTeX between two new pages
DEFAULT_FORMATS: Final = ("csv", "tex", "html")
_SIGNS: Final = re.compile(r"([\\`*_{}\[\]<>#|$~])")  # of Markdown
_RULES: Final = {"l": ":---", "r": "---:"}


def write_tables(
    tables: Iterable[Table],
    folder: Path,
    *,
    context: Context,
    formats: Sequence[str] = DEFAULT_FORMATS,
) -> list[Path]:
    """Write tables in every format; those of one document, which follow each other, together.

    Parameters
    ----------
    tables
        Finished tables; the names of their documents become file names.
    folder
        Where they go; made if missing.
    context
        Language of the tables' words, and what their CSV files must say.
    formats
        Keys of `WRITERS`.

    Returns
    -------
    list of pathlib.Path
        The files, each of which appears only when it is complete.

    Raises
    ------
    SettingsError
        For an unknown format.
    """
    formats = checked_formats(formats)
    paths = []
    ordered = sorted(tables, key=lambda table: table.file_name)
    for name, group in groupby(ordered, key=lambda table: table.file_name):
        together = list(group)
        for ending in formats:
            path = folder / f"{name}.{ending}"
            WRITERS[ending](together, path, context)
            paths.append(path)
    return paths


def checked_formats(formats: Sequence[str]) -> tuple[str, ...]:
    """Return formats, each once; ``docx,md`` counts as two.

    Raises
    ------
    SettingsError
        For unknown ones.
    """
    asked = tuple(dict.fromkeys(name for text in formats for name in text.split(",")))
    faults = [unknown("--format", name, WRITERS) for name in asked if name not in WRITERS]
    raise_all(SettingsError, "These options were refused:", faults)
    return asked


def markdown(table: Table) -> str:
    """Return the table with its caption above and its notes below.

    Pipe tables have no spanning headers: a group's name stands before those of its columns.
    """
    headers = [f"{column.group} {column.header}".strip() for column in table.columns]
    rules = _line([_RULES[column.align] for column in table.columns])
    rows = [_line(list(map(_escape, cells))) for cells in table.rows()]
    lines = [f"**{_escape(table.caption)}**", "", _line(list(map(_escape, headers))), rules, *rows]
    notes = ["", _escape(" ".join(table.notes))] if table.notes else []
    return "\n".join([*lines, *notes]) + "\n"


def _escape(text: str) -> str:
    """Return text that Markdown prints as it stands."""
    return _SIGNS.sub(r"\\\1", text.replace("\n", " "))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
