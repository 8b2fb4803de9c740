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
from bipbayes.plots.task import FigureTask
from bipbayes.run.closing import of_validation
from bipbayes.run.console import conclude
from bipbayes.run.default_study import codebook_or_default
from bipbayes.run.folder import hold, refuse_place
from bipbayes.run.settings import Settings
from bipbayes.validation.calibration import calibration_verdict, run_calibration
from bipbayes.validation.replicate import run_validation
from bipbayes.validation.settings import CLOSED, DESIGNS, PLUGGED, ValidationSettings
from bipbayes.validation.summary import ANALYSIS, coverage_table, design_table, goals, judged
from bipbayes.wording import Context

logger = logging.getLogger(__name__)

_FIGURES: Final = "bipbayes.plots.validation"
PRINTED: Final = {"column": 5.0, "page": 3.3}
"""Inches that each of the four panels of the figure of coverage takes in print."""
SHORT: Final = {"closed": CLOSED, "plugged": PLUGGED, "nuts": NUTS}
QUICK: Final[dict[str, Any]] = {"replicates": 4, "population": 5000, "draws": 200, "tune": 300}


def validation_settings(
    design: str, *, engines: Sequence[str], quick: bool, values: dict[str, Any]
) -> ValidationSettings:
    """Turn options into settings.

    `design` is one of `DESIGNS`, `engines` are words of `SHORT`; `values` are fields of
    `ValidationSettings`, of which empty ones take the default. Quick ones prove nothing.

    Raises SettingsError: an unknown engine or design, or values that are refused.
    """
    faults = [unknown("--engine", name, SHORT) for name in engines if name not in SHORT]
    faults += [] if design in DESIGNS else [unknown("--design", design, DESIGNS)]
    raise_all(SettingsError, "These options were refused:", faults)
    given = {key: value for key, value in values.items() if value}
    filled = {**DESIGNS[design], **(QUICK if quick else {}), **given}
    return ValidationSettings(engines=tuple(SHORT[name] for name in engines), **filled)


def validate(
    asked: ValidationSettings, folder: Path, settings: Settings, *, rounds: int
) -> pd.DataFrame:
    """Run what is missing, write tables and pictures, return how the goals were met.

    `folder` gets ``coverage.csv``, ``coverage_by_size.csv``, ``goals.csv``, ``calibration.csv``,
    ``figures/`` and the replicates. `settings` say the codebook of the simulated studies, who
    computes and how figures are written; `rounds` of simulation-based calibration for each model.
    """
    book = codebook_or_default(settings.codebook)
    where = (settings.scheduler, settings.workers)
    scores = run_validation(
        book, settings=asked, folder=folder, where=where, overwrite=settings.overwrite
    )
    frame = judged(scores, book)
    table = coverage_table(frame)
    write_frame(folder / "coverage.csv", table)
    write_frame(folder / "coverage_by_size.csv", coverage_table(frame, by=["size"]))
    reached = goals(table, model=Path(asked.models[0]).stem, vcov="citizen")
    write_frame(folder / "goals.csv", reached)
    context = Context(book, synthetic=True, language=settings.language)
    coverage = FigureTask("coverage", f"{_FIGURES}:coverage_figure", {"table": table})
    tasks = [coverage.for_print(4, **PRINTED)]
    if rounds:
        shares = run_calibration(book, settings=asked, rounds=rounds, folder=folder, where=where)
        tasks += _calibration(shares, folder)
    with DrawingPool(folder / "figures", workers=0, printing=settings.printing) as pool:
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
    settings: Settings,
    designs: Sequence[str],
    *,
    engines: Sequence[str],
    values: dict[str, Any],
    rounds: int,
) -> None:
    """Validate under each design in a folder of its own, or under BIP's in the folder itself.

    `designs` are names, ``all`` is every one; with them there are also ``designs.csv`` and
    ``designs.md``. The rest is as for `validation_settings` and `validate`.
    """
    names, folder = list(DESIGNS) if "all" in designs else list(designs), settings.out
    asked = {
        name: validation_settings(name, engines=engines, quick=settings.quick, values=values)
        for name in names or ["bip"]
    }
    refuse_place(folder)
    hold(folder)
    reached = [
        validate(each, folder / name if names else folder, settings, rounds=rounds)
        for name, each in asked.items()
    ]
    if names:
        write_designs(folder, names)
    conclude(lambda: of_validation(folder, pd.concat(reached), quick=settings.quick))


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


def _calibration(shares: pd.DataFrame, folder: Path) -> list[FigureTask]:
    """Write how each model's ranks are judged, and return the figures of them."""
    verdicts, tasks = [], []
    for model, rows in shares.groupby("model", sort=False) if len(shares) else ():
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
