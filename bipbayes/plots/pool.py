"""Draw figures in processes of their own, beside the work that makes the numbers.

This module imports neither matplotlib nor ArviZ. A pool is made before the model is compiled:
the server of `bipbayes.helpers` then imports both libraries while the main process is busy,
and every drawing process is forked from it.
"""

import logging
import os
import re
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Future, as_completed
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bipbayes.atomic import note_written
from bipbayes.errors import RunError
from bipbayes.helpers import Processes, shared_modules
from bipbayes.plots.task import COLUMN, FigureTask, Printing
from bipbayes.progress import stage

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STYLE: Final = "bipbayes.plots.style"
_DRAWING: Final = ("bipbayes.plots.save", _STYLE, "bipbayes.plots.captions")
_PLAIN: Final = Printing()
_MOST_WORKERS: Final = 4
_SHOWN: Final = 3  # texts in a message
_COURTESY: Final = 10  # how far drawing steps back behind sampling when both want a core

logger = logging.getLogger(__name__)


class DrawingPool(Processes):
    """Processes that draw figures as soon as they are handed in.

    Parameters
    ----------
    folder
        Where the figures go; may be set until the first is handed in.
    workers
        Number of processes; None is one for each core (four at most), 0 draws in this process.
    printing
        Files, size and letters of the figures.

    Examples
    --------
    >>> with DrawingPool(folder) as pool:      # before compiling
    ...     pool.submit(early_tasks(inputs))   # drawn while the model compiles
    ...     pool.submit(posterior_tasks(inputs))
    ...     paths = pool.finish()
    """

    def __init__(
        self, folder: Path, *, workers: int | None = None, printing: Printing = _PLAIN
    ) -> None:
        count = workers_for_this_machine() if workers is None else workers
        if printing.font:
            import_module(_STYLE).require_font(printing.font)
        super().__init__(count, initializer=_prepare)
        self.folder, self._printing = folder, printing
        self._futures: dict[str, Future[Drawn]] = {}
        if count > 0:
            # The first job makes the server start importing now.
            self.early_job(_prepare_again)

    def submit(self, tasks: Iterable[FigureTask]) -> None:
        """Hand in figures; returns at once (after drawing them with ``workers=0``)."""
        for given in tasks:
            for task in given.printed(self._printing.size):
                self._futures[task.file] = self.job(draw_task, task, self.folder, self._printing)

    def finish(self) -> list[Path]:
        """Wait for all figures handed in.

        Returns
        -------
        list of pathlib.Path
            Their files, in the order handed in.

        Raises
        ------
        RunError
            Naming every figure that could not be drawn; the others are written.
        OSError
            The first that could not be written, such as to a full disk.
        """
        with stage("drawing figures", total=len(self._futures)) as drawing:
            for _ in as_completed(self._futures.values()):
                drawing.advance()
        paths: list[Path] = []
        faults: list[str] = []
        unwritten: list[OSError] = []
        boxed: set[str] = set()
        unfit: list[str] = []
        for name, future in self._futures.items():
            fault = future.exception()
            if fault is None:
                drawn = future.result()
                paths += drawn.files
                boxed |= drawn.boxed
                unfit += [f"{name} ({drawn.inches})"] if drawn.inches else []
            elif isinstance(fault, OSError):
                unwritten.append(fault)
            else:
                faults.append(f"{name} ({type(fault).__name__}: {fault})")
        note_written(paths)
        count = len(self._futures)
        self._futures = {}
        warn_of(boxed, unfit, self._printing.size)
        if unwritten:
            raise unwritten[0]
        if faults:
            listed = "; ".join(faults)
            raise RunError(f"{len(faults)} of {count} figures could not be drawn: {listed}")
        return paths


def warn_of(boxed: set[str], unfit: list[str], size: str, *, option: str = "--figure-size") -> None:
    """Warn of letters that no font has, and of figures larger than the size asked for.

    Parameters
    ----------
    boxed
        Texts with such letters.
    unfit
        Figures with their inches.
    size, option
        What was asked for, and how.
    """
    if boxed:
        shortest = sorted(boxed, key=lambda text: (len(text), text))[:_SHOWN]
        logger.warning(
            "figures show boxes for letters that no font here has (%d texts, such as %s); "
            "install a font that has them, such as Noto Sans CJK",
            len(boxed),
            ", ".join(map(repr, shortest)),
        )
    if unfit:
        logger.warning(
            "figures larger than a %s, whose letters would be too small, in inches: %s; take %s %s",
            size,
            ", ".join(_by_figure(unfit)),
            option,
            "page" if size == COLUMN else "slide, or a page laid across",
        )


def _by_figure(unfit: list[str]) -> list[str]:
    """Name the first of a figure's pages, ``_2``, ``_3``, ..., and how many there are."""
    pages = Counter(re.sub(r"_\d+(?= \()", "", name).partition(" (")[0] for name in unfit)
    firsts: dict[str, str] = {}
    for name in unfit:
        firsts.setdefault(re.sub(r"_\d+(?= \()", "", name).partition(" (")[0], name)
    return [
        first if pages[figure] == 1 else f"{first} and {pages[figure] - 1} other pages"
        for figure, first in firsts.items()
    ]


@dataclass(frozen=True)
class Drawn:
    """What was drawn: files, texts that no font can draw, and inches that were not asked for."""

    files: list[Path]
    boxed: set[str]
    inches: str


def draw_task(task: FigureTask, folder: Path, printing: Printing) -> Drawn:
    """Draw one figure and write its files."""
    save, style, captions = map(import_module, _DRAWING)
    context = task.arguments.get("context")
    kept = captions.kept_words(context) if context else ""
    with style.drawn_for(
        apart=kept if printing.bare else None, size=printing.size, font=printing.font
    ):
        figure = figure_of(task)
        boxed, inches = style.undrawn(figure), save.misfit(figure, printing.size)
        paths = save.save_figure(
            figure, folder / task.file, formats=printing.formats, size=printing.size
        )
    return Drawn(paths, boxed, inches)


def figure_of(task: FigureTask) -> "Figure":
    """Draw one figure."""
    function = task.function
    if isinstance(function, str):
        module, name = function.split(":")
        function = getattr(import_module(module), name)
    figure: Figure = function(**task.arguments)
    return figure


def workers_for_this_machine() -> int:
    """Return the number of cores that this process may use, four at most."""
    if hasattr(os, "sched_getaffinity"):
        return min(_MOST_WORKERS, len(os.sched_getaffinity(0)))
    return min(_MOST_WORKERS, os.cpu_count() or 1)


def _prepare() -> None:
    """Set up a drawing process: no windows, and sampling comes first."""
    import_module("matplotlib").use("agg")
    if hasattr(os, "nice"):
        os.nice(_COURTESY)


def _prepare_again() -> None:
    for name in shared_modules():
        import_module(name)
