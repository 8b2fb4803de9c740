"""OLS and posterior of one study side by side."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import pandas as pd

from bipbayes.api import pictures
from bipbayes.api.choices import blanked, file_of, first_outcome, noted, of_kind, one_of, worded
from bipbayes.api.estimates import Intervals
from bipbayes.api.fits import Fit
from bipbayes.api.pictures import FigureOptions
from bipbayes.api.show import Card
from bipbayes.api.study import Study
from bipbayes.comparison import compare as compare_frames
from bipbayes.comparison import shown_errors
from bipbayes.errors import DataError, SettingsError
from bipbayes.intervals import COMPARED, join_frames
from bipbayes.plots.catalogue import FigureInputs, forest_tasks, heatmap_tasks
from bipbayes.tables.comparison_table import comparison_table
from bipbayes.tables.layout import Table
from bipbayes.tables.write import WRITERS
from bipbayes.wording import Context, number, percent, phrase

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False, eq=False)
class Comparison:
    """OLS and posterior for the same quantities; made by `bipbayes.compare`.

    Attributes
    ----------
    study
        What both are of.
    ols, fit
        The two sides.
    rows
        The package's comparison (combinations as digits), one row for each estimand, outcome
        and combination.

    Examples
    --------
    >>> both.frame.loc[0, ["estimand", "outcome", "combination", "vcov_ols"]].tolist()
    ['effect', 'q1', 'none', 'classical']
    >>> both.forest("q1").get_size_inches().shape
    (2,)
    """

    study: Study
    ols: Intervals
    fit: Fit
    rows: pd.DataFrame

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The comparison, ``combination`` in words and its digits in ``code``."""
        return worded(self.rows, self.study.codebook)

    @property
    def vcov(self) -> str:
        """Standard errors of OLS that stand beside the posterior."""
        return str(self.rows["vcov_ols"].iloc[0])

    @cached_property
    def intervals(self) -> pd.DataFrame:
        """Both long frames under one another, combinations as digits: what figures draw."""
        return join_frames([self.ols.rows, self.fit.posterior.intervals])

    def context(self) -> Context:
        """Return what figures and tables share."""
        return self.fit.context()

    def forest(
        self,
        outcome: str | None = None,
        *,
        estimand: str = "effect",
        dodged: bool = False,
        by_size: bool = False,
        **options: Unpack[FigureOptions],
    ) -> "Figure":
        """Draw an outcome, OLS beside ArviZ's forest of the posterior, on one scale.

        Parameters
        ----------
        outcome
            Code of an indicator or average; default: the first average.
        estimand
            ``effect`` (from average progress) or ``contrast`` (from no treatment).
        dodged
            True puts both on the rows of one panel, at whose edge OLS intervals far wider than the
            others are cut; in a column they always are.
        by_size
            True puts the largest posterior mean on top; default: the codebook's order.
        **options
            ``size``, ``font``, ``title``, ``page`` of any figure: `bipbayes.FigureOptions`.
        """
        outcome = first_outcome(self.study.codebook, outcome)
        one_of("estimand", estimand, COMPARED)
        pictures.refuse_empty(self.intervals, outcome, estimand)
        drawn = self._drawn_from(options, dodged=dodged, by_size=by_size)
        return pictures.drawn(self.forest, options, forest_tasks(drawn, outcome, estimand))

    def heatmap(self, *, estimand: str = "effect", **options: Unpack[FigureOptions]) -> "Figure":
        """Draw all outcomes and combinations, posterior beside OLS on one colour scale.

        Parameters
        ----------
        estimand, **options
            As for `forest`.
        """
        one_of("estimand", estimand, COMPARED)
        drawn = self._drawn_from(options)
        return pictures.drawn(self.heatmap, options, heatmap_tasks(drawn, estimand))

    def _drawn_from(self, options: FigureOptions, **form: bool) -> FigureInputs:
        draws = self.fit.posterior.draws
        return pictures.inputs(
            self.context(), self.intervals, options, vcov=self.vcov, draws=draws, **form
        )

    def table(
        self,
        outcome: str | None = None,
        *,
        estimand: str = "effect",
        minimum_count: int | None = None,
    ) -> Table:
        """Return a formatted table: ``.frame``, ``.to_html()``, ``.to_latex()``.

        Parameters
        ----------
        outcome, estimand
            As for `forest`.
        minimum_count
            Blank what rests on fewer citizens; default: nothing is blanked.
        """
        book = self.study.codebook
        table = comparison_table(
            blanked(self.rows, book, minimum_count),
            self.context(),
            outcome=first_outcome(book, outcome),
            estimand=one_of("estimand", estimand, COMPARED),
        )
        return noted(table, self.context(), minimum_count)

    def to_docx(
        self,
        path: str | Path,
        *,
        estimand: str = "effect",
        minimum_count: int | None = None,
    ) -> Path:
        """Write the tables of all outcomes as a Word document; a file that is there is replaced.

        Parameters
        ----------
        path
            Of the document, ending in ``.docx``.
        estimand, minimum_count
            As for `table`.

        Returns
        -------
        pathlib.Path
            The document.
        """
        document = file_of("path", path)
        if document.suffix != ".docx":
            raise SettingsError(f"path must end in '.docx', not {document.suffix!r}")
        outcomes = [o for o in self.study.codebook.outcomes if o in set(self.rows["outcome"])]
        tables = [
            self.table(outcome, estimand=estimand, minimum_count=minimum_count)
            for outcome in outcomes
        ]
        WRITERS["docx"](tables, document, self.context())
        return document

    def _card(self) -> Card:
        rows = self.rows[(self.rows["estimand"] == "effect") & self.rows["posterior_lower"].notna()]
        changes = rows["verdict_change"].value_counts()
        name = f"{percent(self.ols.level, 'en')} % interval, OLS to posterior"
        table = pd.DataFrame({name: list(changes.index), "effects": changes.to_numpy()})
        count = {side: int(rows[f"{side}_excludes_zero"].sum()) for side in ("ols", "posterior")}
        errors = phrase(self.vcov, self.context().language)
        pooled = number(rows["pooling_factor"].median(), 2, language="en")
        lines = (
            ("OLS", f"{count['ols']} of {len(rows)} effects exclude zero ({errors})"),
            ("posterior", f"{count['posterior']} exclude zero ({self.fit.model})"),
            ("pooling", f"{pooled} of an OLS estimate's variance is gone (median)"),
            ("fit", str(self.fit.verdict)),
        )
        return Card(f"OLS beside the posterior, {self.study.title()}", lines, table)

    def __repr__(self) -> str:
        return self._card().text()

    def _repr_html_(self) -> str:
        return self._card().html()


