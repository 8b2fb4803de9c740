"""One small study with ragged answers, and characteristics of most of its citizens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from builders import Shape, make_codebook, random_study

from bipbayes.data.characteristics import Characteristics, characteristics_from_frame
from bipbayes.data.characteristics_codebook import CharacteristicsCodebook, parse_characteristics
from bipbayes.data.codebook import Codebook
from bipbayes.data.progression import progression
from bipbayes.data.study import Study

ENTRIES = [
    {"column": "old", "table": 4, "kind": "share", "label": {"en": "Old", "da": "Gammel"}},
    {"column": "work", "table": 5, "kind": "time", "label": {"en": "At work"},
     "section": {"en": "Time", "da": "Tid"}},
    {"column": "visits", "table": 10, "kind": "amount", "unit": "weeks", "low": 0, "high": 52,
     "label": {"en": "Visits"}},
]  # fmt: skip


@dataclass(frozen=True)
class Small:
    """A study, its progression and characteristics."""

    study: Study
    codebook: Codebook
    progression: xr.Dataset
    characteristics: Characteristics
    entries: CharacteristicsCodebook


@pytest.fixture(scope="session")
def small() -> Small:
    codebook = make_codebook(5, 2, jobcenters=("x", "y", "z"))
    study = random_study(codebook, seed=3, shape=Shape(citizens=70, waves=(1, 7)))
    entries = parse_characteristics({"characteristics": ENTRIES})
    rng = np.random.default_rng(8)
    citizens = np.array(sorted(study.responses["citizen"].unique()))[3:]  # three are unknown
    frame = pd.DataFrame(
        {
            "citizen": rng.permutation(citizens),
            "old": rng.integers(0, 2, len(citizens)).astype(float),
            "work": rng.random(len(citizens)),
            "visits": rng.integers(0, 53, len(citizens)),
            "synthetic": 1,
        }
    )
    frame.loc[::9, "old"] = np.nan
    characteristics = characteristics_from_frame(frame, study, codebook=entries)
    return Small(study, codebook, progression(study, codebook), characteristics, entries)
