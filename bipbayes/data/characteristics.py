"""Reading characteristics: one row a citizen, checked like the responses and joined to them.

Unlike the descriptive tables, which need the report's 63 characteristics, an adjustment takes
what a study has: every column of numbers, or those that are named.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from bipbayes.data.characteristics_codebook import Characteristic, CharacteristicsCodebook, Rule
from bipbayes.data.checks import LOST_DIGITS, SYNTHETIC_COLUMN, extra_columns, missing_columns
from bipbayes.data.codebook import Codebook
from bipbayes.data.columns import lost_digits, to_number, to_text
from bipbayes.data.files import file_digest, read_table
from bipbayes.data.read import is_synthetic
from bipbayes.data.study import Finding, Study, counted
from bipbayes.errors import DataError, SettingsError, raise_all, unknown

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
        unread, name, advice = int(wrong.sum()), entry.column, f"must be {_allowed(entry)}"
        outside = int((numbers.notna() & ~_inside(numbers, entry)).sum())
        empty = int(numbers.isna().sum()) - unread
        left_out = "left out of that row's shares and means"
        findings += counted(name, "entries that are no numbers", unread, advice, refused=True)
        findings += counted(name, "values outside their bounds", outside, advice, refused=True)
        findings += counted(name, "{citizens} without a value", empty, left_out)
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
        count, names = int(_BROKEN[rule.kind](table, rule).sum()), ", ".join(rule.columns)
        advice = "correct the register extract" if rule.refused else KEPT
        findings += counted(names, _sentence(rule), count, advice, refused=rule.refused)
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
    empty, rule = int(table["citizen"].isna().sum()), "rows of one {citizen}"
    advice = "keep one row a {citizen}"
    return ~identical, [
        *counted("all columns", f"identical {rule}", int(identical.sum()), "one kept"),
        *counted(column, f"different {rule}", different, advice, refused=True),
        *counted(column, "rows without a {citizen}", empty, "every row needs one", refused=True),
    ]


def unmatched_citizens(table: pd.DataFrame, responses: pd.DataFrame, column: str) -> list[Finding]:
    """Count citizens who stand in one of the two inputs only."""
    here, there = (set(frame["citizen"].dropna().unique()) for frame in (table, responses))
    if here and not here & there:
        advice = "use the same pseudonym in both files, stored as text"
        rule = "{citizens} of the register in common with the responses"
        return [Finding(column, rule, 0, advice, True)]
    advice = "their responses have no characteristics and count in none of these tables"
    rule = "{citizens} with responses but without characteristics"
    return [
        *counted(column, "{citizens} without any response", len(here - there), "left out"),
        *counted(column, rule, len(there - here), advice),
    ]


logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Characteristics:
    """Checked characteristics of the citizens of a study.

    Attributes
    ----------
    citizens
        One row a citizen who has responses: ``citizen`` (text) and the codebook's columns as
        floats (``NaN``: not known), in the file's order with a fresh index.
    codebook
        Says which table and row each column is.
    digest
        SHA-256 of the file (or of the frame's CSV text).
    synthetic
        True where no citizen stands behind the numbers.
    findings
        Everything that was noticed and how it was handled.
    """

    citizens: pd.DataFrame
    codebook: CharacteristicsCodebook
    digest: str
    synthetic: bool
    findings: tuple[Finding, ...] = ()
    name: str = ""


def read_characteristics(
    path: Path, study: Study, *, codebook: CharacteristicsCodebook
) -> Characteristics:
    """Read and check a file of characteristics.

    Parameters
    ----------
    path
        CSV, Parquet, Stata, SPSS or SAS; one row a citizen, the citizen's id in the column that
        the responses use.
    study
        The responses that the citizens belong to.
    codebook
        The columns and their rules.

    Returns
    -------
    Characteristics
        With the counted warnings in ``findings``; they are also logged.

    Raises
    ------
    DataError
        The file cannot be used; every fault is named with its column, rule and count.
    """
    frame, digest = read_table(path), file_digest(path)
    return characteristics_from_frame(
        frame, study, codebook=codebook, name=path.name, digest=digest
    )


def characteristics_from_frame(
    frame: pd.DataFrame,
    study: Study,
    *,
    codebook: CharacteristicsCodebook,
    name: str = "characteristics",
    digest: str = "",
) -> Characteristics:
    """Check a frame of the file's shape; the same rules as `read_characteristics`."""
    frame = frame.reset_index(drop=True)
    citizen = study.codebook.citizen
    _refuse(_shape(frame, [citizen, *codebook.columns]), name, study.codebook)
    numbers, findings = values(frame, codebook)
    advice = "the column cannot hold such ids as numbers: export them again as text"
    lost = int(lost_digits(frame[citizen]).sum())
    findings += counted(citizen, LOST_DIGITS, lost, advice, refused=True)
    table = pd.concat([to_text(frame[citizen]).rename("citizen"), numbers], axis=1)
    keep, repeats = repeated_citizens(table, citizen)
    table = table[keep]
    findings += repeats
    findings += broken_rules(table, codebook)
    findings += unmatched_citizens(table, study.responses, citizen)
    findings += extra_columns(frame, [citizen, *codebook.columns]) + _mark(frame, study)
    _refuse(findings, name, study.codebook)
    for finding in findings:
        logger.warning("%s", finding.sentence(study.codebook))
    responding = set(study.responses["citizen"].unique())
    known = np.array([citizen in responding for citizen in table["citizen"]], dtype=bool)
    return Characteristics(
        citizens=table[known].reset_index(drop=True),
        codebook=codebook,
        digest=digest or hashlib.sha256(frame.to_csv(index=False).encode()).hexdigest(),
        synthetic=is_synthetic(frame),
        findings=tuple(findings),
        name=name,
    )


def _shape(frame: pd.DataFrame, needed: list[str]) -> list[Finding]:
    findings = missing_columns(frame, needed, codebook="a codebook of characteristics")
    repeated = sorted({str(name) for name in frame.columns[frame.columns.duplicated()]})
    rule = "column names that repeat"
    findings += counted(", ".join(repeated), rule, len(repeated), "rename", refused=True)
    if not len(frame):
        findings.append(Finding("all columns", "rows", 0, "the file holds no {citizen}", True))
    return findings


def _mark(frame: pd.DataFrame, study: Study) -> list[Finding]:
    """Refuse to put synthetic and real data side by side."""
    if is_synthetic(frame) == study.synthetic:
        return []
    rule = "synthetic rows on one side only of responses and characteristics"
    return [Finding(SYNTHETIC_COLUMN, rule, len(frame), "never mix synthetic and real data", True)]


def _refuse(findings: list[Finding], name: str, codebook: Codebook) -> None:
    faults = [finding.sentence(codebook) for finding in findings if finding.refused]
    raise_all(DataError, f"{name} was refused:", faults)


OPTION = "--characteristics"


def read_covariates(path: Path, study: Study, *, columns: Sequence[str] = ()) -> pd.DataFrame:
    """Read a file of characteristics as covariates.

    Parameters
    ----------
    path
        CSV, Parquet, Stata, SPSS or SAS; one row a citizen, the citizen's id in the column that
        the responses use.
    study
        The responses that the citizens belong to.
    columns
        Columns to adjust for; none: all that hold numbers.

    Returns
    -------
    pandas.DataFrame
        ``citizen`` (text) and the columns as floats, ready for
        `bipbayes.data.adjustment.make_adjustment`.

    Raises
    ------
    SettingsError
        There is no such file.
    DataError
        The file has no citizens of the study, lacks a column, or holds no numbers there.
    """
    if not path.is_file():
        raise SettingsError(
            study.codebook.say(
                f"there is no file {path}; give the path of the characteristics (one row a "
                f"{{citizen}}) with {OPTION}"
            )
        )
    return covariates_from_frame(read_table(path), study, columns=columns, name=path.name)


def covariates_from_frame(
    frame: pd.DataFrame, study: Study, *, columns: Sequence[str] = (), name: str = "covariates"
) -> pd.DataFrame:
    """Check a frame of the file's shape; the same rules as `read_covariates`."""
    citizen = study.codebook.citizen
    if citizen not in frame:
        raise DataError(f"{name} has no column {citizen!r}; add it, one row each")
    if repeated := sorted({str(column) for column in frame.columns[frame.columns.duplicated()]}):
        raise DataError(f"{name}: column names that repeat ({', '.join(repeated)}); rename them")
    others = [str(column) for column in frame if column not in (citizen, SYNTHETIC_COLUMN)]
    absent = [column for column in columns if column not in others]
    numbers = {column: to_number(frame[column]) for column in others}
    text = {column: int(wrong.sum()) for column, (_, wrong) in numbers.items() if wrong.any()}
    chosen = list(columns) or [column for column in others if column not in text]
    people = to_text(frame[citizen])
    known = people.isin(set(study.responses["citizen"]))
    faults = [unknown("column", name, others) for name in absent]
    faults += [
        f"column {column!r} holds {text[column]} entries that are no numbers; code it as numbers"
        for column in chosen
        if column in text
    ]
    faults += [] if chosen else ["no column holds numbers only, so there is nothing to adjust for"]
    nobody = study.codebook.say("none of its {citizens} has responses; check the ids")
    faults += [] if known.any() else [nobody]
    if lost := int(lost_digits(frame[citizen]).sum()):
        faults.append(f"column {citizen!r} holds {LOST_DIGITS} ({lost}); store it as text")
    if is_synthetic(frame) != study.synthetic:
        faults.append("synthetic rows on one side only; never mix synthetic and real data")
    raise_all(DataError, f"{name} cannot be used to adjust:", faults)
    table = pd.DataFrame({column: numbers[column][0] for column in chosen})
    table.insert(0, "citizen", people)
    return table[known].reset_index(drop=True)
