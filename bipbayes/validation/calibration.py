"""Simulation-based calibration: an analysis must return the prior that data were drawn from.

Parameters are drawn from the model's own prior, cell means from the model given them, and the
model is fitted to these means. Over many such rounds the rank of each true value among thinned
posterior draws must be uniform (Talts et al. 2018; Modrák et al. 2023 for the log likelihood as
a further quantity). Ranks are judged by the difference of their empirical distribution from the
uniform one against a simultaneous band (Säilynoja, Bürkner and Vehtari 2022).

`run_calibration` stores its rounds, by the sampler, one by one.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.atomic import atomic_path
from bipbayes.cells import CELL, cell_means, error_roots
from bipbayes.data.codebook import Codebook
from bipbayes.data.progression import progression
from bipbayes.data.sample import Floats
from bipbayes.estimands.draws import effect_draws
from bipbayes.progress import stage, unsaid
from bipbayes.sampling.batches import is_flat
from bipbayes.sampling.labels import elements, pooled
from bipbayes.sampling.predict import log_likelihood
from bipbayes.sampling.registry import load_model
from bipbayes.sampling.settings import SamplerSettings
from bipbayes.validation.generator import draw_design, draw_drift, simulate_study
from bipbayes.validation.replicate import Where, claim, compiled_model, run_tasks
from bipbayes.validation.settings import ValidationSettings

LIKELIHOOD: Final = "log likelihood"
KEPT: Final = 99  # thinned draws; a rank is 0 to 99
_BAND_DRAWS: Final = 2000
# That calibrated quantities stay inside their bands throughout, divided among them (Bonferroni).
_PROBABILITY: Final = 0.99
_OF_TERMS: Final = {"combination", "respondent", "indicator", "jobcenter"}
_SAMPLER: Final = SamplerSettings(draws=1000, tune=500, chains=1)


@dataclass(frozen=True)
class Known:
    """Parameters drawn from the prior, or posterior draws of them.

    Attributes
    ----------
    values
        Scalars by name, shape (draw,) each (one draw for the truth).
    effect
        Shape (draw, combination x jobcenter x indicator).
    """

    values: dict[str, Floats]
    effect: Floats


Fit = Callable[[xr.Dataset, int], Known]


def simulate_means(cells: xr.Dataset, effect: Floats, *, seed: int) -> xr.Dataset:
    """Put means drawn from the model in place of the observed ones.

    `cells`: from `bipbayes.cells.cell_means`; its covariance and pattern of answers stay; `effect`:
    shape (combination x jobcenter x indicator,); `seed`: of the sampling error.
    """
    root, observed = error_roots(cells)
    noise = np.random.default_rng(seed).standard_normal(observed.shape)
    error = (root @ noise[..., None])[..., 0]
    mean = np.where(observed, effect.reshape(observed.shape) + error, np.nan)
    return cells.assign(mean=(CELL, mean))


def rank_shares(
    cells: xr.Dataset, truths: Known, fit: Fit, *, seed: int, first: int = 0
) -> pd.DataFrame:
    """Fit simulated means and rank the truth among the draws.

    `cells`: gives covariance and pattern of answers; `truths`: draws from the prior, one a round;
    `fit`: turns cells and a seed into `Known` posterior draws, nearly independent ones; `seed`: of
    the sampling errors and of the fits; `first`: number of the first round, where rounds are run in
    parts.

    Returns: ``round``, ``quantity``, ``share`` (of posterior draws below the truth, ties and ends
    spread at random over the rank's place).
    """
    rows = []
    for place in range(len(truths.effect)):
        number = first + place
        state = np.random.SeedSequence([seed, number]).generate_state(3)
        simulated = simulate_means(cells, truths.effect[place], seed=int(state[0]))
        posterior = fit(simulated, int(state[1] >> 1))
        own = {name: values[place] for name, values in truths.values.items()}
        own[LIKELIHOOD] = log_likelihood(simulated, truths.effect[place : place + 1])[0]
        drawn = {**posterior.values, LIKELIHOOD: log_likelihood(simulated, posterior.effect)}
        jitter = np.random.default_rng(int(state[2])).uniform(size=len(own))
        for (name, value), part in zip(own.items(), jitter, strict=True):
            below = int((drawn[name] < value).sum())
            share = (below + part) / (len(drawn[name]) + 1)
            rows.append({"round": number, "quantity": name, "share": share})
    return pd.DataFrame(rows)


def thin(known: Known) -> Known:
    """Keep equally spaced draws, so that their autocorrelation does not blur the ranks."""
    size = len(known.effect)
    place = np.linspace(0, size - 1, min(KEPT, size)).astype(int)
    values = {name: draws[place] for name, draws in known.values.items()}
    return Known(values, known.effect[place])


def calibration_verdict(shares: pd.DataFrame) -> pd.DataFrame:
    """Hold the ranks of every quantity against a simultaneous band.

    Parameters
    ----------
    shares
        From `rank_shares`.

    Returns
    -------
    pandas.DataFrame
        ``quantity``, ``rounds``, ``largest`` (difference of the distributions, signed),
        ``outside`` (share of the points outside the band), ``mean`` share (0.5 if calibrated),
        ``spread`` of the shares (1 if calibrated, below 1: posterior too wide, above: too
        narrow), ``passed``.
    """
    ecdf_pit: Any = import_module("arviz_stats.ecdf_utils").ecdf_pit
    quantities = list(dict.fromkeys(shares["quantity"]))
    each = 1 - (1 - _PROBABILITY) / len(quantities)
    rows = []
    for quantity in quantities:
        values = np.sort(shares.loc[shares["quantity"] == quantity, "share"].to_numpy())
        rng = np.random.default_rng(1)
        points, ecdf, lower, upper = ecdf_pit(values, each, _BAND_DRAWS, rng=rng)
        gap = ecdf - points
        outside = (ecdf < lower) | (ecdf > upper)
        rows.append(
            {
                "quantity": quantity,
                "rounds": len(values),
                "largest": float(gap[np.abs(gap).argmax()]),
                "outside": float(outside.mean()),
                "mean": float(values.mean()),
                "spread": float(values.std() * np.sqrt(12)),
                "passed": not outside.any(),
            }
        )
    return pd.DataFrame(rows)


def prior_truths(
    model: Any, cells: xr.Dataset, *, terms: Sequence[str], draws: int, seed: int
) -> Known:
    """Draw parameters from a PyMC model's own prior.

    `model`: built by a model file; `cells`: those it was built with; `terms`: names of the additive
    terms; `draws`: rounds; `seed`: of the draws.
    """
    import pymc as pm

    names = [name for name in terms if name in model.named_vars]
    hyper = [
        variable.name
        for variable in model.free_RVs
        if variable.name not in names and _is_hyperparameter(model, str(variable.name))
    ]
    with unsaid("pymc"):
        prior = pm.sample_prior_predictive(
            draws=draws, model=model, var_names=[*names, *hyper], random_seed=seed
        )
    return known_draws(prior["prior"].to_dataset(), cells, terms=names)


def known_draws(posterior: xr.Dataset, cells: xr.Dataset, *, terms: Sequence[str]) -> Known:
    """Take scalars and effects out of prior or posterior draws."""
    fit = xr.DataTree.from_dict({"posterior": posterior})
    fit.attrs["terms"] = json.dumps(list(terms))
    effect = pooled(effect_draws(fit, cells))
    others = [name for name, array in posterior.items() if not _OF_TERMS & {*array.dims}]
    values = {name: draws.ravel() for name, draws in elements(posterior[others]).items()}
    return _with_effects(values, effect.reshape(len(effect), -1), cells)


def _is_hyperparameter(model: Any, name: str) -> bool:
    """Say whether a variable is reported beside the terms (as the stored posterior does)."""
    return not name.endswith("_raw") and "observation" not in (
        model.named_vars_to_dims.get(name) or ()
    )


def sampled_fit(compiled: Any, *, terms: Sequence[str], settings: SamplerSettings) -> Fit:
    """Return a function that fits simulated cells with a compiled model."""
    from bipbayes.sampling.fit import draw_posterior

    def fit(cells: xr.Dataset, seed: int) -> Known:
        tree = draw_posterior(compiled, cells, settings=replace(settings, seed=seed))
        posterior = tree["posterior"].to_dataset()
        there = [name for name in terms if name in posterior]
        return thin(known_draws(posterior, cells, terms=there))

    return fit


def _with_effects(values: dict[str, Floats], effect: Floats, cells: xr.Dataset) -> Known:
    """Add three effects (best known, least known, mean of all) to the scalars."""
    n = cells["n"].transpose(*CELL).to_numpy().ravel()
    chosen = {
        "best known effect": effect[:, int(n.argmax())],
        "least known effect": effect[:, int(n.argmin())],
        "mean of all effects": effect.mean(axis=1),
    }
    return Known({**values, **chosen}, effect)


@dataclass(frozen=True)
class _Setting:
    """What every round of one model shares."""

    model: str
    cells: xr.Dataset
    truths: Known
    seed: int


def run_calibration(
    codebook: Codebook,
    *,
    settings: ValidationSettings,
    rounds: int,
    folder: Path,
    where: Where = (None, None),
) -> pd.DataFrame:
    """Fit means drawn from each model's own prior and rank the truths.

    Parameters
    ----------
    codebook
        Of the study whose pattern of answers and covariance are used (one simulated study).
    settings
        Models (those with a flat prior are left out), first
        working covariance, size, seed.
    rounds
        For each model.
    folder
        Holds one small file a round.
    where
        Address of a scheduler or ``None``; number of own processes.

    Returns
    -------
    pandas.DataFrame
        ``model``, ``round``, ``quantity``, ``share``.
    """
    claim(folder, settings, overwrite=False)
    cells = _cells(codebook, settings)
    frames = []
    for name in settings.models:
        batches = load_model(name).declared(cells)
        if batches and is_flat(batches):
            continue
        todo = [i for i in range(rounds) if not _path(folder, name, i).is_file()]
        with stage(f"calibrating {load_model(name).name}", total=rounds) as running:
            running.advance(rounds - len(todo))
            if todo:
                shared = _setting(name, cells, rounds=rounds, seed=settings.seed)
                task = partial(_round, folder=folder.resolve())
                run_tasks(task, todo, shared=shared, where=where, advance=running.advance)
        parts = [pd.read_parquet(_path(folder, name, i)) for i in range(rounds)]
        frames.append(pd.concat(parts).assign(model=load_model(name).name))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _path(folder: Path, model: str, number: int) -> Path:
    return folder / "calibration" / Path(model).stem / f"round-{number:05d}.parquet"


def _cells(codebook: Codebook, settings: ValidationSettings) -> xr.Dataset:
    jobcenters = settings.jobcenters or len(codebook.jobcenters) or 4
    drift = draw_drift(codebook, jobcenters, generator=settings.generator, seed=settings.seed)
    design = draw_design(
        codebook, citizens=settings.citizens, jobcenters=jobcenters, seed=settings.seed
    )
    study = simulate_study(design, drift=drift, generator=settings.generator, seed=settings.seed)
    return cell_means(progression(study, codebook), codebook, vcov=settings.vcov[-1])


def _setting(name: str, cells: xr.Dataset, *, rounds: int, seed: int) -> _Setting:
    from bipbayes.sampling.graph import build_model

    model_file = load_model(name)
    model = build_model(model_file, cells, priors=model_file.Priors())
    # Many more draws than rounds, so that asking for more rounds keeps the first ones.
    size = max(1000, rounds)
    terms = model_file.terms(cells)
    truths = prior_truths(model, cells, terms=terms, draws=size, seed=seed)
    return _Setting(name, cells, truths, seed)


def _round(setting: _Setting, *, number: int, folder: Path) -> int:
    """Run one round and store its ranks."""
    compiled: Any = compiled_model(setting.model, setting.cells)
    fit = sampled_fit(compiled, terms=compiled.terms, settings=_SAMPLER)
    own = np.s_[number : number + 1]
    truth = Known(
        {name: values[own] for name, values in setting.truths.values.items()},
        setting.truths.effect[own],
    )
    shares = rank_shares(setting.cells, truth, fit, seed=setting.seed, first=number)
    with atomic_path(_path(folder, setting.model, number)) as temporary:
        shares.to_parquet(temporary, index=False)
    return number
