"""A study: checked responses with the codebook that names them."""

from dataclasses import dataclass

import pandas as pd

from bipbayes.data.codebook import Codebook


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
    """

    column: str
    rule: str
    count: int
    consequence: str
    refused: bool = False

    def sentence(self) -> str:
        """Return the finding as one sentence."""
        return f"{self.column}: {self.rule} ({self.count}); {self.consequence}"


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
