"""What stands on a terminal, in a log and in quiet runs while something takes long."""

import logging
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bipbayes.progress import show_by, unsaid
from bipbayes.run.console import start_logging, warnings_so_far

VERB = Path(__file__).with_name("verb_with_stages.py")
ESCAPE = "\x1b"
HIDDEN, SHOWN = f"{ESCAPE}[?25l", f"{ESCAPE}[?25h"  # the cursor


@dataclass(frozen=True)
class Said:
    """Exit code, standard output and standard error of a run."""

    code: int
    out: str
    err: str


def _in_log(kind: str) -> Said:
    done = subprocess.run(
        [sys.executable, VERB, kind],
        capture_output=True,
        text=True,
        check=False,
        # What makes Rich believe in a terminal must not matter.
        env={**os.environ, "FORCE_COLOR": "1", "TTY_COMPATIBLE": "1"},
    )
    return Said(done.returncode, done.stdout, done.stderr)


def _on_terminal(kind: str, *, stop_at: str | None = None) -> Said:
    """Run with standard error on a pseudo-terminal; press Ctrl-C when `stop_at` stands there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, VERB, kind],
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"},
    )
    os.close(theirs)
    said = ""
    while part := _read(ours):
        said += part
        if stop_at and stop_at in said:
            process.send_signal(signal.SIGINT)
            stop_at = None
    out = process.communicate()[0]
    os.close(ours)
    return Said(process.returncode, out, said)


def _read(terminal: int) -> str:
    try:
        return os.read(terminal, 4096).decode()
    except OSError:  # how Linux says that the other end is closed
        return ""


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


def test_a_terminal_has_bars_and_is_left_as_it_was() -> None:
    """Catches no bar, a helper's bar or warning lost, a hidden cursor, and bars in a pipe."""
    said = _on_terminal("helper")
    assert said.code == 0 and said.out == "what a user pipes\n"
    assert said.err.rindex(SHOWN) > said.err.rindex(HIDDEN)
    text = _plain(said.err)
    for title in ("helping", "counting"):
        assert re.search(rf"{title} +[━╸╺]+ +[1-9]/10 +0:\d\d:\d\d", text), title
        assert re.search(rf"{title}: [1-9]\d* seconds", text), title
    assert "Warning: a helper's warning" in text
    assert text.endswith("\r\nThis came out.\r\n")


def test_a_log_has_a_plain_line_a_stage() -> None:
    """Catches escape sequences or wrapped lines in a log, and a stage that leaves no time."""
    said = _in_log("helper")
    assert said.code == 0 and said.out == "what a user pipes\n"
    assert ESCAPE not in said.err and "━" not in said.err and "\r" not in said.err
    lines = [re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in said.err.splitlines()]
    assert re.fullmatch(r"helping: [1-9]\d* seconds", lines[0])
    assert lines[1] == "Warning: a helper's warning"
    assert re.fullmatch(r"counting: [1-9]\d* seconds", lines[2])
    assert lines[3:] == ["", "This came out."]


@pytest.mark.parametrize("run", [_in_log, _on_terminal])
def test_quiet_runs_say_nothing(run: type) -> None:
    """Catches progress or an ending that ignores --quiet."""
    assert run("quiet") == Said(0, "what a user pipes\n", "")


def test_ctrl_c_leaves_a_clean_terminal() -> None:
    """Catches a hidden cursor, a bar left standing and a traceback."""
    started = time.monotonic()
    said = _on_terminal("long", stop_at="counting")
    assert said.code == 130 and time.monotonic() - started < 55
    assert said.err.rindex(SHOWN) > said.err.rindex(HIDDEN)
    after = _plain(said.err[said.err.rindex(SHOWN) :]).strip()
    assert after == "Interrupted; what was finished is stored."


def test_a_place_that_cannot_be_written_is_a_sentence() -> None:
    """Catches a traceback of the operating system's refusal."""
    said = _in_log("unwritable")
    assert said.code == 2 and said.out == ""
    assert said.err == (
        "Error: /dev/null/results cannot be read or written (Not a directory); name another place\n"
    )


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """The package's logger; stages are shown nowhere afterwards."""
    yield logging.getLogger("bipbayes")
    show_by(None)


def test_a_warning_is_told_once(logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    """Catches the same sentence for the plain and for the adjusted cells of one study."""
    start_logging(quiet=False)
    here = logging.getLogger("bipbayes.cells.covariance")
    for count in (1, 1, 2):
        here.warning("%d indicators have no cell", count)
        here.info("fitting by closed forms")
    said = capsys.readouterr().err
    assert said.count("1 indicators") == said.count("2 indicators") == 1
    assert said.count("fitting") == 3


@pytest.fixture
def as_before() -> Iterator[logging.Logger]:
    """The package's logger, which is afterwards as it was."""
    top = logging.getLogger("bipbayes")
    handlers, level = list(top.handlers), top.level
    yield top
    top.handlers, top.level = handlers, level


def test_what_was_asked_for_is_no_warning(as_before: logging.Logger) -> None:
    """Catches a quick run whose own mark counts as a warning, and a finding told twice."""
    start_logging(quiet=False)
    part = logging.getLogger("bipbayes.data.read")
    as_before.warning("a quick run", extra={"asked": True})
    with unsaid("bipbayes.data"):
        part.warning("a finding that the verb reports")
    assert warnings_so_far() == 0
    part.warning("a finding")
    assert warnings_so_far() == 1
