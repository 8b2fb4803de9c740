"""OLS of a study, or what stands in its place under another analysis."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import pandas as pd

from bipbayes.analyses import frequentist_intervals
from bipbayes.api import pictures
from bipbayes.api.choices import (
    analysis_name,
    blanked,
    first_outcome,
    noted,
    number_of,
    of_kind,
    one_of,
    worded,
)
from bipbayes.api.pictures import FigureOptions
from bipbayes.api.show import Card
from bipbayes.api.study import Study
from bipbayes.comparison import shown_errors
from bipbayes.data.characteristics import covariates_from_frame, read_covariates
from bipbayes.errors import SettingsError
from bipbayes.intervals import COMPARED, PLAIN, excludes_zero
from bipbayes.option_words import ORDINAL
from bipbayes.plots.catalogue import FigureInputs, heatmap_tasks, interval_task
from bipbayes.regression.intervals import checked_level
from bipbayes.tables.interval_table import interval_table
from bipbayes.tables.layout import Table
from bipbayes.wording import Context, number, percent, phrase

if TYPE_CHECKING:
    from matplotlib.figure import Figure

type Covariates = str | Path | pd.DataFrame | None


@dataclass(frozen=True, repr=False, eq=False)
class Intervals:
    """Estimates without pooling and their confidence intervals; made by `bipbayes.ols`.

    Attributes
    ----------
    study
        What was estimated.
    rows
        The package's long frame (combinations as digits), all estimands and errors.
    analysis
        What was adjusted for, ``ordinal``, or ``""``.

    Examples
    --------
    >>> ols.frame.loc[0, ["estimand", "vcov", "outcome", "combination"]].tolist()
    ['effect', 'classical', 'q1', 'none']
    >>> print(ols.table("q1").frame.to_string(index=False))  # doctest: +ELLIPSIS
    Combination   n Estimate 95 % CI ...
    """

    study: Study
    rows: pd.DataFrame
    analysis: str = PLAIN

    @cached_property
    def frame(self) -> pd.DataFrame:
        """All estimates, one a row: ``combination`` in words, its digits in ``code``."""
        return worded(self.rows, self.study.codebook)

    @property
    def errors(self) -> tuple[str, ...]:
        """Kinds of standard errors in the frame, those shown by default first."""
        default = shown_errors(self.analysis)
        return tuple(dict.fromkeys([default, *self.rows["vcov"]]))

    @property
    def level(self) -> float:
        """Coverage of the intervals."""
        return float(self.rows["level"].iloc[0])

    def context(self) -> Context:
        """Return what figures and tables share."""
        return self.study.context(analysis=self.analysis)

    def forest(
        self,
        outcome: str | None = None,
        *,
        estimand: str = "effect",
        vcov: str | None = None,
        **options: Unpack[FigureOptions],
    ) -> "Figure":
        """Draw the intervals of an outcome in the report's form, combinations along the x axis.

        Parameters
        ----------
        outcome
            Code of an indicator or average; default: the first average.
        estimand
            ``effect`` (from average progress) or ``contrast`` (from no treatment).
        vcov
            Standard errors, one of `errors`; default: the first.
        **options
            ``size``, ``font``, ``title``, ``page`` of any figure: `bipbayes.FigureOptions`.
        """
        asked = self._asked(outcome, estimand, vcov)
        pictures.refuse_empty(self.rows, asked["outcome"], estimand)
        drawn = self._drawn_from(options, asked.pop("vcov"))
        return pictures.drawn(self.forest, options, [interval_task(drawn, **asked)])

    def table(
        self,
        outcome: str | None = None,
        *,
        estimand: str = "effect",
        vcov: str | None = None,
        minimum_count: int | None = None,
    ) -> Table:
        """Return a formatted table: ``.frame``, ``.to_html()``, ``.to_latex()``.

        Parameters
        ----------
        outcome, estimand, vcov
            As for `forest`.
        minimum_count
            Blank what rests on fewer citizens; default: nothing is blanked.
        """
        asked = self._asked(outcome, estimand, vcov)
        rows = blanked(self.rows, self.study.codebook, minimum_count)
        rows = rows[rows["vcov"] == asked.pop("vcov")]
        table = interval_table(rows, self.context(), **asked)
        return noted(table, self.context(), minimum_count)

    def heatmap(
        self,
        *,
        estimand: str = "effect",
        vcov: str | None = None,
        **options: Unpack[FigureOptions],
    ) -> "Figure":
        """Draw all outcomes and combinations on one colour scale.

        Parameters
        ----------
        estimand, vcov, **options
            As for `forest`.
        """
        drawn = self._drawn_from(options, self._asked(None, estimand, vcov)["vcov"])
        return pictures.drawn(self.heatmap, options, heatmap_tasks(drawn, estimand))

    def _drawn_from(self, options: FigureOptions, vcov: str) -> FigureInputs:
        return pictures.inputs(self.context(), self.rows, options, vcov=vcov)

    def _asked(self, outcome: str | None, estimand: str, vcov: str | None) -> dict[str, str]:
        return {
            "outcome": first_outcome(self.study.codebook, outcome),
            "estimand": one_of("estimand", estimand, COMPARED),
            "vcov": one_of("vcov", vcov or self.errors[0], self.errors),
        }

    def _card(self) -> Card:
        rows = self.rows[(self.rows["estimand"] == "effect") & self.rows["lower"].notna()]
        excluding = excludes_zero(rows).groupby(rows["vcov"], sort=False).sum()
        count = rows.groupby("vcov", sort=False).size()
        level = percent(self.level, "en")
        language = self.study.context().language
        table = pd.DataFrame(
            {
                "standard errors": [phrase(str(name), language) for name in count.index],
                "vcov": list(count.index),
                "effects": count.to_numpy(),
                "exclude zero": excluding.reindex(count.index).to_numpy(),
                "by chance": [number((1 - self.level) * n, 0, language="en") for n in count],
            }
        )
        name = "Ordered probit" if self.analysis == ORDINAL else "OLS"
        lines = (
            ("analysis", self.analysis or "plain"),
            ("intervals", f"{level} % confidence"),
            ("outcomes", str(rows["outcome"].nunique())),
        )
        note = "an effect is the difference from average progress; estimand='contrast': from none"
        return Card(f"{name} of {self.study.title()}", lines, table, (note,))

    def __repr__(self) -> str:
        return self._card().text()

    def _repr_html_(self) -> str:
        return self._card().html()


def ols(
    study: Study,
    *,
    level: float = 0.95,
    adjust: str | Sequence[str] = (),
    covariates: Covariates = None,
    ordinal: bool = False,
) -> Intervals:
    """Estimate progression by combination with OLS and five kinds of standard errors.

    Parameters
    ----------
    study
        From `bipbayes.read` or `bipbayes.synthetic_bip`.
    level
        Coverage of the intervals.
    adjust
        What to adjust for: ``"baseline"`` (the previous answer), ``"covariates"``, or both.
    covariates
        File or frame, one row a citizen, where `adjust` names them; all columns of numbers.
    ordinal
        Answers as categories: an ordered probit stands in the place of OLS.

    Returns
    -------
    Intervals

    Examples
    --------
    >>> bb.ols(study).errors
    ('classical', 'HC1', 'HC3', 'cluster_citizen', 'cluster_jobcenter')
    """
    of_kind("study", study, Study, "read")
    analysis = analysis_name(adjust, ordinal=ordinal)
    rows = frequentist_intervals(
        study.progression,
        study.codebook,
        analysis=analysis,
        level=checked_level(number_of("level", level)),
        covariates=people(study, analysis, covariates),
    )
    return Intervals(study, rows, analysis)


def people(study: Study, analysis: str, given: Covariates) -> pd.DataFrame | None:
    """Read the covariates of an analysis; raises `SettingsError` where they lack or do nothing."""
    wanted = "covariates" in analysis
    if wanted and given is None:
        raise SettingsError(
            study.codebook.say(
                "adjust='covariates' needs covariates: a file or frame with one row a {citizen}"
            )
        )
    if given is None:
        return None
    if not wanted:
        raise SettingsError("covariates are given, but not asked for: adjust='covariates'")
    if isinstance(given, pd.DataFrame):
        return covariates_from_frame(given, study)
    return read_covariates(Path(given), study)
