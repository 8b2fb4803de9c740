"""What all tests share: the --runslow switch, who runs which file and when, and tidying up."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

# Files that share what `fits` keeps in a process: numba compiles a model for a quarter of a minute.
TOGETHER = (
    "tests/models/test_invariance.py",
    "tests/sampling/test_fit.py",
    "tests/sampling/test_store.py",
    "tests/checks/test_engines.py",
    "tests/estimands/test_arviz_tree.py",
    "tests/models/test_pooling_extremes.py",
)
# Files of few long tests begin first, lest one of them ends alone; then those of most tests.
FIRST = (
    *TOGETHER,
    "tests/run/test_words.py",
    "tests/models/test_model_graphs.py",
    "tests/sampling/exact/test_exact_integrate.py",
    "tests/disclosure/test_attack.py",
    "tests/checks/test_check.py",
    "tests/run/test_refit.py",
    "tests/run/test_analyses.py",
    "tests/run/test_simulate_parts.py",
    "tests/validation/test_calibration.py",
    "tests/run/test_package.py",
    "tests/run/test_closing.py",
    "tests/run/test_audit_beside.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--runslow", action="store_true", default=False, help="run recovery and calibration too"
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each file to one worker, and files that share fits to the same one."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return TOGETHER[0] if file in TOGETHER else file

    return Scheduling(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(autouse=True)
def no_figure_stays_open() -> Iterator[None]:
    """Close what a test drew through ArviZ and did not save, whatever files share a process."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture(autouse=True)
def no_verb_keeps_the_log() -> Iterator[None]:
    """Take back what a (quiet) verb made of the package's log: other tests read it."""
    logger = logging.getLogger("bipbayes")
    before = logger.level, list(logger.handlers)
    yield
    logger.setLevel(before[0])
    logger.handlers = before[1]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    files = {item: item.nodeid.partition("::")[0] for item in items}
    count = Counter(files.values())
    place = {file: number for number, file in enumerate(FIRST)}
    items.sort(
        key=lambda item: (place.get(files[item], len(FIRST)), -count[files[item]], files[item])
    )
    if config.getoption("--runslow"):
        return
    skip = pytest.mark.skip(reason="slow; run with --runslow")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)
