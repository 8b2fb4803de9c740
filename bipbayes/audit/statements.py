"""What a claim states, in a form that can be checked: its kind, its sign and its estimates.

Outcomes: a code of the codebook, or the start of a code and ``*`` (``S*``: all indicators whose
code starts with S; ``*`` alone: all indicators). A wildcard reaches the averages only where no
indicator fits, since "all indicators" does not mean their averages as well.

Combinations: one digit a treatment, ``*`` for 0 or 1, ``|`` between patterns for their union;
`excludes` is a list with spaces of what is not meant.

Kinds, from the columns `direction` and `significant`:

================= ============================ ===========================================
kind              direction, significant       states
================= ============================ ===========================================
significant       positive | negative, true    an effect of that sign, told from zero
direction         positive | negative,         a sign, with nothing on its certainty
                  unstated
hedged            positive | negative, false   a sign, and that it is not told from zero
insignificant     none, false                  not told from zero
some_effect       none, true                   told from zero, of either sign
no_opposite       not_negative | not_positive  no significant effect of the other sign
nothing           none, unstated               nothing that could be checked
================= ============================ ===========================================

What a quantifier counts (`Statement.over`). A claim with one outcome counts combinations, a claim
with one combination counts outcomes. Where both are several:

- ``all``, ``generally`` and ``especially`` count all pairs of outcome and combination;
- otherwise outcomes if the note says "quantifier over the outcomes", else combinations; such a
  unit has several estimates and counts when more than half of them are as claimed.

``especially`` compares the share inside the pattern with the share among the remaining
combinations with any treatment (inactivity is no kind of intervention). A statement on all
indicators that there is "otherwise" no setback does not mean the single estimates which other
claims of the file call significant setbacks. These are rules of the audit, not of the report.

A claim such as "mostly progression where a job-oriented intervention is part" speaks of many
estimates at once. Its word becomes a rule on the truth values of its members (the estimates
that the claim's pattern meets), the same for calibrating synthetic data and for the audit:

=============== ===================================================================
word            holds where
=============== ===================================================================
all             every member is true
almost_all      at least 80 % of the members are true
vast_majority   at least 80 % of the members are true
most, mostly    more than half of the members are true
generally       more than half of the members are true
several         at least 3 members are true
few             at least 1 and at most 4 members are true
especially      the share of true members is higher inside the pattern than outside
(empty)         every member is true (a claim on one estimate)
=============== ===================================================================

Words that call something large are so read at their weakest usual meaning; "several" and "few"
are counts, since the report uses them for counts.

Statements on many estimates at once, answered from joint draws.

For each draw it is counted how many estimates are as claimed, and the quantifier's rule is
applied to that count; the share of draws in which it holds is the posterior probability of the
statement. Marginal intervals cannot give it, since the estimates err together. OLS is read in
the same way with its point estimates as the only "draw"; a statement on significance then holds
where enough intervals exclude zero, which is what the report counts.

What counts as "as claimed" in a draw: the claimed sign; for ``few``, which has a ceiling, the
claimed sign and more than the stated size (half of all null effects have either sign); for
statements on absence, staying inside the region (on the other side, for "no setback").

The statement turned round: more than half of the estimates have the other sign; for ``few``
that more than half are as claimed; for ``especially`` that the share outside is the larger.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bipbayes.audit.rules import Cutoffs, Tally
from bipbayes.data.codebook import Codebook

Booleans = NDArray[np.bool_]
Rule = Callable[[Booleans], Booleans]

SEVERAL: Final = 3
FEW: Final = 4
LARGE_SHARE: Final = (4, 5)  # 80 %, as whole numbers so that 4 of 5 is exact
ESPECIALLY: Final = "especially"


def _all(members: Booleans) -> Booleans:
    return np.asarray(members.all(axis=-1))


def _large_share(members: Booleans) -> Booleans:
    part, whole = LARGE_SHARE
    return np.asarray(whole * members.sum(axis=-1) >= part * members.shape[-1])


def _more_than_half(members: Booleans) -> Booleans:
    return np.asarray(2 * members.sum(axis=-1) > members.shape[-1])


def _several(members: Booleans) -> Booleans:
    return np.asarray(members.sum(axis=-1) >= SEVERAL)


def _few(members: Booleans) -> Booleans:
    count = members.sum(axis=-1)
    return np.asarray((count >= 1) & (count <= FEW))


QUANTIFIER_RULES: Final[dict[str, Rule]] = {
    "": _all,
    "all": _all,
    "almost_all": _large_share,
    "vast_majority": _large_share,
    "most": _more_than_half,
    "mostly": _more_than_half,
    "generally": _more_than_half,
    "several": _several,
    "few": _few,
}
"""Rule by word, for every word but "especially", which needs the members outside as well."""


def quantifier_holds(word: str, inside: Booleans, outside: Booleans | None = None) -> Booleans:
    """Say whether a quantified statement holds.

    Parameters
    ----------
    word
        A word of the table above.
    inside
        Truth of each member of the pattern, shape (..., member); leading axes (draws, say)
        are kept.
    outside
        Truth of each estimate outside the pattern, shape (..., other); only for "especially".

    Returns
    -------
    numpy.ndarray
        Boolean of the leading shape (zero-dimensional where there is none).

    Raises
    ------
    ValueError
        Unknown word, no member, or "especially" without anything outside.
    """
    inside = np.asarray(inside, dtype=np.bool_)
    if inside.shape[-1] == 0:
        raise ValueError("a statement about no estimate at all is neither true nor false")
    if word == ESPECIALLY:
        return _higher_share(inside, outside)
    if word not in QUANTIFIER_RULES:
        known = ", ".join(repr(known) for known in (*QUANTIFIER_RULES, ESPECIALLY))
        raise ValueError(f"quantifier {word!r} is unknown; known: {known}")
    return QUANTIFIER_RULES[word](inside)


def _higher_share(inside: Booleans, outside: Booleans | None) -> Booleans:
    other = np.asarray([] if outside is None else outside, dtype=np.bool_)
    if other.shape[-1:] in ((), (0,)):
        raise ValueError("'especially' compares with the estimates outside the pattern; give them")
    # Shares compared crosswise in whole numbers: no rounding decides a tie.
    return np.asarray(inside.sum(axis=-1) * other.shape[-1] > other.sum(axis=-1) * inside.shape[-1])


DIRECTIONS: Final = ("positive", "negative", "not_negative", "not_positive", "none")
SIGNIFICANT: Final = ("true", "false", "unstated")
SCOPES: Final = ("single", "others", "tendency")
QUANTIFIERS: Final = (*(word for word in QUANTIFIER_RULES if word), ESPECIALLY)
PAIRWISE: Final = ("all", "generally", ESPECIALLY)
OVER_OUTCOMES: Final = "quantifier over the outcomes"
KINDS: Final = (
    "significant",
    "direction",
    "hedged",
    "insignificant",
    "some_effect",
    "no_opposite",
    "nothing",
)
_SIGNS: Final = {"positive": 1, "not_negative": 1, "negative": -1, "not_positive": -1, "none": 0}
_SIGNED: Final = {"true": "significant", "false": "hedged", "unstated": "direction"}
_UNSIGNED: Final = {"true": "some_effect", "false": "insignificant", "unstated": "nothing"}


def has_wildcard(text: str) -> bool:
    """Say whether an outcome or a combination may stand for several."""
    return "*" in text or "|" in text


def expand_outcomes(text: str, codebook: Codebook) -> tuple[str, ...]:
    """Return the outcomes that a claim means, in codebook order (empty: unknown)."""
    if not text.endswith("*"):
        return (text,) if text in codebook.outcomes else ()
    start = text[:-1]
    for codes in (codebook.indicator_codes, codebook.average_codes):
        fitting = tuple(code for code in codes if code.startswith(start))
        if fitting:
            return fitting
    return ()


def expand_combinations(text: str, excludes: str, codebook: Codebook) -> tuple[str, ...]:
    """Return the combinations that a claim means, in the order of Table 3."""
    meant = _union(text.split("|"), codebook) - _union(excludes.split(), codebook)
    return tuple(combination for combination in codebook.combinations if combination in meant)


def combination_faults(text: str, excludes: str, codebook: Codebook) -> list[str]:
    """Say what is wrong with a pattern and its exceptions (empty: nothing)."""
    length = len(codebook.treatments)
    faults = []
    for part in [*text.split("|"), *excludes.split()]:
        if len(part) != length:
            faults.append(
                f"{part!r} has {len(part)} digits, the codebook {length} treatments; "
                "combinations are text and keep their leading zeros"
            )
        elif set(part) - set("01*"):
            faults.append(f"{part!r} holds other signs than 0, 1 and *")
    if not faults and not expand_combinations(text, excludes, codebook):
        faults.append(f"{text!r} without {excludes!r} leaves no combination")
    return faults


def _union(patterns: list[str], codebook: Codebook) -> set[str]:
    choices = [[(digit if digit != "*" else "01") for digit in part] for part in patterns]
    known = set(codebook.combinations)
    return {"".join(digits) for choice in choices for digits in product(*choice)} & known


@dataclass(frozen=True)
class Statement:
    """One claim, expanded.

    Attributes
    ----------
    claim_id
        The claim's id.
    kind
        One of `KINDS`.
    sign
        The claimed sign: 1, -1, or 0 where none is claimed. "No setback" has sign 1.
    outcomes, combinations
        The estimates it speaks of: every outcome with every combination.
    outside
        The remaining combinations with any treatment, for ``especially``.
    quantifier
        One of the quantifiers, or ``""`` for a statement on one estimate.
    over
        ``outcomes``, ``combinations`` or ``pairs``: what the quantifier counts, or ``""``.
    excepted
        Pairs of outcome and combination that the claim does not mean.
    """

    claim_id: str
    kind: str
    sign: int
    outcomes: tuple[str, ...]
    combinations: tuple[str, ...]
    outside: tuple[str, ...] = ()
    quantifier: str = ""
    over: str = ""
    excepted: frozenset[tuple[str, str]] = frozenset()

    @property
    def is_joint(self) -> bool:
        """True where it speaks of several estimates at once."""
        return bool(self.quantifier)


def claim_kind(direction: str, significant: str) -> str:
    """Return the kind of a claim, one of `KINDS`."""
    if direction in ("not_negative", "not_positive"):
        return "no_opposite"
    return (_UNSIGNED if direction == "none" else _SIGNED)[significant]


def statements(claims: pd.DataFrame, codebook: Codebook) -> list[Statement]:
    """Expand checked claims, in their order."""
    named = {sign: _named(claims, sign) for sign in ("negative", "positive")}
    return [_statement(row, codebook, named) for _, row in claims.iterrows()]


def _named(claims: pd.DataFrame, direction: str) -> frozenset[tuple[str, str]]:
    """Return the single estimates that claims call significant in a direction."""
    rows = claims[claims["direction"].eq(direction) & claims["significant"].eq("true")]
    keys = zip(rows["outcome"], rows["combination"], strict=True)
    return frozenset(key for key in keys if not any(map(has_wildcard, key)))


def _statement(
    claim: pd.Series, codebook: Codebook, named: Mapping[str, frozenset[tuple[str, str]]]
) -> Statement:
    combinations = expand_combinations(claim["combination"], claim["excludes"], codebook)
    joint = has_wildcard(claim["combination"]) or has_wildcard(claim["outcome"])
    rest = set(codebook.combinations) - set(combinations) - {codebook.no_treatment}
    compares = claim["quantifier"] == ESPECIALLY
    return Statement(
        claim_id=claim["claim_id"],
        kind=claim_kind(claim["direction"], claim["significant"]),
        sign=_SIGNS[claim["direction"]],
        outcomes=expand_outcomes(claim["outcome"], codebook),
        combinations=combinations,
        outside=tuple(code for code in codebook.combinations if compares and code in rest),
        quantifier=claim["quantifier"] if joint else "",
        over=_counted(claim) if joint else "",
        excepted=_excepted(claim, named),
    )


def _excepted(
    claim: pd.Series, named: Mapping[str, frozenset[tuple[str, str]]]
) -> frozenset[tuple[str, str]]:
    at_large = has_wildcard(claim["outcome"])
    other = {"not_negative": "negative", "not_positive": "positive"}.get(claim["direction"])
    return named[other] if at_large and other else frozenset()


def _counted(claim: pd.Series) -> str:
    if not has_wildcard(claim["combination"]):
        return "outcomes"
    if not has_wildcard(claim["outcome"]):
        return "combinations"
    if claim["quantifier"] in PAIRWISE:
        return "pairs"
    return "outcomes" if OVER_OUTCOMES in claim["note"] else "combinations"


Flags = NDArray[np.bool_]
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """A block of estimates.

    Attributes
    ----------
    samples
        ``[sample, outcome, combination]``: draws, or the point estimates as one sample; NaN
        where there is no estimate.
    sides
        ``[outcome, combination]``: 1, -1 or 0, the side on which the interval excludes zero;
        NaN where there is no interval.
    """

    samples: Numbers
    sides: Numbers

    @property
    def present(self) -> Flags:
        """Where there is an estimate with an interval, ``[outcome, combination]``."""
        return np.isfinite(self.samples).all(axis=0) & np.isfinite(self.sides)


def tally(
    statement: Statement, inside: Grid, *, outside: Grid, cutoffs: Cutoffs, from_draws: bool
) -> Tally:
    """Count what a joint statement needs.

    `statement`: A statement on several estimates; `inside`: its estimates; `outside`: the other
    combinations, for ``especially`` (an empty block otherwise); `cutoffs`: gives the stated size;
    `from_draws`: True for posterior draws, False for OLS point estimates. Only draws can turn a
    statement round by themselves; OLS does so by its intervals.
    """
    grids = (inside, outside)
    as_claimed = [_as_claimed(statement, grid.samples, cutoffs.beyond) for grid in grids]
    by_interval = [_by_interval(statement, grid.sides)[None] for grid in grids]
    present = [grid.present for grid in grids]
    total = int(present[0].sum())
    if total == 0 or (statement.quantifier == ESPECIALLY and not present[1].any()):
        return Tally(np.nan, np.nan, False, np.nan, 0, total)
    intervals_hold = bool(_holds(statement, by_interval, present)[0])
    p_rule = float(_holds(statement, as_claimed, present).mean())
    if statement.kind == "significant" and intervals_hold and not from_draws:
        p_rule = 1.0
    return Tally(
        p_rule=p_rule,
        p_turned=_turned(statement, grids, present=present, cutoffs=cutoffs, from_draws=from_draws),
        intervals_hold=intervals_hold,
        contrary=float(1 - by_interval[0][0][present[0]].mean()),
        excluding=int((inside.sides[present[0]] != 0).sum()),
        total=total,
    )


def _as_claimed(statement: Statement, samples: Numbers, beyond: float) -> Flags:
    if statement.kind == "insignificant":
        return np.asarray(np.abs(samples) <= beyond)
    if statement.kind == "some_effect":
        return np.asarray(np.abs(samples) > beyond)
    if statement.kind == "no_opposite":
        return np.asarray(statement.sign * samples > -beyond)
    least = beyond if statement.quantifier == "few" else 0.0
    return np.asarray(statement.sign * samples > least)


def _by_interval(statement: Statement, sides: Numbers) -> Flags:
    if statement.kind == "insignificant":
        return np.asarray(sides == 0)
    if statement.kind == "some_effect":
        return np.asarray(sides != 0)
    if statement.kind == "no_opposite":
        return np.asarray(sides != -statement.sign)
    return np.asarray(sides == statement.sign)


def _holds(statement: Statement, flags: list[Flags], present: list[Flags]) -> Flags:
    members = counted_units(statement, flags[0], present[0])
    outside = flags[1][..., present[1]] if statement.quantifier == ESPECIALLY else None
    return quantifier_holds(statement.quantifier, members, outside)


def counted_units(statement: Statement, flags: Flags, present: Flags) -> Flags:
    """Reduce ``[sample, outcome, combination]`` to the units that the quantifier counts."""
    if statement.over == "pairs" or statement.quantifier == ESPECIALLY:
        return flags[..., present]
    axis = -1 if statement.over == "outcomes" else -2
    size = present.sum(axis=axis)
    mostly = 2 * (flags & present).sum(axis=axis) > size
    return np.asarray(mostly[..., size > 0])


def _turned(
    statement: Statement,
    grids: tuple[Grid, Grid],
    *,
    present: list[Flags],
    cutoffs: Cutoffs,
    from_draws: bool,
) -> float:
    """Return the probability of the statement turned round (1 or 0 for OLS)."""
    values = [grid.samples if from_draws else grid.sides[None] for grid in grids]
    size = cutoffs.beyond if from_draws else 0.0
    inside, outside = (_as_claimed(statement, block, size) for block in values)
    if statement.quantifier == ESPECIALLY:
        members = (outside[..., present[1]], inside[..., present[0]])
        return float(quantifier_holds(ESPECIALLY, *members).mean())
    most = inside if statement.quantifier == "few" else statement.sign * values[0] < 0
    return float(quantifier_holds("most", most[..., present[0]]).mean())
