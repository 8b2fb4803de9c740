"""A verb for tests of the terminal: stages here and in a helper process, then an ending."""

import logging
import signal
import sys
import time
from pathlib import Path
from typing import Any

from bipbayes.helpers import Processes
from bipbayes.progress import stage
from bipbayes.run.console import conclude, run_verb, start_logging
from bipbayes.run.messages import Sender, listening

logger = logging.getLogger("bipbayes.tests")


def counted(title: str, seconds: float) -> None:
    """Count to ten."""
    with stage(title, total=10) as running:
        for _ in range(10):
            time.sleep(seconds / 10)
            running.advance()


def in_helper(seconds: float) -> None:
    """Count and warn, as a fit does."""
    counted("helping", seconds)
    logger.warning("a helper's %s", "warning")


def begin(connection: Any) -> None:
    """Prepare the helper."""
    Sender(connection).begin(logging.INFO)


def verb() -> int:
    """Do what was asked for."""
    if sys.argv[1] == "unwritable":
        Path("/dev/null/results").write_text("")
    if sys.argv[1] == "helper":
        with (
            listening() as connection,
            Processes(1, initializer=begin, arguments=(connection,)) as processes,
        ):
            processes.job(in_helper, 1.5).result()
    counted("counting", 60 if sys.argv[1] == "long" else 1.5)
    print("what a user pipes")
    conclude(lambda: ["This came out."])
    return 0


if __name__ == "__main__":
    # Whoever runs the tests in the background has made Ctrl-C deaf for all below it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    start_logging(quiet=sys.argv[1] == "quiet")
    run_verb(verb)
