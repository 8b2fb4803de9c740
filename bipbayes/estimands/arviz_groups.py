"""What ArviZ needs beside the draws: likelihoods by cell block and predicted cell means."""

from typing import Final

import numpy as np
import xarray as xr

from bipbayes.cells import CELL
from bipbayes.sampling.labels import SAMPLE, pooled
from bipbayes.sampling.predict import block_log_likelihood, predicted_means
from bipbayes.sampling.tree import OBSERVED

PREDICTED: Final = 100  # draws of each chain: enough for pictures, a tenth of the file


def add_predictions(
    fit: xr.DataTree, effects: xr.DataArray, cells: xr.Dataset, *, seed: int
) -> None:
    """Add the groups ``log_likelihood`` and ``posterior_predictive`` to a fit of either engine.

    Parameters
    ----------
    fit
        Changed in place.
    effects
        From `bipbayes.estimands.effects.effect_draws`.
    cells
        Those that were fitted.
    seed
        Of the predictions' sampling errors.
    """
    fit["log_likelihood"] = xr.DataTree(_log_likelihood(effects, cells))
    step = max(1, effects.sizes["draw"] // PREDICTED)
    some = effects.isel(draw=slice(None, None, step))
    predicted = predicted_means(cells, some, seed=seed).transpose(*SAMPLE, *CELL)
    seen = (cells["n"] > 0).transpose(*CELL).to_numpy()
    named = {dim: some[dim].to_numpy() for dim in SAMPLE}
    values = xr.DataArray(
        predicted.to_numpy()[:, :, seen],
        dims=(*SAMPLE, "observation"),
        coords={**named, "observation": fit["observed_data"]["observation"].to_numpy()},
    )
    fit["posterior_predictive"] = xr.DataTree(xr.Dataset({OBSERVED: values}))


def _log_likelihood(effects: xr.DataArray, cells: xr.Dataset) -> xr.Dataset:
    values = block_log_likelihood(cells, pooled(effects, *CELL))
    seen = (cells["n"] > 0).transpose(*CELL).to_numpy().any(axis=2).ravel()
    names = [
        f"{combination} {jobcenter}"
        for combination in cells["combination"].to_numpy()
        for jobcenter in cells["jobcenter"].to_numpy()
    ]
    array = xr.DataArray(
        values.reshape(*(effects.sizes[dim] for dim in SAMPLE), -1)[..., seen],
        dims=(*SAMPLE, "cell_block"),
        coords={
            **{dim: effects[dim].to_numpy() for dim in SAMPLE},
            "cell_block": np.array(names)[seen],
        },
    )
    return xr.Dataset({OBSERVED: array})
