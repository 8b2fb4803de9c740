"""Tables in Markdown (pipe tables, as GitHub, Quarto and pandoc read them)."""

import re
from collections.abc import Sequence
from typing import Final

from bipbayes.tables.layout import Table

_SIGNS: Final = re.compile(r"([\\`*_{}\[\]<>#|$~])")
_RULES: Final = {"l": ":---", "r": "---:"}


def markdown(table: Table) -> str:
    """Return the table with its caption above and its notes below.

    Pipe tables have no spanning headers: a group's name stands before those of its columns.
    """
    headers = [f"{column.group} {column.header}".strip() for column in table.columns]
    rules = _line([_RULES[column.align] for column in table.columns])
    rows = [_line(list(map(escape, cells))) for cells in table.rows()]
    lines = [f"**{escape(table.caption)}**", "", _line(list(map(escape, headers))), rules, *rows]
    notes = ["", escape(" ".join(table.notes))] if table.notes else []
    return "\n".join([*lines, *notes]) + "\n"


def escape(text: str) -> str:
    """Return text that Markdown prints as it stands."""
    return _SIGNS.sub(r"\\\1", text.replace("\n", " "))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
