"""Blocks of joint draws and readings by label, for the claims that need them together."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bipbayes.audit.joint import Grid
from bipbayes.audit.rules import Reading
from bipbayes.audit.sources import Key, Source
from bipbayes.errors import DataError

SAMPLE_DIMS = {"chain", "draw", "sample"}


@dataclass(frozen=True)
class Draws:
    """Draws of one estimand with their labels.

    Attributes
    ----------
    values
        ``[sample, outcome, combination]``; the chains one after the other.
    outcomes, combinations
        Position of each label.
    """

    values: NDArray[np.float64]
    outcomes: dict[str, int]
    combinations: dict[str, int]

    def block(self, outcomes: Sequence[str], combinations: Sequence[str]) -> NDArray[np.float64]:
        """Return ``[sample, outcome, combination]`` of these labels, NaN where one is unknown."""
        block = np.full((len(self.values), len(outcomes), len(combinations)), np.nan)
        for row, outcome in enumerate(outcomes):
            for column, combination in enumerate(combinations):
                if outcome in self.outcomes and combination in self.combinations:
                    source = self.values[:, self.outcomes[outcome], self.combinations[combination]]
                    block[:, row, column] = source
        return block

    def without(self, keys: Iterable[Key]) -> "Draws":
        """Return the draws with NaN in place of some estimates."""
        values = self.values.copy()
        for outcome, combination in keys:
            if outcome in self.outcomes and combination in self.combinations:
                values[:, self.outcomes[outcome], self.combinations[combination]] = np.nan
        return replace(self, values=values)

    def of(self, outcome: str, combination: str) -> NDArray[np.float64]:
        """Return the draws of one estimate, NaN where there are none."""
        return self.block([outcome], [combination])[:, 0, 0]


def labelled_draws(draws: xr.DataArray) -> Draws:
    """Bring draws into `Draws`.

    Parameters
    ----------
    draws
        Dims ``outcome``, ``combination`` and any of ``chain``, ``draw``, ``sample``, in any order.

    Raises
    ------
    DataError
        Other dims, or labels missing.
    """
    extra = set(map(str, draws.dims)) - SAMPLE_DIMS - {"outcome", "combination"}
    missing = {"outcome", "combination"} - set(map(str, draws.dims))
    if extra or missing:
        raise DataError(
            f"draws have the dims {[str(dim) for dim in draws.dims]}; the audit needs outcome and "
            "combination, beside chain and draw, and no other"
        )
    ordered = draws.transpose(..., "outcome", "combination")
    values = np.asarray(ordered.values, dtype=float)
    return Draws(
        values.reshape(-1, *values.shape[-2:]),
        {str(label): place for place, label in enumerate(ordered["outcome"].values)},
        {str(label): place for place, label in enumerate(ordered["combination"].values)},
    )


def grid(
    outcomes: Sequence[str],
    combinations: Sequence[str],
    *,
    source: Source,
    draws: Draws | None,
    excepted: frozenset[Key] = frozenset(),
) -> Grid:
    """Return estimates as the joint rules take them.

    Parameters
    ----------
    outcomes, combinations
        Labels of the block.
    source
        Point estimates and the sides on which intervals exclude zero.
    draws
        Joint draws; None takes the point estimates as the only sample.
    excepted
        Pairs that count as absent.
    """
    sides = np.full((len(outcomes), len(combinations)), np.nan)
    points = np.full((1, *sides.shape), np.nan)
    for row, outcome in enumerate(outcomes):
        for column, combination in enumerate(combinations):
            reading = source.readings.get((outcome, combination))
            if reading is None or (outcome, combination) in excepted or not _complete(reading):
                continue
            sides[row, column] = reading.side
            points[0, row, column] = reading.estimate
    return Grid(points if draws is None else draws.block(outcomes, combinations), sides)


def _complete(reading: Reading) -> bool:
    return not (math.isnan(reading.estimate) or math.isnan(reading.lower))
