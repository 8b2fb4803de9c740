"""No pooling: every observed cell has its own effect, with a flat prior.

For each combination c, jobcenter j and indicator k with answers::

    cell_effect[c,j,k] ~ Flat
    m[c,j,observed] ~ MvNormal(cell_effect[c,j,observed], V[c,j])

The posterior is ``MvNormal(m[c,j,observed], V[c,j])``, independent over cell blocks: its means are
the cell means, so the effects are those of OLS to Monte Carlo error. Cells without answers have no
effect here (``NaN``), and what needs them is empty with a reason.
"""

from dataclasses import dataclass

import xarray as xr

from bipbayes.sampling.batches import FLAT, Batch


@dataclass(frozen=True)
class Priors:
    """None: the prior is flat."""


def batches(cells: xr.Dataset, priors: Priors) -> tuple[Batch, ...]:
    """Return the model's one batch."""
    return (Batch("cell_effect", ("combination", "jobcenter", "indicator"), FLAT),)
