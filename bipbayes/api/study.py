"""A study in memory: read, checked, and what to know of it before its results."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.api.choices import file_of, whole_number_of
from bipbayes.api.show import Card
from bipbayes.cells import cell_means
from bipbayes.data import study as data_study
from bipbayes.data.codebook import Codebook
from bipbayes.data.load_codebook import parse_codebook
from bipbayes.data.progression import progression
from bipbayes.data.read import read_responses, responses_from_frame
from bipbayes.data.study import found_in_words
from bipbayes.data.study_words import study_words
from bipbayes.describe.cautions import cautions
from bipbayes.errors import DataError, SettingsError, unknown
from bipbayes.intervals import PLAIN
from bipbayes.option_words import PREVIOUS, PreviousRule
from bipbayes.run.default_study import codebook_or_default, default_simulation
from bipbayes.synthetic.simulate import csv_text
from bipbayes.wording import Context, checked_language, respondent_word


@dataclass(frozen=True)
class Facts:
    """What stays known of a study whose responses are not at hand."""

    responses: int
    citizens: int
    jobcenters: tuple[str, ...]
    warnings: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, repr=False)
class Study(data_study.Study):
    """Checked responses, their codebook, and what to know of them.

    Made by `bipbayes.read` and `bipbayes.synthetic_bip`.

    Attributes
    ----------
    responses
        One row a response: ``citizen``, ``jobcenter``, ``date``, indicators, treatments,
        ``combination``.
    codebook
        Names indicators, treatments and averages.
    synthetic
        True where no citizen stands behind the numbers.
    name
        Of the file or of the generator.
    findings
        What the checks of the file noticed.
    previous
        Rule for the previous answer: ``item`` or ``response``.
    language
        ``en`` or ``da``: of figures and tables.
    given
        What is known of the study behind a stored run, whose responses are not in its folder.

    Examples
    --------
    >>> print(study.title())
    Reading: 421 responses of 120 pupils in 3 schools, 2013 to 2015, synthetic
    >>> study.jobcenters
    ('east', 'north', 'west')
    """

    previous: PreviousRule = "item"
    language: str = "en"
    given: Facts | None = None

    @cached_property
    def progression(self) -> xr.Dataset:
        """Change of every answer since the previous one, dims ``response, outcome``."""
        if self.given is not None:
            raise DataError(
                f"{self.name}: a folder of results does not hold the responses; read them again "
                "with bipbayes.read"
            )
        return progression(self, previous=self.previous)

    @cached_property
    def cells(self) -> xr.Dataset:
        """Cell means and how they err together (``vcov="citizen"``)."""
        return cell_means(self.progression, self.codebook)

    @cached_property
    def facts(self) -> Facts:
        """Size, jobcenters and warnings."""
        if self.given is not None:
            return self.given
        told = found_in_words(self.findings, self.codebook)
        changes, answers, cells = self.progression, self.responses, self.cells
        return Facts(
            len(self.responses),
            int(self.responses["citizen"].nunique()),
            tuple(str(name) for name in self.cells["jobcenter"].to_numpy()),
            {
                name: (
                    *found,
                    *cautions(
                        changes, self.codebook, responses=answers, cells=cells, language=name
                    ),
                )
                for name, found in told.items()
            },
        )

    @property
    def size(self) -> tuple[int, int]:
        """Number of responses and of citizens."""
        return self.facts.responses, self.facts.citizens

    @property
    def jobcenters(self) -> tuple[str, ...]:
        """Names of the jobcenters, in the order of all outputs."""
        return self.facts.jobcenters

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know before trusting results, a sentence each."""
        return self.facts.warnings["en"]

    def context(self, *, analysis: str = PLAIN, preliminary: bool = False) -> Context:
        """Return what figures and tables of the study share."""
        return Context(
            self.codebook,
            synthetic=self.synthetic,
            language=self.language,
            preliminary=preliminary,
            analysis=analysis,
        )

    def title(self) -> str:
        """Name the study and its size in the study's words."""
        facts = self.facts
        told = self.codebook.counted(
            "study_at_sites",
            responses=f"{facts.responses:,}",
            people=f"{facts.citizens:,}",
            places=len(facts.jobcenters),
        )
        if self.given is None:
            days = self.responses["date"].dt.year
            told += f", {' to '.join(map(str, sorted({days.min(), days.max()})))}"
        return f"{self.codebook.name}: {told}{', synthetic' * self.synthetic}"

    def _card(self) -> Card:
        book, words = self.codebook, study_words(self.codebook.words, "en")
        lines = [("read from", self.name)]
        if self.given is None:
            analysed = int(self.progression["analysed"].sum())
            changes = self.progression["n"].sel(outcome=list(book.indicator_codes)).to_numpy()
            lines += [
                ("activities known", f"{analysed:,} responses"),
                ("changes", f"{_span(changes)} of each indicator"),
            ]
        for respondent in book.respondents:
            own = [code for code in book.indicator_codes if book.respondent_of(code) == respondent]
            who = respondent_word(respondent, language="en")
            who = words.get(respondent, who)
            lines.append((f"indicators ({who})", ", ".join(map(self._named, own))))
        lines += [("averages", ", ".join(book.average_codes))] if book.averages else []
        kinds = (f"{each.code} {each.label.get('en', '')}".strip() for each in book.treatments)
        lines += [
            ("treatments", ", ".join(kinds)),
            (words["jobcenters"], ", ".join(self.jobcenters)),
        ]
        notes = tuple(f"warning: {told}" for told in self.warnings)
        return Card(f"Study {self.title()}", tuple(lines), notes=notes or ("no warnings",))

    def _named(self, code: str) -> str:
        return f"{code} (reversed)" if code in self.codebook.reversed_codes else code

    def __repr__(self) -> str:
        return self._card().text()

    def _repr_html_(self) -> str:
        return self._card().html()


