"""Tables in LaTeX: a complete ``table`` with a booktabs ``tabular``, caption, label and notes."""

import re
from collections.abc import Iterable
from itertools import groupby
from typing import Final

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
_SPECIAL: Final = re.compile("|".join(re.escape(letter) for letter in _REPLACED))


def escape(text: str) -> str:
    """Return text that LaTeX prints as it stands (UTF-8 letters are kept)."""
    return _SPECIAL.sub(lambda match: _REPLACED[match.group()], text)


def latex(table: Table) -> str:
    """Return the table as LaTeX; the document needs the package booktabs.

    Parameters
    ----------
    table
        Finished table.
    """
    alignment = "".join(column.align for column in table.columns)
    lines = [
        "% needs \\usepackage{booktabs}",
        "\\begin{table}[htbp]",
        "\\centering",
        "\\footnotesize",
        f"\\caption{{{escape(table.caption)}}}",
        f"\\label{{tab:{label(table.name)}}}",
        f"\\begin{{tabular}}{{{alignment}}}",
        "\\toprule",
        *_group_lines(table.columns),
        _row(column.header for column in table.columns),
        "\\midrule",
        *(_row(row) for row in table.rows()),
        "\\bottomrule",
        "\\end{tabular}",
        *_note_lines(table.notes),
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def label(name: str) -> str:
    """Return a table's name in letters that a LaTeX label may have."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name)


def column_groups(columns: tuple[Column, ...]) -> list[tuple[str, int]]:
    """Return the headers that stand over several columns, with how many each spans."""
    return [(name, len(list(group))) for name, group in groupby(columns, lambda c: c.group)]


def _row(cells: Iterable[str]) -> str:
    texts = [escape(cell) for cell in cells]
    # A row that starts with a bracket would be read as an option of the line break before.
    return " & ".join(f"{{}}{text}" if text.startswith("[") else text for text in texts) + r" \\"


def _group_lines(columns: tuple[Column, ...]) -> list[str]:
    groups = column_groups(columns)
    if not any(name for name, _ in groups):
        return []
    cells, rules, start = [], [], 1
    for name, width in groups:
        cells.append(f"\\multicolumn{{{width}}}{{c}}{{{escape(name)}}}")
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
