"""The export stage: formatted tables from a stored run; nothing is fitted."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import xarray as xr

from bipbayes import progress
from bipbayes.data.codebook import Codebook
from bipbayes.errors import RunError
from bipbayes.estimands.draws import hyperparameters
from bipbayes.intervals import PLAIN, of_analysis
from bipbayes.run.closing import of_export
from bipbayes.run.console import conclude
from bipbayes.run.folder import STAGES, RunFolder
from bipbayes.run.settings import Settings
from bipbayes.run.stored import (
    as_reported,
    asking_for,
    chosen_models,
    named,
    require,
    run_context,
    sound_rows,
    stage_name,
    stored_fit,
    warn_of_other_counts,
)
from bipbayes.sampling.diagnose import points_of
from bipbayes.tables.analyses_table import analyses_rows
from bipbayes.tables.audit_tables import audit_counts_table, claims_table
from bipbayes.tables.export import RunFrames, analyses_tables, run_tables
from bipbayes.tables.sampler_tables import hyperparameter_frame
from bipbayes.tables.write import DEFAULT_FORMATS, checked_formats
from bipbayes.tables.write import write_tables as write_formats

logger = logging.getLogger(__name__)

STAGE = "export"
TABLES = "tables"


def export_stored(
    folder: RunFolder, codebook: Codebook, settings: Settings, *, formats: Sequence[str] = ()
) -> None:
    """Write the tables of the models that a folder holds of the analysis asked for.

    `settings`: analysis, models, outcomes, language, fewest citizens behind a number. Tables of
    another model than the first have that model's name in their own; `formats`: keys of
    `bipbayes.tables.write.WRITERS`; empty is CSV, LaTeX and HTML.

    Raises RunError: an earlier step is missing, or a fit failed its checks: its draws are stored,
    but they are no result.
    """
    from bipbayes.run.leaving import (
        check_disclosure,
        ready_to_leave,
        write_export,
    )  # draws, reads responses

    formats = checked_formats(formats or DEFAULT_FORMATS)
    check_disclosure(folder, settings)
    analysis = settings.analysis
    settings = as_reported(folder, settings)
    for needed in STAGES[STAGE].needs:
        require(folder, needed, analysis)
    chosen = chosen_models(folder, settings.models, analysis)
    for model in chosen:
        refuse_failed(folder, model, analysis=analysis)
    ready = ready_to_leave(folder, codebook, settings)  # or refused, before anything is written
    folder.forget([named(STAGE, analysis, joint="/")], stale=False)
    paths = write_tables(
        folder,
        codebook,
        settings,
        comparison=folder.read("data/comparison.csv"),
        intervals=folder.read("data/intervals.csv"),
        fits=[stored_fit(folder, model, analysis) for model in chosen],
        formats=formats,
    )
    paths += _audit_tables(folder, codebook, settings, chosen.values(), formats)
    logger.info("%d files of tables are in %s", len(paths), folder.file(TABLES))
    warn_of_other_counts(folder, settings)
    if ready is not None:
        write_export(ready, folder, settings, formats=formats)
    note_tables(folder, settings, paths, chosen)
    conclude(lambda: of_export(folder, paths, minimum_count=settings.minimum_count))


def _audit_tables(
    folder: RunFolder,
    codebook: Codebook,
    settings: Settings,
    endings: Iterable[str],
    formats: Sequence[str],
) -> list[Path]:
    """Write what the audit tabulates in the other formats, too; its CSV stays as it is."""
    context, paths = run_context(folder, codebook, settings), []
    for ending in [f"_{text}" if text else "" for text in endings]:
        if settings.analysis or not folder.file(f"{TABLES}/audit{ending}.csv").is_file():
            continue
        audit = folder.read(f"{TABLES}/audit{ending}.csv")  # as it may be shown
        tables = [claims_table(audit, context), audit_counts_table(audit, context)]
        tables = [replace(table, name=f"{table.name}{ending}") for table in tables]
        others = [name for name in formats if name != "csv"]
        paths += write_formats(tables, folder.file(TABLES), context=context, formats=others)
    return paths


def refuse_failed(folder: RunFolder, model: str, *, analysis: str = PLAIN) -> None:
    """Refuse to export a fit that was judged and failed, unless it was a quick one.

    Raises RunError: with the verdict's reasons.
    """
    done = folder.stage(stage_name(model, analysis))
    verdict, quick = done["verdict"], done.get("preliminary", False)
    if verdict["interrupted"] or not (verdict["passed"] or quick):
        name, reasons = named(model, analysis), "; ".join(verdict["reasons"])
        raise RunError(
            f"the fit of {name} is stored, but it is no result ({reasons}); "
            "fit it again with more --draws or a higher --target-accept, or export other models "
            "with --model"
        )


def write_tables(
    folder: RunFolder,
    codebook: Codebook,
    settings: Settings,
    *,
    comparison: pd.DataFrame,
    intervals: pd.DataFrame,
    fits: Sequence[xr.DataTree],
    formats: Sequence[str] = DEFAULT_FORMATS,
) -> list[Path]:
    """Write the tables of fits of one analysis."""
    analysis, context = settings.analysis, run_context(folder, codebook, settings)
    endings = chosen_models(folder, [str(fit.attrs["model"]) for fit in fits], analysis)
    paths = []
    for fit in fits:
        model = str(fit.attrs["model"])
        with progress.stage(f"writing tables of {named(model, analysis)}"):
            frames = frames_of(
                folder, settings, comparison=comparison, intervals=intervals, fit=fit
            )
            tables = run_tables(replace(frames, ending=endings[model]), context)
            paths += write_formats(tables, folder.file(TABLES), context=context, formats=formats)
    return paths


def note_tables(
    folder: RunFolder, settings: Settings, paths: Sequence[Path], models: Iterable[str]
) -> None:
    """Note in ``run.json`` that the tables of an analysis are there."""
    analysis = settings.analysis
    wanted = {"language": settings.language, "minimum_count": settings.minimum_count}
    wanted |= {"analysis": analysis} if analysis else {}
    endings = chosen_models(folder, list(models), analysis)
    folder.finish(named(STAGE, analysis, joint="/"), wanted, files=len(paths), models=list(endings))


def write_analyses(
    folder: RunFolder,
    codebook: Codebook,
    settings: Settings,
    intervals: pd.DataFrame,
    *,
    model: str,
) -> None:
    """Write the table of all analyses of a model, once the folder holds several."""
    context = run_context(folder, codebook, settings)
    tables = analyses_tables(
        sound_rows(folder, analyses_rows(intervals, model=model), settings),
        context,
        minimum_count=settings.minimum_count,
        outcomes=settings.outcomes or None,
    )
    write_formats(tables, folder.file(TABLES), context=context)


def frames_of(
    folder: RunFolder,
    settings: Settings,
    *,
    comparison: pd.DataFrame,
    intervals: pd.DataFrame,
    fit: xr.DataTree,
) -> RunFrames:
    """Take out of a run's frames what the tables of one fit show."""
    model, analysis = str(fit.attrs["model"]), settings.analysis
    own = of_analysis(comparison[comparison["model"] == model], analysis)
    if own.empty:
        raise RunError(
            f"data/comparison.csv holds nothing of {named(model, analysis)}; run 'bipbayes compare"
            f"{asking_for(analysis)}' first"
        )
    rest = hyperparameters(fit)
    return RunFrames(
        comparison=own,
        intervals=of_analysis(intervals[intervals["model"].isin(("", model))], analysis),
        hyperparameters=hyperparameter_frame(
            rest, level=settings.level, kind=settings.kind, point=points_of(fit)
        )
        if len(rest.data_vars)
        else None,
        model=model,
        analyses=sound_rows(folder, analyses_rows(intervals, model=model), settings),
        minimum_count=settings.minimum_count,
        outcomes=settings.outcomes or None,
    )
