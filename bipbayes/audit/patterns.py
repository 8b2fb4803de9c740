"""Which estimates a claim speaks of: its outcomes and its combinations.

Outcomes: a code of the codebook, or the start of a code and ``*`` (``S*``: all indicators whose
code starts with S; ``*`` alone: all indicators). A wildcard reaches the averages only where no
indicator fits, since "all indicators" does not mean their averages as well.

Combinations: one digit a treatment, ``*`` for 0 or 1, ``|`` between patterns for their union;
`excludes` is a list with spaces of what is not meant.
"""

from itertools import product

from bipbayes.data.codebook import Codebook


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
