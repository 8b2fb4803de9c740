"""Holm and Benjamini-Hochberg adjusted p values within families.

Equal to `statsmodels.stats.multitest.multipletests` (a test holds them equal), whose Holm
collects garbage at every call: seconds for the families of one study.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from bipbayes.data.sample import Floats


def adjust(p_values: pd.Series, families: Sequence[pd.Series], *, method: str) -> pd.Series:
    """Adjust p values within families.

    Parameters
    ----------
    p_values
        Raw p values; missing ones stay missing and do not count in the family's size.
    families
        Columns whose values together name a row's family.
    method
        ``holm`` or ``bh``.
    """
    known = p_values.dropna()
    keys = [family.loc[known.index] for family in families]
    adjusted = known.groupby(keys).transform(lambda family: METHODS[method](family.to_numpy()))
    return adjusted.reindex(p_values.index)


def holm(p_values: Floats) -> Floats:
    """Holm's step-down p values of one family."""
    order = np.argsort(p_values)
    steps = np.arange(len(p_values), 0, -1) * p_values[order]
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Benjamini and Hochberg's p values of one family."""
    return np.asarray(false_discovery_control(p_values, method="bh"))


METHODS: Final[dict[str, Callable[[Floats], Floats]]] = {"holm": holm, "bh": benjamini_hochberg}
