"""Main effects and interactions of the treatments, one standard deviation for each order.

With treatments coded +1 (given) and -1 (not given), sign[c,t] is the product over the treatments
of term t, and order(t) their number (`bipbayes.data.factorial`). For combination c, jobcenter j
and indicator k, in standard deviations of progression::

    effect[c,j,k] = average_effect + respondent_effect[respondent(k)]
                  + combination_effect[c]
                  + combination_respondent_effect[c, respondent(k)]
                  + combination_indicator_effect[c,k]
                  + combination_jobcenter_effect[c,j]
                  + jobcenter_indicator_effect[j,k]

    combination_effect[c]              = sum_t sign[c,t] b[t]                 t of order 1 to T
    combination_respondent_effect[c,r] = sum_t sign[c,t] b_respondent[t,r]    t of order 1 to T
    combination_indicator_effect[c,k]  = sum_t sign[c,t] b_indicator[t,k]     t of order 0 to T
    combination_jobcenter_effect[c,j]  = sum_t sign[c,t] b_jobcenter[t,j]     t of order 0 to T

    average_effect ~ Normal(0, average),   respondent_effect[r] ~ Normal(0, respondent)
    each b[t,.] ~ Normal(0, <batch>_sd[order(t)]),   <batch>_sd[order] ~ HalfNormal(scale[order])

    m[c,j,observed] ~ MvNormal(effect[c,j,observed], V[c,j])

So each order shrinks as far as the data say, and what is rarely seen (a combination of three) is
put together from what is often seen (its parts). Equal standard deviations in all orders would be
``hierarchical``.

Order 0 is the average over combinations (all counting alike). Progression is standardised over
responses, and combinations are far from equally frequent, so that this average is near zero but
not zero. From one number, or from two respondents, no standard deviation can be learnt:
``average_effect`` and ``respondent_effect`` have fixed scales. The levels of indicators and of
jobcenters (what `hierarchical` calls ``jobcenter_effect``) have standard deviations like every
other order. A factorial effect (`bipbayes.data.factorial.factorial_contrasts`) is twice its
coefficient; order 0 is in none of them. A batch over a dim of length one is left out.

The default scales put 98 % of all prior cell means inside ±0.6 and 99.9 % inside ±1 (a standard
deviation of 0.25). The scales named as in ``hierarchical`` mean the same there and here: the
root of the prior's mean square over the combinations, orders 1 to T together. It is split so
that the scale of each order is ``decay`` times that of the order below.
"""

from dataclasses import dataclass
from math import comb, sqrt

import xarray as xr

from bipbayes.data.factorial import FactorialTerms, factorial_terms
from bipbayes.errors import ModelError
from bipbayes.sampling.batches import Basis, Batch
from bipbayes.sampling.labels import RESPONDENT
from bipbayes.sampling.priors import require_positive

TARGET_ACCEPT = 0.93  # at least: below, a transition of 8,000 may diverge
TREATMENTS = range(2, 6)
TERM = "factorial_term"
ORDER = "order"


@dataclass(frozen=True)
class Priors:
    """Scales of the half-normal priors, in standard deviations of progression.

    Attributes
    ----------
    combination, combination_respondent, combination_indicator, combination_jobcenter
        Of what combinations do and how it differs by respondent, indicator and jobcenter:
        main effects and interactions together.
    average, respondent
        Standard deviations of the average over combinations and of how it differs by
        respondent (normal priors).
    indicator, jobcenter
        Of how the average over combinations differs by indicator and by jobcenter.
    jobcenter_indicator
        Of how the jobcenters' levels differ by indicator.
    decay
        Scale of an order as a share of that of the order below; a number, no scale.
    """

    combination: float = 0.15
    combination_respondent: float = 0.08
    combination_indicator: float = 0.08
    combination_jobcenter: float = 0.08
    average: float = 0.08
    respondent: float = 0.04
    indicator: float = 0.04
    jobcenter: float = 0.08
    jobcenter_indicator: float = 0.08
    decay: float = 0.7

    def __post_init__(self) -> None:
        require_positive(self)


def order_scales(total: float, treatments: int, *, decay: float) -> tuple[float, ...]:
    """Split a scale over the orders 1 to `treatments`.

    Parameters
    ----------
    total
        Root mean square of the sum of all main effects and interactions.
    treatments
        Number of treatments.
    decay
        Scale of an order as a share of that of the order below.

    Returns
    -------
    tuple of float
        Of one coefficient in ±1 coding, by order.
    """
    shares = [decay ** (order - 1) for order in range(1, treatments + 1)]
    square = sum(comb(treatments, o) * share**2 for o, share in enumerate(shares, start=1))
    return tuple(total * share / sqrt(square) for share in shares)


def batches(cells: xr.Dataset, priors: Priors) -> tuple[Batch, ...]:
    """Return the model's batches (dims as in the module's formulas).

    Raises
    ------
    ModelError
        The study has fewer than 2 or more than 5 treatments.
    """
    combinations = [str(label) for label in cells["combination"].to_numpy()]
    treatments = len(combinations[0])
    if treatments not in TREATMENTS:
        raise ModelError(
            f"the model factorial is for 2 to 5 treatments; this study has {treatments}. "
            "Choose another model, such as hierarchical"
        )
    every, effects = _bases(factorial_terms(combinations), treatments)

    def batch(size: float, *dims: str, level: float | None = None) -> Batch:
        scales = order_scales(size, treatments, decay=priors.decay)
        name = "_".join(("combination", *dims, "effect"))
        if level is None:
            return Batch(name, ("combination", *dims), scales, effects)
        return Batch(name, ("combination", *dims), (level, *scales), every)

    return (
        Batch("average_effect", (), priors.average, fixed=True),
        Batch("respondent_effect", (RESPONDENT,), priors.respondent, fixed=True),
        batch(priors.combination),
        batch(priors.combination_respondent, RESPONDENT),
        batch(priors.combination_indicator, "indicator", level=priors.indicator),
        batch(priors.combination_jobcenter, "jobcenter", level=priors.jobcenter),
        Batch("jobcenter_indicator_effect", ("jobcenter", "indicator"), priors.jobcenter_indicator),
    )


def _bases(terms: FactorialTerms, treatments: int) -> tuple[Basis, Basis]:
    """Return the bases with and without order 0."""
    above, orders = terms.of_order(1), tuple(str(order) for order in range(treatments + 1))
    names = tuple(terms.masks)
    return (
        Basis(TERM, ORDER, names, orders, terms.signs, terms.order),
        Basis(
            f"{TERM}_above_0",
            f"{ORDER}_above_0",
            names[1:],
            orders[1:],
            above.signs,
            above.order - 1,
        ),
    )
