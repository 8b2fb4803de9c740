"""Whether two engines that share no code but a model's declaration say the same."""

from typing import Final

import numpy as np
import pandas as pd
from scipy import stats

KEYS: Final = ("estimand", "outcome", "combination", "jobcenter")
MEASURES: Final = ("in_errors", "in_sds", "sd_ratio")
FALSE_ALARM: Final = 1e-3  # of a comparison in which nothing differs but the draws


def engine_differences(exact: pd.DataFrame, sampled: pd.DataFrame) -> pd.DataFrame:
    """Hold every reported quantity of one engine against the other's.

    Parameters
    ----------
    exact, sampled
        Posterior rows of the long frame, of the same model and cells.

    Returns
    -------
    pandas.DataFrame
        `KEYS` and `MEASURES`, one row a quantity: the difference of posterior means in Monte
        Carlo errors of the difference, and in posterior standard deviations; the ratio of
        posterior standard deviations.
    """
    both = exact.merge(sampled, on=list(KEYS), suffixes=("", "_sampled"), validate="one_to_one")
    both = both.dropna(subset=["mcse", "mcse_sampled"])
    gap = (both["estimate"] - both["estimate_sampled"]).abs()
    errors = np.hypot(both["mcse"], both["mcse_sampled"])
    ratio = both["se_sampled"] / both["se"]
    found = both.assign(in_errors=gap / errors, in_sds=gap / both["se"], sd_ratio=ratio)
    return found[[*KEYS, *MEASURES]].reset_index(drop=True)


def worst_differences(differences: pd.DataFrame) -> pd.DataFrame:
    """Find the quantity of every estimand that differs most, by each measure.

    Parameters
    ----------
    differences
        From `engine_differences`.

    Returns
    -------
    pandas.DataFrame
        `KEYS` of that quantity, ``quantities`` (so many were compared), ``measure``, ``worst``,
        and ``chance``: about what the largest of so many differences in errors is by chance, had
        they nothing to do with each other (``NaN`` for other measures).
    """
    rows = []
    for _, group in differences.groupby("estimand", sort=False):
        for measure in MEASURES:
            size = group[measure]
            size = np.log(size).abs() if measure == "sd_ratio" else size
            worst = group.iloc[[int(size.argmax())]].to_dict("records")[0]
            chance = np.sqrt(2 * np.log(2 * len(group))) if measure == "in_errors" else np.nan
            rows.append(
                {
                    **{key: worst[key] for key in KEYS},
                    "quantities": len(group),
                    "measure": measure,
                    "worst": worst[measure],
                    "chance": float(chance),
                }
            )
    return pd.DataFrame(rows)


def limit(quantities: int) -> float:
    """Difference in Monte Carlo errors that chance reaches once in a thousand comparisons.

    Parameters
    ----------
    quantities
        So many are compared; that they go together makes it rarer still.
    """
    return float(stats.norm.isf(FALSE_ALARM / (2 * quantities)))
