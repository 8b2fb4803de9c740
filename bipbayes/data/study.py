"""A study: checked responses with the codebook that names them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import pandas as pd

from bipbayes.data.codebook import Codebook
from bipbayes.data.study_words import study_words
from bipbayes.phrases import LANGUAGES, phrases_of
from bipbayes.stored_frames import filled

SHOWN: Final = 3  # rows that a finding names


@dataclass(frozen=True)
class Finding:
    """What a check found: counts and column names, never a citizen's values.

    Attributes
    ----------
    column
        Column or columns concerned.
    rule
        What is wrong, in words; braces such as ``{citizens}`` stand for the study's own.
    count
        Number of rows (or of columns, where the rule says so).
    consequence
        What was done, or what to do.
    refused
        True where the file cannot be used.
    rows
        Where: the first data rows concerned, counted from 1 below the header.
    of_columns
        Whether `count` is a number of columns, the same in every part of a file.
    by_column
        What `count` is made of, where a finding is of several columns.
    """

    column: str
    rule: str
    count: int
    consequence: str
    refused: bool = False
    rows: tuple[int, ...] = ()
    of_columns: bool = False
    by_column: Mapping[str, int] = field(default_factory=dict)

    def sentence(self, codebook: Codebook, *, language: str = "en", fewest: int = 0) -> str:
        """Return the finding as one sentence in the study's words.

        Where it may leave the server, a count below `fewest` is told as that, and no rows are.
        A finding that refuses a file is told in English only.
        """
        words = study_words(codebook.words, language)

        def say(text: str) -> str:
            return filled(_texts().get(text, {}).get(language, text), words)

        where = ""
        if self.rows and not fewest:
            first = "" if self.count <= len(self.rows) else say("first in ")
            name = say("data row" if len(self.rows) == 1 else "data rows")
            where = f", {first}{name} {', '.join(map(str, self.rows))}"
        if self.by_column and not fewest:
            where = f": {', '.join(f'{name} {count}' for name, count in self.by_column.items())}"
        count = f"<{fewest}" if 0 < self.count < fewest else self.count
        return f"{say(self.column)}: {say(self.rule)} ({count}{where}); {say(self.consequence)}"


@cache
def _texts() -> dict[str, dict[str, str]]:
    return {entry["en"]: entry for entry in phrases_of("findings").values()}


def found_in_words(
    findings: Sequence[Finding], codebook: Codebook, *, fewest: int = 0
) -> dict[str, list[str]]:
    """Return the sentences of findings by language (`Finding.sentence`)."""
    return {
        language: [one.sentence(codebook, language=language, fewest=fewest) for one in findings]
        for language in LANGUAGES
    }


def counted(
    column: str, rule: str, where: int | pd.Series, consequence: str, *, refused: bool = False
) -> list[Finding]:
    """Return a `Finding` where there is something to count, else none.

    Parameters
    ----------
    column, rule, consequence, refused
        Of the finding.
    where
        A number, or which of the file's rows are concerned: the first are named.
    """
    rows = () if isinstance(where, int) else first_rows(where)
    count = where if isinstance(where, int) else int(where.sum())
    return [Finding(column, rule, count, consequence, refused, rows)] if count else []


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
        Names indicators and treatments, with the file's labels where it had none.
    digest
        SHA-256 of the file (or of the frame's CSV text).
    synthetic
        True where no citizen stands behind the numbers.
    findings
        Everything that was noticed and how it was handled.
    name
        Name of the file or of the generator.
    labels
        What the file calls its columns (`bipbayes.data.read`).
    """

    responses: pd.DataFrame
    codebook: Codebook
    digest: str
    synthetic: bool
    findings: tuple[Finding, ...] = ()
    name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int]:
        """Number of responses and of citizens."""
        return len(self.responses), int(self.responses["citizen"].nunique())

    def close(self) -> None:
        """Keep nothing: a study in memory has nothing on disk (one in parts has)."""

    def report(self) -> list[str]:
        """Return what was read, a line each: counts and column names, never a citizen's values."""
        responses, sample = self.responses, self.responses["combination"] != ""
        days, sites = responses["date"].dt.year, responses["jobcenter"]
        many = self.codebook.say("{jobcenters}")
        items = (*self.codebook.indicators, *self.codebook.unanalysed)
        size = self.codebook.counted(
            "study_at_sites",
            responses=self.size[0],
            people=self.size[1],
            places=sites.nunique(),
        )
        answered = {
            item.column: int(responses[item.code].notna().sum())
            for item in items
            if item.code in responses
        }
        return [
            f"{self.name}: {size}, {' to '.join(map(str, sorted({days.min(), days.max()})))}"
            + (", synthetic" if self.synthetic else ""),
            self.codebook.counted("sample_of_study", responses=int(sample.sum())),
            "answers: " + ", ".join(f"{name} {count}" for name, count in answered.items()),
            f"{many}: " + ", ".join(map(str, sorted(sites.unique()))),
            f"findings: {len(self.findings)}",
            *(f"  {finding.sentence(self.codebook)}" for finding in self.findings),
        ]
