"""What leaves the server: the folder ``export``, from frames that hold nothing back-traceable.

Everything is made anew from what was stored and from the responses: cells are counted, what one
table would tell of another is held back in all of them, and one door writes the files.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import pandas as pd
import xarray as xr

from bipbayes import progress
from bipbayes.atomic import write_frame, write_text
from bipbayes.comparison import shown_errors
from bipbayes.data.characteristics import Characteristics
from bipbayes.data.codebook import Codebook
from bipbayes.data.study import found_in_words
from bipbayes.data.study_words import study_words
from bipbayes.describe.characteristics import citizen_counts
from bipbayes.describe.description import Description, describe
from bipbayes.disclosure.audit import protected_audit
from bipbayes.disclosure.counts import Cells, count_cells
from bipbayes.disclosure.description import protected_description
from bipbayes.disclosure.dominance import dominated, extremes
from bipbayes.disclosure.door import Door, refuse_strangers
from bipbayes.disclosure.gate import Sought
from bipbayes.disclosure.held import Held, held_back
from bipbayes.disclosure.ledger import compare_with_earlier, note_export
from bipbayes.disclosure.manifest import PASS
from bipbayes.disclosure.small_cells import check_minimum_count, emptied
from bipbayes.errors import RunError, SettingsError
from bipbayes.intervals import PLAIN, frequentist, of_analysis
from bipbayes.page.page import page_html
from bipbayes.page.paper import TEXTS, checklists
from bipbayes.plots.catalogue import (
    FigureInputs,
    claims_task,
    describe_tasks,
    early_tasks,
    posterior_tasks,
)
from bipbayes.plots.pool import DrawingPool
from bipbayes.plots.task import FigureTask
from bipbayes.run.compare_stage import asked_figures, submit_analyses
from bipbayes.run.export_stage import frames_of
from bipbayes.run.folder import LEDGER, RunFolder, export_place, now
from bipbayes.run.inputs import Run, as_made, load_characteristics, open_run
from bipbayes.run.report_stage import DOCUMENT, PAGE, page_contents
from bipbayes.run.settings import NEVER, OFF, STRICT, Settings
from bipbayes.run.stored import (
    as_reported,
    chosen_models,
    is_synthetic,
    run_context,
    sound_rows,
    stored_fit,
)
from bipbayes.stored_frames import marked
from bipbayes.tables.audit_tables import audit_counts_table, claims_table
from bipbayes.tables.export import blank_notes, run_tables
from bipbayes.tables.write import write_tables
from bipbayes.wording import Context, phrase

logger = logging.getLogger(__name__)

# How combinations follow one another: what is blank of one is told by the others.
_FLOWS: Final = ("transitions", "persistence")


@dataclass(frozen=True)
class _Material:
    """A run's frames with their blanks, and what they rest on."""

    run: Run
    context: Context
    held: Held
    cells: Cells
    comparison: pd.DataFrame
    intervals: pd.DataFrame
    reduced: pd.DataFrame
    people: Characteristics | None
    description: Description
    model: str

    @property
    def notes(self) -> tuple[str, ...]:
        """What tables say of their blanks."""
        return blank_notes(self.context, self.held.minimum_count)


def check_disclosure(folder: RunFolder, settings: Settings) -> None:
    """Refuse an export of real data without protection, or without the responses.

    Raises SettingsError: before anything is written.
    """
    if _wanted(folder, settings) == OFF and not is_synthetic(folder):
        raise SettingsError(
            "--disclosure off is for synthetic data: of real ones nothing leaves without protection"
        )
    if _wanted(folder, settings) == OFF:
        return
    if settings.data is None and not is_synthetic(folder):
        raise SettingsError(
            "an export of real data needs the responses: give --data, so that cells are counted, "
            "ids are looked for and earlier exports are compared with"
        )
    ledger, place = settings.ledger, export_place(folder.path)
    if ledger is not None and ledger.exists() and not ledger.is_dir():
        raise SettingsError(f"{ledger} is a file; --ledger is a folder: choose another")
    if ledger is not None and ledger.resolve().is_relative_to(place.resolve()):
        raise SettingsError(
            f"{ledger} is in {place}, which leaves: choose a --ledger that stays with the data"
        )
    refuse_strangers(place)
    check_minimum_count(settings.minimum_count)


def _wanted(folder: RunFolder, settings: Settings) -> str:
    return settings.disclosure or (OFF if is_synthetic(folder) else STRICT)


