"""Export a stored run's tables, without fitting anything again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import pandas as pd

from bipbayes.disclosure.small_cells import blank_small_cells
from bipbayes.intervals import COMPARED, PLAIN
from bipbayes.tables.analyses_table import analyses_table
from bipbayes.tables.comparison_table import comparison_table
from bipbayes.tables.factorial_table import factorial_rows, factorial_table
from bipbayes.tables.layout import Table
from bipbayes.tables.sampler_tables import diagnostics_table, hyperparameter_table
from bipbayes.wording import Context, phrase

MINIMUM_COUNT: Final = 5


@dataclass(frozen=True)
class RunFrames:
    """The frames of a stored run that tables are made from, and what of them is to be shown.

    Attributes
    ----------
    comparison
        data/comparison.csv, of one model and one kind of OLS errors.
    intervals
        data/intervals.csv (the long frame).
    hyperparameters
        From `bipbayes.tables.sampler_tables.hyperparameter_frame`, or None.
    model
        Name of the model.
    analyses
        From `bipbayes.tables.analyses_table.analyses_rows`, or None; a table of its own where
        there are several analyses.
    ending
        What the names of the model's tables end with, beside those of others; ``""``: nothing.
    minimum_count
        For data that are not synthetic: fewest citizens that a printed number may rest on
        (`bipbayes.disclosure.small_cells` says what is blanked beyond that); 0 where the frames
        have their blanks already.
    outcomes
        Those to tabulate; None is all.
    """

    comparison: pd.DataFrame
    intervals: pd.DataFrame
    hyperparameters: pd.DataFrame | None = None
    model: str = ""
    analyses: pd.DataFrame | None = None
    ending: str = ""
    minimum_count: int = MINIMUM_COUNT
    outcomes: Sequence[str] | None = None


def run_tables(frames: RunFrames, context: Context) -> list[Table]:
    """Return the tables of a run."""
    beside, outcomes = [], frames.outcomes
    if frames.analyses is not None and not frames.ending:
        beside = analyses_tables(
            frames.analyses, context, minimum_count=frames.minimum_count, outcomes=outcomes
        )
    comparison, notes = _blanked(frames.comparison, context, frames.minimum_count)
    intervals, _ = _blanked(frames.intervals, context, frames.minimum_count)
    tables = _comparisons(comparison, context, outcomes)
    effects = factorial_rows(intervals, context)
    if len(effects):
        tables.append(factorial_table(effects, context, outcomes=outcomes))
    tables.append(diagnostics_table(intervals, context))
    tables = [replace(table, notes=table.notes + notes) for table in tables]
    if frames.hyperparameters is not None:
        # Standard deviations over all citizens: no cell of theirs can be small.
        table = hyperparameter_table(frames.hyperparameters, context, model=frames.model)
        tables.append(table)
    # Beside the tables of the plain analysis and of the first model in the same folder.
    endings = [text for text in (context.analysis, frames.ending) if text]
    tables = [
        replace(
            table,
            name="_".join([table.name, *endings]),
            document="_".join([table.file_name, *endings]),
        )
        for table in tables
    ]
    return tables + beside


def analyses_tables(
    rows: pd.DataFrame, context: Context, *, minimum_count: int, outcomes: Sequence[str] | None
) -> list[Table]:
    """Return the table of all analyses (`analyses_rows`), or none where there is one only."""
    if rows["analysis"].nunique() < 2:
        return []
    rows, notes = _blanked(rows, context, minimum_count)
    table = analyses_table(rows, replace(context, analysis=PLAIN), outcomes=outcomes)
    return [replace(table, notes=table.notes + notes)]


def _blanked(
    frame: pd.DataFrame, context: Context, minimum_count: int
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Blank numbers of real data that rest on too few citizens; also what a table says of it."""
    if context.synthetic or not minimum_count:
        return frame, ()
    none = context.codebook.no_treatment
    blank = blank_small_cells(frame, minimum_count=minimum_count, no_treatment=none).frame
    return blank, blank_notes(context, minimum_count)


def blank_notes(context: Context, minimum_count: int) -> tuple[str, ...]:
    """Say of a table what is blank in it."""
    return (phrase("blanked", context.language, count=minimum_count),)


def _comparisons(
    comparison: pd.DataFrame, context: Context, outcomes: Sequence[str] | None
) -> list[Table]:
    known = set(comparison["outcome"]) if outcomes is None else set(outcomes)
    names = [name for name in context.codebook.outcomes if name in known]
    estimands = [name for name in COMPARED if (comparison["estimand"] == name).any()]
    return [
        comparison_table(comparison, context, outcome=outcome, estimand=estimand)
        for outcome in names
        for estimand in estimands
    ]
