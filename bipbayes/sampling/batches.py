"""Batches: additive effects that are normal with a standard deviation of their own.

A model is declared as batches once and read by two engines: `bipbayes.sampling.exact` reduces it
to closed forms, `bipbayes.sampling.graph` makes a PyMC model of it.
"""

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np
import xarray as xr

from bipbayes.cells import CELL
from bipbayes.errors import BipbayesError, ModelError, raise_all, unknown
from bipbayes.sampling.labels import RESPONDENT, TERM_DIMS, labels, respondent_position

FLAT: Final = math.inf
"""Scale of a batch without a prior: every observed cell on its own."""


@dataclass(frozen=True)
class Basis:
    """What stands in place of one effect for each combination: coefficients in groups.

    Attributes
    ----------
    dim, group_dim
        Dims of the coefficients and of their groups.
    labels, group_labels
        Of the coefficients and of the groups.
    matrix
        Effects of the combinations from coefficients, shape (combination, coefficient).
    group
        Position of each coefficient's group, in ascending order, shape (coefficient,); each
        group has a standard deviation of its own.
    """

    dim: str
    group_dim: str
    labels: tuple[str, ...]
    group_labels: tuple[str, ...]
    matrix: np.ndarray
    group: np.ndarray


@dataclass(frozen=True)
class Batch:
    """Effects that are exchangeable: normal around zero with one standard deviation.

    Attributes
    ----------
    name
        Of the effects; their standard deviation is called ``<name>_sd``.
    dims
        Out of ``combination, respondent, indicator, jobcenter``; empty is one number.
    scale
        Of the half-normal prior of the standard deviation, in standard deviations of
        progression; with a basis one for each of its groups. `FLAT`, for a batch over
        combination, jobcenter and indicator alone, is no prior at all.
    basis
        Coefficients in place of the first dim, which is ``combination`` then; they are what is
        exchangeable, within each group.
    fixed
        True where `scale` is the standard deviation itself: from one or two effects none can be
        learnt.
    """

    name: str
    dims: tuple[str, ...]
    scale: float | tuple[float, ...]
    basis: Basis | None = None
    fixed: bool = False

    def __post_init__(self) -> None:
        """Check the dims and scales. Raises ModelError: one is unknown, or not positive."""
        given: object = self.dims
        faults = [unknown("dim", dim, TERM_DIMS) for dim in self.dims if dim not in TERM_DIMS]
        if isinstance(given, str):  # a comma was forgotten
            faults = [f"dims are several: write ({given!r},)"]
        if not all(scale > 0 for scale in self.scales):
            faults.append("scales of priors are positive numbers, in standard deviations")
        raise_all(ModelError, f"the batch {self.name} was refused:", faults)

    @property
    def sd_name(self) -> str:
        """Name of the standard deviation."""
        return f"{self.name}_sd"

    @property
    def scales(self) -> tuple[float, ...]:
        """Scales of all standard deviations."""
        return self.scale if isinstance(self.scale, tuple) else (self.scale,)

    @property
    def sd_names(self) -> tuple[str, ...]:
        """Name of each standard deviation, with the group's label where there is a basis."""
        if self.basis is None:
            return (self.sd_name,)
        return tuple(f"{self.sd_name}[{label}]" for label in self.basis.group_labels)

    def shape(self, cells: xr.Dataset) -> tuple[int, ...]:
        """Shape of the exchangeable effects: coefficients where there is a basis."""
        sizes = {dim: len(values) for dim, values in labels(cells).items()}
        own = tuple(sizes[dim] for dim in self.dims)
        return own if self.basis is None else (len(self.basis.group), *own[1:])

    def size(self, cells: xr.Dataset) -> int:
        """Count the exchangeable effects."""
        return int(np.prod(self.shape(cells)))

    def groups(self, cells: xr.Dataset) -> np.ndarray:
        """Position of the standard deviation behind each exchangeable effect."""
        own = np.zeros(1, dtype="int64") if self.basis is None else self.basis.group
        return np.repeat(own, self.size(cells) // len(own))


def present(batches: Sequence[Batch], cells: xr.Dataset) -> tuple[Batch, ...]:
    """Leave out batches over a dim of length one, which repeat a coarser batch."""
    sizes = {dim: len(values) for dim, values in labels(cells).items()}
    return tuple(
        batch for batch in batches if is_flat([batch]) or all(sizes[dim] > 1 for dim in batch.dims)
    )


def idle_priors(
    declare: Callable[[xr.Dataset, Any], Sequence[Batch]], cells: xr.Dataset, priors: Any
) -> list[str]:
    """Name the scales that no batch has which is `present`: changed, they change nothing."""

    def scales(own: Any) -> list[tuple[str, tuple[float, ...]]]:
        return [(batch.name, batch.scales) for batch in present(declare(cells, own), cells)]

    told, idle = scales(priors), []
    for name, value in asdict(priors).items():
        with suppress(BipbayesError, ValueError):  # an own model's, of which half is refused
            idle += [name] if scales(replace(priors, **{name: value / 2})) == told else []
    return idle


def is_flat(batches: Sequence[Batch]) -> bool:
    """Say whether a model is one flat batch: every observed cell on its own.

    Raises
    ------
    ModelError
        A flat batch beside others, or over other dims.
    """
    flat = [batch.name for batch in batches if batch.scale == FLAT]
    if flat and (len(batches) > 1 or set(batches[0].dims) != set(CELL)):
        raise ModelError(
            f"{', '.join(flat)} is flat: a flat batch stands alone, over {', '.join(CELL)}"
        )
    return bool(flat)


def positions(dims: tuple[str, ...], cells: xr.Dataset) -> np.ndarray:
    """Say which effect of a batch with these dims, laid in a row, counts in each cell."""
    position = np.zeros((1,) * len(CELL), dtype="int64")
    for dim in dims:
        labels_of_dim = labels(cells)[dim]
        own = respondent_position(cells) if dim == RESPONDENT else np.arange(len(labels_of_dim))
        axis = CELL.index("indicator" if dim == RESPONDENT else dim)
        others = tuple(other for other in range(len(CELL)) if other != axis)
        position = position * len(labels_of_dim) + np.expand_dims(own, others)
    return np.broadcast_to(position, tuple(cells.sizes[dim] for dim in CELL))
