"""What to expect in a jobcenter not seen: the population part plus a new jobcenter's own part."""

from typing import Final

import xarray as xr

from bipbayes.data.codebook import Codebook
from bipbayes.estimands.draws import outcome_draws
from bipbayes.estimands.effects import effect_draws, term_names

GROUP: Final = "new_jobcenter"
JOBCENTER: Final = "jobcenter"


def new_jobcenter_effects(fit: xr.DataTree, cells: xr.Dataset) -> xr.DataArray | None:
    """Add up the terms for a jobcenter that is not among the data.

    Parameters
    ----------
    fit
        A stored fit; its group ``new_jobcenter`` holds the terms over jobcenters, drawn anew
        (`bipbayes.sampling.new_jobcenter`).
    cells
        The cells it was fitted to.

    Returns
    -------
    xarray.DataArray or None
        Dims ``chain, draw, combination, jobcenter, indicator`` with one jobcenter (under the
        label of the first one of `cells`), or None where the model has no variation over
        jobcenters that a new one could be drawn from.
    """
    anew = fit[GROUP].to_dataset() if GROUP in fit.children else xr.Dataset()
    if not anew.data_vars:
        return None
    one = cells.isel(jobcenter=[0])
    label = one[JOBCENTER].to_numpy()
    posterior = fit["posterior"].to_dataset()
    terms = {
        name: anew[name].expand_dims({JOBCENTER: label}) if name in anew else posterior[name]
        for name in term_names(fit)
    }
    # From a dict of arrays without the others' jobcenters, which would be joined by label.
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(terms)})
    tree.attrs["terms"] = fit.attrs["terms"]
    return effect_draws(tree, one)


def new_jobcenter_draws(
    effects: xr.DataArray, cells: xr.Dataset, codebook: Codebook
) -> xr.DataArray:
    """Return effects in a jobcenter not seen, by outcome.

    Parameters
    ----------
    effects
        From `new_jobcenter_effects`.
    cells
        Those of the fit: standard deviations and mean changes of the outcomes.
    codebook
        Names averages and their members.

    Returns
    -------
    xarray.DataArray
        Dims ``chain, draw, combination, outcome``; outcomes as in
        `bipbayes.estimands.draws.estimand_draws`.
    """
    one = cells["n_outcome"].isel(jobcenter=[0])
    weights = xr.ones_like(one, dtype="float64")
    return outcome_draws(effects, weights, cells, codebook=codebook)
