"""The words of the audit and the rules that lead to them, as pure functions.

Closed set: *upheld, weakened, not supported, reversed, not checkable*. The same rules are read
from OLS and from the posterior; only what "the sign is likely" means differs:

- posterior: P(claimed sign), from the draws;
- OLS: 1 where the point estimate has the claimed sign, else 0. That is how the report reads a
  sign; a p value is no probability of an effect, so no grade is made of it.

"Excludes zero" is an interval at the audit's level (0.95): the credible interval, the confidence
interval under the standard errors in question, or, for Holm and Benjamini-Hochberg, an adjusted
p value of at most 1 - level. `single_verdict` and `joint_verdict` apply the rules; `RULES` states
them in words, for the report and for whoever disagrees.

Printed effect sizes and places moved against the estimates.

The printed number is compared in its own units: with the OLS estimate at the printed decimals
(was it reproduced?) and with both intervals (is it borne out?). An effect singled out for its
significance tends to be too large (type M error), which is what *weakened* says here.
"""

import math
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from bipbayes.intervals import places_moved

UPHELD: Final = "upheld"
WEAKENED: Final = "weakened"
NOT_SUPPORTED: Final = "not supported"
REVERSED: Final = "reversed"
NOT_CHECKABLE: Final = "not checkable"
WORDS: Final = (UPHELD, WEAKENED, NOT_SUPPORTED, REVERSED, NOT_CHECKABLE)
EVEN: Final = 0.5
_LIKELY_SIGN: Final = "the sign is likely"
_OTHER_SIDE: Final = "the interval excludes zero on the other side"
_SIGNED_JOINT: Final = {
    REVERSED: "the statement turned round is certain and the statement itself nearly ruled out",
    NOT_SUPPORTED: "otherwise",
}
RULES: Final[dict[tuple[str, str], dict[str, str]]] = {
    ("single", "significant"): {
        UPHELD: "the interval excludes zero on the claimed side",
        WEAKENED: "the interval includes zero and the sign is likely",
        NOT_SUPPORTED: "otherwise",
        REVERSED: _OTHER_SIDE,
    },
    ("single", "direction"): {
        UPHELD: _LIKELY_SIGN,
        WEAKENED: "the sign is more probable than not, but not likely",
        NOT_SUPPORTED: "otherwise",
        REVERSED: _OTHER_SIDE,
    },
    ("single", "hedged"): {
        UPHELD: "the sign is likely and the interval includes zero",
        WEAKENED: "the interval excludes zero on the claimed side (the sign holds, the hedge "
        "does not), or the sign is more probable than not but not likely",
        NOT_SUPPORTED: "otherwise",
        REVERSED: _OTHER_SIDE,
    },
    ("single", "insignificant"): {
        UPHELD: "the interval includes zero (which proves no absence: see the region)",
        WEAKENED: "the interval excludes zero, and the estimate is no larger than the stated size",
        NOT_SUPPORTED: "the interval excludes zero, and the estimate is larger than that",
        REVERSED: "the whole interval lies beyond the stated size",
    },
    ("single", "some_effect"): {
        UPHELD: "the interval excludes zero",
        WEAKENED: "the interval includes zero and one sign is likely",
        NOT_SUPPORTED: "otherwise",
    },
    ("single", "no_opposite"): {
        UPHELD: "the interval does not lie wholly on the other side of zero",
        REVERSED: _OTHER_SIDE,
    },
    ("joint", "significant"): {
        UPHELD: "the quantifier holds for the intervals that exclude zero on the claimed side, "
        "and the joint statement on the signs is likely",
        WEAKENED: "only one of the two",
        **_SIGNED_JOINT,
    },
    ("joint", "direction"): {
        UPHELD: "the joint statement is likely",
        WEAKENED: "it is more probable than not, but not likely",
        **_SIGNED_JOINT,
    },
    ("joint", "hedged"): {
        UPHELD: "the joint statement is likely and no interval excludes zero",
        WEAKENED: "it is likely but some interval excludes zero, or it is only more probable "
        "than not",
        **_SIGNED_JOINT,
    },
    ("joint", "absence"): {
        UPHELD: "the quantifier holds for the intervals that do not speak against it",
        WEAKENED: "not so, but nearly all intervals (the share called likely) are as claimed",
        NOT_SUPPORTED: "otherwise",
        REVERSED: "more than half of the intervals speak against it",
    },
}


