"""Reading and checking a file of claims: a report's statements on its estimates, as data."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from bipbayes.audit.statements import (
    DIRECTIONS,
    QUANTIFIERS,
    SCOPES,
    SIGNIFICANT,
    combination_faults,
    expand_outcomes,
    has_wildcard,
)
from bipbayes.data.codebook import Codebook
from bipbayes.data.files import read_table
from bipbayes.errors import DataError, raise_all

COLUMNS: Final = (
    "claim_id",
    "section",
    "figure",
    "outcome",
    "combination",
    "excludes",
    "direction",
    "significant",
    "significance_basis",
    "quantifier",
    "effect_size",
    "places_moved",
    "scope",
    "source_line",
    "quote_da",
    "note",
)
REQUIRED: Final = ("claim_id", "outcome", "combination", "direction", "significant")
WORDS: Final = {
    "direction": DIRECTIONS,
    "significant": SIGNIFICANT,
    "quantifier": ("", *QUANTIFIERS),
    "scope": ("", *SCOPES),
}
NUMBER: Final = re.compile(r"^[+-]?\d+(?:[.,]\d+)?$")
SHOWN: Final = 5


def read_claims(path: Path, codebook: Codebook) -> pd.DataFrame:
    """Read claims and check them against the codebook.

    Parameters
    ----------
    path
        A table with the columns `COLUMNS` (those outside `REQUIRED` may be missing).
    codebook
        Names the outcomes and the treatments that claims may speak of.

    Returns
    -------
    pandas.DataFrame
        One row a claim in file order, the columns `COLUMNS`, all of them text: numbers stay
        as printed, since their decimals say how they were rounded.

    Raises
    ------
    DataError
        Columns, outcomes, combinations, words or numbers that cannot be used, all at once.
    """
    return check_claims(read_table(path), codebook, name=path.name)


def check_claims(table: pd.DataFrame, codebook: Codebook, *, name: str = "claims") -> pd.DataFrame:
    """Check a frame of claims; see `read_claims` for what is returned and raised."""
    heading = f"{name} cannot be audited:"
    missing = [column for column in REQUIRED if column not in table.columns]
    raise_all(
        DataError,
        heading,
        [f"column {column!r} is missing; add it (claims are data)" for column in missing],
    )
    claims = _as_text(table)
    faults = [] if len(claims) else ["there is no claim in it; one row a claim is needed"]
    faults += [fault for check in CHECKS for fault in check(claims, codebook)]
    raise_all(DataError, heading, faults)
    return claims


def _as_text(table: pd.DataFrame) -> pd.DataFrame:
    frame = table.reindex(columns=list(COLUMNS)).reset_index(drop=True)
    for column in COLUMNS:
        if pd.api.types.is_float_dtype(frame[column]):
            # A number of a typed format: 6.0 was printed as 6.
            frame[column] = frame[column].map("{:g}".format).where(frame[column].notna(), "")
        frame[column] = frame[column].astype("object").fillna("").astype("str").str.strip()
    for column in WORDS:
        frame[column] = frame[column].str.lower()
    for column in ("effect_size", "places_moved"):
        frame[column] = frame[column].str.replace(",", ".")
    return frame


def _id_faults(claims: pd.DataFrame, codebook: Codebook) -> list[str]:
    empty = int(claims["claim_id"].eq("").sum())
    faults = [f"column 'claim_id': {_rows(empty)} empty; give every claim an id"] if empty else []
    twice = claims.loc[claims.duplicated("claim_id") & claims["claim_id"].ne(""), "claim_id"]
    if len(twice):
        shown = _shown(twice)
        faults.append(f"column 'claim_id': {_rows(len(twice))} repeat an id ({shown}); rename them")
    return faults


def _word_faults(claims: pd.DataFrame, codebook: Codebook) -> list[str]:
    faults = []
    for column, allowed in WORDS.items():
        wrong = claims.loc[~claims[column].isin(allowed), column]
        if len(wrong):
            known = ", ".join(word or "(empty)" for word in allowed)
            faults.append(
                f"column {column!r}: {_rows(len(wrong))} hold {_shown(wrong)}; allowed: {known}"
            )
    return faults


def _outcome_faults(claims: pd.DataFrame, codebook: Codebook) -> list[str]:
    wrong = [text for text in claims["outcome"] if not expand_outcomes(text, codebook)]
    if not wrong:
        return []
    known = ", ".join(codebook.outcomes)
    return [
        f"column 'outcome': {_rows(len(wrong))} hold {_shown(wrong)}, which the codebook "
        f"{codebook.name!r} does not know; known: {known}, or the start of a code with *"
    ]


def _pattern_faults(claims: pd.DataFrame, codebook: Codebook) -> list[str]:
    by_text: dict[str, list[str]] = {}
    for row in claims.itertuples(index=False):
        for fault in combination_faults(str(row.combination), str(row.excludes), codebook):
            by_text.setdefault(fault, []).append(str(row.claim_id))
    return [
        f"columns 'combination' and 'excludes': {fault} ({_rows(len(ids))}: {_shown(ids)})"
        for fault, ids in by_text.items()
    ]


def _quantifier_faults(claims: pd.DataFrame, codebook: Codebook) -> list[str]:
    bare = [
        str(row.claim_id)
        for row in claims.itertuples(index=False)
        if not row.quantifier and any(map(has_wildcard, (str(row.combination), str(row.outcome))))
    ]
    if not bare:
        return []
    return [
        f"column 'quantifier': {_rows(len(bare))} speak of many estimates without saying of how "
        f"many ({_shown(bare)}); use one of {', '.join(QUANTIFIERS)}"
    ]


def _contradiction_faults(claims: pd.DataFrame, codebook: Codebook) -> list[str]:
    denied = claims["direction"].isin(["not_negative", "not_positive"])
    both = claims.loc[denied & claims["significant"].ne("unstated"), "claim_id"]
    if both.empty:
        return []
    return [
        f"columns 'direction' and 'significant': {_rows(len(both))} deny a direction and state a "
        f"significance ({_shown(both)}); not_negative and not_positive go with unstated"
    ]


def _number_faults(claims: pd.DataFrame, codebook: Codebook) -> list[str]:
    faults = []
    for column in ("effect_size", "places_moved"):
        given = claims.loc[claims[column].ne(""), column]
        wrong = given[~given.map(lambda text: bool(NUMBER.match(text)))]
        if len(wrong):
            faults.append(
                f"column {column!r}: {_rows(len(wrong))} hold no number ({_shown(wrong)}); "
                "leave it empty where the report prints none"
            )
    return faults


CHECKS: Final[tuple[Callable[[pd.DataFrame, Codebook], list[str]], ...]] = (
    _id_faults,
    _outcome_faults,
    _pattern_faults,
    _word_faults,
    _quantifier_faults,
    _contradiction_faults,
    _number_faults,
)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _shown(values: Sequence[str] | pd.Series) -> str:
    distinct = list(dict.fromkeys(values))
    rest = len(distinct) - SHOWN
    shown = ", ".join(repr(value) for value in distinct[:SHOWN])
    return f"{shown} and {rest} more" if rest > 0 else shown
