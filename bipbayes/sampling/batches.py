"""Batches: additive terms whose effects are normal with a standard deviation of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from bipbayes.sampling.labels import CELL, RESPONDENT, labels, respondent_position
from bipbayes.sampling.likelihood import Tensor
from bipbayes.sampling.transforms import LightTail

_BEND = 0.5  # of a prior's scale: below, the sampler's way to zero is short


@dataclass(frozen=True)
class Basis:
    """What stands in place of one effect for each combination: coefficients in groups.

    Attributes
    ----------
    dim, group_dim
        Dims of the coefficients and of their groups, whose labels the model's coords give.
    matrix
        Effects of the combinations from coefficients, shape (combination, coefficient).
    group
        Position of each coefficient's group, in ascending order, shape (coefficient,); each
        group has a standard deviation of its own.
    """

    dim: str
    group_dim: str
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
        Out of ``combination, respondent, indicator, jobcenter``.
    scale
        Of the half-normal prior of the standard deviation, in standard deviations of
        progression; with a basis one for each of its groups.
    basis
        Coefficients in place of the first dim, which is ``combination`` then; they are what is
        exchangeable, within each group.
    """

    name: str
    dims: tuple[str, ...]
    scale: float | tuple[float, ...]
    basis: Basis | None = None

    @property
    def scales(self) -> tuple[float, ...]:
        """Scales of all standard deviations."""
        return self.scale if isinstance(self.scale, tuple) else (self.scale,)

    def shape(self, cells: xr.Dataset) -> tuple[int, ...]:
        """Shape of the exchangeable effects: coefficients where there is a basis."""
        sizes = {dim: len(values) for dim, values in labels(cells).items()}
        own = tuple(sizes[dim] for dim in self.dims)
        return own if self.basis is None else (len(self.basis.group), *own[1:])

    def group_sizes(self, cells: xr.Dataset) -> tuple[int, ...]:
        """Count the exchangeable effects behind each standard deviation."""
        shape = self.shape(cells)
        if self.basis is None:
            return (int(np.prod(shape)),)
        rest = int(np.prod(shape[1:]))
        return tuple(int(count) * rest for count in np.bincount(self.basis.group))


def present(batches: Sequence[Batch], cells: xr.Dataset) -> tuple[Batch, ...]:
    """Leave out batches over a dim of length one, which repeat a coarser batch."""
    sizes = {dim: len(values) for dim, values in labels(cells).items()}
    return tuple(batch for batch in batches if all(sizes[dim] > 1 for dim in batch.dims))


def add_batches(
    batches: Sequence[Batch], centring: Mapping[str, np.ndarray], *, cells: xr.Dataset
) -> Tensor:
    """Add batches to the model in whose context this is called, and sum them.

    An effect with centring ``w`` (0 to 1) is ``sd**(1 - w) * raw``, ``raw ~ Normal(0, sd**w)``:
    plain ``Normal(0, sd)`` for every ``w``, centred for ``w = 1``, non-centred for ``w = 0``.

    Parameters
    ----------
    batches
        As `present` leaves them.
    centring
        By name of the batch, shape of its effects.
    cells
        Gives labels and respondents.

    Returns
    -------
    Tensor
        The effect, shape (combination, jobcenter, indicator).
    """
    if not batches:
        return total([], [], cells=cells)
    # What batches share is computed once, on one row of all their effects: each operation on an
    # array of another shape is code of its own, and compiling takes longer than sampling.
    logarithm = _log_spreads(batches, cells)
    # Data rather than a constant, so that the compile cache serves other data of this shape.
    degree = pm.Data("centring", np.concatenate([centring[each.name].ravel() for each in batches]))
    # exp(w log sd) rather than powers, which cost several times as much.
    spreads = _parts(pt.exp(degree * logarithm), batches, cells)
    raw = [
        pm.Normal(f"{batch.name}_raw", 0.0, spread, dims=_effect_dims(batch))
        for batch, spread in zip(batches, spreads, strict=True)
    ]
    units = _parts(pt.exp((1.0 - degree) * logarithm), batches, cells)
    # Each of its own raw values alone: a jobcenter not seen is drawn along these lines.
    terms = [
        pm.Deterministic(batch.name, _of_combinations(unit * own, batch), dims=batch.dims)
        for batch, unit, own in zip(batches, units, raw, strict=True)
    ]
    return total(terms, [batch.dims for batch in batches], cells=cells)


