"""Whether estimates agree with the report's statements on Figures 3 to 24.

Each claim is read as the truth of its members, the pairs of outcome and combination that it
speaks of; its quantifier (`bipbayes.audit.quantifiers`) says how many of them must be true.
Where a claim speaks of indicators at large, its members are

- its outcomes, if it names one combination or its note says that the quantifier runs over the
  outcomes (an outcome is true if more than half of its combinations are);
- all pairs, for "all", "generally" and "especially";
- its combinations otherwise (a combination is true if more than half of the outcomes are).
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from bipbayes.audit.patterns import expand_combinations, expand_outcomes, has_wildcard
from bipbayes.audit.quantifiers import ESPECIALLY, quantifier_holds
from bipbayes.bip.facts import fact
from bipbayes.data.codebook import Codebook

Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]

EXEMPT: Final = {"SUM-17": "clashes with the text of Figures 18, 20 and 21 (X40)"}
PAIRWISE: Final = ("all", "generally", ESPECIALLY)
PLACES_OF_HUNDRED: Final = 100


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
