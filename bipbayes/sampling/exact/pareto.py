"""How heavy the tail of importance weights is: Pareto's k (Vehtari et al. 2024)."""

from typing import Final

import numpy as np

from bipbayes.data.sample import Floats

_LEAST: Final = 5  # of a tail


def tail_shape(log_weight: Floats) -> float:
    """Shape of a generalised Pareto distribution fitted to the largest weights.

    Zhang and Stephens's (2009) estimate with the weak prior towards one half of Vehtari et al.

    Parameters
    ----------
    log_weight
        Up to a constant, shape (point,).

    Returns
    -------
    float
        Up to 0.5 the estimates are as good as independent draws'; above 0.7 they are not to be
        relied on.
    """
    count = len(log_weight)
    tail = int(min(np.ceil(count / 5), np.floor(3 * np.sqrt(count))))
    if tail < _LEAST:
        return float("nan")
    ordered = np.sort(log_weight - log_weight.max())
    cut = max(ordered[-tail - 1], np.log(np.finfo(float).tiny))
    largest = np.exp(ordered[-tail:]) - np.exp(cut)
    if largest[-1] - largest[0] < np.finfo(float).tiny:
        return float("-inf")  # all weights alike
    return _shape(largest)


def _shape(exceedance: Floats) -> float:
    """Posterior mean of the shape of sorted exceedances over a grid of the inverse scale."""
    count = len(exceedance)
    grid = 30 + int(np.sqrt(count))
    quarter = exceedance[int(count / 4 + 0.5) - 1]
    steps = 1 - np.sqrt(grid / (np.arange(1, grid + 1) - 0.5))
    inverse = steps / (3 * quarter) + 1 / exceedance[-1]
    shape = np.log1p(-inverse[:, None] * exceedance).mean(axis=1)
    log_likelihood = count * (np.log(-inverse / shape) - shape - 1)
    weight = 1 / np.exp(log_likelihood - log_likelihood[:, None]).sum(axis=1)
    kept = weight >= 10 * np.finfo(float).eps
    weight = weight[kept] / weight[kept].sum()
    scale = weight @ inverse[kept]
    found = np.log1p(-scale * exceedance).mean()
    return float((count * found + 5) / (count + 10))
