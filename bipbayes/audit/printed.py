"""The report's facts as they are printed: text, so that the decimals of a number are kept."""

from functools import cache
from importlib.resources import files

import pandas as pd


@cache
def _read(folder: str, name: str) -> pd.DataFrame:
    path = files("bipbayes") / "resources" / folder / f"{name}.csv"
    with path.open(encoding="utf-8") as stream:
        return pd.read_csv(stream, dtype="str", keep_default_na=False)


def printed(name: str) -> pd.DataFrame:
    """Return a fact table with every field as text (``""`` where the report gives nothing)."""
    return _read("report", name).copy()


def audit_table(name: str) -> pd.DataFrame:
    """Return a table of ``resources/audit``: what bears on which printed number, as text."""
    return _read("audit", name).copy()


def decimals(text: str) -> int:
    """Return the number of decimals that a number was printed with (``"0.020"`` has 3)."""
    return len(text.partition(".")[2])
