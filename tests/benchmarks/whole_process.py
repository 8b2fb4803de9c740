"""What a command costs as a whole on Linux: wall and processor time, memory, helpers included."""

import ctypes
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_INTERVAL = 0.2  # seconds between two looks at the memory
_ADOPT = 36  # PR_SET_CHILD_SUBREAPER: a command's orphans are waited for here, and counted


@dataclass(frozen=True)
class Cost:
    """Seconds of wall and processor time, peak megabytes of the first and of all processes.

    What processes share is counted once in ``everything`` (proportional set sizes, sampled).
    """

    wall: float
    processor: float
    main: float
    everything: float

    def __str__(self) -> str:
        return (
            f"{self.wall:.2f} s, {self.processor:.2f} s of processor, main process "
            f"{self.main:.0f} MB, all processes {self.everything:.0f} MB"
        )


def cost(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    watched: bool = True,
) -> Cost:
    """Run a command to its end; RuntimeError with its messages where it fails.

    Looking at the memory of processes takes them time: seconds of a watched run are too many,
    and an unwatched one tells no memory (0).
    """
    ctypes.CDLL(None).prctl(_ADOPT, 1, 0, 0, 0)
    before, start = _processor(), time.perf_counter()
    main = everything = 0.0
    with tempfile.TemporaryFile() as messages:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=messages, stderr=messages, env={**os.environ, **(environment or {})},
        )  # fmt: skip
        while watched and process.poll() is None:
            with suppress(psutil.Error, OSError):
                main = _peak(process.pid) or main
                # The smaller of two looks: a helper about to start has its parent's memory, too.
                looks = [_together(psutil.Process(process.pid)) for _ in range(2)]
                everything = max(everything, min(looks))
            with suppress(subprocess.TimeoutExpired):
                process.wait(_INTERVAL)
        code = process.wait()
        wall = time.perf_counter() - start
        _reap()
        if code:
            messages.seek(0)
            raise RuntimeError(f"{command[0]} ended with {code}: {messages.read().decode()}")
    return Cost(wall, _processor() - before, main, everything)


def cheapest(
    command: Sequence[str | Path], *, runs: int, environment: Mapping[str, str] | None = None
) -> Cost:
    """Smallest of each over several runs: other users of a machine only ever add.

    Memory is that of one more run.
    """
    found = [cost(command, environment=environment, watched=False) for _ in range(runs)]
    memory = cost(command, environment=environment)
    seconds = (min(getattr(each, name) for each in found) for name in ("wall", "processor"))
    return Cost(*seconds, memory.main, memory.everything)


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _peak(process: int) -> float:
    """High-water mark of one process's resident memory, MB."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def _together(process: psutil.Process) -> float:
    total = 0
    for each in (process, *process.children(recursive=True)):
        with suppress(psutil.Error):
            total += each.memory_full_info().pss
    return total / 2**20


def _reap() -> None:
    """Wait for helpers that outlive the command."""
    with suppress(ChildProcessError):
        while True:
            os.wait()
