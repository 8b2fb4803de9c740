"""The published counts and means that the calibrated synthetic BIP reproduces."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bipbayes.bip.codebook import bip_codebook
from bipbayes.bip.facts import fact
from bipbayes.data.codebook import Codebook

Integers = NDArray[np.int64]
NO_INTERVENTION = "none"


@dataclass(frozen=True)
class Published:
    """What the report prints on sizes and means.

    Attributes
    ----------
    citizens
        Number of citizens.
    responses
        Responses with any answer of the citizen and of the caseworker, in codebook order.
    answers
        Table 1: number of progressions by outcome.
    thousandths
        Table 1: mean progression by outcome in thousandths of a scale point.
    combinations
        Table 3: analysed responses by combination (those of B1).
    jobcenter_percent
        Table 4: shape (jobcenter, group); groups are the treatments, then no intervention.
    """

    citizens: int
    responses: tuple[int, ...]
    answers: Integers
    thousandths: Integers
    combinations: Integers
    jobcenter_percent: Integers


@cache
def published() -> Published:
    """Read the report's numbers in the order of BIP's codebook."""
    codebook = bip_codebook()
    prose = fact("figures").set_index("key")["value"]
    rows = [fact("indicators"), fact("aggregates")]
    answers = pd.concat(rows).set_index("code").loc[list(codebook.outcomes)]
    table3 = fact("combinations").set_index("combination")["n"]
    return Published(
        citizens=int(prose["citizens"]),
        responses=tuple(int(prose[f"{name}_responses"]) for name in codebook.respondents),
        answers=answers["n_progression"].to_numpy(dtype=np.int64),
        thousandths=np.rint(answers["mean_progression"].to_numpy() * 1000).astype(np.int64),
        combinations=table3.loc[list(codebook.combinations)].to_numpy(dtype=np.int64),
        jobcenter_percent=_jobcenter_percent(codebook),
    )


def _jobcenter_percent(codebook: Codebook) -> Integers:
    table = fact("jobcenters").pivot(index="jobcenter", columns="group", values="percent")
    groups = [*codebook.treatment_codes, NO_INTERVENTION]
    return table.loc[list(codebook.jobcenters), groups].to_numpy(dtype=np.int64)


def groups_of_combinations(codebook: Codebook) -> NDArray[np.bool_]:
    """Say which combination belongs to which group, shape (combination, group).

    Groups overlap: ``1010`` belongs to J and to S; only no intervention stands alone.
    """
    treated = [
        [codebook.has_treatment(combination, code) for code in codebook.treatment_codes]
        for combination in codebook.combinations
    ]
    return np.array([[*row, not any(row)] for row in treated])
