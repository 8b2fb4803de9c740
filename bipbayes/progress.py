"""Progress of long work: whatever takes seconds is wrapped in `stage`, wherever it is done.

Nothing is shown until a command line says how (`show_by`): a bar on a terminal, lines in a log.
A helper process hands its events to the main one, so that one process writes to the terminal.
"""

import itertools
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

logger = logging.getLogger(__name__)

_WORTH_A_LINE: Final = 1.0  # seconds; shorter stages pass without a word
_OFTEN: Final = 0.1  # seconds between two events of a stage


@dataclass(frozen=True)
class Event:
    """Where a stage stands.

    ``key`` is the stage's own over all processes; ``total`` is ``None`` where nobody knows how
    much there is to do; ``ended`` events are the last ones of their stage.
    """

    key: str
    title: str
    done: float = 0.0
    total: float | None = None
    note: str = ""
    ended: bool = False

    def counted(self) -> str:
        """Return what is done of how much, and the note; empty where nothing is counted."""
        count = "" if self.total is None else f"{self.done:.0f}/{self.total:.0f}"
        return " ".join(filter(None, (count, self.note)))


type Show = Callable[[Event], None]

_show: Show | None = None
_numbers = itertools.count()


def show_by(show: Show | None) -> None:
    """Show the stages of this process by a function, or no longer."""
    global _show
    _show = show


def shown(event: Event) -> None:
    """Show an event, of this process or of a helper."""
    if _show is not None:
        _show(event)


class Stage:
    """A stage that is going on; threads may move it."""

    def __init__(self, event: Event) -> None:
        self._event, self._next = event, 0.0
        self._lock = threading.Lock()
        shown(event)

    def move(self, done: float, *, total: float | None = None, note: str = "") -> None:
        """Say how much is done by now, of how much where that has changed."""
        with self._lock:
            known = self._event.total if total is None else total
            self._event = replace(self._event, done=done, total=known, note=note)
            if (now := time.monotonic()) >= self._next:
                self._next = now + _OFTEN
                shown(self._event)

    def advance(self, count: float = 1) -> None:
        """Count so much more as done."""
        with self._lock:
            self._event = replace(self._event, done=self._event.done + count)
        self.move(self._event.done, note=self._event.note)

    def over[Item](self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield items, each counted as done when the next one is asked for."""
        for item in items:
            yield item
            self.advance()

    def _end(self) -> None:
        shown(replace(self._event, ended=True))


@contextmanager
def stage(title: str, *, total: float | None = None) -> Iterator[Stage]:
    """Show work while it lasts, and leave a line with its time if it took a while.

    Parameters
    ----------
    title
        What is done, as in ``drawing figures``.
    total
        How much there is to do, where that is known.
    """
    started = time.monotonic()
    key = f"{os.getpid()}/{next(_numbers)}"
    running = Stage(Event(key, title, total=total))
    try:
        yield running
    finally:
        running._end()
    if (seconds := time.monotonic() - started) >= _WORTH_A_LINE:
        logger.info("%s: %.0f seconds", title, seconds)


@contextmanager
def unsaid(name: str) -> Iterator[None]:
    """Keep messages of a part of the package, or of a library, from the log: not errors."""
    part = logging.getLogger(name)
    before = part.level
    part.setLevel(logging.ERROR)
    try:
        yield
    finally:
        part.setLevel(before)
