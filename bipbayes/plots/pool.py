"""Draw figures in processes of their own, beside the work that makes the numbers.

This module imports neither matplotlib nor ArviZ. A pool is made before the model is compiled:
one server process then imports both libraries while the main process is busy, and every drawing
process is forked from it. The main process itself is never forked: it may hold the sampler's
threads.
"""

import multiprocessing
import os
import sys
from collections.abc import Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from importlib import import_module
from multiprocessing.context import BaseContext
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from bipbayes.errors import RunError

if TYPE_CHECKING:
    from bipbayes.plots.catalogue import FigureTask

_PRELOAD: Final = "bipbayes.plots.recipes"
_MOST_WORKERS: Final = 4
_COURTESY: Final = 5  # how far drawing steps back behind sampling when both want a core


class DrawingPool:
    """Processes that draw figures as soon as they are handed in.

    Parameters
    ----------
    folder
        Where the figures go.
    workers
        Number of processes; None is one for each core (four at most), 0 draws in this process.

    Examples
    --------
    >>> with DrawingPool(folder) as pool:      # before compiling
    ...     pool.submit(early_tasks(inputs))   # drawn while the model compiles
    ...     pool.submit(posterior_tasks(inputs))
    ...     paths = pool.finish()
    """

    def __init__(self, folder: Path, *, workers: int | None = None) -> None:
        self._folder = folder
        self._count = workers_for_this_machine() if workers is None else workers
        self._futures: dict[str, Future[list[Path]]] = {}
        self._executor: ProcessPoolExecutor | None = None
        if self._count > 0:
            self._executor = ProcessPoolExecutor(
                self._count, mp_context=process_context(), initializer=_prepare
            )
            # The first job makes the server start importing now.
            self._executor.submit(_prepare_again)

    def submit(self, tasks: Iterable["FigureTask"]) -> None:
        """Hand in figures; returns at once (after drawing them with ``workers=0``)."""
        for task in tasks:
            if self._executor is None:
                self._futures[task.name] = _at_once(task, self._folder)
            else:
                self._futures[task.name] = self._executor.submit(draw_task, task, self._folder)

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
        """
        paths, faults = [], []
        for name, future in self._futures.items():
            fault = future.exception()
            if fault is None:
                paths += future.result()
            else:
                faults.append(f"{name} ({type(fault).__name__}: {fault})")
        count = len(self._futures)
        self._futures = {}
        if faults:
            listed = "; ".join(faults)
            raise RunError(f"{len(faults)} of {count} figures could not be drawn: {listed}")
        return paths

    def close(self, *, wait: bool = True) -> None:
        """End the processes; figures not begun are dropped."""
        if self._executor is not None:
            self._executor.shutdown(wait=wait, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close(wait=error is None)


def draw_task(task: "FigureTask", folder: Path) -> list[Path]:
    """Draw one figure and write its files."""
    save = import_module("bipbayes.plots.save")
    function = task.function
    if isinstance(function, str):
        module, name = function.split(":")
        function = getattr(import_module(module), name)
    paths: list[Path] = save.save_figure(function(**task.arguments), folder / task.name)
    return paths


def workers_for_this_machine() -> int:
    """Return the number of cores that this process may use, four at most."""
    if hasattr(os, "sched_getaffinity"):
        return min(_MOST_WORKERS, len(os.sched_getaffinity(0)))
    return min(_MOST_WORKERS, os.cpu_count() or 1)


def process_context() -> BaseContext:
    """Return how this package starts processes: forked from one server that has imported."""
    if sys.platform == "win32":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([_PRELOAD])
    return context


def _prepare() -> None:
    """Set up a drawing process: no windows, and sampling comes first."""
    import_module("matplotlib").use("agg")
    if hasattr(os, "nice"):
        os.nice(_COURTESY)


def _prepare_again() -> None:
    import_module(_PRELOAD)


def _at_once(task: "FigureTask", folder: Path) -> Future[list[Path]]:
    future: Future[list[Path]] = Future()
    try:
        future.set_result(draw_task(task, folder))
    except Exception as fault:
        future.set_exception(fault)
    return future
