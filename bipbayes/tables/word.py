"""Tables in Word: spanning headers, a caption above, notes below, headers on every page."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt

from bipbayes.atomic import atomic_path
from bipbayes.tables.latex import column_groups
from bipbayes.tables.layout import Table

if TYPE_CHECKING:
    from docx.document import Document as Pages

_LETTERS: Final = 95  # of a row upright on A4 in small print; wider tables lie across
_SMALL: Final = Pt(8)
_SIDES: Final = {"l": WD_ALIGN_PARAGRAPH.LEFT, "r": WD_ALIGN_PARAGRAPH.RIGHT}
_WRITTEN: Final = "bipbayes"


def new_document(*, title: str, language: str) -> "Pages":
    """Return an empty A4 document that names neither author nor time: same content, same bytes."""
    pages = Document()
    pages.core_properties.title = title
    pages.core_properties.author = _WRITTEN
    pages.core_properties.language = language
    _shape(pages.sections[0], across=False)
    pages.styles["Normal"].font.size = Pt(10)
    return pages


def write_document(pages: "Pages", path: Path) -> None:
    """Write a document whole or not at all."""
    with atomic_path(path) as partial:
        pages.save(str(partial))


def write_word(tables: Sequence[Table], path: Path, *, language: str) -> None:
    """Write tables as a Word file, across where one is wide."""
    pages = new_document(title=tables[0].caption, language=language)
    _shape(pages.sections[0], across=max(map(_letters, tables)) > _LETTERS)
    for table in tables:
        add_table(pages, table)
    write_document(pages, path)


def add_table(pages: "Pages", table: Table) -> None:
    """Add a table with its caption and notes to a document.

    Parameters
    ----------
    pages
        From `new_document`.
    table
        Finished table; its texts are printed as they stand.
    """
    caption = pages.add_paragraph(style="Caption")
    caption.add_run(table.caption)
    caption.paragraph_format.keep_with_next = True
    groups = column_groups(table.columns)
    grouped = any(name for name, _ in groups)
    rows = table.rows()
    grid = pages.add_table(rows=(2 if grouped else 1) + len(rows), cols=len(table.columns))
    grid.style = "Light List"
    grid.autofit = True
    cells = [list(row.cells) for row in grid.rows]  # asking for each anew takes a second a table
    if grouped:
        start = 0
        for name, width in groups:
            merged = cells[0][start].merge(cells[0][start + width - 1])
            _fill(merged, name, "c", bold=True)
            start += width
    head = int(grouped)
    for cell, column in zip(cells[head], table.columns, strict=True):
        _fill(cell, column.header, column.align, bold=True)
    for line, texts in zip(cells[head + 1 :], rows, strict=True):
        for cell, column, text in zip(line, table.columns, texts, strict=True):
            _fill(cell, text, column.align)
    for place in range(head + 1):
        _repeat(grid.rows[place])
    for row in grid.rows:
        _keep_whole(row)
    if table.notes:
        note = pages.add_paragraph().add_run(" ".join(table.notes))
        note.font.size = _SMALL


def _letters(table: Table) -> int:
    """Return about how many letters a row takes."""
    cells = zip(*table.rows(), strict=True) if len(table.body) else [()] * len(table.columns)
    return sum(max([4, *map(len, texts)]) + 2 for texts in cells)


def _shape(section: Any, *, across: bool) -> None:
    """Make a section A4 with narrow margins, upright or across."""
    sides = (Cm(21), Cm(29.7))
    section.orientation = WD_ORIENT.LANDSCAPE if across else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = sides[::-1] if across else sides
    for edge in ("left_margin", "right_margin", "top_margin", "bottom_margin"):
        setattr(section, edge, Cm(1.8))


def _fill(cell: Any, text: str, align: str, *, bold: bool = False) -> None:
    paragraph = cell.paragraphs[0]
    paragraph.alignment = _SIDES.get(align, WD_ALIGN_PARAGRAPH.CENTER)
    paragraph.paragraph_format.space_after = Pt(0)
    run = paragraph.add_run(text)
    run.font.size, run.bold = _SMALL, bold


def _repeat(row: Any) -> None:
    """Print a row again on every page that the table reaches."""
    _mark(row, "w:tblHeader")


def _keep_whole(row: Any) -> None:
    """Never break a row over two pages."""
    _mark(row, "w:cantSplit")


def _mark(row: Any, name: str) -> None:
    element = OxmlElement(name)
    element.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(element)
