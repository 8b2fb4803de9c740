"""Labels of the dims that a model's terms may have."""

from typing import Final

import numpy as np
import xarray as xr

CELL: Final = ("combination", "jobcenter", "indicator")
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
