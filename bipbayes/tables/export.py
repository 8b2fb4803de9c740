"""Export a stored run's tables, without fitting anything again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pandas as pd

from bipbayes.disclosure.small_cells import blank_small_cells
from bipbayes.intervals import COMPARED, PLAIN
from bipbayes.tables.analyses_table import analyses_table
from bipbayes.tables.comparison_table import comparison_table
from bipbayes.tables.factorial_table import factorial_rows, factorial_table
from bipbayes.tables.layout import Table
from bipbayes.tables.sampler_tables import diagnostics_table, hyperparameter_table
from bipbayes.tables.write import DEFAULT_FORMATS, write_tables
from bipbayes.wording import Context, phrase

MINIMUM_COUNT: Final = 5


@dataclass(frozen=True)
class RunFrames:
    """The frames of a stored run that tables are made from.

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
    """

    comparison: pd.DataFrame
    intervals: pd.DataFrame
    hyperparameters: pd.DataFrame | None = None
    model: str = ""
    analyses: pd.DataFrame | None = None
    ending: str = ""


def export_tables(
    frames: RunFrames,
    folder: Path,
    *,
    context: Context,
    minimum_count: int = MINIMUM_COUNT,
    outcomes: Sequence[str] | None = None,
    formats: Sequence[str] = DEFAULT_FORMATS,
) -> list[Path]:
    """Write the tables of a run.

    Parameters
    ----------
    frames
        What the run stored.
    folder
        Where the tables go.
    context
        Codebook, language, and whether the data are synthetic.
    minimum_count
        For data that are not synthetic: fewest citizens that a printed number may rest on
        (`bipbayes.disclosure.small_cells` says what is blanked beyond that); 0 where the frames
        have their blanks already.
    outcomes
        Outcomes to write comparisons of; None is all.
    formats
        Keys of `bipbayes.tables.write.WRITERS`.

    Returns
    -------
    list of pathlib.Path
        The files written.
    """
    tables = run_tables(frames, context=context, minimum_count=minimum_count, outcomes=outcomes)
    return write_tables(tables, folder, context=context, formats=formats)


def run_tables(
    frames: RunFrames,
    *,
    context: Context,
    minimum_count: int = MINIMUM_COUNT,
    outcomes: Sequence[str] | None = None,
) -> list[Table]:
    """Return the tables that `export_tables` writes; parameters as there."""
    beside = []
    if frames.analyses is not None and not frames.ending:
        beside = analyses_tables(
            frames.analyses, context, minimum_count=minimum_count, outcomes=outcomes
        )
    notes: tuple[str, ...] = ()
    if not context.synthetic and minimum_count:
        frames = protected(frames, context, minimum_count=minimum_count)
        notes = blank_notes(context, minimum_count)
    tables = _comparisons(frames.comparison, context, outcomes)
    effects = factorial_rows(frames.intervals, context)
    if len(effects):
        tables.append(factorial_table(effects, context, outcomes=outcomes))
    tables.append(diagnostics_table(frames.intervals, context))
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
    rows: pd.DataFrame,
    context: Context,
    *,
    minimum_count: int = MINIMUM_COUNT,
    outcomes: Sequence[str] | None = None,
) -> list[Table]:
    """Return the table of all analyses, or none where there is one only.

    Parameters
    ----------
    rows
        From `bipbayes.tables.analyses_table.analyses_rows`.
    context, minimum_count, outcomes
        As for `export_tables`.
    """
    if rows["analysis"].nunique() < 2:
        return []
    notes: tuple[str, ...] = ()
    if not context.synthetic and minimum_count:
        rows = _blanked(rows, context, minimum_count)
        notes = blank_notes(context, minimum_count)
    table = analyses_table(rows, replace(context, analysis=PLAIN), outcomes=outcomes)
    return [replace(table, notes=table.notes + notes)]


def _blanked(frame: pd.DataFrame, context: Context, minimum_count: int) -> pd.DataFrame:
    none = context.codebook.no_treatment
    return blank_small_cells(frame, minimum_count=minimum_count, no_treatment=none).frame


def blank_notes(context: Context, minimum_count: int) -> tuple[str, ...]:
    """Say of a table what is blank in it."""
    return (phrase("blanked", context.language, count=minimum_count),)


def protected(frames: RunFrames, context: Context, *, minimum_count: int) -> RunFrames:
    """Return the frames with blanks where numbers rest on too few citizens."""
    return replace(
        frames,
        comparison=_blanked(frames.comparison, context, minimum_count),
        intervals=_blanked(frames.intervals, context, minimum_count),
    )


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
