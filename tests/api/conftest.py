"""The study of pupils, fitted once for all tests of the public API."""

from pathlib import Path
from typing import Any

import pytest
from reading_study import write_study

import bipbayes as bb


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Responses and codebook as files."""
    return write_study(tmp_path_factory.mktemp("reading"))


@pytest.fixture(scope="session")
def study(folder: Path) -> bb.Study:
    """The study as a user reads it."""
    return bb.read(folder / "pupils.csv", codebook=folder / "reading.toml")


@pytest.fixture(scope="session")
def ols(study: bb.Study) -> bb.Intervals:
    """Its OLS estimates."""
    return bb.ols(study)


@pytest.fixture(scope="session")
def fit(study: bb.Study) -> bb.Fit:
    """Its hierarchical fit."""
    return bb.fit(study, draws=500, seed=1)


@pytest.fixture(scope="session")
def both(ols: bb.Intervals, fit: bb.Fit) -> bb.Comparison:
    """OLS and fit side by side."""
    return bb.compare(ols, fit)


@pytest.fixture(scope="session")
def objects(study: bb.Study, ols: bb.Intervals, fit: bb.Fit, both: bb.Comparison) -> dict[str, Any]:
    """Everything under the names that examples give it."""
    return {"bb": bb, "study": study, "ols": ols, "fit": fit, "both": both}
