"""Batches: additive terms whose effects are normal with a standard deviation of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from bipbayes.sampling.labels import CELL, RESPONDENT, labels, respondent_position
from bipbayes.sampling.likelihood import Tensor


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
        progression.
    """

    name: str
    dims: tuple[str, ...]
    scale: float


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
    terms = [_normal(batch, centring[batch.name]) for batch in batches]
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


def _normal(batch: Batch, centring: np.ndarray) -> Tensor:
    spread = pm.HalfNormal(f"{batch.name}_sd", batch.scale)
    # Data rather than constants, so that the compile cache serves other data of this shape;
    # exp(w log sd) rather than powers, which cost several times as much.
    degree = pm.Data(f"{batch.name}_centring", centring)
    logarithm = pt.log(spread)
    raw = pm.Normal(f"{batch.name}_raw", 0.0, pt.exp(degree * logarithm), dims=batch.dims)
    return pm.Deterministic(batch.name, pt.exp((1.0 - degree) * logarithm) * raw, dims=batch.dims)


def _by_cell(term: Tensor, dims: tuple[str, ...], respondent: np.ndarray) -> Tensor:
    """Bring a term to the order of the cells' dims; length one where it lacks a dim."""
    if RESPONDENT in dims:
        term = pt.take(term, respondent, axis=dims.index(RESPONDENT))
    names = tuple("indicator" if dim == RESPONDENT else dim for dim in dims)
    order = [names.index(dim) if dim in names else "x" for dim in CELL]
    return term.dimshuffle(*order)
