"""The two engines behind one call: which fits a model, and the fit."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import xarray as xr

from bipbayes.errors import SettingsError
from bipbayes.sampling.registry import ModelFile
from bipbayes.sampling.settings import EXACT, NUTS, SamplerSettings

# Imported where a fit is wanted: what only reads fits does without PyMC and nutpie.
ENGINE_MODULES: Final[Mapping[str, str]] = {
    EXACT: "bipbayes.sampling.exact.fit",
    NUTS: "bipbayes.sampling.fit",
}
OF_ANALYSIS: Final = ("analysis", "scale", "adjust_remark")  # attributes of cells a fit keeps


def engine_of(model_file: ModelFile, asked: str | None) -> str:
    """Return the engine that fits a model.

    Parameters
    ----------
    model_file
        From `bipbayes.sampling.registry.load_model`.
    asked
        ``exact``, ``nuts`` or ``None``: exact wherever the model declares batches.

    Raises
    ------
    SettingsError
        Exact is asked for and the model builds a graph of its own.
    """
    if asked == EXACT and model_file.batches is None:
        raise SettingsError(
            f"engine exact: {model_file.name} has no batches(cells, priors), only build; "
            "leave the engine out, or ask for nuts"
        )
    return asked or (NUTS if model_file.batches is None else EXACT)


def fit_cells(
    model_file: ModelFile,
    cells: xr.Dataset,
    *,
    engine: str,
    priors: Any,
    settings: SamplerSettings,
    facts: Mapping[str, str | int | float] | None = None,
) -> xr.DataTree:
    """Fit a model to cells by one of the engines, with what the cells say of their analysis.

    Parameters
    ----------
    model_file
        From `bipbayes.sampling.registry.load_model`.
    cells
        From `bipbayes.cells.cell_means`, or of another analysis.
    engine
        From `engine_of`.
    priors
        An instance of the file's ``Priors``.
    settings
        Draws, chains, seed.
    facts
        More attributes of the fit, such as the data's digest.

    Returns
    -------
    xarray.DataTree
        As of `bipbayes.sampling.fit.sample`.
    """
    told = {name: str(cells.attrs[name]) for name in OF_ANALYSIS if name in cells.attrs}
    fit: xr.DataTree = import_module(ENGINE_MODULES[engine]).sample(
        model_file, cells, priors=priors, settings=settings, facts={**(facts or {}), **told}
    )
    return fit
