r"""Tables in LaTeX: a complete ``table`` with a booktabs ``tabular``, caption, label and notes.

Each fits ``\linewidth`` of an 11 point A4 ``article``: what is wider is set in smaller print, then
with labels in lines, and only then across the page (``pdflscape``); what is longer than a page
becomes a ``longtable``. Widths are those of Computer Modern's letters, known before LaTeX runs.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
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
_SPECIAL: Final = re.compile("|".join(re.escape(letter) for letter in _REPLACED))

# Thousandths of the type size that letters take in Computer Modern; all others `_OTHER`.
_LETTERS: Final = {
    **dict.fromkeys("ijl.,:;!'|[]", 280),
    " ": 340,
    **dict.fromkeys("frstI()-", 390),
    **dict.fromkeys("cez?†", 470),
    **dict.fromkeys("agoJ0123456789*/–éèåäöø", 505),
    **dict.fromkeys("bdhknpquvxySü", 560),
    **dict.fromkeys("w&<>+=−×≤≥", 780),
    "m": 835,
    "%": 835,
    **dict.fromkeys("MW", 1000),
}
_PIECES: Final = re.compile(r"\s+|(?<=[_+/])")  # between which a line may end
_OTHER: Final = 750
_EAST: Final = 0x2E80  # from here on letters are as wide as high
_SLACK: Final = 1.015
_UPRIGHT: Final = (360.0, 590.0)  # points that an 11 point A4 article has across and down
_HEADER: Final = 6.0  # type sizes: no header is broken into narrower lines unless it must be
_WORD: Final = 8.0  # type sizes: longer words may be hyphenated
_WHOLE: Final = 10.0  # type sizes: shorter labels stay in one line where they can
_MOST_LINES: Final = 200
_COLUMN_OF_WORDS: Final = 7  # lines of a cell: rather smaller type, or across the page
_HYPHENS: Final = 4  # letters between two places where a long word may be


@dataclass(frozen=True)
class _Print:
    """A size of type: its command, points that 1000 thousandths take, and between two lines."""

    command: str
    points: float
    line: float
    gap: float  # points on either side of a column

    def gaps(self, columns: int) -> float:
        """Points between so many columns."""
        return 2 * self.gap * (columns - 1)

    def width(self, text: str) -> float:
        """Points that a text takes in one line."""
        letters = sum(1000 if ord(x) >= _EAST else _LETTERS.get(x, _OTHER) for x in text)
        return _SLACK * self.points * letters / 1000

    def word(self, text: str) -> float:
        """Points that the longest word of a text takes."""
        return max(map(self.width, text.split()), default=0.0)

    def piece(self, text: str) -> float:
        """Points that the longest part of a text takes in which no line may end."""
        return max(map(self.width, _PIECES.split(text)))

    def in_lines(self, text: str, room: float) -> list[str]:
        """Break a text between words into lines of so many points."""
        lines: list[str] = []
        for word in text.split():
            if lines and self.width(longer := f"{lines[-1]} {word}") <= room:
                lines[-1] = longer
            else:
                lines.append(word)
        return lines


# Smaller letters are wider for their size.
_USUAL: Final = _Print("footnotesize", 9.25, 11.0, 6.0)
_SMALL: Final = _Print("scriptsize", 8.5, 9.5, 3.0)
_TIGHT: Final = _Print("scriptsize", 8.5, 9.5, 1.5)
_TINY: Final = _Print("tiny", 7.35, 7.0, 2.0)
# What is tried in turn: type, across the page, least width of a header, whether texts take lines.
_TRIALS: Final = (
    (_USUAL, False, _HEADER, False),
    (_SMALL, False, _HEADER, False),
    (_TIGHT, False, _HEADER, False),
    (_SMALL, False, _HEADER, True),
    (_TIGHT, False, 0.0, True),
    (_USUAL, True, _HEADER, True),
    (_TIGHT, True, 0.0, True),
    (_TINY, True, 0.0, True),
)


@dataclass(frozen=True)
class _Layout:
    """How a table is set: its type, its place, and how wide its columns are.

    Attributes
    ----------
    size
        The type.
    across
        Whether it lies across the page.
    widths
        Points that each column takes.
    broken
        Columns whose texts stand in lines.
    """

    size: _Print
    across: bool
    widths: tuple[float, ...]
    broken: frozenset[int]

    @property
    def page(self) -> tuple[float, float]:
        """Points across and down."""
        return _UPRIGHT[::-1] if self.across else _UPRIGHT

    def fits(self) -> bool:
        """Say whether no column leaves the page."""
        return sum(self.widths) + self.size.gaps(len(self.widths)) <= self.page[0]

    def squeezes(self, table: "Table") -> bool:
        """Say whether a text stands in a column of more lines than anyone reads."""
        cells = ((row[i], self.widths[i]) for row in table.rows() for i in self.broken)
        return any(_lines(self.size, text, room) > _COLUMN_OF_WORDS for text, room in cells)

    def cell(self, text: str, column: int) -> str:
        """Return a text of a column, with hyphens where a word would leave it."""
        if column not in self.broken:
            return escape(text)
        room = self.widths[column]
        words = (filter(None, _PIECES.split(word)) for word in text.split())
        return " ".join(
            r"\allowbreak{}".join(
                escape(piece) if self.size.width(piece) <= room else _hyphenated(piece)
                for piece in word
            )
            for word in words
        )

    def height(self, table: "Table") -> float:
        """Points that caption, headers, rows and notes take, at most."""
        across, size = self.page[0], self.size
        rows = sum(
            max((_lines(size, row[i], self.widths[i]) for i in self.broken), default=1)
            for row in table.rows()
        )
        heads = max(len(self.head(column.header, i)) for i, column in enumerate(table.columns))
        # The caption is larger than the widest type here, notes are never larger than its second.
        caption = 1.5 * _lines(_USUAL, table.caption, 0.8 * across)
        notes = sum(_lines(_USUAL, note, across) for note in table.notes)
        return size.line * (rows + heads + 2) + _USUAL.line * (caption + notes + 3)

    def head(self, text: str, column: int) -> list[str]:
        """Return a column's header in lines."""
        return self.size.in_lines(text, self.widths[column])


