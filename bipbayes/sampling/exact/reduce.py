"""Cells and batches, reduced to what the closed forms need: sums of squares in bordered blocks.

Cell blocks (combination x jobcenter) err independently. So effects that only one combination's
cells see are, given all others (the border), independent of those of other combinations; the
same holds for jobcenters. Eliminating them block by block costs a fraction of eliminating all at
once. Which of the two is cheaper is counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import xarray as xr
from scipy import sparse

from bipbayes.cells import CELL, whiten
from bipbayes.data.sample import Booleans, Floats, Integers
from bipbayes.sampling.batches import Batch, positions, present

NOWHERE: Final = -1
_BLOCK_DIMS: Final = ("combination", "jobcenter")


@dataclass(frozen=True)
class Bordered:
    """A'A and A'y, coefficients ordered as blocks that only the border connects.

    Attributes
    ----------
    place
        Positions of the blocks' coefficients, shape (block, size); `NOWHERE` fills up.
    border
        Positions of the others.
    block, cross, corner
        A'A: within blocks, (block, size, size); blocks by border, (block, size, border); border.
    inner, outer
        A'y of the blocks, (block, size), and of the border.
    """

    place: Integers
    border: Integers
    block: Floats
    cross: Floats
    corner: Floats
    inner: Floats
    outer: Floats


@dataclass(frozen=True)
class GaussianModel:
    """A model of batches and its data.

    Attributes
    ----------
    batches
        As `bipbayes.sampling.batches.present` leaves them.
    names, scale, free
        By standard deviation: name, prior scale (or value, where fixed), whether it is free.
    group
        Position of the standard deviation by coefficient.
    design
        Effects from coefficients, shape (combination x jobcenter x indicator, coefficient).
    gram
        A'A and A'y.
    square, observations
        y'y and the number of observed means.
    """

    batches: tuple[Batch, ...]
    names: tuple[str, ...]
    scale: Floats
    free: Booleans
    group: Integers
    design: sparse.csr_array
    gram: Bordered
    square: float
    observations: int

    def sds(self, ratios: Floats) -> Floats:
        """Return all standard deviations from the free ones in scales of their priors."""
        result = np.broadcast_to(self.scale, (*ratios.shape[:-1], len(self.scale))).copy()
        result[..., self.free] *= ratios
        return result


def gaussian_model(
    cells: xr.Dataset, batches: Sequence[Batch], *, by: str | None = None
) -> GaussianModel:
    """Reduce cells and batches.

    Parameters
    ----------
    cells
        From `bipbayes.cells.cell_means`.
    batches
        The model's.
    by
        Dim whose labels are the blocks, ``""`` for one border without blocks; default: whatever
        takes the fewest operations.
    """
    chosen = present(batches, cells)
    design, group = design_matrix(cells, chosen)
    turned, means = whitened_rows(cells, design)
    orders = {dim: _order(design, cells, dim) for dim in ("", *_BLOCK_DIMS)}
    best = min(orders, key=lambda dim: _operations(*orders[dim])) if by is None else by
    return GaussianModel(
        batches=chosen,
        names=tuple(name for batch in chosen for name in batch.sd_names),
        scale=np.array([scale for batch in chosen for scale in batch.scales], dtype="float64"),
        free=np.array([not b.fixed for b in chosen for _ in b.scales], dtype="bool"),
        group=group,
        design=design,
        gram=_gram(turned, means, cells, best, orders[best]),
        square=float(means @ means),
        observations=int((cells["n"] > 0).sum()),
    )


def design_matrix(cells: xr.Dataset, batches: Sequence[Batch]) -> tuple[sparse.csr_array, Integers]:
    """Matrix that turns coefficients into effects.

    Returns: shape (combination x jobcenter x indicator, coefficient), and the position of its
    standard deviation by coefficient.
    """
    size = int(np.prod([cells.sizes[dim] for dim in CELL]))
    parts = [sparse.csr_array((size, 0)), *(_columns(batch, cells) for batch in batches)]
    groups, first = [np.zeros(0, dtype="int64")], 0
    for batch in batches:
        groups.append(first + batch.groups(cells))
        first += len(batch.scales)
    return sparse.csr_array(sparse.hstack(parts, format="csr")), np.concatenate(groups)


def _columns(batch: Batch, cells: xr.Dataset) -> sparse.csr_array:
    size = int(np.prod([cells.sizes[dim] for dim in CELL]))
    rows = np.arange(size)
    if batch.basis is None:
        entries = (np.ones(size), (rows, positions(batch.dims, cells).ravel()))
        return sparse.csr_array(entries, shape=(size, batch.size(cells)))
    combination = positions(("combination",), cells).ravel()
    rest = positions(batch.dims[1:], cells).ravel()
    weights = batch.basis.matrix[combination]  # (cell, coefficient of the basis)
    columns = np.arange(weights.shape[1]) * (rest.max() + 1) + rest[:, None]
    entries = (weights.ravel(), (np.repeat(rows, weights.shape[1]), columns.ravel()))
    return sparse.csr_array(entries, shape=(size, batch.size(cells)))


def whitened_rows(cells: xr.Dataset, design: sparse.csr_array) -> tuple[sparse.csr_array, Floats]:
    """Whitened design and means of all cells; rows of cells without answers are zero."""
    white = whiten(cells).transpose(..., *CELL, "indicator_")
    blocks = white["whitener"].to_numpy()
    blocks = blocks.reshape(-1, *blocks.shape[-2:])
    places = np.arange(len(blocks) + 1)
    whitener = sparse.bsr_array((blocks, places[:-1], places)).tocsr()
    means = np.where(white["observed"], white["whitened"], 0.0)
    return sparse.csr_array(whitener @ design), means.ravel()


def _order(design: sparse.csr_array, cells: xr.Dataset, dim: str) -> tuple[Integers, Integers]:
    """Blocks of coefficients that only one label's cells see, and the border of all others."""
    count = design.shape[1]
    if not dim:
        return np.zeros((0, 0), dtype="int64"), np.arange(count)
    entries = design.tocoo()
    label = positions((dim,), cells).ravel()[entries.row]
    lowest, highest = np.full(count, cells.sizes[dim]), np.full(count, -1)
    np.minimum.at(lowest, entries.col, label)
    np.maximum.at(highest, entries.col, label)
    own = lowest == highest
    members = [np.flatnonzero(own & (lowest == place)) for place in range(cells.sizes[dim])]
    size = max(len(block) for block in members)
    place = np.full((len(members), size), NOWHERE)
    for row, block in zip(place, members, strict=True):
        row[: len(block)] = block
    return place, np.flatnonzero(~own)


