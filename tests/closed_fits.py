"""Fits without sampling: draws of the flagship from its closed forms, for tests of what follows."""

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import xarray as xr

from bipbayes.cells import whiten
from bipbayes.checks.gaussian import conditional, gaussian_model, integrate
from bipbayes.checks.terms import Term, model_terms
from bipbayes.sampling.registry import ModelFile
from bipbayes.sampling.settings import SamplerSettings

CHAINS, DRAWS = 2, 150


def closed_fit(
    model_file: ModelFile,
    cells: xr.Dataset,
    *,
    priors: Any = None,
    settings: SamplerSettings | None = None,
    progress: bool = False,
    facts: dict[str, Any] | None = None,
) -> xr.DataTree:
    """Stand in for `bipbayes.sampling.fit.sample`: independent draws, the same contents."""
    chosen = model_file.Priors() if priors is None else priors
    terms = model_terms(model_file.name, cells, priors=chosen)
    posterior = _draws(cells, terms, CHAINS * DRAWS)
    quiet = xr.DataArray(np.zeros((CHAINS, DRAWS), dtype=bool), dims=("chain", "draw"))
    energy = xr.DataArray(
        np.random.default_rng(1).normal(size=(CHAINS, DRAWS)), dims=("chain", "draw")
    )
    fit = xr.DataTree.from_dict(
        {
            "posterior": posterior,
            "sample_stats": xr.Dataset(
                {"diverging": quiet, "reached_max_treedepth": quiet, "energy": energy}
            ),
            "observed_data": _observed(cells),
            "constant_data": cells.drop_attrs(),
        }
    )
    kept = ("vcov", "previous", "study", "synthetic")
    fit.attrs = {
        "model": model_file.name,
        "terms": json.dumps([term.name for term in terms]),
        "priors": json.dumps(asdict(chosen)),
        "sampler": "closed forms",
        "draws_requested": DRAWS,
        "draws_obtained": json.dumps([DRAWS] * CHAINS),
        "interrupted": 0,
        **{name: cells.attrs[name] for name in kept},
        **(facts or {}),
    }
    return fit


def _observed(cells: xr.Dataset) -> xr.Dataset:
    white = whiten(cells)
    return xr.Dataset(
        {"whitened_mean": ("observation", white["whitened"].to_numpy()[white["observed"]])}
    )


def _draws(cells: xr.Dataset, terms: tuple[Term, ...], count: int) -> xr.Dataset:
    rng = np.random.default_rng(7)
    model = gaussian_model(cells, terms)
    mixture = integrate(model)
    places = rng.choice(len(mixture.weight), size=count, p=mixture.weight)
    rows = []
    for place in places:
        mean, root = conditional(model, mixture.sds[place])
        rows.append(mean + root @ rng.standard_normal(len(mean)))
    coefficients = np.array(rows)
    found: dict[str, xr.DataArray] = {}
    for number, term in enumerate(terms):
        found[term.name] = _labelled(coefficients[:, model.group == number], term, cells)
        found[term.sd_name] = xr.DataArray(
            mixture.sds[places, number].reshape(CHAINS, DRAWS), dims=("chain", "draw")
        )
    return xr.Dataset(found).assign_coords(chain=range(CHAINS), draw=range(DRAWS))


def _labelled(values: np.ndarray, term: Term, cells: xr.Dataset) -> xr.DataArray:
    """Coefficients run over combination, jobcenter, then indicator or (sorted) respondent."""
    order = ("combination", "jobcenter", "indicator", "respondent")
    dims = [dim for dim in order if dim in term.dims]
    labels = {
        dim: np.unique(cells["respondent"]) if dim == "respondent" else cells[dim].to_numpy()
        for dim in dims
    }
    shape = (CHAINS, DRAWS, *(len(labels[dim]) for dim in dims))
    return xr.DataArray(values.reshape(shape), dims=("chain", "draw", *dims), coords=labels)
