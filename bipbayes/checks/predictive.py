"""Prior and posterior predictive checks of cell means, and residuals.

All quantities are in standard deviations of progression. A cell mean is predicted with its
sampling error (the working covariance), so that a check says what data the model expects.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from bipbayes.data.sample import Floats
from bipbayes.sampling.labels import CELL

LIMITS: Final = (0.3, 0.6, 1.0)
QUANTILES: Final = (0.025, 0.25, 0.5, 0.75, 0.975)


def prior_effects(effects: xr.DataArray, *, limits: Sequence[float] = LIMITS) -> pd.DataFrame:
    """Say what a prior says of the effects of cells, before any data.

    Parameters
    ----------
    effects
        Draws from the prior, dims ``chain, draw, combination, jobcenter, indicator`` (a model's
        cells are exchangeable before data, so they are pooled).
    limits
        Sizes below which the share of prior effects is given.

    Returns
    -------
    pandas.DataFrame
        ``quantity`` (``effect of a cell``, ``contrast of a cell``, ``combination over all cells``,
        ``difference between two jobcenters``, ``difference between two indicators``), ``sd``,
        ``q_2.5`` ... ``q_97.5`` and ``inside_<limit>``.
    """
    flat = effects.transpose("chain", "draw", *CELL).to_numpy()
    flat = flat.reshape(-1, *flat.shape[2:])
    parts = {
        "effect of a cell": flat,
        "contrast of a cell": flat[:, 1:] - flat[:, :1],
        "combination over all cells": flat.mean(axis=(2, 3)),
        "difference between two jobcenters": flat[:, :, 1:] - flat[:, :, :1],
        "difference between two indicators": flat[..., 1:] - flat[..., :1],
    }
    # Cells without answers have no predicted mean.
    known = {name: values[np.isfinite(values)] for name, values in parts.items()}
    rows = [
        {"quantity": name, **_summary(values, limits)}
        for name, values in known.items()
        if values.size
    ]
    return pd.DataFrame(rows)


def _summary(values: Floats, limits: Sequence[float]) -> dict[str, float]:
    found = {"sd": float(values.std())}
    for share, value in zip(QUANTILES, np.quantile(values, QUANTILES), strict=True):
        found[f"q_{100 * share:g}"] = float(value)
    return found | {f"inside_{x:g}": float((np.abs(values) <= x).mean()) for x in limits}


def cell_residuals(cells: xr.Dataset, predicted: xr.DataArray) -> pd.DataFrame:
    """Hold every observed cell mean against its prediction.

    Parameters
    ----------
    cells
        From `bipbayes.cells.cell_means`.
    predicted
        From `predicted_means` of the posterior.

    Returns
    -------
    pandas.DataFrame
        One row a cell with answers: ``combination, jobcenter, indicator, respondent, n``,
        ``mean``, ``expected``, ``sd`` (of the prediction), ``residual`` (standardised), ``pit``
        (share of predictions below the mean). Predictions have seen the cell, so residuals are
        a little too small where it has much weight (`bipbayes.checks.leave_out` does not).
    """
    sample = ("chain", "draw")
    mean = cells["mean"].transpose(*CELL)
    found = xr.Dataset(
        {
            "n": cells["n"].transpose(*CELL),
            "mean": mean,
            "expected": predicted.mean(sample).transpose(*CELL),
            "sd": predicted.std(sample, ddof=1).transpose(*CELL),
            "pit": (predicted < mean).mean(sample).transpose(*CELL),
        }
    )
    frame = found.to_dataframe(dim_order=list(CELL)).reset_index()
    frame = frame[frame["n"] > 0].reset_index(drop=True)
    residual = (frame["mean"] - frame["expected"]) / frame["sd"]
    first = [*CELL, "respondent", "n", "mean", "expected", "sd"]
    return frame.assign(residual=residual)[[*first, "residual", "pit"]]


def residual_summary(residuals: pd.DataFrame, *, by: Sequence[str] = ()) -> pd.DataFrame:
    """Summarise residuals: their spread, and how many lie outside central intervals.

    Parameters
    ----------
    residuals
        From `cell_residuals`.
    by
        Columns to split by, such as ``respondent`` or ``indicator``.

    Returns
    -------
    pandas.DataFrame
        `by`, ``cells``, ``spread`` (1 expected), ``largest``, ``outside_50``, ``outside_95``
        (0.5 and 0.05 expected), ``kurtosis`` (excess; 0 expected).
    """
    groups = residuals.groupby(list(by), sort=False) if by else [((), residuals)]
    rows = []
    for labels, group in groups:
        named = dict(zip(by, labels if isinstance(labels, tuple) else (labels,), strict=True))
        centre = (group["pit"] - 0.5).abs()
        rows.append(
            {
                **named,
                "cells": len(group),
                "spread": float(group["residual"].std()),
                "largest": float(group["residual"].abs().max()),
                "outside_50": float((centre > 0.25).mean()),
                "outside_95": float((centre > 0.475).mean()),
                "kurtosis": float(stats.kurtosis(group["residual"])),
            }
        )
    return pd.DataFrame(rows)
