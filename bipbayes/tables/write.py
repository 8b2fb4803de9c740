"""Write finished tables to files; a new format is one more entry of `WRITERS`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from bipbayes.atomic import write_frame, write_text
from bipbayes.data.words import study_words
from bipbayes.errors import SettingsError
from bipbayes.marks import marked
from bipbayes.tables.html import html
from bipbayes.tables.latex import latex
from bipbayes.tables.layout import Table
from bipbayes.wording import Context

type Writer = Callable[[Table, Path, Context], None]


def _write_csv(table: Table, path: Path, context: Context) -> None:
    """Write the raw frame, marked: full precision and a decimal point in every language."""
    frame = marked(
        table.raw,
        synthetic=context.synthetic,
        preliminary=context.preliminary,
        turned=context.codebook.reversed_codes,
    )
    words = study_words(context.codebook.words, "en")
    write_frame(path, frame, treatments=context.codebook.treatment_codes, words=words)


def _write_latex(table: Table, path: Path, context: Context) -> None:
    write_text(path, latex(table))


def _write_html(table: Table, path: Path, context: Context) -> None:
    write_text(path, html(table, language=context.language))


WRITERS: Final[Mapping[str, Writer]] = {
    "csv": _write_csv,
    "tex": _write_latex,
    "html": _write_html,
}


def write_tables(
    tables: Iterable[Table],
    folder: Path,
    *,
    context: Context,
    formats: Sequence[str] = tuple(WRITERS),
) -> list[Path]:
    """Write tables, each in every format.

    Parameters
    ----------
    tables
        Finished tables; their names become file names.
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
    unknown = sorted(set(formats) - set(WRITERS))
    if unknown:
        raise SettingsError(f"table formats {unknown} are not known; choose from {list(WRITERS)}")
    paths = []
    for table in tables:
        for ending in formats:
            path = folder / f"{table.name}.{ending}"
            WRITERS[ending](table, path, context)
            paths.append(path)
    return paths
