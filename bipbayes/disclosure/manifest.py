"""The list of what is to leave, for whoever checks outputs: a status and a reason for each file."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from bipbayes.disclosure.gate import COUNTS, Sought, faults_of, table_of

PASS, REVIEW, FAIL = "pass", "review", "fail"
SAFE: Final = 10  # citizens from which no rule known asks for a second look
MANY_ROWS: Final = 500
_BY_EYE: Final = {
    ".png": "a picture cannot be looked through; it shows what data and tables here hold",
    ".html": "running text and pictures: to be read by a person",
    ".docx": "running text and pictures: to be read by a person",
    ".txt": "running text: to be read by a person",
    ".json": "for programs: leave it behind where the kind of file is not allowed",
}


@dataclass(frozen=True)
class Entry:
    """One file: where, how much, and whether it may leave (``pass``, ``review``, ``fail``)."""

    file: str
    status: str
    reason: str
    rows: int | None
    smallest_n: int | None
    sha256: str


def entry_of(path: Path, folder: Path, sought: Sought) -> Entry:
    """Judge a file.

    Parameters
    ----------
    path, folder
        The file, and the folder that its name is told from.
    sought
        What must not be in it.
    """
    faults = faults_of(path, sought)
    frame = table_of(path) if path.suffix == ".csv" else None
    smallest = None if frame is None else _smallest(frame)
    reasons = [] if frame is None else _looks(frame, smallest)
    if path.suffix in _BY_EYE:
        reasons.append(_BY_EYE[path.suffix])
    status = FAIL if faults else REVIEW if reasons else PASS
    return Entry(
        file=path.relative_to(folder).as_posix(),
        status=status,
        reason="; ".join(faults or reasons) or "no rule is broken",
        rows=None if frame is None else len(frame),
        smallest_n=smallest,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def _smallest(frame: pd.DataFrame) -> int | None:
    names = [name for name in COUNTS if name in frame]
    counts = frame[names].apply(pd.to_numeric, errors="coerce").stack() if names else pd.Series()
    counts = counts[counts > 0]
    return int(counts.min()) if len(counts) else None


def _looks(frame: pd.DataFrame, smallest: int | None) -> list[str]:
    reasons = []
    if smallest is not None and smallest < SAFE:
        reasons.append(f"smallest n below {SAFE}")
    if len(frame) > MANY_ROWS:
        reasons.append(f"more than {MANY_ROWS} rows")
    if any((pd.to_numeric(frame[n], errors="coerce") == 0).any() for n in COUNTS if n in frame):
        reasons.append("empty cells are told: say whether that tells of anybody")
    return reasons


def written(entries: list[Entry], facts: Mapping[str, Any]) -> str:
    """Write the list as text, fit to be pasted where a transfer asks for a comment."""
    lines = [f"{name}: {value}" for name, value in facts.items()]
    for entry in entries:
        counts = [
            f"{name} {value}"
            for name, value in (("rows", entry.rows), ("smallest n", entry.smallest_n))
            if value is not None
        ]
        told = ", ".join([entry.status.upper(), *counts])
        lines += ["", entry.file, f"  {told}", f"  {entry.reason}", f"  SHA-256 {entry.sha256}"]
    return "\n".join(lines) + "\n"


def record(entries: list[Entry], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the list for programs."""
    return {**facts, "files": [asdict(entry) for entry in entries]}
