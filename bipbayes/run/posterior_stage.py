"""The posterior stage: sample, store, then judge; effects and diagnostics of one model."""

import json
import logging
import sys
from dataclasses import dataclass
from typing import Any

import pandas as pd
import xarray as xr

from bipbayes.cells import cell_means
from bipbayes.data.codebook import Codebook
from bipbayes.estimands.draws import estimand_draws
from bipbayes.estimands.effects import effect_draws
from bipbayes.estimands.intervals import IntervalSettings, posterior_intervals
from bipbayes.run.folder import RunFolder
from bipbayes.run.inputs import Run
from bipbayes.run.ols_stage import merge_effects
from bipbayes.run.settings import Settings
from bipbayes.sampling.diagnose import Verdict, diagnose, diagnostics_frame
from bipbayes.sampling.fit import sample
from bipbayes.sampling.priors import make_priors, read_priors
from bipbayes.sampling.registry import ModelFile, load_model
from bipbayes.sampling.settings import SamplerSettings
from bipbayes.sampling.store import load_fit, save_fit

logger = logging.getLogger(__name__)

STAGE = "fit_posterior"
_SAMPLING = ("draws", "tune", "chains", "target_accept", "seed", "vcov", "previous")
_REPORTING = ("level", "kind", "rope")


@dataclass(frozen=True)
class Posterior:
    """A judged fit and everything that follows from its draws."""

    model: str
    fit: xr.DataTree
    cells: xr.Dataset
    draws: dict[str, xr.DataArray]
    intervals: pd.DataFrame
    diagnostics: pd.DataFrame
    verdict: Verdict


def fit_posterior(run: Run, model: str, *, cells: xr.Dataset | None = None) -> Posterior:
    """Fit one model, store the draws, then judge them.

    Parameters
    ----------
    run
        An open run.
    model
        A model's name or a file's path.
    cells
        Cell means with their covariance, or ``None`` to compute them.

    Returns
    -------
    Posterior
        Also stored: ``posterior/<model>.nc``, rows of ``effects.csv`` and ``diagnostics.csv``,
        and the verdict in ``run.json``.
    """
    settings = run.settings
    model_file = load_model(model)
    priors = make_priors(model_file.Priors, read_priors(settings.priors, model_file.name))
    stage, wanted = stage_name(model_file.name), _wanted(settings, model_file, priors)
    run.folder.begin(stage, wanted, overwrite=settings.overwrite)
    if cells is None:
        cells = cell_means(run.progression(), run.codebook, vcov=settings.vcov)
    fit = sample(
        model_file,
        cells,
        priors=priors,
        settings=_sampler(settings),
        progress=not settings.quiet and sys.stderr.isatty(),
        facts={"data_sha256": run.study.digest, "preliminary": int(settings.quick)},
    )
    save_fit(run.folder.file(fit_file(model_file.name)), fit)
    posterior = summarise(fit, run.codebook, settings)
    _store(run.folder, posterior, stage=stage, wanted=wanted)
    return posterior


def stored_posterior(
    folder: RunFolder, model: str, codebook: Codebook, settings: Settings
) -> Posterior:
    """Read a stored fit and summarise it again (nothing is sampled)."""
    return summarise(load_fit(folder.file(fit_file(model))), codebook, settings)


def summarise(fit: xr.DataTree, codebook: Codebook, settings: Settings) -> Posterior:
    """Compute every estimand of a fit, its intervals, diagnostics and verdict."""
    cells = cells_of(fit)
    model = str(fit.attrs["model"])
    draws = estimand_draws(effect_draws(fit, cells), cells, codebook)
    intervals = posterior_intervals(
        draws,
        cells,
        codebook,
        model=model,
        settings=IntervalSettings(settings.level, settings.kind, settings.rope),
    )
    diagnostics = diagnostics_frame(fit, intervals)
    verdict = diagnose(fit, diagnostics)
    return Posterior(model, fit, cells, draws, intervals, diagnostics, verdict)


def cells_of(fit: xr.DataTree) -> xr.Dataset:
    """Return the cells that a fit was made from, with their attributes."""
    cells = fit["constant_data"].to_dataset()
    kept = ("vcov", "previous", "synthetic", "study")
    return cells.assign_attrs({key: fit.attrs[key] for key in kept})


def stage_name(model: str) -> str:
    """Return the name of a model's stage in ``run.json``."""
    return f"{STAGE}/{model}"


def fit_file(model: str) -> str:
    """Return the place of a model's draws in the folder."""
    return f"posterior/{model}.nc"


def fitted_models(folder: RunFolder) -> list[str]:
    """Return the models that a folder holds draws of, in the order they were fitted."""
    prefix = f"{STAGE}/"
    stages = folder.record().get("stages", {})
    return [stage.removeprefix(prefix) for stage in stages if stage.startswith(prefix)]


def _sampler(settings: Settings) -> SamplerSettings:
    return SamplerSettings(
        draws=settings.draws,
        tune=settings.tune,
        chains=settings.chains,
        target_accept=settings.target_accept,
        seed=settings.seed,
    )


def _wanted(settings: Settings, model_file: ModelFile, priors: Any) -> dict[str, Any]:
    values = {key: getattr(settings, key) for key in (*_SAMPLING, *_REPORTING)}
    return {**values, "model_digest": model_file.digest, "priors": repr(priors)}


def _store(folder: RunFolder, posterior: Posterior, *, stage: str, wanted: dict[str, Any]) -> None:
    merge_effects(folder, posterior.intervals)
    kept = []
    if folder.file("diagnostics.csv").is_file():
        stored = folder.read("diagnostics.csv")
        kept = [stored[stored["model"] != posterior.model]]
    folder.write("diagnostics.csv", pd.concat([*kept, posterior.diagnostics], ignore_index=True))
    verdict = posterior.verdict
    folder.finish(
        stage,
        wanted,
        verdict=json.loads(json.dumps(verdict.record(), default=float)),
        sampler=str(posterior.fit.attrs["sampler"]),
        repair=str(posterior.cells.attrs.get("repair", "")),
    )
    for reason in (*verdict.reasons, *verdict.review):
        logger.warning("%s: %s", posterior.model, reason)
    if verdict.passed:
        logger.info("%s: every reported quantity converged", posterior.model)
