"""Labels of the dims that a model's terms may have, and draws laid out by them."""

from collections.abc import Hashable
from itertools import product
from typing import Final

import numpy as np
import xarray as xr

from bipbayes.cells import CELL
from bipbayes.data.sample import Floats

SAMPLE: Final = ("chain", "draw")
RESPONDENT: Final = "respondent"
TERM_DIMS: Final = ("combination", RESPONDENT, "indicator", "jobcenter")


def labels(cells: xr.Dataset) -> dict[str, list[str]]:
    """Return the labels of every dim that a term may have.

    Parameters
    ----------
    cells
        From `bipbayes.cells.cell_means`: dims ``combination, jobcenter, indicator`` and the
        coord ``respondent(indicator)``.

    Returns
    -------
    dict
        Labels as text by dim; respondents in order of their first indicator.
    """
    found = {dim: [str(label) for label in cells[dim].to_numpy()] for dim in CELL}
    respondents = [str(label) for label in cells[RESPONDENT].to_numpy()]
    return {**found, RESPONDENT: list(dict.fromkeys(respondents))}


def respondent_position(cells: xr.Dataset) -> np.ndarray:
    """Return for each indicator the position of its respondent, shape (indicator,)."""
    order = labels(cells)[RESPONDENT]
    return np.array([order.index(str(label)) for label in cells[RESPONDENT].to_numpy()])


def coordinates(cells: xr.Dataset) -> dict[str, list[str]]:
    """Return the coords of a model: the labels of all dims, and of the observations."""
    named = labels(cells)
    observed = np.argwhere((cells["n"] > 0).transpose(*CELL).to_numpy())
    texts = [" ".join(named[dim][i] for dim, i in zip(CELL, row, strict=True)) for row in observed]
    return {**named, "observation": texts}


def pooled(draws: xr.DataArray, *dims: str) -> Floats:
    """Lay the draws of all chains in a row, shape (draw, ...); the others are `dims` in order."""
    values = draws.transpose(*SAMPLE, *(dims or (...,))).to_numpy()
    # Counted, not -1: an estimate that nobody asks for leaves an empty array, too.
    return np.asarray(values.reshape(values.shape[0] * values.shape[1], *values.shape[2:]))


def elements(draws: xr.Dataset) -> dict[str, Floats]:
    """Return every number of variables, (chain, draw), by its name: ``order_sd[1]``."""
    found: dict[str, Floats] = {}
    for name, array in draws.data_vars.items():
        labels: list[Hashable] = [dim for dim in array.dims if dim not in SAMPLE]
        values = array.transpose(*SAMPLE, *labels).to_numpy()
        columns = np.moveaxis(values.reshape(*values.shape[:2], -1), 2, 0)
        told = product(*(map(str, array[dim].to_numpy()) for dim in labels))
        names = [f"{name}[{', '.join(own)}]" if own else str(name) for own in told]
        found.update(zip(names, columns, strict=True))
    return found
