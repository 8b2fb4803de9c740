"""What the package holds of the report: codebooks, published facts, and targets solved for them.

Facts come as numbers, and as text where the decimals count. The targets (effects, standard
deviations, jobcenters' counts) are what ``scripts/maintenance/solve_targets.py`` found.
"""

import tomllib
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any, Final

import pandas as pd

from bipbayes.data.characteristics_codebook import CharacteristicsCodebook, parse_characteristics
from bipbayes.data.codebook import Codebook
from bipbayes.data.load_codebook import parse_codebook

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
LABELS: Final = ("outcome", "combination", "jobcenter", "estimand")


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
    """Return a table of the report's facts, one of the files of ``resources/report``.

    Parameters
    ----------
    name
        Of the file, such as ``claims``.

    Returns
    -------
    pandas.DataFrame
        A fresh copy. Codes and combinations are text, an empty text field is ``""``, an empty
        number ``NaN``.
    """
    return _read(name).copy()


def printed(name: str) -> pd.DataFrame:
    """Return a fact table with every field as text (``""`` where the report gives nothing)."""
    return _text("report", name).copy()


def audit_table(name: str) -> pd.DataFrame:
    """Return a table of ``resources/audit``: what bears on which printed number, as text."""
    return _text("audit", name).copy()


def _solved(name: str) -> pd.DataFrame:
    frame = _text("synthetic", name).copy()
    for column in frame.columns.difference(list(LABELS)):
        # Python's own conversion: the last bit of a target must be the same everywhere.
        frame[column] = [float(text or "nan") for text in frame[column]]
    return frame


def target_effects() -> pd.DataFrame:
    """Return the target effects: rows outcomes, columns combinations, in sd of progression."""
    return _solved("targets").set_index("combination").T


def nominal_sd() -> pd.Series:
    """Return the standard deviations of change that the targets count with, by outcome."""
    return _solved("sd").set_index("outcome")["sd"]


def jobcenter_table() -> pd.DataFrame:
    """Return analysed responses: rows jobcenters, columns combinations."""
    return _solved("jobcenters").set_index("jobcenter").astype("int64")


def stored_truth() -> pd.DataFrame:
    """Return the truth of the default calibrated simulation; see `simulate_truth`."""
    return _solved("truth")


def _table(name: str) -> dict[str, Any]:
    path = files("bipbayes.bip") / "resources" / f"{name}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


@cache
def bip_codebook() -> Codebook:
    """Return the codebook of the 2017 BIP report (Boxes 1 and 2, Table 2)."""
    codebook = parse_codebook(_table("codebook"))
    counts = jobcenter_table().loc[list(codebook.jobcenters), list(codebook.combinations)]
    shares = tuple(tuple(row) for row in counts.to_numpy().tolist())
    return replace(codebook, is_bip=True, shares=shares)


@cache
def bip_characteristics() -> CharacteristicsCodebook:
    """Return the 63 characteristics of the 2017 report's Tables 4 to 11."""
    return parse_characteristics(_table("characteristics"))
