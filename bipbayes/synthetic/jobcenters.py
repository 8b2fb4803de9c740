"""How many analysed responses each combination has in each jobcenter.

Table 3 gives the combinations, Table 4 the jobcenters' shares within five overlapping groups.
`solve_jobcenter_table` finds whole numbers that fit both and lie close to the smoothest table
(maximum entropy); its result is package data.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

from bipbayes.data.load_codebook import bip_codebook
from bipbayes.errors import SettingsError
from bipbayes.synthetic.published import groups_of_combinations, published

Floats = NDArray[np.float64]
SWEEPS: Final = 200
TOLERANCE: Final = 0.45  # percentage points: inside the printed rounding


def solve_jobcenter_table() -> pd.DataFrame:
    """Solve for the table: rows jobcenters, columns combinations, whole numbers.

    Raises
    ------
    SettingsError
        No table of whole numbers fits Tables 3 and 4.
    """
    codebook, facts = bip_codebook(), published()
    smooth = _maximum_entropy(facts.combinations.astype(float))
    counts = _whole_numbers(smooth)
    return pd.DataFrame(
        counts, index=list(codebook.jobcenters), columns=list(codebook.combinations)
    )


def _group_totals() -> tuple[NDArray[np.bool_], Floats]:
    """Return combinations by group, and the wanted counts of jobcenter x group."""
    facts = published()
    belongs = groups_of_combinations(bip_codebook())
    totals = facts.combinations @ belongs
    shares = facts.jobcenter_percent / facts.jobcenter_percent.sum(axis=0)
    return belongs, shares * totals


def _maximum_entropy(combinations: Floats) -> Floats:
    """Scale a table by groups and combinations in turn until both fit."""
    belongs, wanted = _group_totals()
    table = np.outer(wanted.sum(axis=1), combinations)
    table = table / wanted.sum()
    for _ in range(SWEEPS):
        for group in range(belongs.shape[1]):
            inside = belongs[:, group]
            table[:, inside] *= (wanted[:, group] / table[:, inside].sum(axis=1))[:, None]
        table *= combinations / table.sum(axis=0)
    return np.asarray(table)


def _whole_numbers(smooth: Floats) -> NDArray[np.int64]:
    """Whole numbers nearest to a table that keep Table 3 exactly and Table 4 as printed."""
    facts = published()
    belongs, _ = _group_totals()
    totals = facts.combinations @ belongs
    sites, combinations = smooth.shape
    cells = sites * combinations
    by_combination = np.kron(np.ones((1, sites)), np.eye(combinations))
    by_group = np.kron(np.eye(sites), belongs.T.astype(float))
    printed = (facts.jobcenter_percent * totals / 100).ravel()
    slack = np.tile(totals * TOLERANCE / 100, sites)
    # Cost: the distance |count - smooth|, written with one more variable a cell.
    distance = np.hstack([np.eye(cells), -np.eye(cells)])
    mirrored = np.hstack([-np.eye(cells), -np.eye(cells)])
    nothing = np.zeros((len(by_combination), cells)), np.zeros((len(by_group), cells))
    solved = milp(
        np.r_[np.zeros(cells), 1 / np.sqrt(smooth.ravel())],
        integrality=np.r_[np.ones(cells), np.zeros(cells)],
        bounds=Bounds(0, np.inf),
        constraints=[
            LinearConstraint(
                np.hstack([by_combination, nothing[0]]), facts.combinations, facts.combinations
            ),
            LinearConstraint(np.hstack([by_group, nothing[1]]), printed - slack, printed + slack),
            LinearConstraint(distance, -np.inf, smooth.ravel()),
            LinearConstraint(mirrored, -np.inf, -smooth.ravel()),
        ],
        options={"time_limit": 60, "mip_rel_gap": 0.02},
    )
    if solved.x is None:
        raise SettingsError(f"no whole numbers fit Tables 3 and 4: {solved.message}")
    return np.rint(solved.x[:cells]).astype(np.int64).reshape(sites, combinations)
