"""Quantiles of mixtures of normals."""

import numpy as np
from scipy import stats

from bipbayes.data.sample import Floats


def mixture_quantile(means: Floats, sds: Floats, weight: Floats, share: float) -> Floats:
    """Quantile of mixtures of normals by bisection.

    Parameters
    ----------
    means, sds
        Shape (point, quantity).
    weight
        Shape (point,).
    share
        Probability below.
    """
    centre = weight @ means
    reach = 10 * np.sqrt(weight @ (sds**2 + (means - centre) ** 2))
    low, high = centre - reach, centre + reach
    for _ in range(45):  # halves 20 standard deviations to rounding error
        middle = (low + high) / 2
        above = weight @ stats.norm.cdf((middle - means) / sds) > share
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.asarray((low + high) / 2)
