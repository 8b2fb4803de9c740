"""Tables in LaTeX: a complete ``table`` with a booktabs ``tabular``, caption, label and notes.

What is longer than a page becomes a ``longtable``, what is wider lies across (``pdflscape``).
"""

import re
from collections.abc import Iterable
from itertools import groupby
from textwrap import wrap
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bipbayes.tables.layout import Column, Table

_REPLACED: Final = {
    "\\": r"\textbackslash{}",
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "\N{MINUS SIGN}": "$-$",
    "\N{EN DASH}": "--",
    "†": r"\dag{}",
    "·": r"$\cdot$",
    "×": r"$\times$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "²": r"\textsuperscript{2}",
}
_PAGE: Final = 55  # rows in small print on A4
_WIDE: Final = 100  # letters in small print across A4; a gap between columns counts for two
_ACROSS: Final = 130  # in smaller print
_HEADER: Final = 12  # letters: no header is broken into narrower lines
_SPECIAL: Final = re.compile("|".join(re.escape(letter) for letter in _REPLACED))


def escape(text: str) -> str:
    """Return text that LaTeX prints as it stands (UTF-8 letters are kept)."""
    return _SPECIAL.sub(lambda match: _REPLACED[match.group()], text)


def latex(table: "Table") -> str:
    """Return the table as LaTeX; its first line names the packages that the document needs.

    Parameters
    ----------
    table
        Finished table.
    """
    widths = _widths(table)
    size = sum(widths) + 2 * len(widths)
    long, across = len(table.body) > _PAGE, size > _ACROSS
    needed = ["booktabs", *["longtable"] * long, *["pdflscape"] * across]
    lines = [
        f"% needs \\usepackage{{{','.join(needed)}}}",
        *["\\begin{landscape}"] * across,
        *(_long if long else _float)(table, widths, small=size > _WIDE),
        *["\\end{landscape}"] * across,
    ]
    return "\n".join(lines) + "\n"


def _float(table: "Table", widths: list[int], *, small: bool) -> list[str]:
    """Return a table on one page."""
    return [
        "\\begin{table}[htbp]",
        "\\centering",
        *_print(small),
        f"\\caption{{{escape(table.caption)}}}",
        f"\\label{{tab:{label(table.name)}}}",
        f"\\begin{{tabular}}{{{_alignment(table)}}}",
        *_head(table, widths),
        *(_row(row) for row in table.rows()),
        "\\bottomrule",
        "\\end{tabular}",
        *_note_lines(table.notes),
        "\\end{table}",
    ]


def _long(table: "Table", widths: list[int], *, small: bool) -> list[str]:
    """Return a table over several pages, each with the headers."""
    named = f"\\caption{{{escape(table.caption)}}}\\label{{tab:{label(table.name)}}} \\\\"
    return [
        "\\begingroup",
        "\\setlength{\\parindent}{0pt}",
        *_print(small),
        f"\\begin{{longtable}}{{{_alignment(table)}}}",
        named,
        *_head(table, widths),
        "\\endfirsthead",
        *_head(table, widths),
        "\\endhead",
        "\\bottomrule",
        "\\endfoot",
        *(_row(row) for row in table.rows()),
        "\\end{longtable}",
        *_note_lines(table.notes),
        "\\endgroup",
    ]


def _print(small: bool) -> list[str]:
    return ["\\scriptsize", "\\setlength{\\tabcolsep}{3pt}"] if small else ["\\footnotesize"]


def _alignment(table: "Table") -> str:
    return "".join(column.align for column in table.columns)


def _widths(table: "Table") -> list[int]:
    """Letters that each column takes: its longest cell, or its header in short lines."""
    cells = zip(*table.rows(), strict=True) if len(table.body) else [()] * len(table.columns)
    found = []
    for column, texts in zip(table.columns, cells, strict=True):
        body = max([_HEADER, *map(len, texts)])
        header = max((len(line) for line in wrap(column.header, body)), default=0)
        found.append(max([header, *map(len, texts)]))
    return found


def _head(table: "Table", widths: list[int]) -> list[str]:
    headers = (
        _stacked(column.header, width, column.align)
        for column, width in zip(table.columns, widths, strict=True)
    )
    return [
        "\\toprule",
        *_group_lines(table.columns, widths),
        f"{' & '.join(headers)} \\\\",
        "\\midrule",
    ]


def _stacked(text: str, width: int, align: str) -> str:
    """Return a header in lines no longer than its column allows."""
    lines = [escape(line) for line in wrap(text, max(width, _HEADER), break_long_words=False)]
    if len(lines) < 2:
        return escape(text)
    return f"\\shortstack[{align}]{{{r'\\'.join(lines)}}}"


def label(name: str) -> str:
    """Return a table's name in letters that a LaTeX label may have."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name)


def column_groups(columns: "tuple[Column, ...]") -> list[tuple[str, int]]:
    """Return the headers that stand over several columns, with how many each spans."""
    return [(name, len(list(group))) for name, group in groupby(columns, lambda c: c.group)]


def _row(cells: Iterable[str]) -> str:
    texts = [escape(cell) for cell in cells]
    # A row that starts with a bracket would be read as an option of the line break before.
    return " & ".join(f"{{}}{text}" if text.startswith("[") else text for text in texts) + r" \\"


def _group_lines(columns: "tuple[Column, ...]", widths: list[int]) -> list[str]:
    groups = column_groups(columns)
    if not any(name for name, _ in groups):
        return []
    cells, rules, start = [], [], 1
    for name, width in groups:
        room = sum(widths[start - 1 : start - 1 + width])
        cells.append(f"\\multicolumn{{{width}}}{{c}}{{{_stacked(name, room, 'c')}}}")
        if name:
            rules.append(f"\\cmidrule(lr){{{start}-{start + width - 1}}}")
        start += width
    return [" & ".join(cells) + r" \\", " ".join(rules)]


def _note_lines(notes: tuple[str, ...]) -> list[str]:
    if not notes:
        return []
    return [
        "\\par\\smallskip",
        "\\begin{minipage}{\\linewidth}\\scriptsize",
        *(escape(note) for note in notes),
        "\\end{minipage}",
    ]
