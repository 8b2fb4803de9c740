"""What a helper process says and how far it is, told by the main process."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, Final

from bipbayes.progress import Event, show_by, shown

logger = logging.getLogger("bipbayes")
_WAIT: Final = 0.2  # seconds until the main process looks whether it is to stop listening


class Sender(logging.Handler):
    """Sends the messages and the progress of a helper process to the main one."""

    def __init__(self, connection: "Connection[Any, Any]") -> None:
        super().__init__()
        self._connection = connection
        self._sending = threading.Lock()

    def begin(self, level: int) -> None:
        """Send from now on what the package says in this process."""
        logger.handlers = [self]
        logger.setLevel(level)
        show_by(self.send)

    def emit(self, record: logging.LogRecord) -> None:
        """Send a message; it is put together here, since not everything can be sent."""
        record.msg, record.args = record.getMessage(), None
        record.exc_info = None
        self.send(record)

    def send(self, item: Event | logging.LogRecord) -> None:
        """Send an event or a message."""
        with self._sending:
            self._connection.send(item)


@contextmanager
def listening() -> Iterator["Connection[Any, Any]"]:
    """Yield the end of a pipe for a helper's `Sender`; what comes through is shown here."""
    receiving, sending = Pipe(duplex=False)
    over = threading.Event()

    def listen() -> None:
        while receiving.poll(_WAIT) or not over.is_set():
            if receiving.poll():
                _tell(receiving.recv())

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield sending
    finally:
        over.set()
        listener.join()
        receiving.close()
        sending.close()


def _tell(item: Event | logging.LogRecord) -> None:
    if isinstance(item, Event):
        shown(item)
    else:
        logging.getLogger(item.name).handle(item)
