"""The solved targets that are package data; `bipbayes.synthetic.solve` makes them."""

from importlib.resources import files

import pandas as pd


def _read(name: str, **types: str) -> pd.DataFrame:
    path = files("bipbayes") / "resources" / "synthetic" / f"{name}.csv"
    with path.open(encoding="utf-8") as stream:
        # Round-trip parsing: the last bit of a target must be the same everywhere.
        return pd.read_csv(
            stream, dtype=types, float_precision="round_trip", keep_default_na=False, na_values=[]
        )


def target_effects() -> pd.DataFrame:
    """Return the target effects: rows outcomes, columns combinations, in sd of progression."""
    return _read("targets", combination="str").set_index("combination").T


def nominal_sd() -> pd.Series:
    """Return the standard deviations of change that the targets count with, by outcome."""
    return _read("sd").set_index("outcome")["sd"]


def jobcenter_table() -> pd.DataFrame:
    """Return analysed responses: rows jobcenters, columns combinations."""
    return _read("jobcenters", jobcenter="str").set_index("jobcenter")


def stored_truth() -> pd.DataFrame:
    """Return the truth of the default calibrated simulation."""
    frame = _read("truth", outcome="str", combination="str", jobcenter="str", estimand="str")
    return frame.assign(mcse=pd.to_numeric(frame["mcse"]))
