"""The one place that writes to the terminal: messages, bars, closing lines; nothing if quiet.

All of it goes to standard error: standard output is what a user pipes.
"""

import errno
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from bipbayes import progress
from bipbayes.errors import BipbayesError

if TYPE_CHECKING:
    from bipbayes.run.bars import Bars, Lines

USAGE_EXIT: Final = 2
INTERRUPTED_EXIT: Final = 130
_CLOCK: Final = "%H:%M:%S"
logger = logging.getLogger("bipbayes")


class _Warnings(logging.Handler):
    """Counts the warnings of a run."""

    count = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Count one, but for what the user asked for."""
        self.count += not getattr(record, "asked", False)


_warnings = _Warnings(logging.WARNING)
_display: "Bars | Lines | None" = None


def start_logging(*, quiet: bool) -> None:
    """Send messages and progress to standard error; only errors where quiet.

    Called before NumPy is imported, so it also keeps linear algebra to one thread: the chains
    and the drawing processes fill the cores, and threads on small matrices only wait.
    """
    global _display, _warnings
    from bipbayes.helpers import return_freed_memory

    return_freed_memory()
    for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    handler, _display = _terminal() if _is_terminal() else _log()
    _warnings = _Warnings(logging.WARNING)
    logger.handlers = [handler, _warnings]
    for each in logger.handlers:
        each.addFilter(_Once())
    logger.setLevel(logging.ERROR if quiet else logging.INFO)
    progress.show_by(None if quiet else _display.show)


class _Once(logging.Filter):
    """Lets a warning through once: what holds of the data holds for every analysis of them."""

    def __init__(self) -> None:
        super().__init__()
        self._told: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether a message is no warning, or one that was not told yet."""
        message = record.getMessage()
        told = record.levelno == logging.WARNING and message in self._told
        self._told.add(message)
        return not told


def run_verb(verb: Callable[[], int]) -> None:
    """Run a verb and leave with its exit code; errors of ours become one message, code 2."""
    # Batch systems end a job so: what is in the making is cleared away as for Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = verb()
    except BipbayesError as error:
        code = _failed(f"Error: {error}", USAGE_EXIT)
    except OSError as error:
        if error.errno is None:
            raise
        place = error.filename or "a file"
        refused = f"{place} cannot be read or written ({error.strerror})"
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        odd = error.errno in (errno.ENAMETOOLONG, errno.ENOTDIR, errno.EEXIST, errno.ELOOP)
        advice = "" if odd else "make room there, or " if full else "look who may, or "
        code = _failed(f"Error: {refused}; {advice}name another place", USAGE_EXIT)
    except KeyboardInterrupt:
        code = _failed("Interrupted; what was finished is stored.", INTERRUPTED_EXIT)
    finally:
        _close()
    sys.exit(code)


def conclude(sentences: Callable[[], Iterable[str]]) -> None:
    """Write a verb's closing lines, each whole, so that a path in it can be copied."""
    if _display is not None and logger.isEnabledFor(logging.INFO):
        _close()
        print("", *sentences(), sep="\n", file=sys.stderr)


def warnings_so_far() -> int:
    """Return how many warnings were written."""
    return _warnings.count


def _failed(message: str, code: int) -> int:
    _close()
    print(message, file=sys.stderr)
    return code


def _close() -> None:
    if _display is not None:
        _display.close()


def _is_terminal() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") not in (None, "", "dumb", "unknown")


def _terminal() -> "tuple[logging.Handler, Bars]":
    # Imported where there is something to draw on: help must not wait for it.
    from rich.console import Console
    from rich.logging import RichHandler

    from bipbayes.run.bars import Bars

    console = Console(stderr=True)
    handler = RichHandler(
        console=console, show_path=False, show_level=False, log_time_format=_CLOCK
    )
    handler.setFormatter(_Marked("%(message)s"))
    return handler, Bars(console)


def _log() -> "tuple[logging.Handler, Lines]":
    from bipbayes.run.bars import Lines

    handler = logging.StreamHandler()
    handler.setFormatter(_Marked("%(asctime)s %(message)s", _CLOCK))
    return handler, Lines()


class _Marked(logging.Formatter):
    """Names a warning as what it is: the closing line counts them."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        told = super().formatMessage(record)
        if record.levelno != logging.WARNING:
            return told
        return told.replace(record.message, f"Warning: {record.message}")
