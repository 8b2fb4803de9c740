"""How activities persist from one response to the citizen's next one."""

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.data.activities import UNKNOWN
from bipbayes.data.codebook import Codebook
from bipbayes.data.groups import consecutive_responses, group_labels, memberships


def transitions(progression: xr.Dataset) -> pd.DataFrame:
    """Return the pairs of consecutive responses whose activities are both known.

    Returns
    -------
    pandas.DataFrame
        ``citizen``, ``earlier``, ``later`` (positions), ``previous`` and ``combination`` (the
        combinations of the two), one row a pair.
    """
    pairs = consecutive_responses(progression)
    text = progression["combination"].to_numpy()
    pairs["previous"] = text[pairs["earlier"].to_numpy()]
    pairs["combination"] = text[pairs["later"].to_numpy()]
    known = (pairs["previous"] != UNKNOWN) & (pairs["combination"] != UNKNOWN)
    return pairs[known].reset_index(drop=True)


def transition_table(progression: xr.Dataset, codebook: Codebook) -> pd.DataFrame:
    """Count how combinations follow one another.

    Parameters
    ----------
    progression
        Dims ``response``, ``outcome``; the first responses of a citizen count as ``previous``.
    codebook
        All pairs of its combinations have a row.

    Returns
    -------
    pandas.DataFrame
        ``previous``, ``combination``, ``n`` (pairs of responses), ``n_citizens``, ``n_previous``
        (pairs that start there), ``percent`` of these (``NaN`` where there is none).
    """
    pairs = transitions(progression)
    order = list(codebook.combinations)
    index = pd.MultiIndex.from_product([order, order], names=["previous", "combination"])
    grouped = pairs.groupby(["previous", "combination"])["citizen"]
    table = pd.DataFrame(
        {
            "n": grouped.size().reindex(index, fill_value=0),
            "n_citizens": grouped.nunique().reindex(index, fill_value=0),
        }
    ).reset_index()
    total = table.groupby("previous")["n"].transform("sum")
    return table.assign(n_previous=total, percent=100 * table["n"] / total.where(total > 0))


def treatment_persistence(progression: xr.Dataset, codebook: Codebook) -> pd.DataFrame:
    """Say how often each treatment is given again, and how often it begins.

    Returns
    -------
    pandas.DataFrame
        One row a treatment and one for ``none``: ``group``; ``n_with`` (pairs with it at the
        earlier response), ``again`` (percent of these with it at the later one too);
        ``n_without``, ``begun`` (percent of these with it at the later one);
        ``odds_ratio`` of the two (``NaN`` where a count is zero).
    """
    pairs = transitions(progression)
    before = memberships(pairs["previous"], codebook)
    after = memberships(pairs["combination"], codebook)
    rows = [_persistence(before[group], after[group]) for group in group_labels(codebook)]
    return pd.DataFrame(rows)


def _persistence(before: pd.Series, after: pd.Series) -> dict[str, object]:
    kept, begun = int((before & after).sum()), int((~before & after).sum())
    lost, never = int((before & ~after).sum()), int((~before & ~after).sum())
    product = lost * begun
    return {
        "group": before.name,
        "n_with": kept + lost,
        "again": 100 * kept / (kept + lost) if kept + lost else np.nan,
        "n_without": begun + never,
        "begun": 100 * begun / (begun + never) if begun + never else np.nan,
        "odds_ratio": kept * never / product if product and kept * never else np.nan,
    }
