"""What a report's words of quantity mean in numbers.

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
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

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


QUANTIFIERS: Final[dict[str, Rule]] = {
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
    if word not in QUANTIFIERS:
        known = ", ".join(repr(known) for known in (*QUANTIFIERS, ESPECIALLY))
        raise ValueError(f"quantifier {word!r} is unknown; known: {known}")
    return QUANTIFIERS[word](inside)


def _higher_share(inside: Booleans, outside: Booleans | None) -> Booleans:
    other = np.asarray([] if outside is None else outside, dtype=np.bool_)
    if other.shape[-1:] in ((), (0,)):
        raise ValueError("'especially' compares with the estimates outside the pattern; give them")
    # Shares compared crosswise in whole numbers: no rounding decides a tie.
    return np.asarray(inside.sum(axis=-1) * other.shape[-1] > other.sum(axis=-1) * inside.shape[-1])
