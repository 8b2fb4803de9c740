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
    terms = [
        _normal(batch, degree)
        for batch, degree in zip(batches, _degrees(batches, centring), strict=True)
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
    effect = pt.zeros(tuple(cells.sizes[dim] for dim in CELL))
    for term, names in zip(terms, dims, strict=True):
        effect = effect + _by_cell(term, names, respondent_position(cells))
    return effect


def _degrees(batches: Sequence[Batch], centring: Mapping[str, np.ndarray]) -> list[Tensor]:
    """Put the degrees of centring into the model, each batch's in the shape of its effects.

    Data rather than constants, so that the compile cache serves other data of this shape; one
    vector rather than one for each batch, since nutpie compiles its access to each.
    """
    if not batches:
        return []
    shapes = [centring[batch.name].shape for batch in batches]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    flat = pm.Data("centring", np.concatenate([centring[batch.name].ravel() for batch in batches]))
    return [
        flat[end - int(np.prod(shape)) : end].reshape(shape)
        for shape, end in zip(shapes, ends.tolist(), strict=True)
    ]


def _normal(batch: Batch, degree: Tensor) -> Tensor:
    basis = batch.basis
    # exp(w log sd) rather than powers, which cost several times as much.
    if basis is None:
        logarithm = pt.log(_spread(batch, batch.scale))
        dims = batch.dims
    else:
        spread = _spread(batch, np.array(batch.scales), dims=basis.group_dim)
        each = pt.log(spread)[basis.group]
        logarithm = each.reshape((len(basis.group), *(1,) * (len(batch.dims) - 1)))
        dims = (basis.dim, *batch.dims[1:])
    raw = pm.Normal(f"{batch.name}_raw", 0.0, pt.exp(degree * logarithm), dims=dims)
    effect = pt.exp((1.0 - degree) * logarithm) * raw
    return pm.Deterministic(batch.name, _of_combinations(effect, batch), dims=batch.dims)


def _spread(
    batch: Batch, scale: float | tuple[float, ...] | np.ndarray, *, dims: str | None = None
) -> Tensor:
    """Add a batch's standard deviations, which the sampler lets come near zero and go again."""
    return pm.HalfNormal(
        f"{batch.name}_sd",
        scale,
        dims=dims,
        default_transform=LightTail(_BEND * np.asarray(scale)),
    )


def _of_combinations(effect: Tensor, batch: Batch) -> Tensor:
    """Turn coefficients into effects of combinations, where there is a basis."""
    if batch.basis is None:
        return effect
    matrix = batch.basis.matrix
    flat = pt.dot(matrix, effect.reshape((matrix.shape[1], -1)))
    return flat.reshape((matrix.shape[0], *effect.shape[1:]))


def _by_cell(term: Tensor, dims: tuple[str, ...], respondent: np.ndarray) -> Tensor:
    """Bring a term to the order of the cells' dims; length one where it lacks a dim."""
    if RESPONDENT in dims:
        term = pt.take(term, respondent, axis=dims.index(RESPONDENT))
    names = tuple("indicator" if dim == RESPONDENT else dim for dim in dims)
    order = [names.index(dim) if dim in names else "x" for dim in CELL]
    return term.dimshuffle(*order)
