"""How many distinct citizens stand behind each cell, and how alike their changes are."""

from dataclasses import dataclass
from typing import Final

import pandas as pd
import xarray as xr

from bipbayes.data.codebook import Codebook

KEYS: Final = ["outcome", "combination", "jobcenter"]
MOST_ALIKE: Final = 0.9  # share of a cell in one category from which the cell tells of each member


@dataclass(frozen=True)
class Cells:
    """The cells that numbers rest on.

    Attributes
    ----------
    frame
        ``outcome``, ``combination``, ``jobcenter`` (``""``: all), ``n`` (changes), ``citizens``
        (distinct ones), ``alike`` (largest share of changes that are the same).
    rows
        The changes themselves: ``citizen``, ``date``, ``combination``, ``jobcenter``,
        ``outcome``, ``change``; individual data.
    """

    frame: pd.DataFrame
    rows: pd.DataFrame


def count_cells(progression: xr.Dataset, codebook: Codebook) -> Cells:
    """Count a study's cells, by jobcenter and over all of them.

    Parameters
    ----------
    progression
        Dims ``response``, ``outcome``.
    codebook
        The outcomes.
    """
    kept = progression["analysed"].to_numpy()
    names = ("citizen", "date", "combination", "jobcenter")
    people = pd.DataFrame({name: progression[name].to_numpy()[kept] for name in names})
    change = progression["change"].transpose("response", "outcome").to_numpy()[kept]
    outcomes = progression["outcome"].to_numpy().astype(str)
    parts = [
        people.assign(outcome=name, change=change[:, list(outcomes).index(name)])
        for name in codebook.outcomes
    ]
    rows = pd.concat(parts, ignore_index=True).dropna(subset="change")
    frame = pd.concat([_counted(rows.assign(jobcenter="")), _counted(rows)], ignore_index=True)
    return Cells(frame, rows)


def _counted(rows: pd.DataFrame) -> pd.DataFrame:
    cells = rows.groupby(KEYS, sort=False)["citizen"]
    counted = pd.DataFrame({"n": cells.size(), "citizens": cells.nunique()})
    same = rows.groupby([*KEYS, "change"], sort=False)["citizen"].size()
    # A citizen with several changes is in one category with each: changes are what is shared.
    counted["alike"] = same.groupby(level=KEYS, sort=False).max() / counted["n"]
    return counted.reset_index()