def compare(ols: Intervals, fit: Fit, *, vcov: str | None = None) -> Comparison:
    """Put OLS and a posterior of the same study side by side.

    Parameters
    ----------
    ols
        From `bipbayes.ols`.
    fit
        From `bipbayes.fit`, of the same study, analysis and level.
    vcov
        Standard errors of OLS to show, one of ``ols.errors``; default: the first.

    Returns
    -------
    Comparison

    Examples
    --------
    >>> bb.compare(ols, fit, vcov="HC3").vcov
    'HC3'
    """
    of_kind("ols", ols, Intervals, "ols")
    of_kind("fit", fit, Fit, "fit")
    if ols.study.digest != fit.study.digest or ols.study.previous != fit.study.previous:
        raise DataError(
            f"ols is of {ols.study.name} and fit of {fit.study.name}: other responses, or another "
            "rule for the previous answer; compare what is of one study"
        )
    if ols.analysis != fit.posterior.analysis:
        raise DataError(
            f"ols is of the analysis {ols.analysis or 'plain'} and fit of "
            f"{fit.posterior.analysis or 'plain'}; give both the same adjust or ordinal"
        )
    errors = one_of("vcov", vcov or shown_errors(ols.analysis), ols.errors)
    rows = compare_frames(ols.rows, fit.posterior.intervals, vcov_ols=errors)
    return Comparison(fit.study, ols, fit, rows)
