"""No pooling: every observed cell has its own effect, with a flat prior.

For each combination c, jobcenter j and indicator k with answers::

    cell_effect[c,j,·] = L[c,j] whitened_effect[c,j,·],    whitened_effect ~ Flat
    m[c,j,observed] ~ MvNormal(cell_effect[c,j,observed], V[c,j]),    V = L L'

A flat prior stays flat under a linear map, so this is ``cell_effect ~ Flat``; in whitened units
all coordinates of the posterior are independent with variance one, which the sampler likes. The
posterior means are the cell means, so the effects are those of OLS to Monte Carlo error. Cells
without answers have no effect here (``NaN``), and what needs them is empty with a reason.
"""

from dataclasses import dataclass

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from bipbayes.cells import whiten
from bipbayes.sampling.labels import CELL
from bipbayes.sampling.likelihood import coordinates, observe

TERMS = ("cell_effect",)


@dataclass(frozen=True)
class Priors:
    """None: the prior is flat."""


def build(cells: xr.Dataset, priors: Priors = Priors()) -> pm.Model:
    """Return the model of the cells' means."""
    white = whiten(cells)
    observed = white["observed"].transpose(*CELL).to_numpy()
    with pm.Model(coords=coordinates(cells)) as model:
        free = pm.Flat("whitened_effect", initval=np.zeros(observed.sum()), dims="observation")
        spread = pt.set_subtensor(pt.zeros(observed.size)[np.flatnonzero(observed)], free)
        factor = _factors(white["whitener"].to_numpy(), observed)
        effect = pt.matmul(factor, spread.reshape((*observed.shape, 1)))[..., 0]
        pm.Deterministic("cell_effect", pt.where(observed, effect, np.nan), dims=CELL)
        observe(effect, cells)
    return model


def _factors(whitener: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Cholesky factors of V on the observed block, zero elsewhere."""
    size = whitener.shape[-1]
    idle = np.eye(size) * ~observed[..., None]
    return np.asarray(np.linalg.inv(whitener + idle) - idle)
