"""Whether estimates agree with the report's statements on Figures 3 to 24.

Each claim is read as the truth of its members, the pairs of outcome and combination that it
speaks of; its quantifier (`bipbayes.audit.statements`) says how many of them must be true.
Where a claim speaks of indicators at large, its members are

- its outcomes, if it names one combination or its note says that the quantifier runs over the
  outcomes (an outcome is true if more than half of its combinations are);
- all pairs, for "all", "generally" and "especially";
- its combinations otherwise (a combination is true if more than half of the outcomes are).

`verify_calibration` is a last look at calibrated data: every published number and statement, or
an error.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy.special import ndtr, stdtr

from bipbayes.audit.statements import (
    ESPECIALLY,
    expand_combinations,
    expand_outcomes,
    has_wildcard,
    quantifier_holds,
)
from bipbayes.bip.calibrated_design import groups_of_combinations, published
from bipbayes.bip.facts import fact
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Booleans, Floats, Integers
from bipbayes.errors import SettingsError, raise_all
from bipbayes.synthetic.design import Design
from bipbayes.synthetic.truth import Sums, by_group, changes, divisors, sum_changes

EXEMPT: Final = {"SUM-17": "clashes with the text of Figures 18, 20 and 21 (X40)"}
PAIRWISE: Final = ("all", "generally", ESPECIALLY)
PLACES_OF_HUNDRED: Final = 100
ZERO_PERCENT: Final = (8.0, 12.0)  # unchanged averages (figures.csv)
WEEKS: Final = (21.5, 22.0)  # "just under 22"
SHARE_TOLERANCE: Final = 1.0  # percentage points, Table 4


@dataclass(frozen=True)
class Verdicts:
    """Estimates by outcome and combination with their significance, same shape."""

    estimate: Floats
    significant: Booleans


@dataclass(frozen=True)
class Claim:
    """One row of ``claims.csv`` with its pattern resolved to positions in the codebook."""

    claim_id: str
    outcomes: tuple[int, ...]
    combinations: tuple[int, ...]
    direction: str
    significant: str
    quantifier: str
    scope: str
    effect_size: float
    places_moved: float
    over_outcomes: bool
    at_large: bool


def report_claims(codebook: Codebook) -> tuple[Claim, ...]:
    """Return the report's claims, without the exempt one, for BIP's codebook."""
    rows = [row for row in fact("claims").to_dict("records") if row["claim_id"] not in EXEMPT]
    return tuple(_claim(row, codebook) for row in rows)


def _claim(row: Mapping[Hashable, object], codebook: Codebook) -> Claim:
    text = {str(key): str(value) for key, value in row.items()}
    outcomes = expand_outcomes(text["outcome"], codebook)
    combinations = expand_combinations(text["combination"], text["excludes"], codebook)
    return Claim(
        claim_id=text["claim_id"],
        outcomes=tuple(map(codebook.outcomes.index, outcomes)),
        combinations=tuple(map(codebook.combinations.index, combinations)),
        direction=text["direction"],
        significant=text["significant"],
        quantifier=text["quantifier"],
        scope=text["scope"],
        effect_size=float(text["effect_size"]),
        places_moved=float(text["places_moved"]),
        over_outcomes=len(combinations) == 1 or "quantifier over the outcomes" in text["note"],
        at_large=has_wildcard(text["outcome"]),
    )


def member_truth(claim: Claim, verdicts: Verdicts, *, excepted: Booleans) -> Booleans:
    """Say where a claim is true, for every outcome and combination, whether meant or not.

    Parameters
    ----------
    claim
        What is said.
    verdicts
        Estimates and significance, shape (outcome, combination).
    excepted
        Pairs that other statements single out as significant setbacks; a statement that
        nothing else is a setback ("otherwise", ``SUM-13``) does not mean them.
    """
    positive, negative = verdicts.estimate > 0, verdicts.estimate < 0
    by_direction = {
        "positive": positive,
        "negative": negative,
        "not_negative": ~(negative & verdicts.significant),
        "none": np.ones_like(positive),
    }
    by_significance = {
        "true": verdicts.significant,
        "false": ~verdicts.significant,
        "unstated": np.ones_like(positive),
    }
    truth = by_direction[claim.direction] & by_significance[claim.significant]
    if claim.at_large and claim.direction == "not_negative":
        truth = truth | excepted
    return np.asarray(truth)


def claim_holds(claim: Claim, verdicts: Verdicts, *, excepted: Booleans) -> bool:
    """Say whether estimates agree with one claim.

    Parameters
    ----------
    claim
        What is said.
    verdicts
        Estimates and significance, shape (outcome, combination) in codebook order.
    excepted
        See `member_truth`.
    """
    truth = member_truth(claim, verdicts, excepted=excepted)
    inside = truth[np.ix_(claim.outcomes, claim.combinations)]
    if not claim.at_large:
        return bool(quantifier_holds(claim.quantifier, inside[0])) and _size_agrees(claim, verdicts)
    if claim.over_outcomes:
        return bool(quantifier_holds(claim.quantifier, _mostly(inside, axis=1)))
    if claim.quantifier not in PAIRWISE:
        return bool(quantifier_holds(claim.quantifier, _mostly(inside, axis=0)))
    others = [c for c in range(truth.shape[1]) if c not in claim.combinations]
    outside = truth[np.ix_(claim.outcomes, others)]
    return bool(quantifier_holds(claim.quantifier, inside.ravel(), outside.ravel()))


def _mostly(truth: Booleans, *, axis: int) -> Booleans:
    return np.asarray(2 * truth.sum(axis=axis) > truth.shape[axis])


def _size_agrees(claim: Claim, verdicts: Verdicts) -> bool:
    """Compare with a printed effect size (its own decimals) and places moved (whole places)."""
    estimate = float(verdicts.estimate[claim.outcomes[0], claim.combinations[0]])
    agrees = True
    if np.isfinite(claim.effect_size):
        decimals = len(f"{claim.effect_size:g}".partition(".")[2])
        agrees = round(estimate, decimals) == claim.effect_size
    if np.isfinite(claim.places_moved):
        places = abs(PLACES_OF_HUNDRED * (float(ndtr(estimate)) - 0.5))
        agrees = agrees and round(places) == claim.places_moved
    return agrees


def named_setbacks(claims: tuple[Claim, ...], shape: tuple[int, int]) -> Booleans:
    """Mark the pairs that a single statement calls a significant setback."""
    marked = np.zeros(shape, dtype=np.bool_)
    for claim in claims:
        if claim.scope == "single" and (claim.direction, claim.significant) == ("negative", "true"):
            marked[claim.outcomes[0], claim.combinations[0]] = True
    return marked


def unmet_claims(estimate: pd.DataFrame, p_value: pd.DataFrame, codebook: Codebook) -> list[str]:
    """Name the claims that estimates contradict.

    Parameters
    ----------
    estimate, p_value
        OLS on standardised progression and its two-sided p values, rows the outcomes and
        columns the combinations (any order).
    codebook
        BIP's.

    Returns
    -------
    list of str
        Claim ids; significance is at 95 %. `EXEMPT` claims are not looked at.
    """
    rows, columns = list(codebook.outcomes), list(codebook.combinations)
    verdicts = Verdicts(
        estimate.loc[rows, columns].to_numpy(dtype=np.float64),
        np.asarray(p_value.loc[rows, columns].to_numpy(dtype=np.float64) < 0.05),
    )
    claims = report_claims(codebook)
    excepted = named_setbacks(claims, verdicts.estimate.shape)
    return [
        claim.claim_id for claim in claims if not claim_holds(claim, verdicts, excepted=excepted)
    ]


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
