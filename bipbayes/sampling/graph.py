"""The PyMC model of batches: one graph for all of them, each effect centred as data know it."""

from collections.abc import Mapping, Sequence

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from bipbayes.cells import CELL, error_roots
from bipbayes.sampling.batches import Basis, Batch, is_flat, positions
from bipbayes.sampling.centring import centring
from bipbayes.sampling.likelihood import Tensor, coordinates, observe
from bipbayes.sampling.transforms import LightTail

_BEND = 0.5  # of a prior's scale: below, the sampler's way to zero is short


def build_batches(batches: Sequence[Batch], cells: xr.Dataset) -> pm.Model:
    """Return the PyMC model of batches.

    Parameters
    ----------
    batches
        As `bipbayes.sampling.batches.present` leaves them.
    cells
        From `bipbayes.cells.cell_means`.
    """
    with pm.Model(coords=coordinates(cells)) as model:
        if is_flat(batches):
            effect = _flat(batches[0], cells)
        else:
            known = [batch for batch in batches if batch.fixed]
            effect = add_known(known, cells=cells)
            free = [batch for batch in batches if not batch.fixed]
            for batch in free:
                if batch.basis is not None:
                    _add_coords(model, batch.basis)
            effect += add_batches(free, centring(batches, cells), cells=cells)
        observe(effect, cells)
    return model


def _add_coords(model: pm.Model, basis: Basis) -> None:
    model.add_coords({basis.dim: basis.labels, basis.group_dim: basis.group_labels})


def _flat(batch: Batch, cells: xr.Dataset) -> Tensor:
    """Add an effect for every observed cell, without a prior.

    A flat prior stays flat under a linear map; in whitened units all coordinates of the posterior
    are independent with variance one, which the sampler likes.
    """
    roots, observed = error_roots(cells)
    factor = roots - np.eye(roots.shape[-1]) * ~observed[..., None]  # V = L L'
    free = pm.Flat("whitened_effect", initval=np.zeros(observed.sum()), dims="observation")
    spread = pt.set_subtensor(pt.zeros(observed.size)[np.flatnonzero(observed)], free)
    effect = pt.matmul(factor, spread.reshape((*observed.shape, 1)))[..., 0]
    pm.Deterministic(batch.name, pt.where(observed, effect, np.nan), dims=CELL)
    return effect


def add_known(batches: Sequence[Batch], *, cells: xr.Dataset) -> Tensor:
    """Add batches whose standard deviations are known, and sum them over cells."""
    terms = [
        pm.Normal(batch.name, 0.0, batch.scales[0], dims=batch.dims or None) for batch in batches
    ]
    return total(terms, [batch.dims for batch in batches], cells=cells)


def add_batches(
    batches: Sequence[Batch], degrees: Mapping[str, np.ndarray], *, cells: xr.Dataset
) -> Tensor:
    """Add batches to the model in whose context this is called, and sum them.

    An effect with centring ``w`` (0 to 1) is ``sd**(1 - w) * raw``, ``raw ~ Normal(0, sd**w)``:
    plain ``Normal(0, sd)`` for every ``w``, centred for ``w = 1``, non-centred for ``w = 0``.

    Parameters
    ----------
    batches
        As `present` leaves them.
    degrees
        Of centring, by name of the batch, shape of its effects.
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
    degree = pm.Data("centring", np.concatenate([degrees[each.name].ravel() for each in batches]))
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
    places, start = [], 0
    for names in dims:
        own = positions(names, cells)
        places.append(start + own.ravel())
        start += int(own.max()) + 1
    return _joined(terms)[np.stack(places)].sum(axis=0).reshape(sizes)


def _log_spreads(batches: Sequence[Batch], cells: xr.Dataset) -> Tensor:
    """Add all standard deviations; returns the logarithm of the one behind each effect."""
    spreads = [_spread(batch) for batch in batches]
    starts = np.cumsum([0, *(len(batch.scales) for batch in batches)])
    groups = [batch.groups(cells) + start for batch, start in zip(batches, starts, strict=False)]
    return pt.log(_joined(spreads))[np.concatenate(groups)]


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