def total(terms: Sequence[Tensor], dims: Sequence[tuple[str, ...]], *, cells: xr.Dataset) -> Tensor:
    """Sum terms to the effect of every cell.

    Parameters
    ----------
    terms
        Of any dims that a term may have.
    dims
        Of each term.
    cells
        Gives labels and respondents.

    Returns
    -------
    Tensor
        Shape (combination, jobcenter, indicator).
    """
    sizes = tuple(cells.sizes[dim] for dim in CELL)
    if not terms:
        return pt.zeros(sizes)
    # One look-up in one row of all terms, for the reason given in `add_batches`.
    positions, start = [], 0
    for names in dims:
        own = _positions(names, cells)
        positions.append(start + own.ravel())
        start += int(own.max()) + 1
    return _joined(terms)[np.stack(positions)].sum(axis=0).reshape(sizes)


def _log_spreads(batches: Sequence[Batch], cells: xr.Dataset) -> Tensor:
    """Add all standard deviations; returns the logarithm of the one behind each effect."""
    spreads = [_spread(batch) for batch in batches]
    counts = np.concatenate([batch.group_sizes(cells) for batch in batches])
    return pt.log(_joined(spreads))[np.repeat(np.arange(len(counts)), counts)]


def _spread(batch: Batch) -> Tensor:
    """Add a batch's standard deviations, which the sampler lets come near zero and go again."""
    scale = np.array(batch.scales) if batch.basis is not None else np.asarray(batch.scale)
    return pm.HalfNormal(
        f"{batch.name}_sd",
        scale,
        dims=None if batch.basis is None else batch.basis.group_dim,
        default_transform=LightTail(_BEND * scale),
    )


def _joined(arrays: Sequence[Tensor]) -> Tensor:
    """Lay arrays in one row."""
    return pt.concatenate([array.reshape((-1,)) for array in arrays])


def _parts(row: Tensor, batches: Sequence[Batch], cells: xr.Dataset) -> list[Tensor]:
    """Cut a row of all effects into batches, in the shape of their effects."""
    shapes = [batch.shape(cells) for batch in batches]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes]).tolist()
    starts = [0, *ends[:-1]]
    return [
        row[start:end].reshape(shape)
        for start, end, shape in zip(starts, ends, shapes, strict=True)
    ]


def _effect_dims(batch: Batch) -> tuple[str, ...]:
    return batch.dims if batch.basis is None else (batch.basis.dim, *batch.dims[1:])


def _of_combinations(effect: Tensor, batch: Batch) -> Tensor:
    """Turn coefficients into effects of combinations, where there is a basis."""
    if batch.basis is None:
        return effect
    matrix = batch.basis.matrix
    flat = pt.dot(matrix, effect.reshape((matrix.shape[1], -1)))
    return flat.reshape((matrix.shape[0], *effect.shape[1:]))


def _positions(dims: tuple[str, ...], cells: xr.Dataset) -> np.ndarray:
    """Which entry of a term with these dims, laid in a row, counts in each cell."""
    position = np.zeros((1,) * len(CELL), dtype="int64")
    for dim in dims:
        labels_of_dim = labels(cells)[dim]
        own = respondent_position(cells) if dim == RESPONDENT else np.arange(len(labels_of_dim))
        axis = CELL.index("indicator" if dim == RESPONDENT else dim)
        others = tuple(other for other in range(len(CELL)) if other != axis)
        position = position * len(labels_of_dim) + np.expand_dims(own, others)
    return np.broadcast_to(position, tuple(cells.sizes[dim] for dim in CELL))
