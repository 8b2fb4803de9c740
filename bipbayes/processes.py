"""Helper processes beside the main one, forked from one server that has imported what they share.

The main process itself is never forked: it may hold threads of a sampler or of linear algebra.
"""

import multiprocessing
import sys
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing.context import BaseContext
from types import TracebackType
from typing import Any, Final, Self

_SHARED: Final = "bipbayes.plots.recipes"  # Matplotlib and ArviZ: figures and samplers need both


class Processes:
    """Processes that live as long as the block in which they are used.

    Parameters
    ----------
    count
        How many; 0 starts none, and jobs are done in this one.
    initializer, arguments
        Called once in each of them.
    """

    def __init__(
        self, count: int, *, initializer: Callable[..., None], arguments: tuple[Any, ...] = ()
    ) -> None:
        self._executor: ProcessPoolExecutor | None = None
        if count > 0:
            self._executor = ProcessPoolExecutor(
                count, mp_context=_context(), initializer=initializer, initargs=arguments
            )

    def job(self, function: Callable[..., Any], *arguments: object) -> Future[Any]:
        """Hand in a job; what it raises is raised where its result is asked for."""
        if self._executor is not None:
            return self._executor.submit(function, *arguments)
        future: Future[Any] = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as fault:
            future.set_exception(fault)
        return future

    def close(self, *, wait: bool = True) -> None:
        """End the processes; jobs not begun are dropped."""
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


def _context() -> BaseContext:
    if sys.platform == "win32":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([_SHARED])
    return context