def _lines(size: _Print, text: str, room: float) -> int:
    """Lines that a text takes, a little too many."""
    return max(1, math.ceil(1.15 * size.width(text) / room)) if size.width(text) > room else 1


def _hyphenated(word: str) -> str:
    """Return a word that may be broken every few letters."""
    parts = [word[start : start + _HYPHENS] for start in range(0, len(word), _HYPHENS)]
    return r"\-".join(map(escape, parts))


def escape(text: str) -> str:
    """Return text that LaTeX prints as it stands (UTF-8 letters are kept)."""
    return _SPECIAL.sub(lambda match: _REPLACED[match.group()], text)


def latex(table: "Table") -> str:
    """Return the table as LaTeX; its first line names the packages that the document needs."""
    layout = _layout(table)
    long = layout.height(table) > layout.page[1]
    needed = [
        *("booktabs", *["array"] * bool(layout.broken), *["longtable"] * long),
        *["pdflscape"] * layout.across,
    ]
    lines = [
        f"% needs \\usepackage{{{','.join(needed)}}}",
        *["\\begin{landscape}"] * layout.across,
        *(_long if long else _float)(table, layout),
        *["\\end{landscape}"] * layout.across,
    ]
    return "\n".join(lines) + "\n"


def _layout(table: "Table") -> _Layout:
    """Return the first layout in which the table fits and can be read, or the narrowest of all."""
    fitting = []
    for trial in _TRIALS:
        layout = _trial(table, *trial)
        if layout.fits():
            fitting.append(layout)
            if not layout.squeezes(table):
                return layout
    return fitting[0] if fitting else layout


def _trial(table: "Table", size: _Print, across: bool, header: float, broken: bool) -> _Layout:
    """Set a table in one way, as wide as its texts or, with texts in lines, as the page."""
    texts = [list(column) for column in zip(*table.rows(), strict=True)]
    texts = texts or [[] for _ in table.columns]
    heads = [_head_width(column.header, size, header) for column in table.columns]
    widest = [max([head, *map(size.width, own)]) for head, own in zip(heads, texts, strict=True)]
    _widen_under_groups(table.columns, widest, size)
    layout = _Layout(size, across, tuple(widest), frozenset())
    labels = [i for i, column in enumerate(table.columns) if column.align == "l"]
    if layout.fits() or not (broken and labels):
        return layout
    least = {
        i: max([heads[i], *(min(size.piece(text), _WORD * size.points) for text in texts[i])])
        for i in labels
    }
    room = layout.page[0] - size.gaps(len(widest))
    room -= sum(width for i, width in enumerate(widest) if i not in least)
    shares = _shares(least, {i: widest[i] for i in labels}, room, _WHOLE * size.points)
    widths = tuple(shares.get(i, width) for i, width in enumerate(widest))
    lined = frozenset(i for i in labels if shares[i] < widest[i])
    return _Layout(size, across, widths, lined)


def _head_width(text: str, size: _Print, least: float) -> float:
    """Points that a header needs, in lines that are no shorter than `least` where it is long."""
    room = max(least * size.points, size.word(text))
    return max(map(size.width, size.in_lines(text, room)), default=0.0)


def _widen_under_groups(columns: "tuple[Column, ...]", widths: list[float], size: _Print) -> None:
    """Give the first column of each group what the longest word of the group's name lacks."""
    start = 0
    for name, count in column_groups(columns):
        room = sum(widths[start : start + count]) + size.gaps(count)
        widths[start] += max(0.0, size.word(name) - room)
        start += count


