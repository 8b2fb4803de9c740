"""Effects on change, by combination, jobcenter and indicator, in standard deviations."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bipbayes.data.codebook import Codebook
from bipbayes.synthetic.design import respondent_positions
from bipbayes.synthetic.streams import NORMAL_BITS, Stream

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class EffectSds:
    """Standard deviations of the hierarchical effects, in standard deviations of progression.

    The terms are those of DESIGN 4, each drawn from a normal distribution.
    """

    combination: float = 0.08
    combination_respondent: float = 0.03
    combination_indicator: float = 0.05
    combination_jobcenter: float = 0.07
    jobcenter: float = 0.05
    jobcenter_indicator: float = 0.04


def hierarchical_effects(
    stream: Stream, codebook: Codebook, *, jobcenters: int, sds: EffectSds
) -> Floats:
    """Draw effects from the hierarchical model.

    Returns
    -------
    numpy.ndarray
        Shape (combination, jobcenter, indicator). These move latent levels; what answers on
        a scale show of them is the simulation's `truth`.
    """
    indicators, combinations = len(codebook.indicators), len(codebook.combinations)
    respondent = respondent_positions(codebook)[:indicators]
    views = len(codebook.respondents)

    def draw(sd: float, *shape: int) -> Floats:
        return np.asarray(sd * (stream.normals(*shape) / 2.0**NORMAL_BITS))

    common = draw(sds.combination, combinations, 1, 1)
    view = draw(sds.combination_respondent, combinations, 1, views)[:, :, respondent]
    own = draw(sds.combination_indicator, combinations, 1, indicators)
    local = draw(sds.combination_jobcenter, combinations, jobcenters, 1)
    level = draw(sds.jobcenter, 1, jobcenters, 1)
    profile = draw(sds.jobcenter_indicator, 1, jobcenters, indicators)
    return common + view + own + local + level + profile
