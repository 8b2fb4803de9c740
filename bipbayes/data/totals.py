"""Sums over the analysis sample, by part of its citizens: what stage 1 is made of.

Whatever OLS and cells need is a sum over citizens, once counts and means of the cells are known.
So a study in memory is one part, a register read piece by piece many, and a cluster's workers
each add up theirs: sums of parts are added in the parts' order, by whoever made them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property, partial
from typing import Any, Protocol

import numpy as np
import xarray as xr

from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import (
    Booleans,
    Floats,
    Integers,
    Sample,
    analysis_sample,
    distinct_citizens,
    group_sums,
)


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