def _operations(place: Integers, border: Integers) -> float:
    """Multiplications of one evaluation: factors, their product with the border, its factor."""
    count, size = (float(length) for length in place.shape)
    width = float(len(border))
    return count * size**3 + count * size**2 * width + count * size * width**2 / 2 + width**3 / 3


def _gram(
    turned: sparse.csr_array,
    means: Floats,
    cells: xr.Dataset,
    dim: str,
    order: tuple[Integers, Integers],
) -> Bordered:
    place, border = order
    count, size, width = *place.shape, len(border)
    block, cross = np.zeros((count, size, size)), np.zeros((count, size, width))
    corner, inner = np.zeros((width, width)), np.zeros((count, size))
    labels = positions((dim,) if dim else (), cells).ravel()
    outer = np.zeros(width)
    for label in range(labels.max() + 1):
        rows = np.flatnonzero(labels == label)
        own, kept = turned[rows], means[rows]
        edge = own[:, border].toarray()
        corner += edge.T @ edge
        outer += edge.T @ kept
        if count:
            there = place[label] != NOWHERE
            columns = np.zeros((len(rows), size))
            columns[:, there] = own[:, place[label][there]].toarray()
            block[label], cross[label] = columns.T @ columns, columns.T @ edge
            inner[label] = columns.T @ kept
    return Bordered(place, border, block, cross, corner, inner, outer)