class Verdict(NamedTuple):
    """A word and why."""

    word: str
    reason: str


@dataclass(frozen=True)
class Cutoffs:
    """Where the words begin.

    Attributes
    ----------
    level
        Level of all intervals.
    likely
        Probability from which a sign, or a joint statement, counts as likely.
    beyond
        Size in standard deviations of progression below which an effect is called small; the
        region of the statements on absence is from ``-beyond`` to ``beyond``.
    """

    level: float = 0.95
    likely: float = 0.8
    beyond: float = 0.1

    @property
    def certain(self) -> float:
        """Return the one-sided probability that goes with an equal-tailed interval (0.975)."""
        return (1 + self.level) / 2


@dataclass(frozen=True)
class Reading:
    """One estimate as one source gives it.

    Attributes
    ----------
    estimate, lower, upper
        Point estimate and interval, in standard deviations of progression.
    side
        1 or -1 where the interval (or adjusted p value) excludes zero on that side, else 0.
    p_positive
        Posterior probability of a positive effect; NaN for OLS.
    """

    estimate: float
    lower: float
    upper: float
    side: int
    p_positive: float = math.nan

    def support(self, sign: int) -> float:
        """Return P(claimed sign), or for OLS whether the point estimate has it (1 or 0)."""
        if not math.isnan(self.p_positive):
            return self.p_positive if sign > 0 else 1 - self.p_positive
        return float(sign * self.estimate > 0)


def single_verdict(kind: str, sign: int, reading: Reading, cutoffs: Cutoffs) -> Verdict:
    """Return the word for a statement on one estimate.

    `kind`: A kind of `bipbayes.audit.statements.KINDS`; `sign`: the claimed sign: 1, -1 or 0;
    `reading`: the estimate under one source; `cutoffs`: where the words begin.
    """
    if kind == "nothing":
        return Verdict(NOT_CHECKABLE, "states neither a sign nor a significance")
    if math.isnan(reading.estimate) or math.isnan(reading.lower):
        return Verdict(NOT_CHECKABLE, "no estimate with an interval")
    if kind == "insignificant":
        return _insignificant(reading, cutoffs)
    if kind == "some_effect":
        return _some_effect(reading, cutoffs)
    if sign * reading.side < 0:
        return Verdict(REVERSED, "the interval excludes zero on the other side")
    if kind == "no_opposite":
        return Verdict(UPHELD, "the interval does not lie on the other side of zero")
    if kind == "significant":
        return _significant(sign, reading, cutoffs)
    return _direction(kind, sign, reading, cutoffs)


def _significant(sign: int, reading: Reading, cutoffs: Cutoffs) -> Verdict:
    if reading.side == sign:
        return Verdict(UPHELD, "the interval excludes zero on the claimed side")
    if reading.support(sign) >= cutoffs.likely:
        return Verdict(WEAKENED, "the sign is likely, but the interval includes zero")
    return Verdict(NOT_SUPPORTED, "the interval includes zero and the sign is not likely")


def _direction(kind: str, sign: int, reading: Reading, cutoffs: Cutoffs) -> Verdict:
    if kind == "hedged" and reading.side == sign:
        return Verdict(WEAKENED, "the sign holds, but the interval does exclude zero")
    if reading.support(sign) >= cutoffs.likely:
        return Verdict(UPHELD, "the sign is likely")
    if reading.support(sign) > EVEN:
        return Verdict(WEAKENED, "the sign is more probable than not, but not likely")
    return Verdict(NOT_SUPPORTED, "the sign is not more probable than the other one")


def _insignificant(reading: Reading, cutoffs: Cutoffs) -> Verdict:
    if reading.side == 0:
        return Verdict(UPHELD, "the interval includes zero")
    if region(reading, cutoffs) == "outside":
        return Verdict(REVERSED, "the whole interval lies beyond the stated size")
    if abs(reading.estimate) <= cutoffs.beyond:
        return Verdict(WEAKENED, "the interval excludes zero, the estimate is small")
    return Verdict(NOT_SUPPORTED, "the interval excludes zero, the estimate is not small")


