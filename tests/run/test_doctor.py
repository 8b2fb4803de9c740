"""The doctor tells faults with what to do, and looks on after each."""

import logging
import re
from pathlib import Path

import pytest
from bipbayes.scripts import command
from typer.testing import CliRunner

from bipbayes.run import doctor, options


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """A terminal; what is said of the answers that the doctor simulates stays as it was."""
    monkeypatch.setattr(options, "start_logging", lambda quiet: None)
    monkeypatch.setattr(logging.getLogger("bipbayes"), "handlers", [])  # of verbs run before
    return CliRunner()


def test_all_is_well_here(said: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a fault found where there is none, and a path told to the support person."""
    monkeypatch.chdir(tmp_path)
    done = said.invoke(command(), ["doctor"])
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, "All is well.")
    assert "a tiny exact fit: works" in done.output and "bipbayes 0" in done.output
    told = re.search(r"documentation: .*?(\S+index\.md)\s", done.output)
    assert told is not None and Path(told[1]).expanduser().is_file()
    assert str(tmp_path) not in done.output and list(tmp_path.iterdir()) == []


def test_faults_are_all_told(said: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a doctor that stops at the first fault, or lets one pass."""
    monkeypatch.setattr(doctor, "requires", lambda name: ["pandas<1", "no-such-package>=2"])
    monkeypatch.setattr(doctor, "_HELD", ("docs", "resources/nowhere"))
    monkeypatch.setattr(doctor, "_fit", lambda: 1 / 0)
    monkeypatch.chdir("/proc")
    done = said.invoke(command(), ["doctor"])
    assert done.exit_code == 1
    for text in (
        "must be <1; no-such-package is missing, must be >=2",
        "nothing in resources/nowhere",
        "a tiny exact fit: FAILED (ZeroDivisionError)",
        "the current folder: FAILED (",
    ):
        assert text in done.output, text
    last = done.output.splitlines()[-1]
    assert last.startswith("Not all is well: install bipbayes again") and "may write" in last
