"""Reading responses: one checked frame, or one error that names every fault.

Stata, SPSS and SAS files hold a label beside each column's name. It becomes the label of the
indicator, the treatment (of one column) or the tick box that the column tells; a label of the
codebook always wins.
"""

import hashlib
import logging
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from bipbayes.data import checks, columns
from bipbayes.data.codebook import Activity, Codebook, Indicator, Treatment
from bipbayes.data.columns import combinations
from bipbayes.data.files import PERIODS, VARIABLE_LABELS, file_digest, read_table
from bipbayes.data.study import Finding, Study, counted
from bipbayes.errors import DataError, raise_all

_LANGUAGE: Final = "en"  # a file does not say its language; this one stands in for the others


def file_labels(frame: pd.DataFrame) -> dict[str, str]:
    """Return the labels of a file's columns that are not the column's name itself.

    Parameters
    ----------
    frame
        From `bipbayes.data.files.read_table`.
    """
    given = {
        str(column): _one_line(label)
        for column, label in frame.attrs.get(VARIABLE_LABELS, {}).items()
        if label
    }
    return {column: label for column, label in given.items() if label and label != column}


def labelled(codebook: Codebook, labels: Mapping[str, str]) -> Codebook:
    """Return a codebook with a file's labels where it has none.

    Parameters
    ----------
    codebook
        As it was read.
    labels
        From `file_labels`, by the file's column.
    """

    def named[Entry: (Indicator, Treatment, Activity)](entry: Entry) -> Entry:
        columns = entry.columns if isinstance(entry, Treatment) else (entry.column,)
        if entry.label or len(columns) != 1 or columns[0] not in labels:
            return entry
        return replace(entry, label={_LANGUAGE: labels[columns[0]]})

    return replace(
        codebook,
        indicators=tuple(map(named, codebook.indicators)),
        unanalysed=tuple(map(named, codebook.unanalysed)),
        treatments=tuple(map(named, codebook.treatments)),
        activities=tuple(map(named, codebook.activities)),
    )


def _one_line(label: object) -> str:
    """Return a label without line breaks, signs that no reader sees, and needless blanks."""
    text = unicodedata.normalize("NFC", str(label))
    seen = (c if c.isspace() or unicodedata.category(c)[0] != "C" else "" for c in text)
    return " ".join("".join(seen).split())


logger = logging.getLogger(__name__)


def read_responses(path: Path, codebook: Codebook) -> Study:
    """Read and check a file of responses.

    Parameters
    ----------
    path
        CSV, Excel, Parquet, Stata, SPSS or SAS; one row a response, wide (README).
    codebook
        Names the file's columns.

    Returns
    -------
    Study
        With the counted warnings in ``findings``; they are also logged.

    Raises
    ------
    DataError
        The file cannot be used; every fault is named with its column, rule and count.
    """
    frame = read_table(path)
    return responses_from_frame(frame, codebook, name=path.name, digest=file_digest(path))


def responses_from_frame(
    frame: pd.DataFrame, codebook: Codebook, *, name: str = "frame", digest: str = ""
) -> Study:
    """Check a frame of the file's shape; the same rules as `read_responses`.

    A column ``synthetic`` that is 1 throughout marks synthetic data; the mark travels with the
    file, so that no figure can lose it.
    """
    responses, findings = checked(frame, codebook)
    counts = site_counts(responses)
    findings += checks.site_findings(counts, codebook, findings, sites=responses.get("jobcenter"))
    refuse(findings, name, codebook)
    for finding in findings:
        logger.warning("%s", finding.sentence(codebook))
    labels = file_labels(frame)
    return Study(
        responses=responses,
        codebook=labelled(codebook, labels),
        digest=digest or _frame_digest(frame),
        synthetic=is_synthetic(frame),
        findings=tuple(findings),
        name=name,
        labels=labels,
    )


def checked(frame: pd.DataFrame, codebook: Codebook) -> tuple[pd.DataFrame, list[Finding]]:
    """Bring a frame of the file's shape into the package's form, and say what was found.

    Returns
    -------
    tuple
        Responses as of `bipbayes.data.study.Study` (empty where a finding forbids to compare
        citizens and dates), and findings, also those that refuse the file.
    """
    needed = checks.needed_columns(frame, codebook)
    absent = [column for column in needed if column not in frame]
    optional = [entry.column for entry in (*codebook.indicators, *codebook.unanalysed)]
    findings = checks.missing_columns(frame, needed, optional=optional)
    findings += checks.short_end(frame)
    repeated = sorted({str(c) for c in frame.columns[frame.columns.duplicated()]})
    if repeated:
        findings.append(
            Finding(
                checks.told_names(repeated),
                "column names that repeat",
                len(repeated),
                "rename",
                True,
                of_columns=True,
            )
        )
    if not len(frame):
        findings.append(Finding("all columns", "rows", 0, "the file holds no response", True))
    if repeated or not len(frame):
        return pd.DataFrame(), findings
    # The other faults of a file that lacks columns are named as well.
    whole = frame.assign(**dict.fromkeys(absent, np.nan)) if absent else frame
    responses, more, unread_dates = _columns(whole, codebook)
    findings += more
    lost = any(finding.rule == checks.LOST_DIGITS for finding in more)
    if lost or {codebook.citizen, codebook.jobcenter, codebook.date} & set(absent):
        return pd.DataFrame(), findings  # what follows compares citizens and dates
    keep, repeats = checks.repeated_rows(responses, codebook)
    findings += [*checks.empty_keys(responses, codebook, unread_dates), *repeats]
    responses = responses[keep].reset_index(drop=True)
    responses["combination"] = combinations(responses, codebook)
    findings += checks.moved_citizens(responses, codebook)
    findings += checks.contradictory_boxes(responses, codebook)
    findings += checks.contradictory_columns(whole[keep.to_numpy()], responses, codebook)
    findings += checks.unknown_activities(responses)
    return responses, findings + _mark_findings(frame)


