"""Whether two engines that share no code but a model's declaration say the same."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

KEYS = ("estimand", "outcome", "combination", "jobcenter")


def engine_differences(exact: pd.DataFrame, sampled: pd.DataFrame) -> pd.DataFrame:
    """Hold every reported quantity of one engine against the other's.

    Parameters
    ----------
    exact, sampled
        Posterior rows of the long frame, of the same model and cells.

    Returns
    -------
    pandas.DataFrame
        By estimand: ``quantities``; ``in_errors``, the worst difference of posterior means in
        Monte Carlo errors of the difference (of as many as there are quantities the largest is
        about ``chance`` by chance alone); ``in_sds``, in posterior standard deviations; and
        ``sd_ratio``, the posterior standard deviation that differs most, as a ratio.
    """
    both = exact.merge(sampled, on=list(KEYS), suffixes=("", "_sampled"), validate="one_to_one")
    both = both.dropna(subset=["mcse", "mcse_sampled"])
    gap = (both["estimate"] - both["estimate_sampled"]).abs()
    both["in_errors"] = gap / np.hypot(both["mcse"], both["mcse_sampled"])
    both["in_sds"] = gap / both["se"]
    both["log_ratio"] = np.log(both["se_sampled"] / both["se"])
    rows = [
        {
            "estimand": name,
            "quantities": len(group),
            "in_errors": float(group["in_errors"].max()),
            "chance": float(np.sqrt(2 * np.log(2 * len(group)))),
            "in_sds": float(group["in_sds"].max()),
            "sd_ratio": float(np.exp(_farthest(group["log_ratio"].to_list()))),
        }
        for name, group in both.groupby("estimand", sort=False)
    ]
    return pd.DataFrame(rows)


def _farthest(values: Sequence[float]) -> float:
    return max(values, key=abs)
