"""The posterior stage: sample, store, then judge; effects and diagnostics of one model."""

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from bipbayes import progress
from bipbayes.analyses import analysis_cells
from bipbayes.atomic import note_written
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Samples
from bipbayes.data.study_words import REMARKS, told_by_language
from bipbayes.estimands.draws import effect_draws
from bipbayes.estimands.intervals import IntervalSettings
from bipbayes.estimands.posterior import Posterior, add_predictions, cells_of, summarise
from bipbayes.run.folder import RunFolder
from bipbayes.run.inputs import Run, analysed, covariates_of
from bipbayes.run.ols_stage import forget_dependents, merge_effects, without
from bipbayes.run.settings import QUICK_POINTS, Settings
from bipbayes.run.stored import (
    analysis_facts,
    fit_file,
    fit_settings,
    named,
    stage_name,
    stored_fit,
    unjudged_file,
)
from bipbayes.sampling.priors import make_priors, read_priors
from bipbayes.sampling.registry import ModelFile, fit_cells, load_model
from bipbayes.sampling.settings import SamplerSettings, derived_seed
from bipbayes.sampling.tree import save_fit

logger = logging.getLogger(__name__)


def fit_posterior(run: Run, model: str) -> Posterior:
    """Fit one model, given by its name or a file's path, store the draws, then judge them.

    Returns: also stored: ``posterior/<model>.nc`` (``<model>-<analysis>.nc`` but for the plain
    analysis), rows of ``data/intervals.csv`` and ``data/diagnostics.csv``, and the verdict in
    ``run.json``.
    """
    return store_posterior(run.folder, compute_posterior(run, model))


def compute_posterior(run: Run, model: str, *, cells: xr.Dataset | None = None) -> Posterior:
    """Fit one model, save the draws beside those of an earlier fit, and judge them.

    Nothing that the folder holds is touched: `store_posterior` puts draws, rows and verdict in
    place together. `cells` are those of the run's analysis, ``None`` to compute them.
    """
    settings = run.settings
    model_file = load_model(model)
    fitted = [model_file.name, *(Path(name).stem for name in settings.models)]
    priors = make_priors(model_file.Priors, read_priors(settings.priors, fitted)[model_file.name])
    stage = stage_name(model_file.name, settings.analysis)
    wanted = _wanted(settings, model_file, priors)
    run.folder.begin(stage, wanted, overwrite=settings.overwrite)
    if cells is None:
        cells = cells_of_run(run, run.changes())
    fit = fit_cells(
        model_file,
        cells,
        engine=wanted["engine"],
        priors=priors,
        settings=_sampler(settings, wanted["draws"]),
        facts={
            "data_sha256": run.study.digest,
            "preliminary": int(settings.quick),
            **_confidentiality(run),
        },
    )
    with progress.stage(f"storing and judging {model_file.name}"):
        effects = effect_draws(fit, cells)
        seed = derived_seed(settings.seed, f"predictive/{model_file.name}")
        add_predictions(fit, effects, cells, seed=seed)
        save_fit(unjudged_file(run.folder, model_file.name, settings.analysis), fit)
        judged = summarise(fit, run.codebook, interval_settings(settings), effects=effects)
        return replace(judged, wanted=wanted)


def _confidentiality(run: Run) -> dict[str, str]:
    """Return what draws of real data say of themselves: cells may rest on one citizen."""
    if run.study.synthetic:
        return {}
    return {"private": run.codebook.say("means of cells of single {citizens}: may not leave")}


def refit(
    fit: xr.DataTree, model_file: ModelFile, codebook: Codebook, settings: Settings
) -> Posterior:
    """Fit a stored fit's cells again, by the settings' engine; nothing is stored."""
    cells = cells_of(fit)
    wanted = fit_settings(settings, model_file)
    priors = make_priors(model_file.Priors, json.loads(str(fit.attrs["priors"])))
    again = fit_cells(
        model_file,
        cells,
        engine=wanted["engine"],
        priors=priors,
        settings=_sampler(settings, wanted["draws"]),
    )
    return summarise(again, codebook, interval_settings(settings))


def stored_posterior(
    folder: RunFolder, model: str, codebook: Codebook, settings: Settings
) -> Posterior:
    """Read a stored fit of the settings' analysis and summarise it again; nothing is sampled."""
    fit = stored_fit(folder, model, settings.analysis)
    return summarise(fit, codebook, interval_settings(settings))


def cells_of_run(run: Run, changes: xr.Dataset | Samples) -> xr.Dataset:
    """Reduce progression, or its samples in parts, to the cells that the run's analysis fits."""
    return analysis_cells(
        analysed(run, changes),
        run.codebook,
        analysis=run.settings.analysis,
        vcov=run.settings.vcov,
        covariates=covariates_of(run),
    )


def interval_settings(settings: Settings) -> IntervalSettings:
    """Return how the settings turn draws into intervals."""
    return IntervalSettings(settings.level, settings.kind, settings.rope)


def _sampler(settings: Settings, draws: int) -> SamplerSettings:
    return SamplerSettings(
        draws=draws,
        tune=settings.tune,
        chains=settings.chains,
        target_accept=settings.target_accept,
        seed=settings.seed,
        **({"points": QUICK_POINTS} if settings.quick else {}),
    )


def _wanted(settings: Settings, model_file: ModelFile, priors: Any) -> dict[str, Any]:
    values = fit_settings(settings, model_file)
    values |= {"model_digest": model_file.digest, "priors": repr(priors)}
    return {**values, **analysis_facts(settings)}


def fit_facts(posterior: Posterior) -> dict[str, Any]:
    """Return what the page and its texts tell of a fit beside its verdict."""
    attrs = posterior.fit.attrs
    return {
        "sampler": str(attrs["sampler"]),
        "declares_batches": bool(attrs["declares_batches"]),
        "idle_priors": json.loads(str(attrs.get("idle_priors", "[]"))),
        **{name: told_by_language(posterior.cells.attrs, name) for name in REMARKS},
    }


def store_posterior(folder: RunFolder, posterior: Posterior) -> Posterior:
    """Put a computed posterior in place: draws, rows and verdict; say what came out.

    What rests on an earlier fit of the analysis (comparison, audit, checks, tables) no longer
    counts as done.
    """
    stage = stage_name(posterior.model, posterior.analysis)
    place = folder.file(fit_file(posterior.model, posterior.analysis))
    unjudged_file(folder, posterior.model, posterior.analysis).replace(place)
    note_written([place])
    forget_dependents(folder, posterior.analysis)
    fits = {stage: posterior.verdict.passed and not posterior.fit.attrs["preliminary"]}
    merge_effects(folder, posterior.intervals, fits=fits)
    kept = []
    if folder.file("data/diagnostics.csv").is_file():
        stored = folder.read("data/diagnostics.csv")
        kept = [without(stored, posterior.diagnostics, keys=("model", "analysis"))]
    rows = pd.concat([*kept, posterior.diagnostics], ignore_index=True)
    folder.write("data/diagnostics.csv", rows[list(posterior.diagnostics.columns)], fits=fits)
    verdict = posterior.verdict
    folder.finish(
        stage,
        posterior.wanted,
        preliminary=bool(posterior.fit.attrs["preliminary"]),
        verdict=json.loads(json.dumps(verdict.record(), default=float)),
        **fit_facts(posterior),
    )
    name = named(posterior.model, posterior.analysis)
    for reason in (*verdict.reasons, *verdict.review):
        logger.warning("%s: %s", name, reason)
    if verdict.passed:
        logger.info("%s: the fit passed its checks", name)
    return posterior
