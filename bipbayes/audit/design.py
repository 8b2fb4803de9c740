"""What a regression of this size could find: power and the errors of what it calls significant.

For an estimate with standard error s of a true effect D, tested at 1 - level (Gelman and Carlin
2014, Perspectives on Psychological Science 9:641-651):

- power: P(significant);
- type S: P(wrong sign | significant);
- type M: E(|estimate| | significant) / |D|, the exaggeration.

With X = estimate / s = d + T, d = D / s, T standard normal (or t) with density f and distribution
F, and z its two-sided critical value, these are closed forms (Lu, Qiu and Deng 2019, British
Journal of Mathematical and Statistical Psychology 72:1-17):

    power  = F(d - z) + F(-d - z)
    type S = F(-d - z) / power                                            (d > 0)
    type M = [d F(d - z) - d F(-d - z) + g(z - d) + g(z + d)] / (d power)

where g(a) is the integral of t f(t) from a on: f(a) for the normal, f(a) (df + a^2) / (df - 1)
for t.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from bipbayes.errors import SettingsError

TRUE_EFFECTS: Final = (0.05, 0.1, 0.2)
Numbers = NDArray[np.float64]


def design_errors(
    true_effect: ArrayLike, se: ArrayLike, *, level: float, df: float = np.inf
) -> tuple[Numbers, Numbers, Numbers]:
    """Return power, type S and type M.

    Parameters
    ----------
    true_effect
        Effects assumed true, not zero; any sign, any shape.
    se
        Standard errors, above zero, in the same units; broadcast with `true_effect`.
    level
        Level of the intervals; significant means that zero lies outside.
    df
        Degrees of freedom of the test (more than 1); infinite is the normal distribution.

    Returns
    -------
    tuple of numpy.ndarray
        Power, type S (both probabilities) and type M (a factor of at least about 1).
    """
    law: Any = stats.norm() if np.isinf(df) else stats.t(df)
    d = np.abs(np.asarray(true_effect, dtype=float)) / np.asarray(se, dtype=float)
    z = law.ppf((1 + level) / 2)
    right, wrong = law.cdf(d - z), law.cdf(-d - z)
    power = right + wrong
    mean = d * (right - wrong) + _tail_mean(law, z - d, df) + _tail_mean(law, z + d, df)
    return np.asarray(power), np.asarray(wrong / power), np.asarray(mean / (d * power))


def _tail_mean(law: Any, start: Numbers, df: float) -> Numbers:
    density = np.asarray(law.pdf(start))
    return density if np.isinf(df) else density * (df + start**2) / (df - 1)


def design_analysis(
    ols_frame: pd.DataFrame,
    *,
    true_effects: Sequence[float] = TRUE_EFFECTS,
    level: float,
    vcov: str = "classical",
    estimand: str = "effect",
) -> pd.DataFrame:
    """Analyse the design behind each OLS estimate.

    Parameters
    ----------
    ols_frame
        The long frame; its OLS rows of one `vcov` and `estimand` are used.
    true_effects
        Effects assumed true, in standard deviations of progression.
    level
        Level of the intervals that the claims were read from.
    vcov, estimand
        Which standard errors, of what.

    Returns
    -------
    pandas.DataFrame
        ``estimand``, ``vcov``, ``outcome``, ``combination``, ``n``, ``se``, ``level``,
        ``true_effect``, ``power``, ``type_s``, ``type_m``; one row an estimate and true effect,
        in the frame's order. Estimates without a standard error are left out.

    Raises
    ------
    SettingsError
        A true effect of zero, for which neither error is defined.
    """
    if any(effect == 0 for effect in true_effects):
        raise SettingsError("a design analysis needs true effects other than 0; leave 0 out")
    rows = ols_frame[
        ols_frame["source"].eq("ols")
        & ols_frame["vcov"].eq(vcov)
        & ols_frame["estimand"].eq(estimand)
        & (ols_frame["se"] > 0)
    ]
    columns = ["estimand", "vcov", "outcome", "combination", "n", "se"]
    rows = rows[columns].drop_duplicates(columns[:4]).assign(level=level)
    effects = pd.DataFrame({"true_effect": list(map(float, true_effects))})
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
