"""Fit a model to the cells of a replicate, by closed forms or by the sampler."""

from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.estimands.effects import effect_draws
from bipbayes.sampling.batches import is_flat
from bipbayes.sampling.exact.integrate import Mixture, integrate, plugged_in, thinned
from bipbayes.sampling.exact.posterior import saturated_posterior
from bipbayes.sampling.exact.reduce import GaussianModel, gaussian_model
from bipbayes.sampling.registry import load_model
from bipbayes.sampling.settings import SamplerSettings
from bipbayes.validation.scores import score_draws, score_mixture, score_normals
from bipbayes.validation.settings import CLOSED, NUTS, PLUGGED, ValidationSettings
from bipbayes.validation.targets import Targets

DRAWN: Final = 64  # points over the standard deviations
POINTS: Final = 16  # of them, after the weights are known
_COMPILED: dict[tuple[object, ...], Any] = {}


def fit_scores(
    cells: xr.Dataset, targets: Targets, *, settings: ValidationSettings, seed: int
) -> list[pd.DataFrame]:
    """Score every model by every engine on one set of cells.

    Parameters
    ----------
    cells
        From `bipbayes.cells.cell_means`, with one working covariance.
    targets
        The study's.
    settings
        Models, engines, draws.
    seed
        Of this replicate.

    Returns
    -------
    list of pandas.DataFrame
        Columns `bipbayes.validation.scores.COLUMNS`. Models without closed forms are only
        sampled.
    """
    frames = []
    for name in settings.models:
        model_file = load_model(name)
        labels = {"model": model_file.name, "vcov": str(cells.attrs["vcov"])}
        closed = [e for e in (CLOSED, PLUGGED) if e in settings.engines]
        batches = model_file.declared(cells) if closed else ()
        if batches and not is_flat(batches):
            model = gaussian_model(cells, batches)
            for engine in closed:
                mixture = _mixture(model, engine, seed)
                frames.append(
                    score_mixture(model, mixture, targets, labels={**labels, "engine": engine})
                )
        elif batches:
            mean, sd = saturated_posterior(cells, targets.matrix)
            normal = (mean + targets.shift)[None], sd[None]
            for engine in closed:
                named = {**labels, "engine": engine}
                frames.append(score_normals(*normal, targets, weight=np.ones(1), labels=named))
        if NUTS in settings.engines:
            effects = sampled_effects(name, cells, settings=settings, seed=seed)
            frames.append(score_draws(effects, targets, labels={**labels, "engine": NUTS}))
    return frames


def _mixture(model: GaussianModel, engine: str, seed: int) -> Mixture:
    if engine == PLUGGED:
        return plugged_in(model)
    return thinned(integrate(model, points=DRAWN, seed=seed), POINTS)


def sampled_effects(
    name: str, cells: xr.Dataset, *, settings: ValidationSettings, seed: int
) -> np.ndarray:
    """Draw effects with the sampler, shape (draw, combination x jobcenter x indicator).

    The model is compiled once for each process and shape of study, then given other cells.
    """
    from bipbayes.sampling.fit import draw_posterior

    sampler = SamplerSettings(
        draws=settings.draws, tune=settings.tune, chains=settings.chains, seed=seed
    )
    compiled = compiled_model(name, cells)
    fit = draw_posterior(compiled, cells, settings=sampler)
    effects = effect_draws(fit, cells)
    return np.asarray(effects.to_numpy().reshape(-1, int(np.prod(effects.shape[2:]))))


def compiled_model(name: str, cells: xr.Dataset) -> Any:
    """Compile a model, or take it from an earlier replicate of the same labels."""
    from bipbayes.sampling.fit import compile_model

    dims = ("combination", "jobcenter", "indicator")
    key = (name, *(tuple(cells[dim].to_numpy()) for dim in dims))
    if key not in _COMPILED:
        _COMPILED[key] = compile_model(load_model(name), cells)
    return _COMPILED[key]
