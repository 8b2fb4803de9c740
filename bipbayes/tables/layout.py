"""A finished table: what is printed, and the frame that it was made from."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from bipbayes.intervals import ALL_INDICATORS
from bipbayes.tables.html import html_fragment
from bipbayes.tables.latex import latex
from bipbayes.wording import Context, analysis_meaning, capital, phrase, study_notes


@dataclass(frozen=True)
class Column:
    """One printed column.

    Attributes
    ----------
    key
        Column of the table's body.
    header
        What stands above it.
    group
        What stands above several neighbouring columns of the same group, or ``""``.
    align
        ``l`` or ``r``.
    """

    key: str
    header: str
    group: str = ""
    align: str = "r"


@dataclass(frozen=True, repr=False)
class Table:
    """A table ready to be written.

    Attributes
    ----------
    name
        Names it among all tables of a run.
    caption
        Says what it shows and whether data are synthetic.
    notes
        Sentences printed under it.
    columns
        What is printed, from left to right.
    body
        Texts to print, in the readers' language.
    raw
        The frame behind it at full precision, for the CSV.
    document
        Name of the file that it stands in with others of its kind; ``""``: its own name.
    wrapped
        Whether cells hold sentences, which HTML sets on several lines.
    """

    name: str
    caption: str
    notes: tuple[str, ...]
    columns: tuple[Column, ...]
    body: pd.DataFrame
    raw: pd.DataFrame
    document: str = ""
    wrapped: bool = False

    @property
    def file_name(self) -> str:
        """Name of its file without ending."""
        return self.document or self.name

    def rows(self) -> list[list[str]]:
        """Return the printed texts row by row, in the order of the columns."""
        body = self.body.reindex(columns=[column.key for column in self.columns]).astype(object)
        written: list[list[str]] = body.where(body.notna(), "").map(str).to_numpy().tolist()
        return written

    @property
    def frame(self) -> pd.DataFrame:
        """The printed texts under their headers, of two levels where there are groups."""
        heads = [(column.group, column.header) for column in self.columns]
        if any(group for group, _ in heads):
            return pd.DataFrame(self.rows(), columns=pd.MultiIndex.from_tuples(heads))
        return pd.DataFrame(self.rows(), columns=[header for _, header in heads])

    def to_html(self) -> str:
        """Return a fragment of HTML with caption and notes."""
        return html_fragment(self)

    def to_latex(self) -> str:
        """Return LaTeX; its first line names the packages that it needs."""
        return latex(self)

    def _repr_html_(self) -> str:
        return self.to_html()

    def __repr__(self) -> str:
        """Return the table as plain text."""
        printed = self.frame.to_string(index=False)
        return "\n".join([self.caption, "", printed, "", *self.notes])


def table_caption(context: Context, *parts: str) -> str:
    """Join a caption's parts, the analysis after the first, and the warnings.

    Warnings: synthetic data, preliminary.
    """
    held = {"synthetic": context.synthetic, "preliminary": context.preliminary}
    flags = [capital(phrase(name, context.language)) for name, holds in held.items() if holds]
    told = [f"{part}." for part in (*parts, *flags) if part]
    if context.analysis:
        told.insert(1, analysis_meaning(context.analysis, language=context.language))
    return " ".join([*told, *study_notes(context.codebook, language=context.language)])


def printed_outcomes(context: Context, asked: Sequence[str] | None) -> list[str]:
    """Return the outcomes that one table for several prints: over all first, then as asked."""
    wanted = set(context.codebook.average_codes if asked is None else asked)
    return [ALL_INDICATORS, *(code for code in context.codebook.outcomes if code in wanted)]


def rounding_note(context: Context) -> str:
    """Say how posterior numbers are rounded."""
    return phrase("rounding", context.language)
