"""The analysis sample as plain arrays, shared by OLS and cells.

Whatever OLS and cells need is a sum over citizens, once counts and means of the cells are known.
So a study in memory is one part, a register read piece by piece many, and a cluster's workers
each add up theirs: sums of parts are added in the parts' order, by whoever made them.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property, partial
from typing import Any, Final, Protocol

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy import sparse

from bipbayes.data.codebook import NO_TREATMENT, Codebook
from bipbayes.errors import DataError

Floats = NDArray[np.float64]
NO_CHANGE = (
    "no response has both known activities and a previous answer; progression needs at least two "
    "responses of a {citizen}"
)
ALIKE = (
    "every outcome's changes are all alike, so that there is nothing to estimate; look whether the "
    "columns hold the {citizens}' answers"
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
        raise DataError(codebook.say(ALIKE if unscaled.any() else NO_CHANGE))
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


@dataclass(frozen=True)
class Totals:
    """Counts and sums of the changes.

    Attributes
    ----------
    n, citizens
        Changes and citizens with one, shape (cell, outcome); outcomes without a standard
        deviation count, too.
    sums
        Of standardised progression, same shape.
    citizens_combination, citizens_outcome
        Citizens by combination, shape (combination, outcome), and in all, (outcome,).
    """

    n: Integers
    citizens: Integers
    sums: Floats
    citizens_combination: Integers
    citizens_outcome: Integers


class Parts(Protocol):
    """The analysis sample in parts of whole citizens."""

    def map[Result](self, function: Callable[[Sample], Result]) -> Iterator[Result]:
        """Yield the function of each part, in the parts' order."""


@dataclass(frozen=True)
class Whole:
    """A sample in memory, as the one part that it is."""

    sample: Sample

    def map[Result](self, function: Callable[[Sample], Result]) -> Iterator[Result]:
        """Yield the function of the sample."""
        yield function(self.sample)


@dataclass(frozen=True)
class Samples:
    """The analysis sample of a study, in one part or many.

    Attributes
    ----------
    parts
        Of whole citizens.
    combinations, jobcenters, outcomes
        Labels, of all parts.
    scale
        ``mean`` and ``sd`` of progression by ``outcome``, in scale points; the attributes of
        the progression.
    """

    parts: Parts
    combinations: tuple[str, ...]
    jobcenters: tuple[str, ...]
    outcomes: tuple[str, ...]
    scale: xr.Dataset

    def total(self, function: Callable[..., Any], *arguments: object, **named: object) -> Any:
        """Add up a function of the parts: a record of arrays, field by field."""
        results = self.parts.map(partial(_applied, function, arguments, named))
        total = next(results)
        for result in results:
            total = added(total, result)
        return total

    @cached_property
    def totals(self) -> Totals:
        """Counts and sums of the changes."""
        return self.total(totals_of)  # type: ignore[no-any-return]

    @property
    def cells(self) -> int:
        """Number of combinations times number of jobcenters."""
        return len(self.combinations) * len(self.jobcenters)

    @property
    def scaled(self) -> Booleans:
        """Which outcomes have a standard deviation."""
        return self.scale["sd"].sel(outcome=list(self.outcomes)).notnull().to_numpy()

    def by_cell(self, values: np.ndarray) -> np.ndarray:
        """Split a cell axis into combination and jobcenter."""
        return values.reshape(len(self.combinations), len(self.jobcenters), *values.shape[1:])


def samples_of(progression: "xr.Dataset | Samples", codebook: Codebook) -> Samples:
    """Take the analysis sample out of a progression in memory; samples stay as they are.

    Raises
    ------
    DataError
        The sample is empty, or holds combinations that the codebook does not have.
    """
    if isinstance(progression, Samples):
        return progression
    sample = analysis_sample(progression, codebook)
    return Samples(
        parts=Whole(sample),
        combinations=sample.combinations,
        jobcenters=sample.jobcenters,
        outcomes=sample.outcomes,
        scale=progression[["mean", "sd"]].drop_vars("respondent", errors="ignore"),
    )


