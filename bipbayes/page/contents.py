"""What the page is made from, and what all of its parts need of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from bipbayes.comparison import shown_errors
from bipbayes.intervals import ALL_INDICATORS, PLAIN, of_analysis
from bipbayes.wording import Context


@dataclass(frozen=True)
class PageContents:
    """A run's frames, as they may be shown, and its record.

    Attributes
    ----------
    context
        Codebook, language, and what everything must say.
    record
        ``run.json``, or as much of it as there is.
    comparison
        OLS beside one model's posterior, of the plain analysis.
    intervals
        The long frame: OLS and this model's posterior, all analyses.
    model
        Its name.
    stage
        Key of the fit in the record's ``stages``.
    audit
        Verdicts on claims, or None.
    hyperparameters
        Standard deviations of the model, or None.
    engines
        The worst differences between the two engines where they were checked, or None.
    figures
        Pictures by name, in the order of the page; those that are not there once all else is made
        are left out.
    minimum_count
        Fewest citizens behind a number where something was blanked, else 0.
    """

    context: Context
    record: Mapping[str, Any]
    comparison: pd.DataFrame
    intervals: pd.DataFrame
    model: str
    stage: str = ""
    audit: pd.DataFrame | None = None
    hyperparameters: pd.DataFrame | None = None
    engines: pd.DataFrame | None = None
    figures: Mapping[str, Path] = field(default_factory=dict)
    minimum_count: int = 0

    @property
    def language(self) -> str:
        """English or Danish, with the study's own words."""
        return self.context.language

    @property
    def fit(self) -> dict[str, Any]:
        """What the record has on the fit."""
        return dict(self.record.get("stages", {}).get(self.stage, {}))

    @cached_property
    def plain(self) -> pd.DataFrame:
        """The long frame of the plain analysis."""
        return of_analysis(self.intervals, PLAIN)

    @cached_property
    def effects(self) -> pd.DataFrame:
        """The comparison's effects, without what has no posterior."""
        rows = self.comparison
        return rows[(rows["estimand"] == "effect") & rows["posterior_lower"].notna()]

    def overall(self, estimand: str, *, analysis: str = PLAIN) -> pd.DataFrame:
        """Return the posterior of an estimand over all indicators, by combination."""
        rows = self._over_all
        chosen = rows[(rows["analysis"] == analysis) & (rows["estimand"] == estimand)]
        return chosen.set_index("combination")

    @cached_property
    def _over_all(self) -> pd.DataFrame:
        """The posterior over all indicators and sites: few of the many rows there may be."""
        rows = self.intervals[self.intervals["outcome"] == ALL_INDICATORS]
        return rows[(rows["source"] == "posterior") & (rows["jobcenter"] == "")]

    def estimates(self, estimand: str, outcome: str) -> pd.DataFrame:
        """Return one outcome's rows of the comparison, in codebook order."""
        if (estimand, outcome) in self._by_outcome:
            return self._by_outcome[estimand, outcome]
        return self.comparison.iloc[:0].set_index("combination")

    @cached_property
    def _by_outcome(self) -> dict[tuple[str, str], pd.DataFrame]:
        """The comparison in codebook order, taken apart once: the page draws each part."""
        order = {code: place for place, code in enumerate(self.context.codebook.combinations)}
        rows = self.comparison.sort_values("combination", key=lambda codes: codes.map(order))
        parts = rows.set_index("combination").groupby(["estimand", "outcome"], sort=False)
        return {(str(estimand), str(outcome)): part for (estimand, outcome), part in parts}

    @property
    def errors(self) -> str:
        """OLS errors that are compared."""
        return (
            str(self.comparison["vcov_ols"].iloc[0])
            if len(self.comparison)
            else shown_errors(PLAIN)
        )


def caption_beside(picture: Path) -> str:
    """Return title and caption that stand in a file beside a picture, written with it."""
    beside = picture.with_suffix(".txt")
    if not beside.is_file() or beside.stat().st_mtime_ns < picture.stat().st_mtime_ns:
        return ""  # of an earlier picture, or in the picture itself
    return ". ".join(beside.read_text(encoding="utf-8").split("\n\n")).strip()