def site_counts(responses: pd.DataFrame) -> dict[str, int]:
    """Count responses by site; none where no responses could be read."""
    if "jobcenter" not in responses:
        return {}
    counts = responses["jobcenter"].value_counts()
    return {str(label): int(count) for label, count in counts.items()}


def is_synthetic(frame: pd.DataFrame) -> bool:
    """Say whether a file marks itself as synthetic in every row."""
    if checks.SYNTHETIC_COLUMN not in frame or not len(frame):
        return False
    mark, _ = columns.to_number(frame[checks.SYNTHETIC_COLUMN])
    return bool((mark == 1).all())


def _mark_findings(frame: pd.DataFrame) -> list[Finding]:
    if checks.SYNTHETIC_COLUMN not in frame or is_synthetic(frame):
        return []
    mark, _ = columns.to_number(frame[checks.SYNTHETIC_COLUMN])
    rule, count = "synthetic rows among others", int((mark == 1).sum())
    advice = "never mix synthetic and real responses"
    return counted("synthetic", rule, count, advice, refused=True)


def refuse(findings: Sequence[Finding], name: str, codebook: Codebook) -> None:
    """Refuse a file for all its faults at once, in the study's words."""
    faults = [finding.sentence(codebook) for finding in findings if finding.refused]
    raise_all(DataError, f"{name} was refused:", faults)


def _columns(frame: pd.DataFrame, codebook: Codebook) -> tuple[pd.DataFrame, list[Finding], int]:
    """Bring the file's columns into the package's names and types; count unreadable dates."""
    names = checks.treatment_columns(frame, codebook)
    dates, unread = columns.to_date(frame[codebook.date], codebook.dates)
    answers, findings = columns.answers(frame, codebook)
    boxes, more = columns.ticks(frame, names, codebook.missing)
    sites, shared = columns.site_names(frame, codebook.jobcenter, codebook.jobcenters)
    data = {
        "citizen": columns.to_text(frame[codebook.citizen]),
        "jobcenter": sites,
        "date": dates,
    }
    responses = pd.DataFrame({**data, **answers, **boxes}).reset_index(drop=True)
    findings += more + shared + _date_findings(frame, codebook, dates, unread)
    findings += _label_findings(frame, codebook, responses)
    entries = (*codebook.indicators, *codebook.unanalysed)
    used = [codebook.citizen, codebook.jobcenter, codebook.date, *names]
    used += [entry.column for entry in entries]
    return responses, findings + checks.extra_columns(frame, used), int(unread.sum())


def _date_findings(
    frame: pd.DataFrame, codebook: Codebook, dates: pd.Series, unread: pd.Series
) -> list[Finding]:
    period = frame.attrs.get(PERIODS, {}).get(codebook.date)
    rule = f"the column holds {period}, not days" if period else "dates that cannot be read"
    rule_far = f"dates before {columns.FIRST_YEAR} or after {columns.last_year()}"
    advice = "give the day of each response"
    if not period:
        advice = columns.date_advice(frame[codebook.date], codebook.dates) if unread.any() else ""
    rule_none = "dates that programs show where there is none, such as 1900-01-01"
    look = "look whether they are dates; if not, leave the response out"
    correct, far = "correct them, or leave the response out", columns.far_dates(dates)
    return [
        *counted(codebook.date, rule, unread, advice, refused=True),
        *counted(codebook.date, rule_far, far, correct, refused=True),
        *counted(codebook.date, rule_none, columns.no_days(dates), look),
    ]


def _label_findings(
    frame: pd.DataFrame, codebook: Codebook, responses: pd.DataFrame
) -> list[Finding]:
    """Refuse ids and labels that are not what was collected; warn of zeros that may be lost."""
    findings: list[Finding] = []
    for name, column in (("citizen", codebook.citizen), ("jobcenter", codebook.jobcenter)):
        for rule, rows, advice in (
            (
                checks.LOST_DIGITS,
                columns.lost_digits(frame[column]),
                "the column cannot hold such labels as numbers: export them again as text",
            ),
            (
                "labels that hold a line break",
                columns.holding(responses[name], checks.LINE_BREAKS),
                "check the quotes of the file",
            ),
            (
                "labels with signs that cannot be written, or that stand for a lost letter",
                columns.holding(responses[name], checks.UNWRITTEN),
                "correct them, or export the file again as UTF-8",
            ),
        ):
            findings += counted(column, rule, rows, advice, refused=True)
    site = frame[codebook.jobcenter].reset_index(drop=True)
    findings += checks.label_twins(site, responses["jobcenter"], codebook.jobcenter)
    findings += checks.unlisted_sites(responses["jobcenter"], codebook)
    findings += checks.id_twins(responses["citizen"], codebook.citizen)
    short = "ids of digits that are shorter than the others"
    advice = "if ids have a fixed width, leading zeros were lost: store them as text"
    lost = columns.lost_zeros(responses["citizen"])
    return findings + counted(codebook.citizen, short, lost, advice)


def _frame_digest(frame: pd.DataFrame) -> str:
    return hashlib.sha256(frame.to_csv(index=False).encode("utf-8")).hexdigest()
