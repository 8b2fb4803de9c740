"""What keys and kinds of values the tables of a codebook have: one check for all codebooks."""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from bipbayes.data.study_words import LONGEST, is_line, language_faults
from bipbayes.errors import CodebookError, unknown

Table = Mapping[str, Any]
Kind = tuple[Callable[[Any], bool], str]

_NO_NUMBER: Final = 1e15
LARGEST_NUMBER: Final = 1000  # of a figure, a table or a box


def read_toml(path: Path, what: str) -> Table:
    """Read a TOML file; raises `CodebookError` where that cannot be done, saying `what` it is."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise CodebookError(f"{what} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # numbers of 5,000 digits, 2,000 brackets, too
        raise CodebookError(f"{what} is no valid TOML in UTF-8: {error}") from error


def table_faults(
    place: str, table: Table, kinds: Mapping[str, Kind], needed: tuple[str, ...]
) -> list[str]:
    """Name keys that are unknown or missing, and values of another kind.

    Parameters
    ----------
    place
        What faults are said of.
    table
        As TOML has it.
    kinds
        By key whether a value is of its kind, and in words what it must be.
    needed
        Keys that must be there.
    """
    faults = [
        f"{place}: {unknown('key', key, sorted(kinds))}" for key in sorted(set(table) - set(kinds))
    ]
    faults += [f"{place} lacks {key!r}" for key in needed if key not in table]
    for key, (fits, words) in kinds.items():
        if key in table and not fits(table[key]):
            faults.append(f"{place}: {key!r} must be {words}")
        elif isinstance(table.get(key), dict) and (fits is is_label or key == "higher"):
            faults += language_faults(f"{place}: {key!r}", table[key])
    return faults


def tables_of(value: Any) -> list[Table]:
    """Return the tables of a list, and none of what is no list."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def is_texts(value: Any) -> bool:
    """Say whether a value is a list of texts, which a text alone is not."""
    return isinstance(value, list) and bool(value) and all(map(is_line, value))


def is_label(value: Any) -> bool:
    """Say whether a value is lines of text by language."""
    return isinstance(value, dict) and all(map(is_line, value.values()))


def is_number(value: Any) -> bool:
    """Say whether a value is a number of a sensible size, which true and false are not."""
    return type(value) in (int, float) and abs(value) < _NO_NUMBER


def are_tables(value: Any) -> bool:
    """Say whether a value is a list of tables, at least one."""
    return isinstance(value, list) and bool(value) and all(isinstance(x, dict) for x in value)


TEXT: Final[Kind] = (is_line, f"a text of one line, of at most {LONGEST} letters")
FLAG: Final[Kind] = (lambda value: type(value) is bool, "true or false")
COUNT: Final[Kind] = (
    lambda value: type(value) is int and 0 <= value <= LARGEST_NUMBER,
    f"a whole number from 0 to {LARGEST_NUMBER}",
)
NUMBER: Final[Kind] = (is_number, "a number")
LABEL: Final[Kind] = (is_label, 'lines by language such as { en = "Sleep", da = "Søvn" }')
TEXTS: Final[Kind] = (is_texts, 'a list of texts, at least one, such as ["a", "b"]')
