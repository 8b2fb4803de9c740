"""Helper processes: what becomes of them when the main one is gone."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bipbayes import helpers
from bipbayes.errors import RunError

MAIN = """
import os, signal, sys, time
from bipbayes import helpers
# Whoever runs the tests in the background has made Ctrl-C deaf for all below it.
signal.signal(signal.SIGINT, signal.default_int_handler)
first = "slowly_imported" if sys.argv[1] == "importing" else "bipbayes.wording"
helpers.shared_modules = [first].copy
if __name__ == "__main__":
    if sys.argv[1] == "importing":
        helpers.start_server()
        time.sleep(60)
    with helpers.Processes(1, initializer=os.getpid) as processes:
        print(processes.job(os.getpid).result(), flush=True)
        processes.job(time.sleep, 60).result() if sys.argv[1] == "busy" else time.sleep(60)
"""


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder with a name that is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="b") as folder:
        yield Path(folder)


@pytest.mark.parametrize("state", ["busy", "idle"])
@pytest.mark.skipif(sys.platform == "win32", reason="kills by POSIX signals")
def test_helpers_end_with_a_main_process_that_is_killed(
    state: str, tmp_path: Path, temporary: Path
) -> None:
    """Catches helpers, or their folder of sockets, that outlive a main process killed by -9.

    And helpers that never begin, since the user's folder holds one that is called as we are.
    """
    for name in ("bipbayes", "program"):
        (tmp_path / name).mkdir()
    (tmp_path / "program/main.py").write_text(MAIN)
    command = [sys.executable, tmp_path / "program/main.py", state]
    own = {**os.environ, "TMPDIR": str(temporary)}
    where = {"cwd": tmp_path, "env": own}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **where) as main:
        assert main.stdout is not None
        helper = psutil.Process(int(main.stdout.readline()))
        os.kill(main.pid, signal.SIGKILL)
    end = time.monotonic() + 10
    while psutil.pid_exists(helper.pid) and helper.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end, "the helper is still there"
        time.sleep(0.05)
    assert list(temporary.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="kills by POSIX signals")
def test_the_server_ends_with_a_main_process_that_is_killed_while_it_imports(
    tmp_path: Path, temporary: Path
) -> None:
    """Catches a server that outlives the main process for as long as its imports take."""
    modules, sockets = tmp_path / "modules", temporary
    modules.mkdir()
    slow = "import os, pathlib, time\npathlib.Path(__file__).with_name('pid').write_text("
    (modules / "slowly_imported.py").write_text(f"{slow}str(os.getpid()))\ntime.sleep(60)\n")
    own = {**os.environ, "TMPDIR": str(sockets), "PYTHONPATH": str(modules)}
    with subprocess.Popen([sys.executable, "-c", MAIN, "importing"], env=own) as main:
        while not ((modules / "pid").is_file() and (modules / "pid").read_text()):
            assert main.poll() is None
            time.sleep(0.05)
        server = psutil.Process(int((modules / "pid").read_text()))
        os.kill(main.pid, signal.SIGKILL)
    psutil.wait_procs([server], timeout=10)
    assert not server.is_running() and list(sockets.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX sockets")
def test_a_folder_too_long_for_sockets_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches the operating system's "AF_UNIX path too long" on a server with such a TMPDIR."""
    monkeypatch.setattr(helpers, "get_temp_dir", lambda: f"/{'x' * 90}")
    with pytest.raises(RunError, match=r"91 characters.*TMPDIR"):
        helpers.start_server()


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