def _some_effect(reading: Reading, cutoffs: Cutoffs) -> Verdict:
    if reading.side != 0:
        return Verdict(UPHELD, "the interval excludes zero")
    if max(reading.support(1), reading.support(-1)) >= cutoffs.likely:
        return Verdict(WEAKENED, "a sign is likely, but the interval includes zero")
    return Verdict(NOT_SUPPORTED, "the interval includes zero and neither sign is likely")


def region(reading: Reading, cutoffs: Cutoffs) -> str:
    """Place an interval against the region from ``-beyond`` to ``beyond``.

    Returns: ``inside`` (only then is an effect of that size ruled out), ``outside`` (an effect of
    that size is found), ``open``, or ``""`` where there is no interval.
    """
    if math.isnan(reading.lower) or math.isnan(reading.upper):
        return ""
    if -cutoffs.beyond < reading.lower and reading.upper < cutoffs.beyond:
        return "inside"
    outside = reading.lower > cutoffs.beyond or reading.upper < -cutoffs.beyond
    return "outside" if outside else "open"


@dataclass(frozen=True)
class Tally:
    """Many estimates under one quantifier, as one source gives them.

    Attributes
    ----------
    p_rule
        Probability that the quantified statement on signs holds, over joint draws; for OLS 1
        or 0 from the point estimates. For statements on absence: that as many as claimed lie
        inside the region.
    p_turned
        The same for the statement turned round (`bipbayes.audit.statements`).
    intervals_hold
        Whether the quantifier holds when intervals are counted: those excluding zero on the
        claimed side, or for absence those that do not exclude it (on the other side).
    contrary
        Share of intervals that speak against a statement on absence.
    excluding
        How many intervals exclude zero on either side.
    total
        How many estimates there are.
    """

    p_rule: float
    p_turned: float
    intervals_hold: bool
    contrary: float
    excluding: int
    total: int


def joint_verdict(kind: str, tally: Tally, cutoffs: Cutoffs) -> Verdict:
    """Return the word for a statement on many estimates; see `bipbayes.audit.rules`."""
    if kind == "nothing":
        return Verdict(NOT_CHECKABLE, "states neither a sign nor a significance")
    if tally.total == 0 or math.isnan(tally.p_rule):
        return Verdict(NOT_CHECKABLE, "no joint estimates")
    if kind in ("insignificant", "no_opposite", "some_effect"):
        return _joint_intervals(tally, cutoffs)
    if kind == "significant" and tally.intervals_hold and tally.p_rule >= cutoffs.likely:
        return Verdict(UPHELD, "as many intervals as claimed exclude zero on the claimed side")
    if tally.p_turned >= cutoffs.certain and tally.p_rule <= 1 - cutoffs.certain:
        return Verdict(REVERSED, "the statement turned round is certain")
    if kind == "significant":
        return _joint_significant(tally, cutoffs)
    return _joint_direction(kind, tally, cutoffs)


def _joint_significant(tally: Tally, cutoffs: Cutoffs) -> Verdict:
    if tally.p_rule >= cutoffs.likely:
        return Verdict(WEAKENED, "the signs are likely, but too few intervals exclude zero")
    if tally.intervals_hold:
        return Verdict(WEAKENED, "enough intervals exclude zero, but jointly it is not likely")
    return Verdict(NOT_SUPPORTED, "neither the intervals nor the joint draws bear it out")


def _joint_direction(kind: str, tally: Tally, cutoffs: Cutoffs) -> Verdict:
    if tally.p_rule >= cutoffs.likely:
        if kind == "hedged" and tally.excluding:
            return Verdict(WEAKENED, "the signs are likely, but some intervals exclude zero")
        return Verdict(UPHELD, "the joint statement is likely")
    if tally.p_rule > EVEN:
        return Verdict(WEAKENED, "the joint statement is more probable than not, but not likely")
    return Verdict(NOT_SUPPORTED, "the joint statement is not more probable than its denial")


