"""Reading characteristics: one row a citizen, checked like the responses and joined to them."""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bipbayes.data import characteristics_checks as checks
from bipbayes.data.characteristics_codebook import CharacteristicsCodebook
from bipbayes.data.checks import LOST_DIGITS, SYNTHETIC_COLUMN, extra_columns, missing_columns
from bipbayes.data.codebook import Codebook
from bipbayes.data.columns import lost_digits, to_text
from bipbayes.data.files import file_digest, read_table
from bipbayes.data.read import is_synthetic
from bipbayes.data.study import Finding, Study
from bipbayes.errors import DataError, raise_all

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
    numbers, findings = checks.values(frame, codebook)
    if count := int(lost_digits(frame[citizen]).sum()):
        advice = "the column cannot hold such ids as numbers: export them again as text"
        findings.append(Finding(citizen, LOST_DIGITS, count, advice, refused=True))
    table = pd.concat([to_text(frame[citizen]).rename("citizen"), numbers], axis=1)
    keep, repeats = checks.repeated_citizens(table, citizen)
    table = table[keep]
    findings += repeats
    findings += checks.broken_rules(table, codebook)
    findings += checks.unmatched_citizens(table, study.responses, citizen)
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
    if repeated := sorted({str(name) for name in frame.columns[frame.columns.duplicated()]}):
        rule = "column names that repeat"
        findings.append(Finding(", ".join(repeated), rule, len(repeated), "rename", True))
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
