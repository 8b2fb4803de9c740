"""Helper processes beside the main one, forked from one server that has imported what they share.

The main process itself is never forked: it may hold threads of a sampler or of linear algebra.
"""

import ctypes
import gc
import multiprocessing
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from multiprocessing.util import get_temp_dir
from pathlib import Path
from threading import Thread, current_thread, main_thread
from types import TracebackType
from typing import Any, Final, Self

from bipbayes.errors import RunError

# Variable of glibc's, its number in malloc.h, and bytes, or how many heaps threads have.
_ALLOCATION: Final = (
    ("MALLOC_MMAP_THRESHOLD_", -3, 4_000_000),
    ("MALLOC_TRIM_THRESHOLD_", -1, 16_000_000),
    ("MALLOC_ARENA_MAX", -8, 2),
)
# Variable: the main process of a server, the folder of its sockets, and the modules to import.
SERVED: Final = "BIPBAYES_SERVED"
_SAFE: Final = "PYTHONSAFEPATH"
_LONGEST: Final = 84  # bytes: of a socket's 104 to 108, less its own name


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
            start_server()
            self._executor = ProcessPoolExecutor(
                count,
                mp_context=_context(),
                initializer=_begin,
                initargs=(get_temp_dir(), initializer, arguments),
            )

    def job(self, function: Callable[..., Any], *arguments: object) -> Future[Any]:
        """Hand in a job; what it raises is raised where its result is asked for."""
        if self._executor is not None:
            return self._executor.submit(_tidily, function, *arguments)
        future: Future[Any] = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as fault:
            future.set_exception(fault)
        return future

    def early_job(self, function: Callable[..., Any], *arguments: object) -> Future[Any]:
        """Hand in a first job and go on: the server's imports are not waited for."""
        if self._executor is None:
            return self.job(function, *arguments)
        future: Future[Any] = Future()

        def hand_in() -> None:
            try:
                future.set_result(self.job(function, *arguments).result())
            except BaseException as fault:
                future.set_exception(fault)

        Thread(target=hand_in, daemon=True).start()
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


def return_freed_memory() -> None:
    """Have arrays' memory go back to the system when they go, here and in helpers.

    Left alone, glibc raises the size from which it does so to 32 MB, keeps what lies below, and
    has heaps of their own for threads.
    """
    if sys.platform != "linux":
        return
    for variable, option, size in _ALLOCATION:
        os.environ.setdefault(variable, str(size))  # read by helpers when they start
        with suppress(AttributeError, ValueError):  # another C library, no number
            ctypes.CDLL(None).mallopt(option, int(os.environ[variable]))


def shared_modules() -> list[str]:
    """Name all modules of figures; with them come Matplotlib and ArviZ, which samplers need."""
    found = sorted(Path(__file__).with_name("plots").glob("[a-z]*.py"))
    return [f"bipbayes.plots.{path.stem}" for path in found]


def start_server() -> None:
    """Have the server of helpers import what they share, while this process goes on.

    Ctrl-C reaches all of a terminal's processes: the server and its helpers are deaf to it, and
    end with this one.
    """
    if sys.platform == "win32":
        return
    from multiprocessing.forkserver import ensure_running

    if (length := len(os.fsencode(get_temp_dir()))) > _LONGEST:
        raise RunError(
            f"the folder for temporary files has a name of {length} characters, too long for what "
            "processes talk through; set TMPDIR to a shorter one, such as /tmp"
        )
    _context()
    with _without_the_users_folder():
        if current_thread() is not main_thread():  # where no handler can be set
            ensure_running()
            return
        heard = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            ensure_running()
        finally:
            signal.signal(signal.SIGINT, heard)


@contextmanager
def _without_the_users_folder() -> Iterator[None]:
    """Start Python so that it seeks no modules where it is called: a folder may be so named."""
    before = os.environ.get(_SAFE)
    os.environ[_SAFE] = "1"
    try:
        yield
    finally:
        os.environ.pop(_SAFE)
        if before is not None:
            os.environ[_SAFE] = before


def _tidily(function: Callable[..., Any], *arguments: object) -> Any:
    """Do a job and let its memory go: figures and trees hold themselves until they are sought."""
    try:
        return function(*arguments)
    finally:
        gc.collect()


def _begin(sockets: str, initializer: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """Set up a helper; what it shares with the others is never searched for garbage.

    Searching writes into all objects, so that their memory would no longer be shared, and takes
    longer than the helper's own objects: those of a finished figure go sooner.
    """
    gc.freeze()
    Thread(target=_end_with_parent, args=(sockets,), daemon=True).start()
    initializer(*arguments)


def _end_with_parent(sockets: str) -> None:
    """Leave at once when the main process is gone, killed for instance: nobody would stop this.

    The folder of sockets, which only the main process would have removed, goes with it.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        shutil.rmtree(sockets, ignore_errors=True)
        os._exit(1)


def _context() -> BaseContext:
    if sys.platform == "win32":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    os.environ[SERVED] = "\n".join([str(os.getpid()), get_temp_dir(), *shared_modules()])
    context.set_forkserver_preload(["bipbayes.shared"])
    return context
