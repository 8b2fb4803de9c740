"""What a regression of this size could find: power and the errors of what it calls significant.

For an estimate with standard error s of a true effect D, tested at 1 - level (Gelman and Carlin
2014, Perspectives on Psychological Science 9:641-651):

- power: P(significant);
- type S: P(wrong sign | significant);
- type M: E(|estimate| | significant) / |D|, the exaggeration.

With X = estimate / s = d + T, d = D / s, T standard normal with density f and distribution F, and
z its two-sided critical value, these are closed forms (Lu, Qiu and Deng 2019, British Journal of
Mathematical and Statistical Psychology 72:1-17):

    power  = F(d - z) + F(-d - z)
    type S = F(-d - z) / power                                            (d > 0)
    type M = [d F(d - z) - d F(-d - z) + f(z - d) + f(z + d)] / (d power)
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

TRUE_EFFECTS: Final = (0.05, 0.1, 0.2)
Numbers = NDArray[np.float64]


def design_errors(
    true_effect: ArrayLike, se: ArrayLike, *, level: float
) -> tuple[Numbers, Numbers, Numbers]:
    """Return power, type S and type M.

    `true_effect`: effects assumed true, not zero; any sign, any shape; `se`: standard errors, above
    zero, in the same units; broadcast with `true_effect`; `level`: level of the intervals;
    significant means that zero lies outside.

    Returns: power, type S (both probabilities) and type M (a factor of at least about 1).
    """
    d = np.abs(np.asarray(true_effect, dtype=float)) / np.asarray(se, dtype=float)
    z = stats.norm.ppf((1 + level) / 2)
    right, wrong = stats.norm.cdf(d - z), stats.norm.cdf(-d - z)
    power = right + wrong
    mean = d * (right - wrong) + stats.norm.pdf(z - d) + stats.norm.pdf(z + d)
    return np.asarray(power), np.asarray(wrong / power), np.asarray(mean / (d * power))


def design_analysis(ols_frame: pd.DataFrame, *, level: float) -> pd.DataFrame:
    """Analyse the design behind each OLS estimate of an effect, with the report's own errors.

    Parameters
    ----------
    ols_frame
        The long frame.
    level
        Level of the intervals that the claims were read from.

    Returns
    -------
    pandas.DataFrame
        ``estimand``, ``vcov``, ``outcome``, ``combination``, ``n``, ``se``, ``level``,
        ``true_effect`` (each of `TRUE_EFFECTS`, in standard deviations of progression),
        ``power``, ``type_s``, ``type_m``; one row an estimate and true effect, in the frame's
        order. Estimates without a standard error are left out.
    """
    rows = ols_frame[
        ols_frame["source"].eq("ols")
        & ols_frame["vcov"].eq("classical")
        & ols_frame["estimand"].eq("effect")
        & (ols_frame["se"] > 0)
    ]
    columns = ["estimand", "vcov", "outcome", "combination", "n", "se"]
    rows = rows[columns].drop_duplicates(columns[:4]).assign(level=level)
    effects = pd.DataFrame({"true_effect": TRUE_EFFECTS})
    frame = rows.merge(effects, how="cross")
    errors = design_errors(frame["true_effect"], frame["se"], level=level)
    return frame.assign(**dict(zip(("power", "type_s", "type_m"), errors, strict=True)))


def design_by_combination(design: pd.DataFrame) -> pd.DataFrame:
    """Summarise a design analysis by combination, over the outcomes.

    Parameters
    ----------
    design
        What `design_analysis` returns.

    Returns
    -------
    pandas.DataFrame
        ``combination``, ``true_effect``, ``outcomes``, the medians of ``n``, ``se``, ``power``,
        ``type_s`` and ``type_m``, and ``power_lowest``, ``power_highest``; combinations in the
        order of the frame.
    """
    grouped = design.groupby(["combination", "true_effect"], sort=False)
    summary = grouped[["n", "se", "power", "type_s", "type_m"]].median()
    summary.insert(0, "outcomes", grouped.size())
    summary["power_lowest"] = grouped["power"].min()
    summary["power_highest"] = grouped["power"].max()
    return summary.reset_index()