def ready_to_leave(
    folder: RunFolder, codebook: Codebook, settings: Settings
) -> tuple[_Material, int] | None:
    """Make what leaves, and count earlier exports; None where nothing does.

    `settings`: as of `write_export`. Raises RunError: an earlier export and this one together would
    tell of few; nothing is written yet.
    """
    if _wanted(folder, settings) == OFF:
        return None
    with progress.stage("counting cells"):
        material = _material(folder, codebook, settings)
    ledger = settings.ledger or folder.file(LEDGER)
    try:
        return material, compare_with_earlier(ledger, material.cells, material.held)
    except RunError as error:
        raise RunError(codebook.say(str(error))) from None


def write_export(
    ready: tuple[_Material, int], folder: RunFolder, settings: Settings, *, formats: Sequence[str]
) -> None:
    """Write ``export``: all that may leave, and nothing else.

    `ready`: from `ready_to_leave`; `settings`: ``disclosure`` strict (tables, frames, figures,
    page) or tables; data, language, fewest citizens behind a number; `formats`: of the tables.
    Raises RunError: a file may not leave.
    """
    (material, earlier), wanted = ready, _wanted(folder, settings)
    place, ledger = export_place(folder.path), settings.ledger or folder.file(LEDGER)
    with Door(place, _sought(material, settings)) as door:
        blank = _write_tables(material, folder, settings, door.folder, formats)
        if wanted == STRICT:
            _write_pictures(material, settings, door.folder)
            _write_page(material, folder, settings, door.folder)
        facts = _facts(material, folder, settings, earlier)
        told = {"time": now(), "data": facts["data"]}
        note = partial(note_export, ledger, material.cells, material.held, told)
        entries = door.close(_readme(material, blank), facts, noted=note)
    folder.note()
    for text in told_here(material.held, material.cells.frame, material.run.codebook):
        logger.info(material.run.codebook.say(text))
    looked = sum(entry.status != PASS for entry in entries)
    logger.info("%d files may leave, in %s; %d need a look first (manifest.txt)",
                len(entries), place, looked)  # fmt: skip


def _material(folder: RunFolder, codebook: Codebook, settings: Settings) -> _Material:
    settings = as_reported(folder, settings)
    stored = replace(as_made(folder, settings), overwrite=False, priors=None, parts=NEVER)
    run = replace(open_run(stored), settings=settings)
    changes = run.progression()
    cells = count_cells(changes, codebook)
    held = held_back(cells.frame, codebook, minimum_count=settings.minimum_count)
    people = load_characteristics(run, settings.characteristics)
    description = describe(
        changes, codebook, characteristics=people, level=settings.level, language=settings.language
    )
    if people is not None:
        description = _without_dominated(description, people, changes, codebook)
    context = run_context(folder, codebook, settings)
    # What is preliminary is shown with its mark, as in the run's own tables.
    shown = replace(settings, quick=context.preliminary)
    intervals = sound_rows(folder, folder.read("data/intervals.csv"), shown)
    gone = held.rows(intervals)
    comparison = folder.read("data/comparison.csv")
    hidden = held.rows(comparison)
    return _Material(
        run=run,
        context=context,
        held=held,
        cells=cells,
        comparison=emptied(comparison, hidden, settings.minimum_count),
        intervals=emptied(intervals, gone, settings.minimum_count),
        reduced=intervals[~gone],
        people=people,
        description=_protected(description, codebook, held),
        model=next(iter(chosen_models(folder, settings.models, PLAIN))),
    )


def _without_dominated(
    description: Description, people: Characteristics, changes: xr.Dataset, codebook: Codebook
) -> Description:
    """Blank means that one or two citizens' amounts make up nearly alone."""
    found = dominated(citizen_counts(changes, people, codebook=codebook), people)
    table, gaps = description.characteristics, description.differences
    if not found or table is None or gaps is None:
        return description
    own = [key in found for key in zip(table["column"], table["group"], strict=True)]
    both = [
        bool(found & {(column, one), (column, other)})
        for column, one, other in zip(gaps["column"], gaps["group"], gaps["reference"], strict=True)
    ]
    blank = pd.Series(own, index=table.index)
    return replace(
        description,
        characteristics=table.assign(**{n: table[n].mask(blank) for n in ("value", "sd")}),
        differences=gaps.assign(difference=gaps["difference"].mask(pd.Series(both, gaps.index))),
    )


def _protected(description: Description, codebook: Codebook, held: Held) -> Description:
    """Blank a description as all other tables are."""
    shown = protected_description(
        description, codebook, minimum_count=held.minimum_count, hidden=held.combinations
    )
    frame = shown.jobcenters
    keys = zip(frame["jobcenter"], frame["group"], strict=True)
    # Where combinations are blank, a group's number in a jobcenter is that of the cells left.
    told = [bool(held.combinations) or key in held.groups for key in keys]
    counts = frame.columns.intersection(["n", "n_citizens", "percent"])
    hidden = pd.Series(told, index=frame.index)
    return replace(
        shown, jobcenters=frame.assign(**{name: frame[name].mask(hidden) for name in counts})
    )


