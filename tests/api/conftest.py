"""A small study of pupils in schools, fitted once for all tests of the public API."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from builders import Shape, make_codebook, random_responses

import bipbayes as bb

CODEBOOK = """\
name = "Reading"
citizen = "pupil"
jobcenter = "school"
date = "day"
scale = [1, 5]
words = { citizen = { en = "pupil", da = "elev" }, jobcenter = { en = "school", da = "skole" }, \
caseworker = { en = "teacher", da = ["lærer", "lærere"] } }

[[indicators]]
code = "q1"
respondent = "citizen"
label = { en = "Enjoys reading", da = "Kan lide at læse" }
[[indicators]]
code = "q2"
respondent = "citizen"
[[indicators]]
code = "q3"
respondent = "caseworker"
[[indicators]]
code = "q4"
respondent = "caseworker"

[treatments.T]
label = { en = "Tutoring" }
columns = ["T"]
[treatments.U]
label = { en = "Book club" }
columns = ["U"]

[averages.pupils]
members = ["q1", "q2"]
"""
NAMES = {"citizen": "pupil", "jobcenter": "school", "date": "day"}


def reading() -> pd.DataFrame:
    """Responses in which tutoring helps."""
    codebook = make_codebook(4, 2, jobcenters=["east", "north", "west"])
    frame = random_responses(codebook, seed=4, shape=Shape(citizens=120, waves=(2, 5), gaps=0.05))
    rng = np.random.default_rng(5)
    for code in codebook.indicator_codes:
        helped = frame["T"].eq(1) & (rng.random(len(frame)) < 0.5)
        frame[code] = (frame[code] + helped).clip(1, 5)
    return frame.drop(columns="combination").rename(columns=NAMES).assign(synthetic=1)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Responses and codebook as files."""
    place = tmp_path_factory.mktemp("reading")
    reading().to_csv(place / "pupils.csv", index=False)
    (place / "reading.toml").write_text(CODEBOOK, encoding="utf-8")
    return place


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
