"""Complete pooling: one effect for each combination, alike for all indicators and jobcenters.

For combination c, jobcenter j and indicator k, in standard deviations of progression::

    effect[c,j,k] = combination_effect[c]
    combination_effect ~ Normal(0, combination_effect_sd)
    combination_effect_sd ~ HalfNormal(combination)

    m[c,j,observed] ~ MvNormal(effect[c,j,observed], V[c,j])

Too simple on purpose: what is lost by it shows what indicators and jobcenters add. The prior's
scale is the flagship's; 99 % of prior cell means lie inside ±0.6.
"""

from dataclasses import dataclass

import xarray as xr

from bipbayes.sampling.batches import Batch
from bipbayes.sampling.priors import require_positive


@dataclass(frozen=True)
class Priors:
    """Scale of the half-normal prior of ``combination_effect_sd``, in sd of progression."""

    combination: float = 0.15

    def __post_init__(self) -> None:
        require_positive(self)


def batches(cells: xr.Dataset, priors: Priors) -> tuple[Batch, ...]:
    """Return the model's one batch."""
    return (Batch("combination_effect", ("combination",), priors.combination),)
