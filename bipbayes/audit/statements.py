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
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final

import pandas as pd

from bipbayes.audit import quantifiers
from bipbayes.data.codebook import Codebook

DIRECTIONS: Final = ("positive", "negative", "not_negative", "not_positive", "none")
SIGNIFICANT: Final = ("true", "false", "unstated")
SCOPES: Final = ("single", "others", "tendency")
QUANTIFIERS: Final = (*(word for word in quantifiers.QUANTIFIERS if word), quantifiers.ESPECIALLY)
PAIRWISE: Final = ("all", "generally", quantifiers.ESPECIALLY)
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
    compares = claim["quantifier"] == quantifiers.ESPECIALLY
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
