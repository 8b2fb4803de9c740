"""A small study of pupils in schools, for tests of the public API and of the documentation."""

from pathlib import Path

import numpy as np
import pandas as pd
from builders import Shape, make_codebook, random_responses

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


def write_study(place: Path) -> Path:
    """Write responses and codebook as the files ``pupils.csv`` and ``reading.toml``."""
    reading().to_csv(place / "pupils.csv", index=False)
    (place / "reading.toml").write_text(CODEBOOK, encoding="utf-8")
    return place


if __name__ == "__main__":
    write_study(Path.cwd())
