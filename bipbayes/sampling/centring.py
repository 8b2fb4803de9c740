"""How far each effect of a batch is centred: as far as the data know it.

A centred effect ``x ~ Normal(0, sd)`` mixes well where the data determine ``x``; where they
hardly do, ``x`` and ``sd`` form a funnel, and the non-centred ``x = sd * raw`` mixes well
(Papaspiliopoulos, Roberts and Sköld 2007, section 4). BIP has both in one batch: 1,681
responses to one combination, 24 to another. So each effect gets its own degree of centring, the
share of its prior variance that the data take away, at standard deviations of the prior's size:

    centring = 1 - Var(x | data) / Var(x),      Var(x) = scale**2

Any value between 0 and 1 gives the same posterior; only the sampler's path depends on it.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from scipy import linalg

from bipbayes.cells import whiten
from bipbayes.sampling.batches import Batch
from bipbayes.sampling.labels import CELL, RESPONDENT, labels, respondent_position

_REFERENCE = 0.5  # of the prior scale: where most posteriors of a standard deviation end


def centring(batches: Sequence[Batch], cells: xr.Dataset) -> dict[str, np.ndarray]:
    """Work out the degree of centring of every effect.

    Parameters
    ----------
    batches
        All additive batches of a model.
    cells
        From `bipbayes.cells.cell_means`.

    Returns
    -------
    dict
        By name of the batch, shape of its effects, 0 (non-centred) to 1 (centred).
    """
    sizes = {dim: len(values) for dim, values in labels(cells).items()}
    shapes = [tuple(sizes[dim] for dim in batch.dims) for batch in batches]
    counts = [int(np.prod(shape)) for shape in shapes]
    prior = np.repeat([(_REFERENCE * batch.scale) ** 2 for batch in batches], counts)
    precision = _information(batches, cells, shapes=shapes) + np.diag(1.0 / prior)
    # Only the diagonal is wanted, but LAPACK's inverse of a factor costs less than it saves.
    factor = linalg.lapack.dpotrf(precision, lower=1)[0]
    variance = np.diag(linalg.lapack.dpotri(factor, lower=1)[0])
    shares = np.clip(1.0 - variance / prior, 0.0, 1.0)
    parts = np.split(shares, np.cumsum(counts)[:-1])
    return {
        batch.name: part.reshape(shape)
        for batch, part, shape in zip(batches, parts, shapes, strict=True)
    }


def _information(
    batches: Sequence[Batch], cells: xr.Dataset, *, shapes: Sequence[tuple[int, ...]]
) -> np.ndarray:
    """Precision that the data alone give, shape (effect, effect) over all batches."""
    whitener = whiten(cells)["whitener"].to_numpy()
    columns = _columns(batches, cells, shapes=shapes)
    size = sum(int(np.prod(shape)) for shape in shapes)
    information = np.zeros((size, size))
    for c, j in np.ndindex(whitener.shape[:2]):
        precision = whitener[c, j].T @ whitener[c, j]
        block = columns[:, c, j]
        tiled = np.tile(precision, (len(batches), len(batches)))
        rows = block.reshape(-1)
        np.add.at(information, (rows[:, None], rows[None, :]), tiled)
    return information


def _columns(
    batches: Sequence[Batch], cells: xr.Dataset, *, shapes: Sequence[tuple[int, ...]]
) -> np.ndarray:
    """Position of each batch's effect in each cell, shape (batch, combination, jobcenter, k)."""
    grid = dict(zip(CELL, np.indices([cells.sizes[dim] for dim in CELL]), strict=True))
    grid[RESPONDENT] = respondent_position(cells)[grid["indicator"]]
    start, result = 0, []
    for batch, shape in zip(batches, shapes, strict=True):
        place = np.ravel_multi_index([grid[dim] for dim in batch.dims], shape)
        result.append(start + place)
        start += int(np.prod(shape))
    return np.stack(result)