def _sought(material: _Material, settings: Settings) -> Sought:
    study, people = material.run.whole, material.people
    least = material.held.minimum_count
    inputs = [path.resolve().parent for path in (*settings.inputs, settings.out)]
    days = study.responses["date"].dt.strftime("%Y-%m-%d").value_counts()
    return Sought(
        ids=frozenset(study.responses["citizen"].astype("str")),
        # The days on which the run was made and exported stand in every file's head.
        dates=frozenset(days.index.astype("str")),
        extremes=frozenset() if people is None else extremes(people, least),
        columns=frozenset({"citizen", study.codebook.citizen.lower()}),
        paths=tuple({str(path) for path in (*inputs, Path.home()) if len(path.parts) > 1}),
        minimum_count=least,
    )


def _write_tables(
    material: _Material,
    folder: RunFolder,
    settings: Settings,
    place: Path,
    formats: Sequence[str],
) -> list[str]:
    """Write the tables that have a number to tell, and return the names of the others."""
    context, notes = material.context, material.notes
    analysis = settings.analysis
    tables = []
    for model, ending in chosen_models(folder, settings.models, analysis).items():
        frames = frames_of(
            folder,
            settings,
            comparison=material.comparison,
            intervals=material.intervals,
            fit=stored_fit(folder, model, analysis),
        )
        tables += run_tables(replace(frames, ending=ending, minimum_count=0), context)
    audit = _audit(material, folder)
    if audit is not None:
        plain = replace(context, analysis=PLAIN)
        tables += [claims_table(audit, plain), audit_counts_table(audit, plain)]
    noted = [replace(t, notes=t.notes + notes) for t in tables if tells(t.raw)]
    blank = {t.file_name for t in tables} - {t.file_name for t in noted}
    write_tables(noted, place / "tables", context=context, formats=formats)
    described = material.description.tables()
    if material.held.combinations:  # all blank
        described = {name: frame for name, frame in described.items() if name not in _FLOWS}
    pairs = material.comparison.dropna(how="all", subset=["ols_estimate", "posterior_mean"])
    frames_out = {f"tables/{name}": frame for name, frame in described.items()}
    frames_out |= {"data/intervals": material.reduced, "data/comparison": pairs}
    for name, frame in frames_out.items():
        if tells(frame):
            _write_frame(place / f"{name}.csv", frame, context)
        else:
            blank.add(name.removeprefix("tables/"))
    return sorted(blank)


def tells(frame: pd.DataFrame) -> bool:
    """Say whether a frame has a number left, or none to hold back."""
    places = ["level", "treatments", *(("lower", "centre", "upper") if "centre" in frame else ())]
    numbers = frame.select_dtypes("number").columns.difference(places)  # without those of bins
    held = len(numbers) or "level" in frame  # of estimates, empty columns are left out
    return not held or bool(frame[numbers].notna().to_numpy().any())


def _write_frame(path: Path, frame: pd.DataFrame, context: Context) -> None:
    book = context.codebook
    told = marked(
        frame,
        synthetic=context.synthetic,
        preliminary=context.preliminary,
        turned=book.reversed_codes,
    )
    words = study_words(book.words, "en")
    write_frame(path, told, treatments=book.treatment_codes, words=words)


def _audit(material: _Material, folder: RunFolder) -> pd.DataFrame | None:
    """Return the verdicts on claims without those on what is held back."""
    if not folder.file("data/audit.csv").is_file():
        return None
    rows = of_analysis(material.intervals, PLAIN)
    audit = folder.read("data/audit.csv")
    return protected_audit(audit, rows, minimum_count=material.held.minimum_count)


def _write_pictures(material: _Material, settings: Settings, place: Path) -> None:
    """Draw what the frames with blanks show, as points only: PNG, without words inside."""
    with DrawingPool(place / "figures") as pool:
        context = material.context
        rows = material.intervals
        held_terms = rows["estimand"].eq("factorial") & rows["estimate"].isna()
        inputs = FigureInputs(
            context,
            rows[~held_terms],
            model=material.model,
            vcov=shown_errors(context.analysis),
        )
        ols = replace(inputs, intervals=frequentist(inputs.intervals), model="")
        tasks = early_tasks(ols, **asked_figures(settings))
        tasks += posterior_tasks(inputs, **asked_figures(settings))
        plain = replace(context, analysis=PLAIN)
        submit_analyses(pool, context, material.intervals, settings, model=material.model)
        book = None if material.people is None else material.people.codebook
        described = describe_tasks(material.description, plain, characteristics=book)
        silent = _FLOWS if material.held.combinations else ()
        tasks += [task for task in described if task.name not in silent]
        audit = _audit(material, material.run.folder)
        if audit is not None:
            tasks.append(claims_task(audit, plain))
        pool.submit([task for task in tasks if _shows(task)])
        pool.finish()


