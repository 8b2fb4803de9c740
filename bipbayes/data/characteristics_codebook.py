"""Codebook of characteristics: which column is which row of Tables 4 to 11, and their rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bipbayes.data.schema import (
    COUNT,
    FLAG,
    LABEL,
    NUMBER,
    TEXT,
    TEXTS,
    Kind,
    Table,
    are_tables,
    is_number,
    read_toml,
    table_faults,
    tables_of,
)
from bipbayes.data.study_words import is_line
from bipbayes.errors import CodebookError, raise_all

KINDS: Final = ("share", "time", "amount")
RULES: Final = ("implies", "covered", "exclusive", "total", "at_most")
PERCENT: Final = "percent"
_HEADING: Final = "The codebook of characteristics was refused:"
_TOP: Final[Mapping[str, Kind]] = {
    "name": TEXT,
    "characteristics": (are_tables, "[[characteristics]] tables, at least one"),
    "rules": (are_tables, "[[rules]] tables"),
}
_CHARACTERISTIC: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(("column", "kind", "unit", "codes"), TEXT),
    **dict.fromkeys(("label", "section"), LABEL),
    **{"table": COUNT, "low": NUMBER, "high": NUMBER},
}
_RULE: Final[Mapping[str, Kind]] = {
    **{"kind": TEXT, "columns": TEXTS, "whole": TEXT, "most": NUMBER, "refused": FLAG},
    "factors": (
        lambda value: isinstance(value, list) and len(value) == 2 and all(map(is_number, value)),
        "two numbers such as [1, 0.5]",
    ),
}


@dataclass(frozen=True)
class Characteristic:
    """One row of a table of characteristics.

    Attributes
    ----------
    column
        What the file calls it.
    table
        Number of the report's table.
    kind
        ``share`` (0 or 1), ``time`` (part of a window, 0 to 1) or ``amount``.
    unit
        ``percent`` for shares and times, else the amount's unit.
    label, section
        Names by language (``en``, ``da``); the section is empty where the table prints none.
    low, high
        Smallest and largest value allowed.
    codes
        ICD-10 or ATC codes, as the report gives them.
    """

    column: str
    table: int
    kind: str
    unit: str
    label: Mapping[str, str]
    section: Mapping[str, str] = field(default_factory=dict)
    low: float = 0.0
    high: float = 1.0
    codes: str = ""

    @property
    def percent(self) -> bool:
        """Say whether the table prints 100 times the mean."""
        return self.unit == PERCENT


@dataclass(frozen=True)
class Rule:
    """How columns of one citizen hang together.

    ``implies``: each of `columns` is 1 only where `whole` is; ``covered``: where `whole` is 1
    (or always, without a `whole`) one of `columns` is; ``exclusive``: at most one is 1;
    ``total``: their sum is at most `most`; ``at_most``: the first times its factor is at most
    the second times its. A broken rule refuses the file where `refused`, else it is counted.
    """

    kind: str
    columns: tuple[str, ...]
    whole: str = ""
    most: float = 1.0
    factors: tuple[float, float] = (1.0, 1.0)
    refused: bool = False


@dataclass(frozen=True)
class CharacteristicsCodebook:
    """Characteristics in the order of the tables, and the rules between them."""

    name: str
    characteristics: tuple[Characteristic, ...]
    rules: tuple[Rule, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names in the order of the tables."""
        return tuple(entry.column for entry in self.characteristics)

    @property
    def tables(self) -> tuple[int, ...]:
        """Table numbers in order of appearance."""
        return tuple(dict.fromkeys(entry.table for entry in self.characteristics))

    def entry(self, column: str) -> Characteristic:
        """Return the characteristic of a column."""
        return next(entry for entry in self.characteristics if entry.column == column)


def load_characteristics(path: Path) -> CharacteristicsCodebook:
    """Read a codebook of characteristics.

    Raises
    ------
    CodebookError
        The file is missing, is no TOML, or has faults; all of them are named.
    """
    return parse_characteristics(read_toml(path, f"the codebook of characteristics {path}"))


def parse_characteristics(table: Table) -> CharacteristicsCodebook:
    """Turn a TOML table into a codebook; raises `CodebookError` naming all faults."""
    entries, rules = tables_of(table.get("characteristics")), tables_of(table.get("rules"))
    faults = table_faults("the codebook", table, _TOP, ("characteristics",))
    for place, entry in enumerate(entries, start=1):
        needed = ("column", "table", "kind", "label")
        faults += table_faults(_named(entry, place), entry, _CHARACTERISTIC, needed)
    for place, rule in enumerate(rules, start=1):
        faults += table_faults(f"rule {place}", rule, _RULE, ("kind", "columns"))
    raise_all(CodebookError, _HEADING, faults)
    faults = [fault for place, entry in enumerate(entries, 1) for fault in _entry(place, entry)]
    columns = [entry["column"] for entry in entries]
    if repeated := sorted({name for name in columns if columns.count(name) > 1}):
        faults.append(f"columns stand more than once: {repeated}")
    faults += [
        fault for i, rule in enumerate(rules, 1) for fault in _rule(i, rule, columns=columns)
    ]
    raise_all(CodebookError, _HEADING, faults)
    return CharacteristicsCodebook(
        name=table.get("name", "Study"),
        characteristics=tuple(_characteristic(entry) for entry in entries),
        rules=tuple(_made_rule(rule) for rule in rules),
    )


def _named(entry: Table, place: int) -> str:
    column = entry.get("column")
    return f"characteristic {column if is_line(column) else f'number {place}'}"


def _entry(place: int, entry: Table) -> list[str]:
    name, kind, faults = _named(entry, place), entry["kind"], []
    if kind not in KINDS:
        faults.append(f"{name} has kind {kind!r}; allowed: {', '.join(KINDS)}")
    if kind == "amount" and not {"low", "high", "unit"} <= set(entry):
        faults.append(f"{name} is an amount and needs 'low', 'high' and 'unit'")
    elif not entry.get("low", 0.0) < entry.get("high", 1.0):
        faults.append(f"{name}: 'low' must be less than 'high'")
    return faults


def _rule(place: int, rule: Table, *, columns: list[str]) -> list[str]:
    name, kind, faults = f"rule {place}", rule["kind"], []
    if kind not in RULES:
        faults.append(f"{name} has kind {kind!r}; allowed: {', '.join(RULES)}")
    if kind == "implies" and "whole" not in rule:
        faults.append(f"{name} needs 'whole', the column that its columns imply")
    if kind == "at_most" and len(rule["columns"]) != 2:
        faults.append(f"{name} compares two columns")
    named = {*rule["columns"], *([rule["whole"]] if "whole" in rule else [])}
    if absent := sorted(named - set(columns)):
        faults.append(f"{name} names columns that are no characteristics: {absent}")
    return faults


def _characteristic(entry: Table) -> Characteristic:
    values = {"unit": PERCENT, **entry}
    for key in ("low", "high"):
        values |= {key: float(values[key])} if key in values else {}
    return Characteristic(**values)


def _made_rule(rule: Table) -> Rule:
    values = {**rule, "columns": tuple(rule["columns"]), "most": float(rule.get("most", 1.0))}
    first, second = rule.get("factors", (1.0, 1.0))
    return Rule(**{**values, "factors": (float(first), float(second))})
