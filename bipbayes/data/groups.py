"""Whom the tables count: the analysis sample of Table 3 and the overlapping groups."""

from typing import Final

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.data.codebook import NO_TREATMENT, Codebook

NO_GROUP: Final = NO_TREATMENT
"""The group of responses without any treatment; the only one that overlaps with none."""


def counted_responses(progression: xr.Dataset, codebook: Codebook) -> pd.DataFrame:
    """Return the responses that Tables 3 to 11 count.

    The report's counts are those of its first indicator: responses with known activities and
    a change of that indicator (Table 3, ``inconsistencies.csv`` X10).

    Parameters
    ----------
    progression
        Dims ``response``, ``outcome``.
    codebook
        Its first indicator decides.

    Returns
    -------
    pandas.DataFrame
        ``response`` (position), ``citizen``, ``jobcenter``, ``date``, ``combination``; one row a
        response, in file order.
    """
    first = progression["change"].sel(outcome=codebook.indicator_codes[0])
    counted = (first.notnull() & progression["analysed"]).to_numpy()
    names = ("response", "citizen", "jobcenter", "date", "combination")
    return pd.DataFrame({name: progression[name].to_numpy()[counted] for name in names})


def group_labels(codebook: Codebook) -> tuple[str, ...]:
    """Return the groups of Tables 4 to 11: one a treatment, then ``none``."""
    return (*codebook.treatment_codes, NO_GROUP)


def memberships(combinations: pd.Series, codebook: Codebook) -> pd.DataFrame:
    """Say which groups each response belongs to.

    Groups overlap, as in the report: a response with J and S counts in both.

    Parameters
    ----------
    combinations
        Text such as ``"1010"``; no empty ones.
    codebook
        Order of the digits.

    Returns
    -------
    pandas.DataFrame
        Booleans, one column a group (`group_labels`), the index of `combinations`.
    """
    known = {
        combination: [
            codebook.has_treatment(combination, code) for code in codebook.treatment_codes
        ]
        for combination in codebook.combinations
    }
    treated = np.array([known[text] for text in combinations], dtype=bool)
    treated = treated.reshape(len(combinations), len(codebook.treatments))
    table = np.column_stack([treated, ~treated.any(axis=1)])
    return pd.DataFrame(table, index=combinations.index, columns=list(group_labels(codebook)))


def consecutive_responses(progression: xr.Dataset) -> pd.DataFrame:
    """Return each pair of a citizen's responses that follow one another in time.

    Returns
    -------
    pandas.DataFrame
        ``citizen``, ``earlier``, ``later`` (positions along ``response``); one row a pair, all
        responses included, whatever was answered.
    """
    citizens = progression["citizen"].to_numpy()
    codes = pd.factorize(citizens)[0]
    order = np.lexsort((progression["date"].to_numpy().astype("int64"), codes))
    same = codes[order][1:] == codes[order][:-1]
    earlier, later = order[:-1][same], order[1:][same]
    return pd.DataFrame({"citizen": citizens[later], "earlier": earlier, "later": later})
