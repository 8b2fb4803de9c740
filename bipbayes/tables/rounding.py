"""How many decimals a posterior number may show: never finer than its Monte Carlo error."""

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

MOST_DECIMALS: Final = 3
PROBABILITY_DECIMALS: Final = 2


@cache
def limit_factor(level: float) -> float:
    """Return how much larger the Monte Carlo error of a limit is than that of the mean.

    A quantile p of a normal posterior has the standard error ``sqrt(p (1 - p)) / phi(z_p)``
    posterior standard deviations over ``sqrt(ESS)``: 2.67 for the limits of a 95 % interval.

    Parameters
    ----------
    level
        Probability of the interval, such as 0.95.
    """
    tail = (1 - level) / 2
    return float(np.sqrt(tail * (1 - tail)) / norm.pdf(norm.ppf(tail)))


def decimals(mcse: npt.ArrayLike, *, most: int = MOST_DECIMALS) -> npt.NDArray[np.int64]:
    """Return ``-floor(log10(2 MCSE))``, at least 0 and at most `most`; `most` where unknown.

    Parameters
    ----------
    mcse
        Monte Carlo standard errors, any shape.
    most
        Largest number of decimals.
    """
    error = np.asarray(mcse, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        wanted = -np.floor(np.log10(2 * error))
    wanted = np.where(np.isfinite(wanted), wanted, most)
    return np.clip(wanted, 0, most).astype(np.int64)


def row_decimals(rows: pd.DataFrame, *, sd: str) -> npt.NDArray[np.int64]:
    """Return the decimals for each row: those that its least certain number, a limit, allows.

    Parameters
    ----------
    rows
        With the column `sd`, ``level`` and either ``ess_bulk`` and ``ess_tail`` or ``mcse``
        (of the mean, which gives the effective sample size).
    sd
        Column of posterior standard deviations.
    """
    if {"ess_bulk", "ess_tail"} <= set(rows.columns):
        ess = rows[["ess_bulk", "ess_tail"]].min(axis=1)
    else:
        ess = (rows[sd] / rows["mcse"]) ** 2
    factors = rows["level"].map(limit_factor)
    return decimals(factors * rows[sd] / np.sqrt(ess))
