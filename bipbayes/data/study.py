"""A study: checked responses with the codebook that names them."""

from dataclasses import dataclass
from typing import Final

import pandas as pd

from bipbayes.data.codebook import Codebook

SHOWN: Final = 3  # rows that a finding names


@dataclass(frozen=True)
class Finding:
    """What a check found: counts and column names, never a citizen's values.

    Attributes
    ----------
    column
        Column or columns concerned.
    rule
        What is wrong, in words.
    count
        Number of rows (or of columns, where the rule says so).
    consequence
        What was done, or what to do.
    refused
        True where the file cannot be used.
    rows
        Where: the first data rows concerned, counted from 1 below the header.
    """

    column: str
    rule: str
    count: int
    consequence: str
    refused: bool = False
    rows: tuple[int, ...] = ()

    def sentence(self) -> str:
        """Return the finding as one sentence."""
        where = ""
        if self.rows:
            first = "" if self.count <= len(self.rows) else "first in "
            name = "data row" if len(self.rows) == 1 else "data rows"
            where = f", {first}{name} {', '.join(map(str, self.rows))}"
        return f"{self.column}: {self.rule} ({self.count}{where}); {self.consequence}"


def first_rows(concerned: pd.Series) -> tuple[int, ...]:
    """Return the first data rows, counted from 1, where a column of a file's rows is true."""
    places = concerned.reset_index(drop=True)
    return tuple(int(place) + 1 for place in places.index[places][:SHOWN])


@dataclass(frozen=True)
class Study:
    """Checked responses and where they come from.

    Attributes
    ----------
    responses
        One row a response, in the file's order with a fresh index: ``citizen``, ``jobcenter``
        (text), ``date``, the indicators (floats, ``NaN`` = not answered), the boxes or
        treatment columns, and ``combination`` (text, ``""`` = activities unknown).
    codebook
        Names indicators and treatments.
    digest
        SHA-256 of the file (or of the frame's CSV text).
    synthetic
        True where no citizen stands behind the numbers.
    findings
        Everything that was noticed and how it was handled.
    name
        Name of the file or of the generator.
    """

    responses: pd.DataFrame
    codebook: Codebook
    digest: str
    synthetic: bool
    findings: tuple[Finding, ...] = ()
    name: str = ""
