"""Helper processes: what becomes of them when the main one is gone."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

MAIN = """
import os, signal, sys, time
from bipbayes import helpers
# Whoever runs the tests in the background has made Ctrl-C deaf for all below it.
signal.signal(signal.SIGINT, signal.default_int_handler)
helpers.shared_modules = list
if __name__ == "__main__":
    with helpers.Processes(1, initializer=os.getpid) as processes:
        print(processes.job(os.getpid).result(), flush=True)
        processes.job(time.sleep, 60).result() if sys.argv[1] == "busy" else time.sleep(60)
"""


@pytest.mark.parametrize("state", ["busy", "idle"])
@pytest.mark.skipif(sys.platform == "win32", reason="kills by POSIX signals")
def test_helpers_end_with_a_main_process_that_is_killed(state: str, tmp_path: Path) -> None:
    """Catches helpers, or their folder of sockets, that outlive a main process killed by -9."""
    command = [sys.executable, "-c", MAIN, state]
    own = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=own) as main:
        assert main.stdout is not None
        helper = psutil.Process(int(main.stdout.readline()))
        os.kill(main.pid, signal.SIGKILL)
    end = time.monotonic() + 10
    while psutil.pid_exists(helper.pid) and helper.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end, "the helper is still there"
        time.sleep(0.05)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="stops by POSIX signals")
def test_the_key_that_stops_a_run_is_no_matter_of_its_helpers() -> None:
    """Catches tracebacks of helpers that hear Ctrl-C while they wait."""
    command = [sys.executable, "-c", MAIN, "idle"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, start_new_session=True, **pipes) as main:
        assert main.stdout is not None
        main.stdout.readline()
        os.killpg(main.pid, signal.SIGINT)
        told = main.communicate()[1]
    assert told.count("Traceback") == 1, "the main process's own alone"
