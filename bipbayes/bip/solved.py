"""The solved targets that are package data; ``scripts/maintenance/solve_targets.py`` makes them."""

from importlib.resources import files
from typing import Final

import pandas as pd

LABELS: Final = ("outcome", "combination", "jobcenter", "estimand")


def _read(name: str) -> pd.DataFrame:
    path = files("bipbayes.bip") / "resources" / "synthetic" / f"{name}.csv"
    with path.open(encoding="utf-8") as stream:
        frame = pd.read_csv(stream, dtype="str", keep_default_na=False)
    for column in frame.columns.difference(list(LABELS)):
        # Python's own conversion: the last bit of a target must be the same everywhere.
        frame[column] = [float(text or "nan") for text in frame[column]]
    return frame


def target_effects() -> pd.DataFrame:
    """Return the target effects: rows outcomes, columns combinations, in sd of progression."""
    return _read("targets").set_index("combination").T


def nominal_sd() -> pd.Series:
    """Return the standard deviations of change that the targets count with, by outcome."""
    return _read("sd").set_index("outcome")["sd"]


def jobcenter_table() -> pd.DataFrame:
    """Return analysed responses: rows jobcenters, columns combinations."""
    return _read("jobcenters").set_index("jobcenter").astype("int64")


def stored_truth() -> pd.DataFrame:
    """Return the truth of the default calibrated simulation; see `simulate_truth`."""
    return _read("truth")
