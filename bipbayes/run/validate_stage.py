"""The validation stage: replicates, tables, pictures, and what they say of the goals."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pandas as pd

from bipbayes.atomic import write_frame, write_text
from bipbayes.errors import SettingsError, raise_all, unknown
from bipbayes.option_words import NUTS
from bipbayes.plots.pool import DrawingPool
from bipbayes.plots.task import FigureTask, Printing
from bipbayes.run.closing import of_validation
from bipbayes.run.console import conclude
from bipbayes.run.default_study import codebook_or_default
from bipbayes.run.folder import hold
from bipbayes.validation.calibration import calibration_verdict, run_calibration
from bipbayes.validation.replicate import run_validation
from bipbayes.validation.settings import CLOSED, DESIGNS, PLUGGED, ValidationSettings
from bipbayes.validation.summary import ANALYSIS, coverage_table, design_table, goals, judged
from bipbayes.wording import Context

logger = logging.getLogger(__name__)

_FIGURES: Final = "bipbayes.plots.validation"
SHORT: Final = {"closed": CLOSED, "plugged": PLUGGED, "nuts": NUTS}
QUICK: Final[dict[str, Any]] = {"replicates": 4, "population": 5000, "draws": 200, "tune": 300}


def validation_settings(
    *, engines: Sequence[str], design: str, quick: bool, values: dict[str, Any]
) -> ValidationSettings:
    """Turn options into settings.

    `engines`: ``closed``, ``plugged``, ``nuts``; `design`: name of a design
    (`bipbayes.validation.settings.DESIGNS`); `quick`: few and small replicates; the numbers then
    prove nothing; `values`: fields of `ValidationSettings`; ``None`` takes the default.

    Raises SettingsError: an unknown engine or design, or values that are refused.
    """
    faults = [unknown("--engine", name, SHORT) for name in engines if name not in SHORT]
    faults += [] if design in DESIGNS else [unknown("--design", design, DESIGNS)]
    raise_all(SettingsError, "These options were refused:", faults)
    given = {key: value for key, value in values.items() if value}
    filled = {**DESIGNS[design], **(QUICK if quick else {}), **given}
    return ValidationSettings(engines=tuple(SHORT[name] for name in engines), **filled)


def validate(
    settings: ValidationSettings,
    *,
    codebook: Path | None,
    folder: Path,
    where: tuple[str | None, int | None],
    rounds: int,
    overwrite: bool,
    printing: Printing,
) -> pd.DataFrame:
    """Run what is missing, write tables and pictures, return how the goals were met.

    `settings`: of the simulation study; `codebook`: of the simulated studies; ``None``: BIP's;
    `folder`: gets ``coverage.csv``, ``coverage_by_size.csv``, ``goals.csv``, ``calibration.csv``,
    ``figures/`` and the replicates; `where`: address of a Dask scheduler or ``None``; number of own
    processes or ``None``; `rounds`: rounds of simulation-based calibration for each model; 0: none;
    `overwrite`: replace another validation; `printing`: how figures are written.
    """
    book = codebook_or_default(codebook)
    scheduler, workers = where
    scores = run_validation(
        book,
        settings=settings,
        folder=folder,
        scheduler=scheduler,
        workers=workers,
        overwrite=overwrite,
    )
    frame = judged(scores, book)
    table = coverage_table(frame)
    write_frame(folder / "coverage.csv", table)
    write_frame(folder / "coverage_by_size.csv", coverage_table(frame, by=["size"]))
    reached = goals(table, model=Path(settings.models[0]).stem, vcov="citizen")
    write_frame(folder / "goals.csv", reached)
    context = Context(book, synthetic=True)
    task = FigureTask("coverage", f"{_FIGURES}:coverage_figure", {"table": table})
    tasks = [task, *(_calibrate(settings, book, folder=folder, where=where, rounds=rounds))]
    with DrawingPool(folder / "figures", workers=0, printing=printing) as pool:
        pool.submit(
            replace(each, arguments={**each.arguments, "context": context}) for each in tasks
        )
        pool.finish()
    for row in reached.to_dict("records"):
        logger.info(
            "%s (%s, %s, %s): %.3f, Monte Carlo error %.3f: %s",
            row["goal"], row["engine"], row["target"], row["estimand"], row["value"], row["mcse"],
            row["reached"],
        )  # fmt: skip
    return reached


def validate_designs(
    designs: Sequence[str],
    *,
    engines: Sequence[str],
    quick: bool,
    values: dict[str, Any],
    folder: Path,
    **task: Any,
) -> None:
    """Validate under each design in a folder of its own, or under BIP's in the folder itself.

    Parameters
    ----------
    designs
        Names; ``all`` is every one.
    engines, quick, values
        As for `validation_settings`.
    folder
        Of the results; with designs also ``designs.csv`` and ``designs.md``.
    **task
        As for `validate`.
    """
    names = list(DESIGNS) if "all" in designs else list(designs)
    asked = {
        name: validation_settings(engines=engines, design=name, quick=quick, values=values)
        for name in names or ["bip"]
    }
    hold(folder)
    reached = [
        validate(settings, folder=folder / name if names else folder, **task)
        for name, settings in asked.items()
    ]
    if names:
        write_designs(folder, names)
    conclude(lambda: of_validation(folder, pd.concat(reached), quick=quick))


def write_designs(folder: Path, designs: Sequence[str]) -> pd.DataFrame:
    """Put the designs that lie in a folder under one another: ``designs.csv`` and ``designs.md``.

    `folder`: holds a folder with ``coverage.csv`` for each design; `designs`: their names.
    """
    tables = {
        name: pd.read_csv(folder / name / "coverage.csv", keep_default_na=False).pipe(_numbers)
        for name in designs
    }
    table = design_table(tables)
    write_frame(folder / "designs.csv", table)
    lines = [list(table.columns), ["---"] * table.shape[1], *table.to_numpy().tolist()]
    text = "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
    write_text(folder / "designs.md", text + "\n")
    return table


def _numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn the measures of a table read as text into numbers, empty ones into NaN."""
    labels = [*ANALYSIS, "estimand", "target"]
    measures = frame.columns.difference(labels)
    return frame.assign(**{str(name): pd.to_numeric(frame[name]) for name in measures})


def _calibrate(
    settings: ValidationSettings,
    book: Any,
    *,
    folder: Path,
    where: tuple[str | None, int | None],
    rounds: int,
) -> list[FigureTask]:
    """Calibrate each model, write what came out, and return the figures of it."""
    if not rounds:
        return []
    shares = run_calibration(book, settings=settings, rounds=rounds, folder=folder, where=where)
    verdicts, tasks = [], []
    for model, rows in shares.groupby("model", sort=False):
        verdict = calibration_verdict(rows)
        verdicts.append(verdict.assign(model=model))
        arguments = {"shares": shares, "model": str(model)}
        name = f"calibration_{model}"
        tasks.append(FigureTask(name, f"{_FIGURES}:calibration_figure", arguments))
        failed = int((~verdict["passed"]).sum())
        logger.info("calibration of %s: %d of %d quantities fail", model, failed, len(verdict))
    if verdicts:
        write_frame(folder / "calibration.csv", pd.concat(verdicts, ignore_index=True))
    return tasks
