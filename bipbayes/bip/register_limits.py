"""Which printed values of Tables 4 to 11 a consistent register cannot have, and why.

Three of the report's inconsistencies bear on the tables. Only X35 puts values out of reach; the
other two are met by what the reason says.
"""

from dataclasses import dataclass
from typing import Final

import pandas as pd

from bipbayes.bip.facts import fact


@dataclass(frozen=True)
class Limit:
    """One inconsistency: the rows and groups it touches, and what the register does.

    Attributes
    ----------
    inconsistency
        Id in ``inconsistencies.csv``.
    rows
        Pairs of section and row (English), within `table`.
    groups
        Groups touched.
    possible
        True where the printed value still comes out within one percentage point (2 % for
        amounts).
    reason
        Why print contradicts itself, and what the register holds.
    """

    inconsistency: str
    table: int
    rows: tuple[tuple[str, str], ...]
    groups: tuple[str, ...]
    possible: bool
    reason: str


LIMITS: Final = (
    Limit(
        "X13",
        4,
        tuple(
            ("Family status", row)
            for row in ("No children", "One child", "2-3 children", "4 or more children")
        ),
        ("J", "O", "S", "H"),
        True,
        "the four rows should cover everybody but sum to 90 to 95 percent; they come out as "
        "printed because a citizen may stand in none of them",
    ),
    Limit(
        "X35",
        10,
        (("", "Number of registered GP services (mean)"),),
        ("J", "O", "S", "H", "none"),
        False,
        "a week with a visit has at least one service, so services cannot be fewer than weeks; "
        "weeks are as printed, services the fewest that they allow (one a week)",
    ),
    Limit(
        "X36",
        11,
        (("Charged", "Penal code"), ("Convicted", "Penal code")),
        ("O", "S"),
        True,
        "a conviction has a charge, so no more can be convicted than charged; both shares meet "
        "half-way, half a point from print",
    ),
)


def register_limits() -> pd.DataFrame:
    """List the printed values that cannot, or only just, be had.

    Returns
    -------
    pandas.DataFrame
        ``table``, ``section_en``, ``row_en``, ``group``, ``value`` and ``unit`` (as printed),
        ``inconsistency``, ``possible``, ``reason``; one row a value, in the report's order.
    """
    rows = [
        {
            "table": limit.table,
            "section_en": section,
            "row_en": row,
            "group": group,
            "inconsistency": limit.inconsistency,
            "possible": limit.possible,
            "reason": limit.reason,
        }
        for limit in LIMITS
        for section, row in limit.rows
        for group in limit.groups
    ]
    keys = ["table", "section_en", "row_en", "group"]
    printed = fact("characteristics")[[*keys, "value", "unit"]]
    found = printed.merge(pd.DataFrame(rows), on=keys, how="inner", validate="1:1")
    return found.reset_index(drop=True)
