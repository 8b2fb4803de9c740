"""Helpers of the tests of synthetic data: reading one, and a tiny second OLS."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import t

from bipbayes.data.codebook import Codebook
from bipbayes.data.load_codebook import parse_codebook
from bipbayes.data.progression import progression
from bipbayes.data.read import responses_from_frame
from bipbayes.data.study import Study
from bipbayes.synthetic.simulate import Simulation


@dataclass(frozen=True)
class Read:
    """A simulation and what the package makes of it as a user's file."""

    simulation: Simulation
    study: Study
    progression: xr.Dataset

    @property
    def codebook(self) -> Codebook:
        return self.study.codebook

    @cached_property
    def ols(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        return classical_ols(self)


def read(simulation: Simulation) -> Read:
    study = responses_from_frame(simulation.responses, simulation.design.codebook)
    return Read(simulation, study, progression(study))


def analysed(data: Read, outcome: str) -> np.ndarray:
    """Rows of an outcome's analysis sample."""
    return data.progression["standardised"].sel(outcome=outcome).notnull().to_numpy()


def classical_ols(data: Read) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Estimates and p values of the dummies, straight from the rows."""
    columns = list(data.codebook.combinations)
    told = data.progression["combination"].to_numpy()[:, None]
    dummies = (told == np.array(columns)).astype(float)
    estimates, p_values = {}, {}
    for outcome in data.codebook.outcomes:
        rows = analysed(data, outcome)
        y = data.progression["standardised"].sel(outcome=outcome).to_numpy()[rows]
        X = dummies[rows]
        inverse = np.linalg.inv(X.T @ X)
        estimate = inverse @ (X.T @ y)
        residual = y - X @ estimate
        freedom = rows.sum() - len(columns)
        error = np.sqrt(residual @ residual / freedom * np.diag(inverse))
        estimates[outcome] = estimate
        p_values[outcome] = 2 * t.sf(np.abs(estimate / error), freedom)
    frames = [pd.DataFrame(rows, index=columns).T for rows in (estimates, p_values)]
    return frames[0], frames[1]


SMALL = {
    "name": "Another study",
    "scale": [0, 10],
    "citizen": "person",
    "jobcenter": "site",
    "date": "day",
    "indicators": [
        {"code": f"Q{i}", "column": f"q{i:02d}", "respondent": "nurse" if i > 4 else "self"}
        for i in range(1, 8)
    ],
    "treatments": {"X": {"columns": ["x1", "x2"]}, "Y": {"columns": ["y1"]}},
    "averages": {"self_mean": {"members": ["Q1", "Q2", "Q3", "Q4"]}},
}


def small_codebook() -> Codebook:
    """Seven indicators on a scale 0 to 10, two treatments, three respondents' worth of gaps."""
    return parse_codebook(SMALL)