def _shares(
    least: dict[int, float], most: dict[int, float], room: float, whole: float
) -> dict[int, float]:
    """Divide room among columns so that the longest text of each takes equally many lines.

    Texts of at most `whole` points stay in one line where there is room for that.
    """
    short = {i: max(least[i], most[i] if most[i] <= whole else 0.0) for i in most}
    if sum(short.values()) <= room:
        least = short
    for lines in range(1, _MOST_LINES):
        shares = {i: max(least[i], min(most[i], 1.1 * most[i] / lines)) for i in most}
        if sum(shares.values()) <= room:
            break
    spare = room - sum(shares.values())
    for i in sorted(shares, key=lambda i: most[i] - shares[i]):
        more = min(max(0.0, spare), most[i] - shares[i])
        shares[i] += more
        spare -= more
    return shares


def _float(table: "Table", layout: _Layout) -> list[str]:
    """Return a table on one page."""
    return [
        "\\begin{table}[htbp]",
        "\\centering",
        "\\setlength{\\belowcaptionskip}{4pt}",
        *_print(layout),
        f"\\caption{{{escape(table.caption)}}}",
        f"\\label{{tab:{label(table.name)}}}",
        f"\\begin{{tabular}}{{{_alignment(table, layout)}}}",
        *_head(table, layout),
        *(_row(row, layout) for row in table.rows()),
        "\\bottomrule",
        "\\end{tabular}",
        *_note_lines(table.notes),
        "\\end{table}",
    ]


def _long(table: "Table", layout: _Layout) -> list[str]:
    """Return a table over several pages, each with the headers."""
    named = f"\\caption{{{escape(table.caption)}}}\\label{{tab:{label(table.name)}}} \\\\"
    return [
        "\\begingroup",
        "\\setlength{\\parindent}{0pt}",
        *_print(layout),
        "\\setlength{\\LTcapwidth}{\\linewidth}",
        f"\\begin{{longtable}}{{{_alignment(table, layout)}}}",
        named,
        *_head(table, layout),
        "\\endfirsthead",
        *_head(table, layout),
        "\\endhead",
        "\\bottomrule",
        "\\endfoot",
        *(_row(row, layout) for row in table.rows()),
        "\\end{longtable}",
        *_note_lines(table.notes),
        "\\endgroup",
    ]


def _print(layout: _Layout) -> list[str]:
    """Return the type, and the room between columns where it is not LaTeX's own."""
    spare = layout.page[0] - sum(layout.widths) - layout.size.gaps(len(layout.widths))
    grown = layout.size.gap + max(0.0, spare) / (2 * max(1, len(layout.widths) - 1))
    gap = min(_USUAL.gap, math.floor(2 * grown) / 2)
    narrow = [f"\\setlength{{\\tabcolsep}}{{{gap:g}pt}}"] * (gap < _USUAL.gap)
    return [f"\\{layout.size.command}", *narrow]


def _alignment(table: "Table", layout: _Layout) -> str:
    """Return the kinds of columns: those in lines have a share of the page's width."""
    # Without the empty space TeX would not hyphenate a cell's first word.
    lined = r">{\raggedright\arraybackslash\hspace{0pt}}"
    kinds = [column.align for column in table.columns]
    for i in layout.broken:
        kinds[i] = f"{lined}p{{{layout.widths[i] / layout.page[0]:.4f}\\linewidth}}"
    return f"@{{}}{''.join(kinds)}@{{}}"


def _head(table: "Table", layout: _Layout) -> list[str]:
    headers = (
        _stacked(layout.size.in_lines(column.header, layout.widths[i]), column.align)
        for i, column in enumerate(table.columns)
    )
    return [
        "\\toprule",
        *_group_lines(table.columns, layout),
        f"{' & '.join(headers)} \\\\",
        "\\midrule",
    ]


def _stacked(lines: list[str], align: str) -> str:
    """Return a header in lines."""
    text = r"\\".join(map(escape, lines))
    return text if len(lines) < 2 else f"\\shortstack[{align}]{{{text}}}"


def label(name: str) -> str:
    """Return a table's name in letters that a LaTeX label may have."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name)


def column_groups(columns: "tuple[Column, ...]") -> list[tuple[str, int]]:
    """Return the headers that stand over several columns, with how many each spans."""
    return [(name, len(list(group))) for name, group in groupby(columns, lambda c: c.group)]


def _row(cells: Iterable[str], layout: _Layout) -> str:
    texts = [layout.cell(cell, column) for column, cell in enumerate(cells)]
    # A row that starts with a bracket would be read as an option of the line break before.
    return " & ".join(f"{{}}{text}" if text.startswith("[") else text for text in texts) + r" \\"


def _group_lines(columns: "tuple[Column, ...]", layout: _Layout) -> list[str]:
    groups = column_groups(columns)
    if not any(name for name, _ in groups):
        return []
    cells, rules, start = [], [], 0
    for name, count in groups:
        room = sum(layout.widths[start : start + count]) + layout.size.gaps(count)
        stacked = _stacked(layout.size.in_lines(name, room), "c")
        cells.append(f"\\multicolumn{{{count}}}{{c}}{{{stacked}}}")
        if name:
            rules.append(f"\\cmidrule(lr){{{start + 1}-{start + count}}}")
        start += count
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
