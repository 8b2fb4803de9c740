"""Replicates: simulate a study, analyse it in every way, write its scores; many on a cluster.

A model is fitted to the cells of a replicate by closed forms or by the sampler. Many replicates
run on a Dask cluster and go on where they stopped.
"""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.atomic import atomic_path, write_json
from bipbayes.cells import CELL, cell_means
from bipbayes.cluster import dask_client
from bipbayes.data.adjustment import adjusted_progression, make_adjustment
from bipbayes.data.codebook import Codebook
from bipbayes.data.progression import progression
from bipbayes.errors import RunError
from bipbayes.estimands.draws import effect_draws
from bipbayes.option_words import BASELINE, NUTS
from bipbayes.progress import stage
from bipbayes.regression import estimate_ols
from bipbayes.regression.adjusted import estimate_adjusted
from bipbayes.sampling.batches import is_flat
from bipbayes.sampling.exact.integrate import Mixture, integrate, plugged_in, thinned
from bipbayes.sampling.exact.posterior import saturated_posterior
from bipbayes.sampling.exact.reduce import GaussianModel, gaussian_model
from bipbayes.sampling.labels import pooled
from bipbayes.sampling.registry import load_model
from bipbayes.sampling.settings import SamplerSettings
from bipbayes.validation.generator import (
    Truth,
    draw_design,
    draw_drift,
    population_truth,
    simulate_study,
)
from bipbayes.validation.scores import (
    Targets,
    score_draws,
    score_mixture,
    score_normals,
    score_ols,
    study_targets,
)
from bipbayes.validation.settings import CLOSED, OLS_VCOV, PLUGGED, ValidationSettings

DRAWN: Final = 64  # points over the standard deviations
POINTS: Final = 16  # of them, after the weights are known
_COMPILED: dict[tuple[object, ...], Any] = {}
logger = logging.getLogger(__name__)
Task = Callable[..., object]
Where = tuple[str | None, int | None]


def fit_scores(
    cells: xr.Dataset, targets: Targets, *, settings: ValidationSettings, seed: int
) -> list[pd.DataFrame]:
    """Score every model by every engine on one set of cells.

    `cells`: from `bipbayes.cells.cell_means`, with one working covariance; `targets`: the study's;
    `settings`: models, engines, draws; `seed`: of this replicate. Returns: columns
    `bipbayes.validation.scores.COLUMNS`. Models without closed forms are only sampled.
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
    effect = pooled(effect_draws(fit, cells))
    return effect.reshape(len(effect), -1)


def compiled_model(name: str, cells: xr.Dataset) -> Any:
    """Compile a model, or take it from an earlier replicate of the same labels."""
    from bipbayes.sampling.fit import compile_model

    key = (name, *(tuple(cells[dim].to_numpy()) for dim in CELL))
    if key not in _COMPILED:
        _COMPILED[key] = compile_model(load_model(name), cells)
    return _COMPILED[key]


def replicate_path(folder: Path, number: int) -> Path:
    """Where a replicate's scores lie."""
    return folder / "replicates" / f"replicate-{number:05d}.parquet"


def derived(settings: ValidationSettings, purpose: int, number: int) -> int:
    """Derive a seed from the validation's own, 31 bits."""
    state = np.random.SeedSequence([settings.seed, purpose, number]).generate_state(1)
    return int(state[0] >> 1)


def run_replicate(
    codebook: Codebook, *, settings: ValidationSettings, number: int, folder: Path
) -> int:
    """Run one replicate and store its scores, unless they are there.

    `codebook`: of the simulated study; `number`: from 0; the same number gives the same study;
    `folder`: the validation's. Returns: the number.
    """
    path = replicate_path(folder, number)
    if not path.is_file():
        scores = replicate_scores(codebook, settings=settings, number=number, folder=folder)
        with atomic_path(path) as temporary:
            scores.to_parquet(temporary, index=False)
    return number


def replicate_scores(
    codebook: Codebook, *, settings: ValidationSettings, number: int, folder: Path
) -> pd.DataFrame:
    """Simulate and analyse one study; returns its scores with ``truth_id`` and ``replicate``."""
    group = number // settings.replicates_per_truth
    jobcenters = settings.jobcenters or len(codebook.jobcenters) or 4
    seed = derived(settings, 1, group)
    drift = draw_drift(codebook, jobcenters, generator=settings.generator, seed=seed)
    truth = group_truth(codebook, drift, settings=settings, group=group, folder=folder)
    own = derived(settings, 2, number)
    design = draw_design(
        codebook,
        citizens=settings.citizens,
        jobcenters=jobcenters,
        seed=own,
        responses=settings.generator.responses,
    )
    study = simulate_study(design, drift=drift, generator=settings.generator, seed=own)
    changes = progression(study, codebook)
    frames = [
        _analysis_scores(changes, codebook, truth, settings=settings, analysis=name, seed=own)
        for name in settings.analyses
    ]
    return pd.concat(frames, ignore_index=True).assign(truth_id=group, replicate=number)


