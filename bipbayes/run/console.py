"""Messages to the terminal: sentences for users, nothing in quiet runs."""

import logging
import os
import sys
from collections.abc import Callable

from rich.console import Console

from bipbayes.errors import BipbayesError

USAGE_EXIT = 2
logger = logging.getLogger("bipbayes")


def start_logging(*, quiet: bool) -> None:
    """Send the package's messages to standard error; only errors where quiet.

    Called before NumPy is imported, so it also keeps linear algebra to one thread: the chains
    and the drawing processes fill the cores, and threads on small matrices only wait.
    """
    for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    from rich.logging import RichHandler

    handler = RichHandler(
        console=Console(stderr=True), show_path=False, show_level=False, log_time_format="%H:%M:%S"
    )
    handler.addFilter(_Once())
    logger.handlers = [handler]
    logger.setLevel(logging.ERROR if quiet else logging.INFO)


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
    try:
        code = verb()
    except BipbayesError as error:
        Console(stderr=True, markup=False, highlight=False, soft_wrap=True).print(f"Error: {error}")
        code = USAGE_EXIT
    except KeyboardInterrupt:
        Console(stderr=True).print("Interrupted; what was finished is stored.")
        code = 130
    sys.exit(code)
