"""Checks of characteristics: values, rules between columns, citizens. Counts, never values."""

from collections.abc import Callable
from typing import Final

import pandas as pd

from bipbayes.data.characteristics_codebook import Characteristic, CharacteristicsCodebook, Rule
from bipbayes.data.columns import to_number
from bipbayes.data.study import Finding

# Shares of time are stored with a few decimals; sums may exceed a bound by their rounding.
ROUNDING: Final = 0.005
KEPT: Final = "counted and kept as read"


def values(
    frame: pd.DataFrame, codebook: CharacteristicsCodebook
) -> tuple[pd.DataFrame, list[Finding]]:
    """Return the characteristics as numbers and what is wrong or missing in them."""
    columns: dict[str, pd.Series] = {}
    findings: list[Finding] = []
    for entry in codebook.characteristics:
        numbers, wrong = to_number(frame[entry.column])
        unread = int(wrong.sum())
        allowed = _allowed(entry)
        if unread:
            rule = "entries that are no numbers"
            findings.append(Finding(entry.column, rule, unread, f"must be {allowed}", True))
        if outside := int((numbers.notna() & ~_inside(numbers, entry)).sum()):
            rule = "values outside their bounds"
            findings.append(Finding(entry.column, rule, outside, f"must be {allowed}", True))
        if empty := int(numbers.isna().sum()) - unread:
            advice = "left out of that row's shares and means"
            findings.append(Finding(entry.column, "{citizens} without a value", empty, advice))
        columns[entry.column] = numbers
    return pd.DataFrame(columns, index=frame.index), findings


def _inside(numbers: pd.Series, entry: Characteristic) -> pd.Series:
    if entry.kind == "share":
        return numbers.isin([0, 1])
    return numbers.between(entry.low, entry.high)


def _allowed(entry: Characteristic) -> str:
    if entry.kind == "share":
        return "0, 1 or empty"
    what = "a part of the window, " if entry.kind == "time" else ""
    return f"{what}a number from {entry.low:g} to {entry.high:g}, or empty"


def broken_rules(table: pd.DataFrame, codebook: CharacteristicsCodebook) -> list[Finding]:
    """Count the citizens who break each rule (empty values break none)."""
    findings = []
    for rule in codebook.rules:
        count = int(_BROKEN[rule.kind](table, rule).sum())
        if not count:
            continue
        advice = "correct the register extract" if rule.refused else KEPT
        finding = Finding(", ".join(rule.columns), _sentence(rule), count, advice, rule.refused)
        findings.append(finding)
    return findings


def _implies(table: pd.DataFrame, rule: Rule) -> pd.Series:
    return (table[list(rule.columns)] == 1).any(axis=1) & (table[rule.whole] == 0)


def _covered(table: pd.DataFrame, rule: Rule) -> pd.Series:
    nothing = (table[list(rule.columns)] == 0).all(axis=1)
    return nothing & (table[rule.whole] == 1) if rule.whole else nothing


def _exclusive(table: pd.DataFrame, rule: Rule) -> pd.Series:
    return (table[list(rule.columns)] == 1).sum(axis=1) > 1


def _total(table: pd.DataFrame, rule: Rule) -> pd.Series:
    return table[list(rule.columns)].sum(axis=1) > rule.most + ROUNDING


def _at_most(table: pd.DataFrame, rule: Rule) -> pd.Series:
    (small, large), (first, second) = rule.columns, rule.factors
    return table[small] * first > table[large] * second + ROUNDING


_BROKEN: Final[dict[str, Callable[[pd.DataFrame, Rule], pd.Series]]] = {
    "implies": _implies,
    "covered": _covered,
    "exclusive": _exclusive,
    "total": _total,
    "at_most": _at_most,
}


def _sentence(rule: Rule) -> str:
    """Say in words what a citizen who breaks the rule looks like."""
    return {
        "implies": f"{{citizens}} with one of these but not {rule.whole}",
        "covered": f"{{citizens}} with {rule.whole} but none of these"
        if rule.whole
        else "{citizens} with a 0 in every one of these",
        "exclusive": "{citizens} with more than one of these",
        "total": f"{{citizens}} where these sum to more than {rule.most:g}",
        "at_most": "{citizens} where the first exceeds the second"
        + ("" if rule.factors == (1.0, 1.0) else ", both as lengths of time"),
    }[rule.kind]


def repeated_citizens(table: pd.DataFrame, column: str) -> tuple[pd.Series, list[Finding]]:
    """Find citizens with several rows: identical ones are dropped, others refused.

    `column` is what the file calls their ids.
    """
    identical = table.duplicated()
    named = table[~identical & table["citizen"].notna()]
    different = int(named.duplicated("citizen", keep=False).sum())
    findings = []
    if count := int(identical.sum()):
        findings.append(
            Finding("all columns", "identical rows of one {citizen}", count, "one kept")
        )
    if different:
        rule = "different rows of one {citizen}"
        findings.append(Finding(column, rule, different, "keep one row a {citizen}", True))
    if empty := int(table["citizen"].isna().sum()):
        findings.append(
            Finding(column, "rows without a {citizen}", empty, "every row needs one", True)
        )
    return ~identical, findings


def unmatched_citizens(table: pd.DataFrame, responses: pd.DataFrame, column: str) -> list[Finding]:
    """Count citizens who stand in one of the two inputs only."""
    here, there = (set(frame["citizen"].dropna().unique()) for frame in (table, responses))
    findings = []
    if here and not here & there:
        advice = "use the same pseudonym in both files, stored as text"
        rule = "{citizens} of the register in common with the responses"
        return [Finding(column, rule, 0, advice, True)]
    if count := len(here - there):
        findings.append(Finding(column, "{citizens} without any response", count, "left out"))
    if count := len(there - here):
        advice = "their responses have no characteristics and count in none of these tables"
        rule = "{citizens} with responses but without characteristics"
        findings.append(Finding(column, rule, count, advice))
    return findings