def totals_of(sample: Sample) -> Totals:
    """Count and sum the changes of a part."""
    counted = replace(sample, observed=sample.changed)
    combinations = len(sample.combinations)
    everyone = np.zeros_like(sample.cell)
    return Totals(
        n=group_sums(sample.cell, sample.changed.astype(float), size=sample.cells).astype("int64"),
        citizens=distinct_citizens(counted, sample.cell, size=sample.cells),
        sums=group_sums(sample.cell, sample.values, size=sample.cells),
        citizens_combination=distinct_citizens(counted, sample.combination, size=combinations),
        citizens_outcome=distinct_citizens(counted, everyone, size=1)[0],
    )


def added(first: Any, second: Any) -> Any:
    """Add two records of arrays field by field, but for those that know how they are added."""
    if is_dataclass(first) and not isinstance(first, type) and not hasattr(first, "__add__"):
        names: Sequence[str] = [field.name for field in fields(first)]
        sums = {name: added(getattr(first, name), getattr(second, name)) for name in names}
        return replace(first, **sums)
    return first + second


def _applied(
    function: Callable[..., Any], arguments: tuple[object, ...], named: dict[str, object],
    sample: Sample,
) -> Any:  # fmt: skip
    return function(sample, *arguments, **named)


NO_GROUP: Final = NO_TREATMENT
"""The group of responses without any treatment; the only one that overlaps with none."""


def counted_responses(progression: xr.Dataset, codebook: Codebook) -> pd.DataFrame:
    """Return the responses that Tables 3 to 11 count.

    The report's counts are those of its first indicator: responses with known activities and
    a change of that indicator (Table 3, ``inconsistencies.csv`` X10).

    Parameters
    ----------
    progression
        Dims ``response``, ``outcome``.
    codebook
        Its first indicator decides.

    Returns
    -------
    pandas.DataFrame
        ``response`` (position), ``citizen``, ``jobcenter``, ``date``, ``combination``; one row a
        response, in file order.
    """
    first = progression["change"].sel(outcome=codebook.indicator_codes[0])
    counted = (first.notnull() & progression["analysed"]).to_numpy()
    names = ("response", "citizen", "jobcenter", "date", "combination")
    return pd.DataFrame({name: progression[name].to_numpy()[counted] for name in names})


def group_labels(codebook: Codebook) -> tuple[str, ...]:
    """Return the groups of Tables 4 to 11: one a treatment, then ``none``."""
    return (*codebook.treatment_codes, NO_GROUP)


def memberships(combinations: pd.Series, codebook: Codebook) -> pd.DataFrame:
    """Say which groups each response belongs to.

    Groups overlap, as in the report: a response with J and S counts in both.

    Parameters
    ----------
    combinations
        Text such as ``"1010"``; no empty ones.
    codebook
        Order of the digits.

    Returns
    -------
    pandas.DataFrame
        Booleans, one column a group (`group_labels`), the index of `combinations`.
    """
    known = {
        combination: [
            codebook.has_treatment(combination, code) for code in codebook.treatment_codes
        ]
        for combination in codebook.combinations
    }
    treated = np.array([known[text] for text in combinations], dtype=bool)
    treated = treated.reshape(len(combinations), len(codebook.treatments))
    table = np.column_stack([treated, ~treated.any(axis=1)])
    return pd.DataFrame(table, index=combinations.index, columns=list(group_labels(codebook)))


def consecutive_responses(progression: xr.Dataset) -> pd.DataFrame:
    """Return each pair of a citizen's responses that follow one another in time.

    Returns
    -------
    pandas.DataFrame
        ``citizen``, ``earlier``, ``later`` (positions along ``response``); one row a pair, all
        responses included, whatever was answered.
    """
    citizens = progression["citizen"].to_numpy()
    codes = pd.factorize(citizens)[0]
    order = np.lexsort((progression["date"].to_numpy().astype("int64"), codes))
    same = codes[order][1:] == codes[order][:-1]
    earlier, later = order[:-1][same], order[1:][same]
    return pd.DataFrame({"citizen": citizens[later], "earlier": earlier, "later": later})
