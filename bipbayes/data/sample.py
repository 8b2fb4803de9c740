"""The analysis sample as plain arrays, shared by OLS and cells."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy import sparse

from bipbayes.data.codebook import Codebook
from bipbayes.errors import DataError

Floats = NDArray[np.float64]
NO_CHANGE = (
    "no response has both known activities and a previous answer; progression needs at least two "
    "responses of a {citizen}"
)
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True)
class Sample:
    """Analysed responses with at least one progression.

    Attributes
    ----------
    values
        Standardised progression, shape (row, outcome); 0 where there is none.
    observed
        Where there is one, same shape.
    changed
        Where there is a change, same shape: also of outcomes without a standard deviation.
    combination, jobcenter, citizen
        Integer codes by row; the first two are positions in `combinations`, `jobcenters`.
    rows
        Position of each row along ``response`` of the progression.
    previous
        Position of the response a change starts from, shape (row, outcome); -1: none.
    responses
        Number of responses of the progression.
    lots
        By citizen, a number drawn from the id: the same in whatever order and parts.
    combinations, jobcenters, outcomes
        Labels: all combinations and outcomes of the codebook, the jobcenters of the sample.
    """

    values: Floats
    observed: Booleans
    changed: Booleans
    combination: Integers
    jobcenter: Integers
    citizen: Integers
    rows: Integers
    previous: Integers
    responses: int
    lots: Integers
    combinations: tuple[str, ...]
    jobcenters: tuple[str, ...]
    outcomes: tuple[str, ...]

    @property
    def cell(self) -> Integers:
        """Code of combination x jobcenter by row (jobcenter runs fastest)."""
        return self.combination * len(self.jobcenters) + self.jobcenter

    @property
    def cells(self) -> int:
        """Number of combinations times number of jobcenters."""
        return len(self.combinations) * len(self.jobcenters)


def analysis_sample(
    progression: xr.Dataset, codebook: Codebook, *, jobcenters: tuple[str, ...] = ()
) -> Sample:
    """Take the analysis sample out of a progression dataset.

    Parameters
    ----------
    progression
        As `bipbayes.data.progression.progression` returns it (dims ``response``, ``outcome``).
    codebook
        Gives the labels and their order.
    jobcenters
        All of the study, where the progression is a part of it; default: those present.

    Returns
    -------
    Sample
        Rows in the order of the responses.

    Raises
    ------
    DataError
        The sample is empty, or holds combinations that the codebook does not have.
    """
    chosen = progression.sel(outcome=list(codebook.outcomes)).transpose("response", "outcome", ...)
    values, analysed = chosen["standardised"].to_numpy(), chosen["analysed"].to_numpy()[:, None]
    observed = ~np.isnan(values) & analysed
    unscaled = chosen["sd"].isnull().to_numpy() & ~np.isnan(chosen["change"].to_numpy()) & analysed
    rows = np.flatnonzero((observed | unscaled).any(axis=1))
    if not len(jobcenters) and not observed.any():
        raise DataError(codebook.say(NO_CHANGE))
    present = chosen["jobcenter"].to_numpy()[rows].astype(str)
    labels = jobcenters or jobcenter_order(present, codebook)
    combinations = chosen["combination"].to_numpy()[rows].astype(str)
    citizen, ids = pd.factorize(chosen["citizen"].to_numpy()[rows])
    return Sample(
        values=np.where(observed, values, 0.0)[rows],
        observed=observed[rows],
        changed=(observed | unscaled)[rows],
        combination=_codes(combinations, codebook.combinations, "combination"),
        jobcenter=_codes(present, labels, "jobcenter"),
        citizen=citizen.astype("int64"),
        rows=rows,
        previous=chosen["previous"].to_numpy()[rows],
        responses=chosen.sizes["response"],
        lots=(pd.util.hash_array(ids.astype(object)) >> np.uint64(1)).astype("int64"),
        combinations=codebook.combinations,
        jobcenters=labels,
        outcomes=codebook.outcomes,
    )


def jobcenter_order(present: NDArray[np.str_], codebook: Codebook) -> tuple[str, ...]:
    """Order the jobcenters present: as in the codebook, then others in natural order."""
    labels = {str(label) for label in present}
    listed = [label for label in codebook.jobcenters if label in labels]
    return (*listed, *sorted(labels - set(listed), key=_natural))


def group_sums(groups: Integers, values: Floats, *, size: int) -> Floats:
    """Sum the rows of `values` (row, column) within groups 0..size-1 in one pass."""
    rows = len(groups)
    indicator = sparse.csr_array((np.ones(rows), (groups, np.arange(rows))), shape=(size, rows))
    return np.asarray(indicator @ values)


def distinct_citizens(sample: Sample, groups: Integers, *, size: int) -> Integers:
    """Count distinct citizens by group and outcome, shape (group, outcome)."""
    pairs, inverse = np.unique(sample.citizen * size + groups, return_inverse=True)
    answers = group_sums(inverse, sample.observed.astype(float), size=len(pairs))
    return group_sums(pairs % size, (answers > 0).astype(float), size=size).astype("int64")


def _codes(values: NDArray[np.str_], labels: tuple[str, ...], what: str) -> Integers:
    codes = pd.Index(labels).get_indexer(pd.Index(values))
    if unknown := sorted(set(values[codes < 0])):
        raise DataError(f"{what} holds {unknown}, which the codebook lacks; known: {list(labels)}")
    return codes.astype("int64")


def _natural(label: str) -> list[tuple[int, int, str]]:
    """Sort key under which ``jobcenter 2`` comes before ``jobcenter 10``."""
    parts = re.findall(r"\d+|\D+", label)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]
