"""A last look at calibrated data: every published number and statement, or an error."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr

from bipbayes.bip.claims import unmet_claims
from bipbayes.bip.counts import groups_of_combinations, published
from bipbayes.errors import SettingsError, raise_all
from bipbayes.synthetic.design import Design
from bipbayes.synthetic.sums import Sums, by_group, changes, divisors, sum_changes

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ZERO_PERCENT: Final = (8.0, 12.0)  # unchanged averages (figures.csv)
WEEKS: Final = (21.5, 22.0)  # "just under 22"
SHARE_TOLERANCE: Final = 1.0  # percentage points, Table 4


def verify_calibration(design: Design, answers: Integers) -> None:
    """Compare calibrated answers with all that the report prints.

    Parameters
    ----------
    design
        Who answers what.
    answers
        Shape (response, question).

    Raises
    ------
    SettingsError
        Names everything that does not agree.
    """
    sums = sum_changes(design, answers)
    faults = [
        *_count_faults(design, sums),
        *_mean_faults(design, sums),
        *_zero_faults(design, answers),
        *_design_faults(design),
    ]
    estimate, p_value = classical_estimates(design, sums)
    unmet = unmet_claims(estimate, p_value, design.codebook)
    faults += [f"claims not met: {', '.join(unmet)}"] if unmet else []
    raise_all(SettingsError, "The calibration failed; use another seed:", faults)


def classical_estimates(design: Design, sums: Sums) -> tuple[pd.DataFrame, pd.DataFrame]:
    """OLS of standardised progression on all combinations, from sums alone.

    Returns
    -------
    tuple of pandas.DataFrame
        Estimates and two-sided p values with classical errors, rows outcomes, columns
        combinations.
    """
    n = sums.count.astype(np.float64)
    size = n.sum(axis=1)
    sd = np.array([sums.sd(outcome) for outcome in range(len(n))])
    mean = sums.total.sum(axis=1) / size
    estimate = (sums.total / n - mean[:, None]) / sd[:, None]
    freedom = size - n.shape[1]
    residual = np.sqrt((size - 1 - (n * estimate**2).sum(axis=1)) / freedom)
    t = np.abs(estimate) * np.sqrt(n) / residual[:, None]
    p_value = 2 * stdtr(freedom[:, None], -t)
    rows, columns = list(design.codebook.outcomes), list(design.codebook.combinations)
    return (
        pd.DataFrame(estimate, index=rows, columns=columns),
        pd.DataFrame(p_value, index=rows, columns=columns),
    )


def _count_faults(design: Design, sums: Sums) -> list[str]:
    facts = published()
    pairs = {
        "citizens": (len(design.site), facts.citizens),
        "responses by respondent": (
            design.present.sum(axis=0).tolist(),
            list(facts.responses),
        ),
        "progressions by outcome (Table 1)": (
            sums.count.sum(axis=1).tolist(),
            facts.answers.tolist(),
        ),
        "progressions by combination (Table 3)": (
            sums.count[0].tolist(),
            facts.combinations.tolist(),
        ),
    }
    return [
        f"{what}: {found} instead of {wanted}"
        for what, (found, wanted) in pairs.items()
        if found != wanted
    ]


def _mean_faults(design: Design, sums: Sums) -> list[str]:
    unit = divisors(design.codebook)
    mean = 1000 * sums.total.sum(axis=1) / (unit * sums.count.sum(axis=1))
    wrong = int((np.rint(mean) != published().thousandths).sum())
    return [f"means of Table 1: {wrong} differ"] if wrong else []


def _zero_faults(design: Design, answers: Integers) -> list[str]:
    change, sample = changes(design, answers), design.questions.sample
    faults = []
    for outcome, code in enumerate(design.codebook.outcomes):
        share = 100 * float((change[sample[:, outcome], outcome] == 0).mean())
        if code in design.codebook.average_codes and not _between(share, ZERO_PERCENT):
            faults.append(f"{code}: {share:.1f} % of the changes are zero, not 8 to 12")
    return faults


def _between(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= value <= limits[1]


def _design_faults(design: Design) -> list[str]:
    same = design.citizen[1:] == design.citizen[:-1]
    weeks = float(np.diff(design.days)[same].mean()) / 7
    faults = []
    if not WEEKS[0] <= weeks < WEEKS[1]:
        faults.append(f"{weeks:.2f} weeks between responses, not just under 22")
    counted = design.questions.sample[:, 0]
    belongs = groups_of_combinations(design.codebook)[design.combination[counted]]
    site = design.site[design.citizen[counted]]
    table = by_group(site, belongs, groups=len(design.jobcenters)).T
    shares = 100 * table / table.sum(axis=0)
    off = float(np.abs(shares - published().jobcenter_percent).max())
    if off > SHARE_TOLERANCE:
        faults.append(f"jobcenters' shares (Table 4) are off by up to {off:.1f} points")
    return faults