def read(
    data: str | Path | pd.DataFrame,
    codebook: str | Path | Mapping[str, Any] | Codebook | None = None,
    *,
    previous: str = "item",
    language: str = "en",
) -> Study:
    """Read and check responses.

    Parameters
    ----------
    data
        A file (CSV, Excel, Parquet, Stata, SPSS, SAS) or a frame, one row a response.
    codebook
        A TOML file, its content as a mapping, or a codebook; default: BIP's own.
    previous
        Rule for the previous answer: ``item`` (the latest earlier answer to that question) or
        ``response`` (only that of the directly preceding response).
    language
        Of figures and tables: ``en`` or ``da``.

    Returns
    -------
    Study

    Raises
    ------
    BipbayesError
        Naming every fault of file or codebook at once, never a citizen's values.

    Examples
    --------
    >>> bb.read("pupils.csv", codebook="reading.toml").size
    (421, 120)
    """
    if previous not in PREVIOUS:
        raise SettingsError(unknown("previous", previous, PREVIOUS))
    checked_language(language)
    book = _codebook(codebook)
    if isinstance(data, pd.DataFrame):
        checked = responses_from_frame(data, book)
    else:
        path = file_of("data", data, "or a frame")
        if not path.exists():
            raise DataError(f"data: there is no file {data}; give the path of one that is there")
        checked = read_responses(path, book)
    return _study(checked, previous=previous, language=language)


def synthetic_bip(*, seed: int = 1, previous: str = "item", language: str = "en") -> Study:
    """Return the calibrated synthetic BIP, the default data of the command line.

    Parameters
    ----------
    seed
        1 gives the default data; another one others that agree with the report as well.
    previous, language
        As for `bipbayes.read`.

    Examples
    --------
    >>> bb.synthetic_bip().size  # doctest: +SKIP
    (13948, 3707)
    """
    frame = default_simulation(whole_number_of("seed", seed, least=0)).responses
    # The digest of the file that the command line writes, so that both count as the same data.
    digest = hashlib.sha256(csv_text(frame).encode("utf-8")).hexdigest()
    book = codebook_or_default(None)
    checked = responses_from_frame(frame, book, name="synthetic BIP", digest=digest)
    return _study(checked, previous=previous, language=language)


def _study(checked: data_study.Study, **more: Any) -> Study:
    own = {each.name: getattr(checked, each.name) for each in fields(data_study.Study)}
    return Study(**own, **more)


def _codebook(given: str | Path | Mapping[str, Any] | Codebook | None) -> Codebook:
    if isinstance(given, Codebook):
        return given
    if isinstance(given, Mapping):
        return parse_codebook(dict(given))
    if given is None:
        return codebook_or_default(None)
    return codebook_or_default(file_of("codebook", given, "what one holds, or a Codebook"))


def _span(counts: np.ndarray) -> str:
    low, high = int(counts.min()), int(counts.max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
