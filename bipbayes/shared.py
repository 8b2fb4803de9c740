"""What helpers share, imported by the server from which they are forked (`bipbayes.helpers`).

That takes seconds, in which the server would not notice that the main process was killed: a thread
looks after it until then. It has ended before the first helper is forked.
"""

import os
import shutil
from contextlib import suppress
from importlib import import_module
from threading import Event, Thread

from bipbayes.helpers import SERVED


def _end_with_main(main: str, sockets: str, done: Event) -> None:
    """Leave within a second of the main process, and take the folder of sockets along."""
    while not done.wait(0.3):
        if os.getppid() != int(main):
            shutil.rmtree(sockets, ignore_errors=True)
            os._exit(1)


def _import(main: str, sockets: str, *names: str) -> None:
    done = Event()
    thread = Thread(target=_end_with_main, args=(main, sockets, done), daemon=True)
    thread.start()
    for name in names:
        with suppress(ImportError):  # told by the helper that needs it
            import_module(name)
    done.set()
    thread.join()


# Nothing is done for whoever else imports this: the server is a child of the main process.
if os.environ.get(SERVED, "").startswith(f"{os.getppid()}\n"):
    _import(*os.environ[SERVED].split("\n"))
