"""Residuals of groups of cells, and how far the quantiles of all residuals may stray.

A single cell hides a misfit that a whole jobcenter shows. The mean over a group's cells is held
against the same mean in data that the model predicts, so that correlated errors count as such.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from bipbayes.data.sample import Floats
from bipbayes.sampling.labels import CELL

SAMPLE: Final = ("chain", "draw")


def group_residuals(
    cells: xr.Dataset, predicted: xr.DataArray, *, by: Sequence[str]
) -> pd.DataFrame:
    """Hold the mean of every group of cells against its prediction.

    Parameters
    ----------
    cells
        From `bipbayes.cells.cell_means`.
    predicted
        From `bipbayes.checks.predictive.predicted_means` of the posterior.
    by
        Dims that make the groups, out of ``combination, jobcenter, indicator``.

    Returns
    -------
    pandas.DataFrame
        `by`, ``n`` (answers), ``mean`` and ``expected`` (cells weighted by their answers),
        ``sd`` (of the prediction), ``residual`` (standardised), ``pit``. Groups without answers
        are left out.
    """
    n = cells["n"].transpose(*CELL).astype("float64")
    rest = [dim for dim in CELL if dim not in by]
    total = n.sum(rest)
    weight = (n / total.where(total > 0)).fillna(0.0)
    observed = (cells["mean"].transpose(*CELL).fillna(0.0) * weight).sum(rest)
    replicated = xr.dot(predicted.fillna(0.0), weight, dim=rest)
    found = xr.Dataset(
        {
            "n": total,
            "mean": observed,
            "expected": replicated.mean(SAMPLE),
            "sd": replicated.std(SAMPLE, ddof=1),
            "pit": (replicated < observed).mean(SAMPLE),
        }
    ).drop_vars("respondent", errors="ignore")
    frame = found.to_dataframe(dim_order=list(by)).reset_index()
    frame = frame[frame["n"] > 0].reset_index(drop=True)
    residual = (frame["mean"] - frame["expected"]) / frame["sd"]
    first = [*by, "n", "mean", "expected", "sd"]
    return frame.assign(residual=residual)[[*first, "residual", "pit"]]


def quantile_ribbon(predicted: xr.DataArray, *, level: float = 0.95) -> pd.DataFrame:
    """Say where the ordered residuals of data from the model lie.

    Parameters
    ----------
    predicted
        From `bipbayes.checks.predictive.predicted_means`; every draw is a data set.
    level
        Probability of the ribbon, at each place on its own.

    Returns
    -------
    pandas.DataFrame
        ``place`` (1 is the smallest), ``normal`` (quantile of the standard normal), ``lower``,
        ``upper``: one row a cell with answers.
    """
    values = predicted.transpose(*SAMPLE, *CELL).to_numpy()
    values = values.reshape(-1, int(np.prod(values.shape[2:])))
    values = values[:, np.isfinite(values).all(axis=0)]
    standard = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    ordered = np.sort(standard, axis=1)
    tail = (1 - level) / 2
    lower, upper = np.quantile(ordered, [tail, 1 - tail], axis=0)
    return pd.DataFrame(
        {
            "place": np.arange(1, ordered.shape[1] + 1),
            "normal": normal_places(ordered.shape[1]),
            "lower": lower,
            "upper": upper,
        }
    )


def normal_places(count: int) -> Floats:
    """Quantiles of the standard normal for `count` ordered values."""
    return np.asarray(stats.norm.ppf((np.arange(1, count + 1) - 0.5) / count))


def size_groups(n: pd.Series, *, groups: int = 5) -> pd.Series:
    """Sort cells into groups of about the same number by their answers, as text ``12-30``."""
    place = pd.qcut(n.rank(method="first"), min(groups, len(n)), labels=False)
    low, high = n.groupby(place).transform("min"), n.groupby(place).transform("max")
    text: pd.Series = low.astype("int64").astype("str") + "–" + high.astype("int64").astype("str")
    return text
