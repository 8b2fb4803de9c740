"""Who gets what: Tables 4 to 11 by the overlapping groups.

The unit is the response of the analysis sample, as in the report: a citizen counts once for
each counted response, and a response with two treatments counts in both groups. So neither
groups nor responses are independent, and no p values are given.
"""

from itertools import combinations

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.data.characteristics import Characteristics
from bipbayes.data.characteristics_codebook import Characteristic
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import jobcenter_order
from bipbayes.describe.sample import counted_responses, group_labels, memberships


def joined_responses(
    progression: xr.Dataset, characteristics: Characteristics, *, codebook: Codebook
) -> pd.DataFrame:
    """Return the counted responses with their citizen's characteristics.

    Responses of citizens without characteristics keep their row, with ``NaN``.
    """
    responses = counted_responses(progression, codebook)
    return responses.merge(characteristics.citizens, on="citizen", how="left", validate="m:1")


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
    joined = joined_responses(progression, characteristics, codebook=codebook)
    groups = memberships(joined["combination"], codebook)
    rows = [
        {**_keys(entry), "group": group, **_describe(joined[groups[group]], entry)}
        for entry in characteristics.codebook.characteristics
        for group in group_labels(codebook)
    ]
    return pd.DataFrame(rows)


def _keys(entry: Characteristic) -> dict[str, object]:
    return {
        "table": entry.table,
        "section_en": entry.section.get("en", ""),
        "row_en": entry.label.get("en", entry.column),
        "column": entry.column,
    }


def _describe(rows: pd.DataFrame, entry: Characteristic) -> dict[str, object]:
    known = rows.loc[rows[entry.column].notna(), ["citizen", entry.column]]
    values = known[entry.column]
    scale = 100.0 if entry.percent else 1.0
    return {
        "value": scale * values.mean(),
        "unit": entry.unit,
        "sd": scale * values.std(ddof=1),
        "n": len(values),
        "n_citizens": known["citizen"].nunique(),
        "n_carriers": known.loc[values > 0, "citizen"].nunique(),
    }


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
    rows = [
        _jobcenter_share(responses[groups[group]], jobcenter, group=group)
        for jobcenter in labels
        for group in group_labels(codebook)
    ]
    return pd.DataFrame(rows, columns=["jobcenter", "group", "percent", "n", "n_citizens"])


def _jobcenter_share(responses: pd.DataFrame, jobcenter: str, *, group: str) -> dict[str, object]:
    here = responses[responses["jobcenter"] == jobcenter]
    return {
        "jobcenter": jobcenter,
        "group": group,
        "percent": 100 * len(here) / len(responses) if len(responses) else np.nan,
        "n": len(here),
        "n_citizens": here["citizen"].nunique(),
    }


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
    pairs = combinations(group_labels(codebook), 2)
    frames = [_difference(table, group, reference) for group, reference in pairs]
    return pd.concat(frames, ignore_index=True)


def _difference(table: pd.DataFrame, group: str, reference: str) -> pd.DataFrame:
    keys = ["table", "section_en", "row_en", "column"]
    measures = ["value", "sd"]
    one = table.loc[table["group"] == group, [*keys, *measures]]
    other = table.loc[table["group"] == reference, [*keys, *measures]]
    both = one.merge(other, on=keys, suffixes=("", "_reference"), validate="1:1")
    variance = (both["sd"] ** 2 + both["sd_reference"] ** 2) / 2
    gap = both["value"] - both["value_reference"]
    frame = both[keys].assign(group=group, reference=reference)
    return frame.assign(difference=gap / np.sqrt(variance.where(variance > 0)))
