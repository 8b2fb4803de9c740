"""The rules of `bipbayes.audit.rules` in words, for the report and for whoever disagrees."""

from typing import Final

import pandas as pd

from bipbayes.audit.rules import NOT_CHECKABLE, NOT_SUPPORTED, REVERSED, UPHELD, WEAKENED

WORD_LABELS: Final = {
    UPHELD: ("upheld", "bekræftet"),
    WEAKENED: ("weakened", "svækket"),
    NOT_SUPPORTED: ("not supported", "ikke understøttet"),
    REVERSED: ("reversed", "vendt"),
    NOT_CHECKABLE: ("not checkable", "kan ikke kontrolleres"),
}
"""The words for readers, English and Danish (files always hold the English ones)."""

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
