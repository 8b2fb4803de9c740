"""The page for Word: the same sentences and tables, the key figures, on A4."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from docx.shared import Cm
from PIL import Image

from bipbayes.page.contents import PageContents, caption_beside
from bipbayes.page.paper import TEXTS, checklists
from bipbayes.page.sentences import LEAD, LISTED
from bipbayes.page.tables import combinations_table, treatments_table
from bipbayes.tables.audit_tables import audit_counts_table
from bipbayes.tables.comparison_table import comparison_table
from bipbayes.tables.layout import Table
from bipbayes.tables.sampler_tables import diagnostics_table, hyperparameter_table
from bipbayes.tables.word import add_table, new_document, write_document
from bipbayes.wording import capital, phrase

if TYPE_CHECKING:
    from docx.document import Document as Pages

_WIDTH, _HEIGHT = Cm(17), Cm(23)  # of a page, less its heading or a caption


def write_page_document(contents: PageContents, path: Path) -> None:
    """Write the page as a Word document.

    Parameters
    ----------
    contents
        As for `bipbayes.page.page.page_html`.
    path
        The file, which appears only when it is complete.
    """
    language, context = contents.language, contents.context
    title = phrase("page_title", language, study=context.codebook.name)
    pages = new_document(title=title, language=str(language))
    pages.add_heading(title, level=0)
    marks = {"synthetic": context.synthetic, "preliminary": context.preliminary}
    told = [f"{capital(phrase(name, language))}." for name, holds in marks.items() if holds]
    if told:
        pages.add_paragraph().add_run(" ".join(told)).bold = True
    for name, say in LEAD:
        if sentences := say(contents):
            _section(pages, contents, name, sentences)
    pages.add_heading(phrase("page_figures_title", language), level=1)
    for picture in filter(Path.is_file, contents.figures.values()):
        pages.add_picture(str(picture), width=_width(picture))
        if caption := caption_beside(picture):
            pages.add_paragraph(caption, style="Caption")
    pages.add_heading(phrase("page_diagnostics_title", language), level=1)
    for table in _diagnostics(contents):
        add_table(pages, table)
    pages.add_heading(phrase("page_paper_title", language), level=1)
    for name, write in TEXTS:
        pages.add_heading(phrase(f"paper_{name}", language), level=2)
        for paragraph in write(contents):
            pages.add_paragraph(paragraph)
    for table in checklists(contents):
        add_table(pages, table)
    write_document(pages, path)


def _width(picture: Path) -> int:
    """Return how wide a picture is set: what is taller than a page would be cut off at its foot."""
    with Image.open(picture) as opened:
        wide, high = opened.size
    return min(_WIDTH, _HEIGHT * wide // high)


def _section(pages: "Pages", contents: PageContents, name: str, sentences: list[str]) -> None:
    pages.add_heading(phrase(f"page_{name}_title", contents.language), level=1)
    if name in LISTED:
        for sentence in sentences:
            pages.add_paragraph(sentence, style="List Bullet")
    else:
        pages.add_paragraph(" ".join(sentences))
    for table in _tables(contents, name):
        add_table(pages, table)


def _tables(contents: PageContents, name: str) -> Iterator[Table]:
    """Return the tables that stand in a section."""
    if name == "overall":
        for table in (treatments_table(contents), combinations_table(contents)):
            if table.raw["estimate"].notna().any():  # not all held back
                yield table
    if name == "against":
        # Of single indicators the exported tables hold the numbers.
        for outcome in contents.context.codebook.average_codes:
            yield comparison_table(contents.comparison, contents.context, outcome=outcome)
    if name == "claims" and contents.audit is not None:
        yield audit_counts_table(contents.audit, contents.context)


def _diagnostics(contents: PageContents) -> Iterator[Table]:
    yield diagnostics_table(contents.plain, contents.context)
    if contents.hyperparameters is not None:
        frame = contents.hyperparameters
        yield hyperparameter_table(frame, contents.context, model=contents.model)