def _shows(task: FigureTask) -> bool:
    """Say whether a figure has a number left to draw."""
    frames = [given for given in task.arguments.values() if isinstance(given, pd.DataFrame)]
    return not frames or any(map(tells, frames))


def _write_page(material: _Material, folder: RunFolder, settings: Settings, place: Path) -> None:
    """Write the page and its texts from the frames with blanks; small counts are masked."""
    from bipbayes.page.word import write_page_document

    context = replace(material.context, analysis=PLAIN)
    model, least = material.model, material.held.minimum_count
    comparison = of_analysis(material.comparison, PLAIN)
    contents = page_contents(
        folder,
        context,
        settings,
        comparison=comparison[comparison["model"] == model],
        intervals=material.intervals[material.intervals["model"].isin(("", model))],
        model=model,
    )
    figures = {path.stem: path for path in sorted((place / "figures").glob("*.png"))}
    contents = replace(
        contents,
        record=_masked_record(contents.record, material.run, least),
        audit=_audit(material, folder),
        figures=figures,
        minimum_count=least,
    )
    write_text(place / PAGE, page_html(contents))
    for name, say in TEXTS:
        write_text(place / f"tables/text_{name}.txt", "\n\n".join(say(contents)) + "\n")
    write_tables(checklists(contents), place / "tables", context=context, formats=("csv", "html"))
    write_page_document(contents, place / DOCUMENT)


def _masked_record(record: Any, run: Run, least: int) -> dict[str, Any]:
    """Return a record whose sentences tell no small count, and no first rows."""
    told = found_in_words(run.study.findings, run.codebook, fewest=least)
    cautions = {
        language: [masked(text, least) for text in texts]
        for language, texts in record.get("cautions", {}).items()
    }
    return {**record, "data": {**record["data"], "findings": told}, "cautions": cautions}


def masked(text: str, least: int) -> str:
    """Write whole numbers from 1 to less than `least`, before a word, as ``<least``."""
    few = "|".join(map(str, range(1, least)))
    return re.sub(rf"(?<![\w.,%<>-])(?:{few})(?= [^\W\d])", f"<{least}", text)


def _readme(material: _Material, blank: Sequence[str]) -> str:
    language = material.context.language
    told = [phrase("export_readme", language, count=material.held.minimum_count)]
    if blank:
        told.append(phrase("export_blank", language, names=", ".join(blank)))
    return "\n\n".join(told)


def told_here(held: Held, cells: pd.DataFrame, codebook: Codebook) -> list[str]:
    """Say to whoever exports what is held back, why, and what could be done; it stays here.

    `held`: what is held back; `cells`: `bipbayes.disclosure.counts.Cells.frame`.
    """
    least = held.minimum_count
    whole = cells[(cells["jobcenter"] == "") & (cells["citizens"] < least)]
    small = held.combinations & set(whole["combination"])
    inside = sum(combination not in held.combinations for combination, _ in held.cells)
    reasons = {
        f"fewer than {least} {{citizens}} for some outcome": small,
        "only since smaller numbers could be worked out from it": held.combinations - small,
    }
    why = [
        f"{', '.join(codebook.combination_label(code) for code in sorted(codes))}: {reason}"
        for reason, codes in reasons.items()
        if codes
    ]
    told = [f"{len(held.combinations)} combinations ({'; '.join(why)})"] if why else []
    told += [f"{inside} cells of single {{jobcenters}}"] if inside else []
    if not told:
        return []
    return [
        f"held back in all that leaves: {' and '.join(told)}; where rare treatments or "
        "{jobcenters} can be joined in the codebook, less is held back"
    ]


def _facts(
    material: _Material, folder: RunFolder, settings: Settings, earlier: int
) -> dict[str, Any]:
    """Return the head of the manifest."""
    held, record = material.held, folder.record()
    return {
        "exported": now(),
        "data": record["data"]["sha256"],
        "synthetic": record["data"]["synthetic"],
        "disclosure": _wanted(folder, settings),
        "minimum_count": held.minimum_count,
        "combinations_held_back": len(held.combinations),
        "cells_held_back": len(held.cells),
        "rows_of_the_long_frame": len(material.reduced),
        "rows_held_back": int(len(material.intervals) - len(material.reduced)),
        "earlier_exports_compared_with": earlier,
        "left_to_a_person": "files with the status review; pictures; exports made elsewhere",
    }