def _joint_intervals(tally: Tally, cutoffs: Cutoffs) -> Verdict:
    if tally.intervals_hold:
        return Verdict(UPHELD, "as many intervals as claimed are so")
    if tally.contrary > EVEN:
        return Verdict(REVERSED, "more than half of the intervals are the other way")
    if 1 - tally.contrary >= cutoffs.likely:
        return Verdict(WEAKENED, "nearly all intervals are so, but fewer than claimed")
    return Verdict(NOT_SUPPORTED, "too many intervals are the other way")


def rules_table() -> pd.DataFrame:
    """Return the rules in words: about, kind, word, rule (for the report and the docs)."""
    rows = [
        {"about": about, "kind": kind, "word": word, "rule": rule}
        for (about, kind), words in RULES.items()
        for word, rule in words.items()
    ]
    every = {"about": "any", "kind": "any", "word": NOT_CHECKABLE}
    rows.append({**every, "rule": "no estimate, nothing stated, or the reference itself"})
    return pd.DataFrame(rows)


MEASURES: Final = ("effect_size", "places_moved")
SIZE_COLUMNS: Final = tuple(
    f"{measure}_{column}"
    for measure in MEASURES
    for column in (
        "printed",
        *(
            f"{source}{part}"
            for source in ("ols", "posterior")
            for part in ("", "_within_rounding", "_verdict")
        ),
    )
)
_SIGNS: Final = {"negative": -1, "not_positive": -1}


def decimals(text: str) -> int:
    """Return the number of decimals that a number was printed with (``"0.020"`` has 3)."""
    return len(text.partition(".")[2])


def within_rounding(value: float, printed: float, places: int) -> bool:
    """Say whether a value could have been printed as this number with so many decimals."""
    return bool(abs(value - printed) <= 0.5 * 10.0**-places + 1e-9)


def size_verdict(printed: float, places: int, reading: Reading) -> str:
    """Return the word for a printed size, all in the printed number's units.

    *upheld* where the interval, widened by half of the last printed digit, holds it;
    *reversed* where the interval excludes zero on the other side; *weakened* where the estimate
    has its sign but is smaller; else *not supported*.
    """
    if math.isnan(reading.estimate) or math.isnan(reading.lower):
        return NOT_CHECKABLE
    half = 0.5 * 10.0**-places
    if reading.lower - half <= printed <= reading.upper + half:
        return UPHELD
    sign = math.copysign(1, printed)
    if sign * reading.side < 0:
        return REVERSED
    if 0 < sign * reading.estimate < abs(printed):
        return WEAKENED
    return NOT_SUPPORTED


def size_columns(
    claim: pd.Series, ols: Reading | None, posterior: Reading | None
) -> dict[str, Any]:
    """Return what the audit says of a claim's printed sizes (nothing where it prints none).

    `claim`: one row of the claims, all text; ``places_moved`` takes its sign from the direction;
    `ols`, `posterior`: the estimate of ``effect`` under the report's errors and under the model.
    """
    columns: dict[str, Any] = {}
    for measure in MEASURES:
        text = claim[measure]
        if text:
            sign = _SIGNS.get(claim["direction"], 1) if measure == "places_moved" else 1
            printed = sign * abs(float(text)) if measure == "places_moved" else float(text)
            columns |= _measure(measure, printed, decimals(text), ols=ols, posterior=posterior)
    return columns


def _measure(
    measure: str,
    printed: float,
    places: int,
    *,
    ols: Reading | None,
    posterior: Reading | None,
) -> dict[str, Any]:
    columns: dict[str, Any] = {f"{measure}_printed": printed}
    for source, reading in (("ols", ols), ("posterior", posterior)):
        if reading is None:
            columns[f"{measure}_{source}_verdict"] = NOT_CHECKABLE
            continue
        own = _in_places(reading) if measure == "places_moved" else reading
        columns[f"{measure}_{source}"] = own.estimate
        columns[f"{measure}_{source}_within_rounding"] = within_rounding(
            own.estimate, printed, places
        )
        columns[f"{measure}_{source}_verdict"] = size_verdict(printed, places, own)
    return columns


def _in_places(reading: Reading) -> Reading:
    """Translate an effect and its interval into places (increasing, so limits stay limits)."""
    values = places_moved(np.array([reading.estimate, reading.lower, reading.upper]))
    estimate, lower, upper = (float(value) for value in values)
    return Reading(estimate, lower, upper, reading.side)
