"""Whether estimates agree with the report's statements on Figures 3 to 24.

Statements are those of the audit (`bipbayes.audit.statements`), read strictly: what is said must
hold of the estimates themselves, in as many of the units that a quantifier counts as it says, and
a printed size must come out.

`verify_calibration` is a last look at calibrated data: every published number and statement, or
an error.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy.special import stdtr

from bipbayes.audit.rules import decimals, within_rounding
from bipbayes.audit.statements import (
    ESPECIALLY,
    Statement,
    counted_units,
    quantifier_holds,
    statements,
)
from bipbayes.bip.calibrated_design import groups_of_combinations, published
from bipbayes.bip.facts import printed
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Booleans, Floats, Integers
from bipbayes.errors import SettingsError, raise_all
from bipbayes.intervals import places_moved
from bipbayes.synthetic.design import Design
from bipbayes.synthetic.truth import Sums, by_group, changes, divisors, sum_changes

EXEMPT: Final = {"SUM-17": "clashes with the text of Figures 18, 20 and 21 (X40)"}
ZERO_PERCENT: Final = (8.0, 12.0)  # unchanged averages (figures.csv)
WEEKS: Final = (21.5, 22.0)  # "just under 22"
SHARE_TOLERANCE: Final = 1.0  # percentage points, Table 4


@dataclass(frozen=True)
class Verdicts:
    """Estimates by outcome and combination in codebook order, with their significance."""

    estimate: Floats
    significant: Booleans


@dataclass(frozen=True)
class Claim:
    """A statement by positions in the codebook, and the sizes printed with it (``""``: none).

    ``excepted`` marks the pairs of outcome and combination that it does not mean, ``others``
    holds the combinations that ``especially`` compares with.
    """

    states: Statement
    outcomes: tuple[int, ...]
    combinations: tuple[int, ...]
    others: tuple[int, ...]
    excepted: Booleans
    effect_size: str
    places_moved: str

    @property
    def at_large(self) -> bool:
        """Whether it speaks of several outcomes."""
        return len(self.outcomes) > 1


def report_claims(codebook: Codebook) -> tuple[Claim, ...]:
    """Return the report's claims, without the exempt one, for BIP's codebook."""
    rows = printed("claims")
    pairs = zip(statements(rows, codebook), rows.to_dict("records"), strict=True)
    return tuple(_claim(s, row, codebook) for s, row in pairs if s.claim_id not in EXEMPT)


def _claim(states: Statement, row: Mapping[Hashable, str], codebook: Codebook) -> Claim:
    outcomes, combinations = codebook.outcomes.index, codebook.combinations.index
    excepted = np.zeros((len(codebook.outcomes), len(codebook.combinations)), dtype=np.bool_)
    for outcome, combination in states.excepted:
        excepted[outcomes(outcome), combinations(combination)] = True
    return Claim(
        states,
        tuple(map(outcomes, states.outcomes)),
        tuple(map(combinations, states.combinations)),
        tuple(map(combinations, states.outside)),
        excepted,
        row["effect_size"],
        row["places_moved"],
    )


def member_truth(claim: Claim, verdicts: Verdicts) -> Booleans:
    """Say where a claim is true, for every outcome and combination, whether meant or not."""
    size, significant = claim.states.sign * verdicts.estimate, verdicts.significant
    truth = {
        "significant": (size > 0) & significant,
        "direction": size > 0,
        "hedged": (size > 0) & ~significant,
        "insignificant": ~significant,
        "some_effect": significant,
        "no_opposite": ~((size < 0) & significant) | claim.excepted,
    }
    return np.asarray(truth[claim.states.kind])


def claim_holds(claim: Claim, verdicts: Verdicts) -> bool:
    """Say whether estimates agree with one claim."""
    truth, states = member_truth(claim, verdicts), claim.states
    inside = truth[np.ix_(claim.outcomes, claim.combinations)]
    outside = truth[np.ix_(claim.outcomes, claim.others)].ravel()
    units = counted_units(states, inside, np.ones_like(inside))
    compared = outside if states.quantifier == ESPECIALLY else None
    return bool(quantifier_holds(states.quantifier, units, compared)) and _size_agrees(
        claim, float(verdicts.estimate[claim.outcomes[0], claim.combinations[0]])
    )


def _size_agrees(claim: Claim, estimate: float) -> bool:
    """Compare with a printed effect size, and with places moved, which print without sign."""
    pairs = (
        (estimate, claim.effect_size),
        (abs(float(places_moved(estimate))), claim.places_moved),
    )
    return all(within_rounding(value, float(text), decimals(text)) for value, text in pairs if text)


def unmet_claims(estimate: pd.DataFrame, p_value: pd.DataFrame, codebook: Codebook) -> list[str]:
    """Name the claims that estimates contradict.

    `estimate`, `p_value`: OLS on standardised progression and its two-sided p values, rows the
    outcomes and columns the combinations (any order); `codebook`: BIP's. Returns: claim ids;
    significance is at 95 %. `EXEMPT` claims are not looked at.
    """
    rows, columns = list(codebook.outcomes), list(codebook.combinations)
    verdicts = Verdicts(
        estimate.loc[rows, columns].to_numpy(dtype=np.float64),
        np.asarray(p_value.loc[rows, columns].to_numpy(dtype=np.float64) < 0.05),
    )
    claims = report_claims(codebook)
    return [claim.states.claim_id for claim in claims if not claim_holds(claim, verdicts)]


def verify_calibration(design: Design, answers: Integers) -> None:
    """Compare calibrated answers with all that the report prints.

    `design`: who answers what; `answers`: shape (response, question). Raises SettingsError: names
    everything that does not agree.
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

    Returns: estimates and two-sided p values with classical errors, rows outcomes, columns
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
        low, high = ZERO_PERCENT
        if code in design.codebook.average_codes and not low <= share <= high:
            faults.append(f"{code}: {share:.1f} % of the changes are zero, not 8 to 12")
    return faults


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
