"""How much every reported effect depends on the priors of the standard deviations.

The hyperpriors (and, for comparison, the likelihood) are raised to powers near one by importance
weights; the sensitivity is how fast the posterior of a quantity moves (Kallioinen, Paananen,
Bürkner and Vehtari 2024, Statistics and Computing 34:57). The priors of the effects given their
standard deviations are part of the model and stay.
"""

from importlib import import_module
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.errors import ModelError
from bipbayes.sampling.predict import log_likelihood

THRESHOLD: Final = 0.05  # of the paper; below, a quantity hardly moves
CONFLICT: Final = "prior and data disagree"
WEAK: Final = "the prior matters, the data say little"
FINE: Final = ""
SAMPLE: Final = ("chain", "draw")


def hyperprior_density(fit: xr.DataTree) -> xr.DataArray:
    """Log density of the priors of all hyperparameters, dims chain, draw.

    Parameters
    ----------
    fit
        Of either engine; its group ``log_prior``.

    Raises
    ------
    ModelError
        The model has no hyperparameters.
    """
    stored = fit["log_prior"].to_dataset() if "log_prior" in fit.children else xr.Dataset()
    if not stored.data_vars:
        raise ModelError("the model has no standard deviations with priors of their own")
    parts = [values.sum([d for d in values.dims if d not in SAMPLE]) for values in stored.values()]
    return sum(parts[1:], start=parts[0])


def power_scaling(
    draws: dict[str, xr.DataArray],
    effects: xr.DataArray,
    cells: xr.Dataset,
    *,
    hyperprior: xr.DataArray,
) -> pd.DataFrame:
    """Sensitivity of every estimand to the hyperpriors and to the likelihood.

    Parameters
    ----------
    draws
        From `bipbayes.estimands.draws.estimand_draws`.
    effects
        From `bipbayes.estimands.effects.effect_draws`.
    cells
        Those that were fitted.
    hyperprior
        From `hyperprior_density`.

    Returns
    -------
    pandas.DataFrame
        ``estimand, outcome, combination, jobcenter``, ``prior``, ``likelihood`` (gradients of
        the cumulative Jensen-Shannon distance) and ``diagnosis`` (empty below the threshold).
    """
    flat = effects.transpose(*SAMPLE, "combination", "jobcenter", "indicator")
    cellwise = flat.to_numpy()
    total = log_likelihood(cells, cellwise.reshape(-1, int(np.prod(cellwise.shape[2:]))))
    likelihood = xr.DataArray(total.reshape(cellwise.shape[:2]), dims=SAMPLE)
    groups = {
        "log_prior": xr.Dataset({"standard_deviations": hyperprior.reset_coords(drop=True)}),
        "log_likelihood": xr.Dataset({"whitened_mean": likelihood.expand_dims(total=1, axis=2)}),
    }
    psense: Any = import_module("arviz_stats").psense
    frames = []
    for estimand, array in draws.items():
        labels, values = _flat(array)
        tree = xr.DataTree.from_dict({"posterior": xr.Dataset({"value": values}), **groups})
        measured = {
            name: psense(tree, group=name)["value"].to_numpy() for name in ("prior", "likelihood")
        }
        frames.append(labels.assign(estimand=estimand, **measured))
    frame = pd.concat(frames, ignore_index=True)
    frame["jobcenter"] = frame.get("jobcenter", pd.Series("", index=frame.index)).fillna("")
    frame["diagnosis"] = _diagnosis(frame["prior"], frame["likelihood"])
    first = ["estimand", "outcome", "combination", "jobcenter"]
    return frame[[*first, "prior", "likelihood", "diagnosis"]]


def _flat(array: xr.DataArray) -> tuple[pd.DataFrame, xr.DataArray]:
    """Labels of all quantities with known draws, and the draws, dims chain, draw, row."""
    dims = [str(dim) for dim in array.dims if dim not in SAMPLE]
    ordered = array.transpose(*SAMPLE, *dims)
    values = ordered.to_numpy().reshape(*ordered.shape[:2], -1)
    index = pd.MultiIndex.from_product([ordered[dim].to_numpy() for dim in dims], names=dims)
    known = np.isfinite(values).all(axis=(0, 1))
    labels = index.to_frame(index=False)[known].reset_index(drop=True)
    return labels, xr.DataArray(values[..., known], dims=(*SAMPLE, "row"))


def _diagnosis(prior: pd.Series, likelihood: pd.Series) -> np.ndarray:
    moved = prior >= THRESHOLD
    return np.where(moved, np.where(likelihood >= THRESHOLD, CONFLICT, WEAK), FINE)
