"""Codebook of characteristics: which column is which row of Tables 4 to 11, and their rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bipbayes.data.load_codebook import Table, read_toml
from bipbayes.data.study_words import language_faults
from bipbayes.errors import CodebookError, raise_all, unknown

KINDS: Final = ("share", "time", "amount")
RULES: Final = ("implies", "covered", "exclusive", "total", "at_most")
PERCENT: Final = "percent"


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
    entries, rules = table.get("characteristics", ()), table.get("rules", ())
    faults = [] if entries else ["there must be at least one [[characteristics]] table"]
    faults += [fault for place, entry in enumerate(entries) for fault in _entry(place, entry)]
    columns = [str(entry.get("column", "")) for entry in entries]
    if repeated := sorted({name for name in columns if name and columns.count(name) > 1}):
        faults.append(f"columns stand more than once: {repeated}")
    faults += [fault for i, rule in enumerate(rules) for fault in _rule(i, rule, columns=columns)]
    raise_all(CodebookError, "The codebook of characteristics was refused:", faults)
    return CharacteristicsCodebook(
        name=str(table.get("name", "Study")),
        characteristics=tuple(_characteristic(entry) for entry in entries),
        rules=tuple(_made_rule(rule) for rule in rules),
    )


def _entry(place: int, entry: Table) -> list[str]:
    name = entry.get("column") or f"number {place + 1}"
    known = set(Characteristic.__dataclass_fields__)
    faults = [
        f"characteristic {name} lacks {key!r}"
        for key in ("column", "table", "kind", "label")
        if not entry.get(key)
    ]
    faults += [
        f"characteristic {name}: {unknown('key', key, sorted(known))}"
        for key in sorted(set(entry) - known)
    ]
    for key in ("label", "section"):
        if isinstance(entry.get(key), dict):
            faults += language_faults(f"characteristic {name}: {key!r}", entry[key])
    kind = entry.get("kind", KINDS[0])
    if kind not in KINDS:
        faults.append(f"characteristic {name} has kind {kind!r}; allowed: {', '.join(KINDS)}")
    if kind == "amount" and not {"low", "high", "unit"} <= set(entry):
        faults.append(f"characteristic {name} is an amount and needs 'low', 'high' and 'unit'")
    return faults


def _rule(place: int, rule: Table, *, columns: list[str]) -> list[str]:
    name = f"rule {place + 1}"
    faults = []
    if rule.get("kind") not in RULES:
        faults.append(f"{name} has kind {rule.get('kind')!r}; allowed: {', '.join(RULES)}")
    known = sorted(Rule.__dataclass_fields__)
    faults += [f"{name}: {unknown('key', key, known)}" for key in sorted(set(rule) - set(known))]
    named = [*rule.get("columns", ()), *([rule["whole"]] if rule.get("whole") else [])]
    if not rule.get("columns"):
        faults.append(f"{name} needs 'columns'")
    if rule.get("kind") == "implies" and not rule.get("whole"):
        faults.append(f"{name} needs 'whole', the column that its columns imply")
    if rule.get("kind") == "at_most" and len(rule.get("columns", ())) != 2:
        faults.append(f"{name} compares two columns")
    if absent := sorted(set(named) - set(columns)):
        faults.append(f"{name} names columns that are no characteristics: {absent}")
    return faults


def _characteristic(entry: Table) -> Characteristic:
    return Characteristic(
        column=str(entry["column"]),
        table=int(entry["table"]),
        kind=str(entry["kind"]),
        unit=str(entry.get("unit", PERCENT)),
        label=dict(entry["label"]),
        section=dict(entry.get("section", {})),
        low=float(entry.get("low", 0.0)),
        high=float(entry.get("high", 1.0)),
        codes=str(entry.get("codes", "")),
    )


def _made_rule(rule: Table) -> Rule:
    first, second = rule.get("factors", (1.0, 1.0))
    return Rule(
        kind=str(rule["kind"]),
        columns=tuple(map(str, rule["columns"])),
        whole=str(rule.get("whole", "")),
        most=float(rule.get("most", 1.0)),
        factors=(float(first), float(second)),
        refused=bool(rule.get("refused", False)),
    )
