"""The likelihood that all models share: whitened cell means as an observed variable."""

from typing import Any, Final

import numpy as np
import pymc as pm
import xarray as xr

from bipbayes.cells import CELL, whiten
from bipbayes.sampling.labels import coordinates as coordinates

OBSERVED: Final = "whitened_mean"
type Tensor = Any
"""A symbolic PyTensor array; PyTensor's own types do not reach through arithmetic."""


def observe(effect: Tensor, cells: xr.Dataset) -> Tensor:
    """Add ``whitened_mean ~ Normal(whitener effect, 1)`` to the model in context.

    With V = L L' the covariance of the means m of a cell block, ``L⁻¹ m ~ Normal(L⁻¹ effect, 1)``
    is the same as ``m ~ MvNormal(effect, V)``. Entries without answers are left out.

    `effect`: shape (combination, jobcenter, indicator), in standard deviations of progression.
    Values of cells without answers count for nothing, but must be finite; `cells`: from
    `bipbayes.cells.cell_means`.

    Returns: the observed variable, dim ``observation``. The data are called ``whitener``,
    ``observed_position`` and ``whitened``, so that a compiled model takes other cells.
    """
    data = likelihood_data(cells)
    # Data of one dim: nutpie compiles its access to each, and more dims take much longer.
    sizes = tuple(cells.sizes[dim] for dim in CELL)
    whitener = pm.Data("whitener", data["whitener"]).reshape((*sizes, sizes[-1]))
    position = pm.Data("observed_position", data["observed_position"])
    # Products and sums: compiled, they take half the time of a batched matrix product.
    turned = (whitener * effect[..., None, :]).sum(axis=-1).reshape((-1,))
    return pm.Normal(
        OBSERVED, turned[position], 1.0, observed=pm.Data("whitened", data["whitened"]),
        dims="observation",
    )  # fmt: skip


def likelihood_data(cells: xr.Dataset) -> dict[str, np.ndarray]:
    """Return the values of the likelihood's data, for one model or for `with_data`.

    `cells`: from `bipbayes.cells.cell_means`. Returns: ``whitener``, (combination, jobcenter,
    indicator, indicator) in one row; ``observed_position`` and ``whitened``, shape (observation,).
    """
    white = whiten(cells)
    observed = white["observed"].transpose(*CELL).to_numpy().reshape(-1)
    position = np.flatnonzero(observed)
    return {
        "whitener": white["whitener"].to_numpy().reshape(-1),
        "observed_position": position,
        "whitened": white["whitened"].transpose(*CELL).to_numpy().reshape(-1)[position],
    }
