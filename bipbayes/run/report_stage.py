"""The page ``report.html`` and ``report.docx``, from what a folder stores; nothing is fitted."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, Final

import pandas as pd

from bipbayes import progress
from bipbayes.atomic import write_text
from bipbayes.data.codebook import Codebook
from bipbayes.disclosure.small_cells import blank_small_cells
from bipbayes.intervals import PLAIN, of_analysis
from bipbayes.page.contents import PageContents
from bipbayes.page.page import compose
from bipbayes.page.paper import TEXTS, checklists
from bipbayes.plots.catalogue import on_page
from bipbayes.plots.task import figure_file
from bipbayes.run.folder import RunFolder
from bipbayes.run.settings import Settings, option_name
from bipbayes.run.stored import chosen_models, run_context, sound_rows, stage_name
from bipbayes.tables.write import write_tables
from bipbayes.wording import Context

STAGE: Final = "report"
PAGE: Final = "report.html"
DOCUMENT: Final = "report.docx"
# Of data that are not synthetic: pictures in which small counts are blank, as on the page.
_BLANKED: Final = ("claims", "combinations", "persistence", "progression_on_weeks")


def write_report(
    folder: RunFolder,
    codebook: Codebook,
    settings: Settings,
    *,
    drawn: Callable[[], object] = lambda: None,
) -> Path:
    """Write the page of a run's first model, beside OLS and the adjusted fit where there is one.

    `folder`, `codebook`: of the run: what `compare` stored is needed, an audit and figures are
    shown where stored; `settings`: language, fewest citizens behind a number of data that are not
    synthetic; `drawn`: waits for the pictures; the rest of the page is made before.

    Returns: the file.

    Raises RunError: an earlier step is missing.
    """
    path, contents = folder.file(PAGE), _contents(folder, codebook, settings)
    names = on_page(codebook) if contents.context.synthetic else _BLANKED
    contents = replace(contents, figures=_figures(folder, names))
    finish = compose(contents)
    drawn()
    folder.note_drawn()
    with progress.stage("writing the page"):
        write_text(path, finish())
        for name, say in TEXTS:
            write_text(folder.file(f"tables/text_{name}.txt"), "\n\n".join(say(contents)) + "\n")
        tables = checklists(contents)
        write_tables(
            tables, folder.file("tables"), context=contents.context, formats=("csv", "html")
        )
        if not settings.quick:
            from bipbayes.page.word import write_page_document

            write_page_document(contents, folder.file(DOCUMENT))
    wanted = {"language": settings.language, "minimum_count": settings.minimum_count}
    folder.finish(STAGE, wanted)
    folder.note()
    return path


def _contents(folder: RunFolder, codebook: Codebook, settings: Settings) -> PageContents:
    """Return what the page in the run's own folder shows."""
    context = run_context(folder, codebook, settings)
    comparison = of_analysis(folder.read("data/comparison.csv"), PLAIN)
    model = next(iter(chosen_models(folder, (), PLAIN)))
    # A quick fit is on the page, marked as it is, whichever verb writes it.
    quick = bool(folder.stage(stage_name(model, PLAIN)).get("preliminary", False))
    intervals = folder.read("data/intervals.csv")
    intervals = sound_rows(folder, intervals, replace(settings, quick=quick))
    intervals = intervals[intervals["model"].isin(("", model))]
    comparison = comparison[comparison["model"] == model]
    if not context.synthetic:
        comparison, intervals = (
            blank_small_cells(
                frame,
                minimum_count=settings.minimum_count,
                no_treatment=codebook.no_treatment,
            ).frame
            for frame in (comparison, intervals)
        )
    return page_contents(
        folder, context, settings, comparison=comparison, intervals=intervals, model=model
    )


def page_contents(
    folder: RunFolder,
    context: Context,
    settings: Settings,
    *,
    comparison: pd.DataFrame,
    intervals: pd.DataFrame,
    model: str,
) -> PageContents:
    """Return what a page on a model shows of frames as they may be shown, and of the record."""
    record = folder.record()
    done = record.get("stages", {}).get(stage_name(model, PLAIN), {})
    stale = [name for name in record.get("stale", ()) if name != STAGE]  # made anew just now
    # A run verb by verb has no settings of its own: those of its fit.
    changed = changed_settings(record.get("settings") or done.get("asked", {}))
    return PageContents(
        context=context,
        record={**record, "stale": stale, "changed": changed, "command": rerun_command(changed)},
        comparison=comparison,
        intervals=intervals,
        model=model,
        stage=stage_name(model, PLAIN),
        audit=_stored(folder, "tables/audit.csv"),
        hyperparameters=_stored(folder, "tables/hyperparameters.csv"),
        engines=_stored(folder, "tables/check_engines.csv"),
        minimum_count=0 if context.synthetic else settings.minimum_count,
    )


def _stored(folder: RunFolder, name: str) -> pd.DataFrame | None:
    return folder.read(name) if folder.file(name).is_file() else None


def _figures(folder: RunFolder, names: Sequence[str]) -> dict[str, Path]:
    """Return the places of the key figures in the page's order, drawn or not."""
    paths = (folder.file(f"figures/{figure_file(name)}.png") for name in names)
    return {path.stem: path for path in paths}


def changed_settings(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that are not the defaults."""
    usual = Settings().record()
    return {
        name: value
        for name, value in asked.items()
        if name in usual and value != usual[name] and name not in ("overwrite", "quiet")
    }


def asked_options(name: str, value: Any) -> list[str]:
    """Write a setting as the command line takes it."""
    values = value if isinstance(value, list) else [value]
    return [option_name(name)] if value is True else [f"{option_name(name)}={v}" for v in values]


def rerun_command(changed: Mapping[str, Any]) -> str:
    """Write the command that repeats a run with settings that are not the defaults."""
    options = [asked_options(name, value) for name, value in changed.items()]
    return shlex.join(["bipbayes", "reproduce", *chain.from_iterable(options)])
