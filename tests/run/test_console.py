"""What the terminal shows."""

import logging
from collections.abc import Iterator

import pytest

from bipbayes.run.console import start_logging


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """The package's logger, as it was afterwards."""
    found = logging.getLogger("bipbayes")
    handlers, level = found.handlers, found.level
    yield found
    found.handlers = handlers
    found.setLevel(level)


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
