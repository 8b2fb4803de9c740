"""Activities described: Box 2 and Table 2 from the codebook, Table 3 from the responses.

Also how activities persist from one response to the citizen's next one.
"""

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.data.codebook import DO_NOT_KNOW, NO_TREATMENT, Codebook
from bipbayes.data.columns import UNKNOWN
from bipbayes.data.sample import consecutive_responses, counted_responses, group_labels, memberships
from bipbayes.data.study_words import in_language


def activity_boxes(codebook: Codebook, *, language: str = "en") -> pd.DataFrame:
    """List the tick boxes (Box 2): ``number``, ``column``, ``label``, ``role``."""
    rows = [
        {
            "number": activity.number,
            "column": activity.column,
            "label": in_language(activity.label, language) or activity.column,
            "role": activity.role,
        }
        for activity in codebook.activities
    ]
    return pd.DataFrame(rows, columns=["number", "column", "label", "role"])


def activity_groups(codebook: Codebook, *, language: str = "en") -> pd.DataFrame:
    """List which activities make which treatment (Table 2).

    Returns
    -------
    pandas.DataFrame
        ``treatment``, ``treatment_label``, ``number``, ``label``, in the order of the
        treatments; "none" and "don't know" belong to none and are left out.
    """
    boxes = activity_boxes(codebook, language=language)
    boxes = boxes[~boxes["role"].isin([NO_TREATMENT, DO_NOT_KNOW])]
    labels = {entry.code: in_language(entry.label, language) for entry in codebook.treatments}
    order = {code: place for place, code in enumerate(codebook.treatment_codes)}
    groups = boxes.rename(columns={"role": "treatment"})
    groups["treatment_label"] = groups["treatment"].map(labels)
    groups = groups.sort_values(
        ["treatment", "number"], key=lambda c: c.map(order) if c.name == "treatment" else c
    )
    columns = ["treatment", "treatment_label", "number", "label"]
    return groups[columns].reset_index(drop=True)


def combination_table(progression: xr.Dataset, codebook: Codebook) -> pd.DataFrame:
    """Count responses by combination (Table 3: those of the first indicator).

    Parameters
    ----------
    progression
        Dims ``response``, ``outcome``.
    codebook
        All its combinations have a row, in binary order.

    Returns
    -------
    pandas.DataFrame
        ``combination``, ``treatments`` (how many), ``n`` (responses), ``n_citizens``,
        ``percent`` (of all counted responses).
    """
    responses = counted_responses(progression, codebook)
    order = list(codebook.combinations)
    grouped = responses.groupby("combination")["citizen"]
    n = grouped.size().reindex(order, fill_value=0)
    return pd.DataFrame(
        {
            "combination": order,
            "treatments": [combination.count("1") for combination in order],
            "n": n.to_numpy(),
            "n_citizens": grouped.nunique().reindex(order, fill_value=0).to_numpy(),
            "percent": 100 * n.to_numpy() / max(len(responses), 1),
        }
    )


def treatment_table(combinations: pd.DataFrame, codebook: Codebook) -> pd.DataFrame:
    """Count responses with each treatment, alone or with others.

    Parameters
    ----------
    combinations
        Rows of `combination_table`.
    codebook
        Order of the treatments.

    Returns
    -------
    pandas.DataFrame
        ``treatment``, ``n``, ``percent`` (they sum to more than 100: treatments overlap).
    """
    rows = []
    for code in codebook.treatment_codes:
        with_it = [codebook.has_treatment(text, code) for text in combinations["combination"]]
        part = combinations[with_it]
        rows.append({"treatment": code, "n": part["n"].sum(), "percent": part["percent"].sum()})
    return pd.DataFrame(rows)


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
