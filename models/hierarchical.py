"""The flagship: effects pooled over indicators and jobcenters.

For combination c, jobcenter j and indicator k, in standard deviations of progression::

    effect[c,j,k] = combination_effect[c]
                  + combination_respondent_effect[c, respondent(k)]
                  + combination_indicator_effect[c,k]
                  + combination_jobcenter_effect[c,j]
                  + jobcenter_effect[j]
                  + jobcenter_indicator_effect[j,k]

    each batch ~ Normal(0, <batch>_sd),     <batch>_sd ~ HalfNormal(scale of the batch)

    m[c,j,observed] ~ MvNormal(effect[c,j,observed], V[c,j])

m are the cell means and V their working covariance (`bipbayes.cells`). No batch sums to zero, so
the standard deviations are those of a population, and a new jobcenter can be drawn. A batch over
a dim of length one (one jobcenter, one respondent) is left out: it would repeat a coarser one.

The default scales put 98 % of all prior cell means inside ±0.6 and 99.9 % inside ±1 (a standard
deviation of 0.23): 0.6 is 23 places in a queue of 100, more than anything the report states.
"""

from dataclasses import dataclass

import xarray as xr

from bipbayes.sampling.batches import Batch
from bipbayes.sampling.priors import require_positive


@dataclass(frozen=True)
class Priors:
    """Scales of the half-normal priors, in standard deviations of progression.

    Attributes
    ----------
    combination, combination_respondent, combination_indicator, combination_jobcenter
        Of the effects of combinations and of how they differ by respondent, indicator and
        jobcenter.
    jobcenter, jobcenter_indicator
        Of the jobcenters' levels and of how they differ by indicator.
    """

    combination: float = 0.15
    combination_respondent: float = 0.08
    combination_indicator: float = 0.08
    combination_jobcenter: float = 0.08
    jobcenter: float = 0.08
    jobcenter_indicator: float = 0.08

    def __post_init__(self) -> None:
        require_positive(self)


def batches(cells: xr.Dataset, priors: Priors) -> tuple[Batch, ...]:
    """Return the model's batches."""
    return (
        Batch("combination_effect", ("combination",), priors.combination),
        Batch(
            "combination_respondent_effect",
            ("combination", "respondent"),
            priors.combination_respondent,
        ),
        Batch(
            "combination_indicator_effect",
            ("combination", "indicator"),
            priors.combination_indicator,
        ),
        Batch(
            "combination_jobcenter_effect",
            ("combination", "jobcenter"),
            priors.combination_jobcenter,
        ),
        Batch("jobcenter_effect", ("jobcenter",), priors.jobcenter),
        Batch("jobcenter_indicator_effect", ("jobcenter", "indicator"), priors.jobcenter_indicator),
    )
