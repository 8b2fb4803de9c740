"""Everything that describes a study, computed in one call."""

from dataclasses import dataclass
from typing import Final

import pandas as pd
import xarray as xr

from bipbayes.data.characteristics import Characteristics
from bipbayes.data.codebook import Codebook
from bipbayes.describe.activities import (
    activity_boxes,
    activity_groups,
    combination_table,
    transition_table,
    treatment_persistence,
    treatment_table,
)
from bipbayes.describe.characteristics import characteristic_table, differences, jobcenter_table
from bipbayes.describe.progress import (
    change_histograms,
    progress_table,
    weeks_between_responses,
    weeks_regression,
)

NAMES: Final = {
    "progress": "progression",
    "histograms": "histograms",
    "slopes": "progression_on_weeks",
    "boxes": "activities",
    "activities": "activities_by_treatment",
    "combinations": "combinations",
    "treatments": "treatments",
    "transitions": "transitions",
    "persistence": "persistence",
    "jobcenters": "jobcenters",
    "characteristics": "characteristics",
    "differences": "standardised_differences",
}
"""File name (without ending) of each frame; the weeks of single pairs are never written."""
_OF_ONE: Final = ("combinations", "treatments", "jobcenters")
"""Frames that count changes of one indicator, as the report's tables do: it stands in them."""


@dataclass(frozen=True)
class Description:
    """The descriptive frames of a study.

    Attributes
    ----------
    progress, histograms
        `progress_table` (Table 1) and `change_histograms` (Figures 1 and 2, the appendix).
    weeks
        `weeks_between_responses`: one row a pair of responses; individual data.
    slopes
        `weeks_regression`.
    boxes, activities, combinations, treatments
        Box 2, Tables 2 and 3, responses by treatment.
    transitions, persistence
        How activities persist.
    jobcenters
        The jobcenter rows of Table 4.
    characteristics, differences
        Tables 4 to 11 and standardised differences; ``None`` without characteristics.
    counted
        The indicator whose changes are counted where the report counts responses: the first.
    """

    progress: pd.DataFrame
    histograms: pd.DataFrame
    weeks: pd.DataFrame
    slopes: pd.DataFrame
    boxes: pd.DataFrame
    activities: pd.DataFrame
    combinations: pd.DataFrame
    treatments: pd.DataFrame
    transitions: pd.DataFrame
    persistence: pd.DataFrame
    jobcenters: pd.DataFrame
    characteristics: pd.DataFrame | None = None
    differences: pd.DataFrame | None = None
    counted: str = ""

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the frames to write, by file name without ending."""
        found = {name: getattr(self, field) for field, name in NAMES.items()}
        frames = {name: frame for name, frame in found.items() if frame is not None}
        of_one = {name: frames[name].assign(counted=self.counted) for name in _OF_ONE}
        return frames | of_one


def describe(
    progression: xr.Dataset,
    codebook: Codebook,
    *,
    characteristics: Characteristics | None = None,
    level: float = 0.95,
    language: str = "en",
) -> Description:
    """Describe a study.

    Parameters
    ----------
    progression
        Dims ``response``, ``outcome``.
    codebook
        Labels and their order.
    characteristics
        Citizens' characteristics, where there are any.
    level
        Of the confidence intervals.
    language
        Of the activities' names.
    """
    combinations = combination_table(progression, codebook)
    table = (
        None
        if characteristics is None
        else characteristic_table(progression, characteristics, codebook=codebook)
    )
    return Description(
        progress=progress_table(progression, codebook),
        histograms=change_histograms(progression, codebook),
        weeks=weeks_between_responses(progression),
        slopes=weeks_regression(progression, codebook, level=level),
        boxes=activity_boxes(codebook, language=language),
        activities=activity_groups(codebook, language=language),
        combinations=combinations,
        treatments=treatment_table(combinations, codebook),
        transitions=transition_table(progression, codebook),
        persistence=treatment_persistence(progression, codebook),
        jobcenters=jobcenter_table(progression, codebook),
        characteristics=table,
        differences=None if table is None else differences(table, codebook),
        counted=codebook.indicator_codes[0],
    )
