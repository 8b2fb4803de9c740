"""The report's published facts (package data): as numbers, and as text with their decimals."""

from functools import cache
from importlib.resources import files
from typing import Final

import pandas as pd

FACTS: Final = (
    "activities",
    "aggregates",
    "characteristics",
    "claims",
    "combinations",
    "figures",
    "inconsistencies",
    "indicators",
    "jobcenters",
)
_NUMBERS: Final = {
    "aggregates": ("mean_progression", "n_progression", "figure"),
    "characteristics": ("table", "value"),
    "claims": ("effect_size", "places_moved", "source_line"),
    "combinations": ("j", "o", "s", "h", "n", "percent_published"),
    "figures": ("source_line",),
    "activities": ("number",),
    "indicators": ("mean_progression", "n_progression", "figure"),
    "jobcenters": ("percent",),
}


@cache
def _text(folder: str, name: str) -> pd.DataFrame:
    path = files("bipbayes.bip") / "resources" / folder / f"{name}.csv"
    with path.open(encoding="utf-8") as stream:
        # Group "none" and combination "0101" are text.
        return pd.read_csv(stream, dtype="str", keep_default_na=False)


@cache
def _read(name: str) -> pd.DataFrame:
    frame = printed(name)
    for column in _NUMBERS.get(name, ()):
        frame[column] = pd.to_numeric(frame[column].replace("", None))
    return frame


def fact(name: str) -> pd.DataFrame:
    """Return one of the report's fact tables.

    Parameters
    ----------
    name
        One of `FACTS`, each a CSV file of the report's printed tables, figures and statements.

    Returns
    -------
    pandas.DataFrame
        A fresh copy. Codes and combinations are text, an empty text field is ``""``, an empty
        number ``NaN``.
    """
    if name not in FACTS:
        raise ValueError(f"there are no facts called {name!r}; known: {', '.join(FACTS)}")
    return _read(name).copy()


def printed(name: str) -> pd.DataFrame:
    """Return a fact table with every field as text (``""`` where the report gives nothing)."""
    return _text("report", name).copy()


def audit_table(name: str) -> pd.DataFrame:
    """Return a table of ``resources/audit``: what bears on which printed number, as text."""
    return _text("audit", name).copy()
