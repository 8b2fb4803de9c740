"""Prior draws and fits for calibration."""

from collections.abc import Sequence
from itertools import product
from typing import Any, Final

import numpy as np
import xarray as xr

from bipbayes.data.sample import Floats
from bipbayes.estimands.effects import effect_draws
from bipbayes.sampling.settings import SamplerSettings
from bipbayes.validation.calibration import Fit, Known, thin

_OF_TERMS: Final = {"combination", "respondent", "indicator", "jobcenter"}


def prior_truths(
    model: Any, cells: xr.Dataset, *, terms: Sequence[str], draws: int, seed: int
) -> Known:
    """Draw parameters from a PyMC model's own prior.

    Parameters
    ----------
    model
        Built by a model file.
    cells
        Those it was built with.
    terms
        Names of the additive terms.
    draws
        Rounds.
    seed
        Of the draws.
    """
    import pymc as pm

    names = [name for name in terms if name in model.named_vars]
    hyper = [
        variable.name
        for variable in model.free_RVs
        if variable.name not in names and _is_hyperparameter(model, str(variable.name))
    ]
    prior = pm.sample_prior_predictive(
        draws=draws, model=model, var_names=[*names, *hyper], random_seed=seed
    )
    return known_draws(prior["prior"].to_dataset(), cells, terms=names)


def known_draws(posterior: xr.Dataset, cells: xr.Dataset, *, terms: Sequence[str]) -> Known:
    """Take scalars and effects out of prior or posterior draws."""
    fit = xr.DataTree.from_dict({"posterior": posterior})
    fit.attrs["terms"] = _json(terms)
    effects = effect_draws(fit, cells).to_numpy()
    values: dict[str, Floats] = {}
    for name, array in posterior.data_vars.items():
        if not {str(dim) for dim in array.dims} & _OF_TERMS:
            values |= _elements(str(name), array)
    return _with_effects(values, effects.reshape(-1, int(np.prod(effects.shape[2:]))), cells)


def _is_hyperparameter(model: Any, name: str) -> bool:
    """Say whether a variable is reported beside the terms (as the stored posterior does)."""
    return not name.endswith("_raw") and "observation" not in (
        model.named_vars_to_dims.get(name) or ()
    )


def _elements(name: str, array: xr.DataArray) -> dict[str, Floats]:
    """Draws of every element, under names such as ``combination_effect_sd[1]``."""
    ordered = array.transpose("chain", "draw", ...)
    labels = [ordered[dim].to_numpy() for dim in ordered.dims[2:]]
    values = ordered.to_numpy()
    return {
        f"{name}[{', '.join(map(str, own))}]" if own else name: values[
            (slice(None), slice(None), *place)
        ].ravel()
        for place, own in zip(np.ndindex(*values.shape[2:]), product(*labels), strict=True)
    }


def sampled_fit(compiled: Any, *, terms: Sequence[str], settings: SamplerSettings) -> Fit:
    """Return a function that fits simulated cells with a compiled model."""
    from bipbayes.sampling.fit import draw_posterior

    def fit(cells: xr.Dataset, seed: int) -> Known:
        own = SamplerSettings(
            draws=settings.draws,
            tune=settings.tune,
            chains=settings.chains,
            target_accept=settings.target_accept,
            seed=seed,
        )
        tree = draw_posterior(compiled, cells, settings=own)
        posterior = tree["posterior"].to_dataset()
        there = [name for name in terms if name in posterior]
        return thin(known_draws(posterior, cells, terms=there))

    return fit


def _with_effects(values: dict[str, Floats], effect: Floats, cells: xr.Dataset) -> Known:
    """Add three effects (best known, least known, mean of all) to the scalars."""
    n = cells["n"].transpose("combination", "jobcenter", "indicator").to_numpy().ravel()
    chosen = {
        "best known effect": effect[:, int(n.argmax())],
        "least known effect": effect[:, int(n.argmin())],
        "mean of all effects": effect.mean(axis=1),
    }
    return Known({**values, **chosen}, effect)


def _json(terms: Sequence[str]) -> str:
    import json

    return json.dumps(list(terms))
