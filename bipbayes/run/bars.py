"""How stages look: bars on a terminal, now and then a line in a log."""

import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from bipbayes.progress import Event

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

logger = logging.getLogger(__name__)

_LINE_EVERY: Final = 60.0  # seconds of a stage that is counted, in a log
_REFRESHES: Final = 5  # a second


class Bars:
    """Bars of all stages that are going on, below everything else that is written.

    Parameters
    ----------
    console
        The terminal; messages must go through it, too, so that they stand above the bars.
    """

    def __init__(self, console: "Console") -> None:
        self._console = console
        self._progress: Progress | None = None
        self._bars: dict[str, TaskID] = {}
        self._lock = threading.Lock()

    def show(self, event: Event) -> None:
        """Show a stage's bar, move it, or take it away."""
        with self._lock:
            if event.ended:
                self._remove(event.key)
                return
            progress = self._started()
            if event.key not in self._bars:
                self._bars[event.key] = progress.add_task(event.title, counted="")
            bar = self._bars[event.key]
            progress.update(bar, completed=event.done, counted=event.counted())
            if event.total is not None:
                progress.update(bar, total=event.total)

    def close(self) -> None:
        """Take all bars away and leave the terminal as it was."""
        with self._lock:
            self._stop()

    def _started(self) -> "Progress":
        """Begin to draw; stdout stays out of it, since it is what a user pipes."""
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        if self._progress is None:
            self._progress = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TextColumn("{task.fields[counted]}", markup=False),
                TimeElapsedColumn(),
                console=self._console,
                transient=True,
                redirect_stdout=False,
                refresh_per_second=_REFRESHES,
            )
            self._progress.start()
        return self._progress

    def _remove(self, key: str) -> None:
        if self._progress is None or key not in self._bars:
            return
        self._progress.remove_task(self._bars.pop(key))
        if not self._bars:
            self._stop()

    def _stop(self) -> None:
        # Whatever bars there are: a key may have been pressed while the first one was drawn.
        if self._progress is not None:
            self._progress.stop()
        self._progress, self._bars = None, {}


class Lines:
    """Lines of stages that last, for whoever follows a log."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}

    def show(self, event: Event) -> None:
        """Say once a minute how far a counted stage is; its end leaves a line of its own."""
        now = time.monotonic()
        if event.ended:
            self._said.pop(event.key, None)
        elif now - self._said.setdefault(event.key, now) >= _LINE_EVERY and event.total:
            self._said[event.key] = now
            logger.info("%s: %s", event.title, event.counted())

    def close(self) -> None:
        """Leave the log as it is."""
