"""Tables in Word: spanning headers, a caption above, notes below, headers on every page."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zipfile import ZipFile

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Emu, Pt, RGBColor

from bipbayes.atomic import write_archive
from bipbayes.tables.latex import column_groups
from bipbayes.tables.layout import Table

if TYPE_CHECKING:
    from docx.document import Document as Pages

_LETTERS: Final = 110  # of a row upright on A4 in small print; wider tables lie across
_SMALL: Final = Pt(8)
_SIZES: Final = (8.0, 7.5, 7.0, 6.5, 6.0)  # points; smaller only where words would be broken
_LETTER: Final = 0.6  # of the size, that one takes
_BESIDE: Final = 2  # letters, as much as the edges of a cell take
_WORD: Final = 16  # letters; longer ones may be broken
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
    """Write a document whole or not at all, without the time at which it was made."""
    made = BytesIO()
    pages.save(made)
    with ZipFile(made) as parts:
        write_archive(path, {name: parts.read(name) for name in parts.namelist()})


def write_word(tables: Sequence[Table], path: Path, *, language: str) -> None:
    """Write tables as a Word file, across where one is wide."""
    pages = new_document(title=tables[0].caption, language=language)
    _shape(pages.sections[0], across=max(sum(_letters(table)) for table in tables) > _LETTERS)
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
    run = caption.add_run(table.caption)
    run.font.size, run.font.color.rgb = Pt(9), RGBColor(0, 0, 0)
    caption.paragraph_format.keep_with_next = True
    groups = column_groups(table.columns)
    head = int(any(name for name, _ in groups))
    rows = table.rows()
    grid = pages.add_table(rows=head + 1 + len(rows), cols=len(table.columns))
    grid.autofit = False
    _edge(grid)
    size, widths = _set(pages, table)
    cells = [list(row.cells) for row in grid.rows]  # asking for each anew takes a second a table
    headers = [column.header for column in table.columns]
    for line, texts in zip(cells[head:], [headers, *rows], strict=True):
        for cell, column, text in zip(line, table.columns, texts, strict=True):
            _fill(cell, text, column.align, size, bold=texts is headers)
    for line, width in zip(grid.columns, widths, strict=True):
        line.width = width
    for place, row in enumerate(grid.rows):
        _mark(row, "w:cantSplit")  # never broken over two pages
        if place <= head:
            _mark(row, "w:tblHeader")  # printed again on every page that the table reaches
    for line, side in ((cells[0], "top"), (cells[head], "bottom"), (cells[-1], "bottom")):
        _rule(line, side)
    if head:
        _span(cells[0], groups, size)
    if table.notes:
        note = pages.add_paragraph().add_run(" ".join(table.notes))
        note.font.size = _SMALL


def _letters(table: Table) -> list[int]:
    """Return about how many letters each column takes: its longest cell, or word of its header."""
    cells = zip(*table.rows(), strict=True) if len(table.body) else [()] * len(table.columns)
    words = (column.header.split() for column in table.columns)
    return [
        max(map(len, ["1234", *texts, *(f"{word}." for word in header)])) + _BESIDE
        for texts, header in zip(cells, words, strict=True)
    ]


def _least(table: Table) -> list[int]:
    """Return how many letters each column takes at least: those of a number, or of a word."""
    least = _letters(table)
    for place, column in enumerate(table.columns):
        if column.align == "l":
            texts = [f"{column.header}.", *(row[place] for row in table.rows())]
            words = [len(word) for text in texts for word in text.split()]
            least[place] = min(least[place], min(max(words, default=1), _WORD) + _BESIDE)
    return least


def _set(pages: "Pages", table: Table) -> tuple[Any, list[Any]]:
    """Return the size of letters, and the columns' widths: texts wrap where there is less room.

    Every column has room for its longest word, where there is any; of what is left each takes what
    its texts need, those that need least first, but never more than an equal share.
    """
    section: Any = pages.sections[-1]
    room = section.page_width - section.left_margin - section.right_margin
    least, most = _least(table), _letters(table)
    size = next((s for s in _SIZES if sum(least) * _LETTER * Pt(s) <= room), _SIZES[-1])
    letter = min(_LETTER * Pt(size), room / sum(least))
    left, widths = room / letter - sum(least), list(map(float, least))
    more = [place for place in range(len(least)) if most[place] > least[place]]
    for done, place in enumerate(sorted(more, key=lambda place: most[place] - least[place])):
        taken = min(most[place] - least[place], left / (len(more) - done))
        widths[place] += taken
        left -= taken
    return Pt(size), [Emu(int(width * letter)) for width in widths]


def _edge(grid: Any) -> None:
    """Leave a millimetre at either side of a cell."""
    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        edge = OxmlElement(f"w:{side}")
        edge.set(qn("w:w"), "57")  # twentieths of a point
        edge.set(qn("w:type"), "dxa")
        margins.append(edge)
    grid._tbl.tblPr.append(margins)


def _rule(cells: Sequence[Any], side: str) -> None:
    """Draw a line along one side of a row."""
    for cell in cells:
        properties = cell._tc.get_or_add_tcPr()
        borders = properties.find(qn("w:tcBorders"))
        if borders is None:
            borders = OxmlElement("w:tcBorders")
            properties.append(borders)
        line = OxmlElement(f"w:{side}")
        for name, value in (("val", "single"), ("sz", "6"), ("color", "000000")):
            line.set(qn(f"w:{name}"), value)
        borders.append(line)


def _shape(section: Any, *, across: bool) -> None:
    """Make a section A4 with narrow margins, upright or across."""
    sides = (Cm(21), Cm(29.7))
    section.orientation = WD_ORIENT.LANDSCAPE if across else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = sides[::-1] if across else sides
    for edge in ("left_margin", "right_margin", "top_margin", "bottom_margin"):
        setattr(section, edge, Cm(1.8))


def _fill(cell: Any, text: str, align: str, size: Any, *, bold: bool = False) -> None:
    paragraph = cell.paragraphs[0]
    paragraph.alignment = _SIDES.get(align, WD_ALIGN_PARAGRAPH.CENTER)
    paragraph.paragraph_format.space_after = Pt(0)
    run = paragraph.add_run(text)
    run.font.size, run.bold = size, bold


def _span(cells: Sequence[Any], groups: Sequence[tuple[str, int]], size: Any) -> None:
    """Write headers over the columns that each spans."""
    start = 0
    for name, width in groups:
        _fill(cells[start].merge(cells[start + width - 1]), name, "c", size, bold=True)
        start += width


def _mark(row: Any, name: str) -> None:
    element = OxmlElement(name)
    element.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(element)