def _analysis_scores(
    changes: xr.Dataset,
    codebook: Codebook,
    truth: Truth,
    *,
    settings: ValidationSettings,
    analysis: str,
    seed: int,
) -> pd.DataFrame:
    """Score OLS and every model under one analysis."""
    if analysis == BASELINE:
        adjustment = make_adjustment(changes, codebook, adjust=(BASELINE,))
        estimates = estimate_adjusted(changes, codebook, adjustment=adjustment, vcov=OLS_VCOV)
        changes = adjusted_progression(changes, codebook, adjustment=adjustment)
    else:
        estimates = estimate_ols(changes, codebook, vcov=OLS_VCOV)
    frames = []
    for place, vcov in enumerate(settings.vcov):
        cells = cell_means(changes, codebook, vcov=vcov)
        targets = study_targets(cells, codebook, truth)
        if place == 0:
            frames += [score_ols(estimates, codebook, targets, vcov=name) for name in OLS_VCOV]
        frames += fit_scores(cells, targets, settings=settings, seed=seed)
    return pd.concat(frames, ignore_index=True).assign(analysis=analysis)


def group_truth(
    codebook: Codebook,
    drift: np.ndarray,
    *,
    settings: ValidationSettings,
    group: int,
    folder: Path,
) -> Truth:
    """Read the truth of a group of replicates, or compute and store it."""
    path = folder / "truths" / f"truth-{group:05d}.npz"
    if not path.is_file():
        truth = population_truth(
            codebook,
            drift=drift,
            generator=settings.generator,
            citizens=settings.population,
            seed=derived(settings, 3, group),
        )
        with atomic_path(path) as temporary, temporary.open("wb") as stream:
            np.savez_compressed(stream, **vars(truth))
    with np.load(path) as stored:
        return Truth(**stored)


def run_validation(
    codebook: Codebook,
    *,
    settings: ValidationSettings,
    folder: Path,
    where: Where = (None, None),
    overwrite: bool = False,
) -> pd.DataFrame:
    """Run the replicates that are missing and return the scores of all.

    Parameters
    ----------
    codebook
        Of the simulated studies.
    settings
        Of the validation.
    folder
        Holds one small file a replicate; another validation's folder is refused. Workers of a
        cluster need the same path.
    where
        Address of a Dask scheduler, or ``None`` for a cluster in this machine's processes; their
        number (``None``: one a core; 0 runs in this process).
    overwrite
        Remove another validation's replicates from the folder.

    Raises
    ------
    RunError
        The folder holds another validation, or replicates failed (all are named; the others
        are stored).
    """
    claim(folder, settings, overwrite=overwrite)
    numbers = range(settings.replicates)
    missing = [number for number in numbers if not replicate_path(folder, number).is_file()]
    logger.info("%d of %d replicates are stored", len(numbers) - len(missing), len(numbers))
    task = partial(run_replicate, settings=settings, folder=folder.resolve())
    with stage("replicates", total=len(numbers)) as running:
        running.advance(len(numbers) - len(missing))
        run_tasks(task, missing, shared=codebook, where=where, advance=running.advance)
    return read_scores(folder, settings)


def run_tasks(
    task: Task,
    numbers: Sequence[int],
    *,
    shared: object,
    where: Where,
    advance: Callable[[], None],
) -> None:
    """Run ``task(shared, number=number)`` for every number, here or on a cluster.

    `task`: stores its own result; `numbers`: still to do; `shared`: sent to each worker once;
    `where`: address of a scheduler or ``None``; number of own processes (0: this process);
    `advance`: called after each. Raises RunError: some failed; the others ran.
    """
    failed: dict[int, str] = {}
    for number, error in _run(task, numbers, shared, where):
        if error:
            failed[number] = error
        advance()
    if failed:
        examples = "; ".join(f"{number}: {text}" for number, text in list(failed.items())[:3])
        raise RunError(f"{len(failed)} of {len(numbers)} tasks failed ({examples})")


def read_scores(folder: Path, settings: ValidationSettings) -> pd.DataFrame:
    """Read the stored scores of all replicates wanted that are there."""
    paths = [replicate_path(folder, number) for number in range(settings.replicates)]
    there = [path for path in paths if path.is_file()]
    if not there:
        raise RunError(f"{folder} holds no replicates; run 'bipbayes validate' first")
    return pd.concat([pd.read_parquet(path) for path in there], ignore_index=True)


def claim(folder: Path, settings: ValidationSettings, *, overwrite: bool) -> None:
    """Take a folder for a validation, or refuse where it holds another one.

    Raises
    ------
    RunError
        Its settings differ (the number of replicates may grow), and `overwrite` is false.
    """
    path = folder / "validation.json"
    digest = settings.digest()
    if path.is_file():
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored.get("digest") == digest:
            return
        if not overwrite:
            raise RunError(
                f"{folder} holds a validation with other settings; choose another --out, "
                "or allow --overwrite"
            )
        for old in [*folder.glob("replicates/*.parquet"), *folder.glob("truths/*.npz")]:
            old.unlink()
    write_json(path, {"digest": digest, "settings": settings.record(), "synthetic": True})


def _run(
    task: Task, numbers: Sequence[int], shared: object, where: Where
) -> Iterator[tuple[int, str]]:
    """Yield each number with what went wrong, as tasks finish."""
    if numbers and where != (None, 0):
        yield from _run_on_cluster(task, numbers, shared, where)
        return
    for number in numbers:
        task(shared, number=number)
        yield number, ""


def _run_on_cluster(
    task: Task, numbers: Sequence[int], shared: object, where: Where
) -> Iterator[tuple[int, str]]:
    distributed: Any = import_module("distributed")
    with dask_client(*where) as client:
        sent = client.scatter(shared, broadcast=True)
        futures = {
            client.submit(task, sent, number=number, pure=False): number for number in numbers
        }
        for future in distributed.as_completed(futures):
            error = future.exception()
            yield futures[future], "" if error is None else f"{type(error).__name__}: {error}"
