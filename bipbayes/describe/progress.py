"""Progression described: Table 1, the share with no change, and histograms with fixed bins."""

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.data.codebook import Codebook


def sample_changes(progression: xr.Dataset, outcome: str) -> pd.DataFrame:
    """Return ``change`` (scale points) and ``citizen`` (a number) of an outcome's sample."""
    change = progression["change"].sel(outcome=outcome).to_numpy()
    kept = progression["analysed"].to_numpy() & ~np.isnan(change)
    citizen = pd.factorize(progression["citizen"].to_numpy())[0]
    return pd.DataFrame({"change": change[kept], "citizen": citizen[kept]})


def progress_table(progression: xr.Dataset, codebook: Codebook) -> pd.DataFrame:
    """Mean progression by outcome (the report's Table 1), with spread and share of no change.

    Parameters
    ----------
    progression
        Dims ``response``, ``outcome``.
    codebook
        Order of the outcomes.

    Returns
    -------
    pandas.DataFrame
        ``outcome``, ``respondent``, ``mean`` and ``sd`` (scale points from one answer to the
        next), ``n`` (changes), ``n_citizens``, ``unchanged``, ``forward`` and ``back`` (percent
        of changes that are zero, positive, negative).
    """
    rows = []
    for outcome in codebook.outcomes:
        sample = sample_changes(progression, outcome)
        change = sample["change"]
        rows.append(
            {
                "outcome": outcome,
                "respondent": codebook.respondent_of(outcome),
                "mean": change.mean(),
                "sd": change.std(ddof=1),
                "n": len(change),
                "n_citizens": sample["citizen"].nunique(),
                "unchanged": 100 * (change == 0).mean(),
                "forward": 100 * (change > 0).mean(),
                "back": 100 * (change < 0).mean(),
            }
        )
    return pd.DataFrame(rows)


def steps_a_point(codebook: Codebook, outcome: str) -> int:
    """Return how many steps an outcome has a scale point: 1, or an average's members."""
    if outcome in codebook.average_codes:
        return len(codebook.members(outcome))
    return 1


def change_histogram(progression: xr.Dataset, codebook: Codebook, *, outcome: str) -> pd.DataFrame:
    """Count the changes of an outcome in fixed bins (Figures 1 and 2, the appendix).

    One bin for each change that the scale allows, whatever the data: whole points for an
    indicator, steps of 1/9 for the average of nine. The middle bin is exactly "no change".

    Returns
    -------
    pandas.DataFrame
        ``outcome``, ``lower``, ``centre``, ``upper`` (scale points), ``n``, ``n_citizens``,
        ``percent`` (of the outcome's changes); empty bins keep their row.
    """
    steps = steps_a_point(codebook, outcome)
    reach = (codebook.scale[1] - codebook.scale[0]) * steps
    sample = sample_changes(progression, outcome)
    place = np.rint(sample["change"].to_numpy() * steps).astype("int64") + reach
    bins = 2 * reach + 1
    n = np.bincount(place, minlength=bins)
    pairs = sample.assign(place=place).drop_duplicates(["place", "citizen"])
    centre = np.arange(-reach, reach + 1) / steps
    return pd.DataFrame(
        {
            "outcome": outcome,
            "lower": centre - 0.5 / steps,
            "centre": centre,
            "upper": centre + 0.5 / steps,
            "n": n,
            "n_citizens": np.bincount(pairs["place"], minlength=bins),
            "percent": 100 * n / max(len(place), 1),
        }
    )


def change_histograms(progression: xr.Dataset, codebook: Codebook) -> pd.DataFrame:
    """Return the rows of `change_histogram` for every outcome, under one another."""
    frames = [change_histogram(progression, codebook, outcome=code) for code in codebook.outcomes]
    return pd.concat(frames, ignore_index=True)
