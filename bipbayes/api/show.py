"""How the objects show themselves: one card, as text at a prompt and as HTML in a notebook."""

from dataclasses import dataclass
from html import escape
from typing import Final

import pandas as pd

_LEFT: Final = 'style="text-align:left; vertical-align:top"'


@dataclass(frozen=True)
class Card:
    """What an object says of itself.

    Attributes
    ----------
    title
        One sentence.
    lines
        Names and what stands behind them.
    table
        Formatted, or ``None``.
    notes
        Sentences below.
    """

    title: str
    lines: tuple[tuple[str, str], ...] = ()
    table: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the card as plain text."""
        width = max((len(name) for name, _ in self.lines), default=0)
        parts = [self.title, *(f"  {name:<{width}}  {told}" for name, told in self.lines)]
        if self.table is not None:
            parts += ["", self.table.to_string(index=False), ""]
        return "\n".join([*parts, *(f"  - {note}" for note in self.notes)]).rstrip()

    def html(self) -> str:
        """Return the card as a fragment of HTML; everything is escaped."""
        cells = [
            f"<tr><th {_LEFT}>{escape(name)}</th><td {_LEFT}>{escape(told)}</td></tr>"
            for name, told in self.lines
        ]
        parts = [f"<strong>{escape(self.title)}</strong>", "<table>", *cells, "</table>"]
        if self.table is not None:
            parts.append(self.table.to_html(index=False, border=0))
        parts += ["<ul>", *(f"<li>{escape(note)}</li>" for note in self.notes), "</ul>"]
        return f"<div>{''.join(parts)}</div>"
