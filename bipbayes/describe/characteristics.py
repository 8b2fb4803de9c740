"""Who gets what: Tables 4 to 11 by the overlapping groups.

The unit is the response of the analysis sample, as in the report: a citizen counts once for
each counted response, and a response with two treatments counts in both groups. So neither
groups nor responses are independent, and no p values are given.
"""

from itertools import combinations
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bipbayes.data.characteristics import Characteristics
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import counted_responses, group_labels, jobcenter_order, memberships


def characteristic_table(
    progression: xr.Dataset, characteristics: Characteristics, *, codebook: Codebook
) -> pd.DataFrame:
    """Describe each group of responses by its citizens' characteristics (Tables 4 to 11).

    Parameters
    ----------
    progression
        Dims ``response``, ``outcome``.
    characteristics
        One row a citizen.
    codebook
        The treatments, which make the groups.

    Returns
    -------
    pandas.DataFrame
        ``table``, ``section_en``, ``row_en`` (the report's keys), ``column``, ``group``,
        ``value`` (percent, or the unit's mean), ``unit``, ``sd`` (in the same unit), ``n``
        (responses with the characteristic known), ``n_citizens`` (theirs), ``n_carriers``
        (citizens with a value above zero). Rows in the order of the tables, groups inside.
    """
    counts = citizen_counts(progression, characteristics, codebook=codebook)
    frames = [
        _describe(characteristics, counts[group].to_numpy()) for group in group_labels(codebook)
    ]
    table = pd.concat(frames, keys=group_labels(codebook), names=["group", "place"])
    table = table.reset_index().sort_values("place", kind="stable").reset_index(drop=True)
    return table[_COLUMNS]


def citizen_counts(
    progression: xr.Dataset, characteristics: Characteristics, *, codebook: Codebook
) -> pd.DataFrame:
    """Count each citizen's responses by group.

    Returns
    -------
    pandas.DataFrame
        One row a citizen of the characteristics, in their order; one column a group.
    """
    responses = counted_responses(progression, codebook)
    counts = memberships(responses["combination"], codebook).groupby(responses["citizen"]).sum()
    return counts.reindex(characteristics.citizens["citizen"], fill_value=0).reset_index(drop=True)


def _describe(characteristics: Characteristics, counts: NDArray[np.int64]) -> pd.DataFrame:
    """One row a characteristic for one group; `counts` are the citizens' responses in it."""
    entries = characteristics.codebook.characteristics
    values = characteristics.citizens[[entry.column for entry in entries]].to_numpy()
    values = values * [100.0 if entry.percent else 1.0 for entry in entries]
    known, inside = ~np.isnan(values), (counts > 0)[:, None]
    weights = np.where(known, counts[:, None], 0)
    n, filled = weights.sum(axis=0), np.where(known, values, 0.0)
    mean = (weights * filled).sum(axis=0) / np.where(n > 0, n, np.nan)
    squares = (weights * (filled - mean) ** 2).sum(axis=0)
    return pd.DataFrame(
        {
            "table": [entry.table for entry in entries],
            "section_en": [entry.section.get("en", "") for entry in entries],
            "row_en": [entry.label.get("en", entry.column) for entry in entries],
            "column": [entry.column for entry in entries],
            "value": mean,
            "unit": [entry.unit for entry in entries],
            "sd": np.sqrt(squares / np.where(n > 1, n - 1, np.nan)),
            "n": n,
            "n_citizens": (known & inside).sum(axis=0),
            "n_carriers": (known & inside & (values > 0)).sum(axis=0),
        }
    )


_COLUMNS: Final = [
    *("table", "section_en", "row_en", "column", "group"),
    *("value", "unit", "sd", "n", "n_citizens", "n_carriers"),
]


def jobcenter_table(progression: xr.Dataset, codebook: Codebook) -> pd.DataFrame:
    """Share of each group's responses by jobcenter (the jobcenter rows of Table 4).

    Returns
    -------
    pandas.DataFrame
        ``jobcenter``, ``group``, ``percent`` (sums to 100 within a group), ``n``,
        ``n_citizens``; jobcenters in the codebook's order.
    """
    responses = counted_responses(progression, codebook)
    groups = memberships(responses["combination"], codebook)
    labels = jobcenter_order(responses["jobcenter"].to_numpy(dtype=str), codebook)
    frames = [
        _jobcenter_shares(responses[groups[group]], group) for group in group_labels(codebook)
    ]
    index = pd.MultiIndex.from_product(
        [labels, group_labels(codebook)], names=["jobcenter", "group"]
    )
    table = pd.concat(frames).reindex(index)
    table[["n", "n_citizens"]] = table[["n", "n_citizens"]].fillna(0).astype("int64")
    total = table.groupby("group")["n"].transform("sum")
    table["percent"] = 100 * table["n"] / total.where(total > 0)
    return table.reset_index()[["jobcenter", "group", "percent", "n", "n_citizens"]]


def _jobcenter_shares(responses: pd.DataFrame, group: str) -> pd.DataFrame:
    """Responses and citizens of one group by jobcenter (only the jobcenters it has)."""
    grouped = responses.assign(group=group).groupby(["jobcenter", "group"])["citizen"]
    return pd.DataFrame({"n": grouped.size(), "n_citizens": grouped.nunique()})


def differences(table: pd.DataFrame, codebook: Codebook) -> pd.DataFrame:
    """Standardised differences between all pairs of groups.

    The difference of the two means over the root of the mean of the two variances (Austin
    2009, Statistics in Medicine 28:3083); 0.1 is often taken as worth attention. Groups
    overlap, so differences between two treatments are smaller than between people who got only
    one of them.

    Parameters
    ----------
    table
        Rows of `characteristic_table`.
    codebook
        Order of the groups.

    Returns
    -------
    pandas.DataFrame
        ``table``, ``section_en``, ``row_en``, ``column``, ``group``, ``reference``,
        ``difference`` (group minus reference, in standard deviations; ``NaN`` where neither
        group varies).
    """
    keys = ["table", "section_en", "row_en", "column"]
    rows = table[keys].drop_duplicates("column").reset_index(drop=True)
    wide = {
        name: table.pivot(index="column", columns="group", values=name).loc[rows["column"]]
        for name in ("value", "sd")
    }
    frames = []
    for group, reference in combinations(group_labels(codebook), 2):
        gap = wide["value"][group] - wide["value"][reference]
        variance = (wide["sd"][group] ** 2 + wide["sd"][reference] ** 2) / 2
        difference = (gap / np.sqrt(variance.where(variance > 0))).to_numpy()
        frames.append(rows.assign(group=group, reference=reference, difference=difference))
    return pd.concat(frames, ignore_index=True)
