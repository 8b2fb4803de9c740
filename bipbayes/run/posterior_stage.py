"""The posterior stage: sample, store, then judge; effects and diagnostics of one model."""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pandas as pd
import xarray as xr

from bipbayes import progress
from bipbayes.atomic import note_written
from bipbayes.cells import cell_means
from bipbayes.data.codebook import Codebook
from bipbayes.data.totals import Samples
from bipbayes.estimands.arviz_groups import add_predictions
from bipbayes.estimands.draws import estimand_parts
from bipbayes.estimands.effects import effect_draws
from bipbayes.estimands.intervals import IntervalSettings, posterior_intervals
from bipbayes.estimands.new_jobcenter import new_jobcenter_draws, new_jobcenter_effects
from bipbayes.intervals import ORDINAL, PLAIN
from bipbayes.run.analyses import analysis_facts, named
from bipbayes.run.fits import fit_file, fit_settings, stage_name, stored_fit, unjudged_file
from bipbayes.run.folder import RunFolder
from bipbayes.run.inputs import Run
from bipbayes.run.ols_stage import forget_dependents, merge_effects, without
from bipbayes.run.settings import QUICK_POINTS, Settings
from bipbayes.sampling.diagnose import Verdict, diagnose, diagnostics_frame, points_of
from bipbayes.sampling.priors import make_priors, read_priors
from bipbayes.sampling.registry import ModelFile, load_model
from bipbayes.sampling.settings import EXACT, NUTS, SamplerSettings, derived_seed
from bipbayes.sampling.store import save_fit

logger = logging.getLogger(__name__)

# Imported where a fit is wanted: what only reads fits does without PyMC and nutpie.
ENGINE_MODULES: Final[Mapping[str, str]] = {
    EXACT: "bipbayes.sampling.exact.fit",
    NUTS: "bipbayes.sampling.fit",
}
DRAWS: Final = ("effect", "contrast")  # what figures and the audit ask for
_ANALYSIS = ("analysis", "scale", "adjust_remark")  # attributes of cells that a fit keeps


@dataclass(frozen=True)
class Posterior:
    """A judged fit and what follows from its draws; `draws` are those of `DRAWS`.

    ``analysis`` says what progression was adjusted for (``""``: nothing), or ``ordinal``;
    ``wanted`` are the settings that ``run.json`` keeps of a new fit.
    """

    model: str
    fit: xr.DataTree
    cells: xr.Dataset
    draws: dict[str, xr.DataArray]
    intervals: pd.DataFrame
    diagnostics: pd.DataFrame
    verdict: Verdict
    analysis: str = PLAIN
    wanted: dict[str, Any] = field(default_factory=dict)


def fit_posterior(run: Run, model: str, *, cells: xr.Dataset | None = None) -> Posterior:
    """Fit one model, store the draws, then judge them.

    Parameters
    ----------
    run
        An open run.
    model
        A model's name or a file's path.
    cells
        Those of the run's analysis with their covariance, or ``None`` to compute them.

    Returns
    -------
    Posterior
        Also stored: ``posterior/<model>.nc`` (``<model>-<analysis>.nc`` but for the plain
        analysis), rows of ``effects.csv`` and ``diagnostics.csv``, and the verdict in
        ``run.json``.
    """
    return store_posterior(run.folder, compute_posterior(run, model, cells=cells))


def compute_posterior(run: Run, model: str, *, cells: xr.Dataset | None = None) -> Posterior:
    """Fit one model, save the draws beside those of an earlier fit, and judge them.

    Nothing that the folder holds is touched: `store_posterior` puts draws, rows and verdict in
    place together. Parameters and result are those of `fit_posterior`.
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
    fit = import_module(ENGINE_MODULES[wanted["engine"]]).sample(
        model_file,
        cells,
        priors=priors,
        settings=_sampler(settings, wanted["draws"]),
        facts={
            "data_sha256": run.study.digest,
            "preliminary": int(settings.quick),
            **{name: str(cells.attrs[name]) for name in _ANALYSIS if name in cells.attrs},
        },
    )
    with progress.stage(f"storing and judging {model_file.name}"):
        effects = effect_draws(fit, cells)
        seed = derived_seed(settings.seed, f"predictive/{model_file.name}")
        add_predictions(fit, effects, cells, seed=seed)
        save_fit(unjudged_file(run.folder, model_file.name, settings.analysis), fit)
        return replace(summarise(fit, run.codebook, settings, effects=effects), wanted=wanted)


def refit(
    fit: xr.DataTree, model_file: ModelFile, codebook: Codebook, settings: Settings
) -> Posterior:
    """Fit a stored fit's cells again, by the settings' engine; nothing is stored."""
    cells = cells_of(fit)
    wanted = fit_settings(settings, model_file)
    priors = make_priors(model_file.Priors, json.loads(str(fit.attrs["priors"])))
    again = import_module(ENGINE_MODULES[wanted["engine"]]).sample(
        model_file, cells, priors=priors, settings=_sampler(settings, wanted["draws"])
    )
    return summarise(again, codebook, settings)


def stored_posterior(
    folder: RunFolder, model: str, codebook: Codebook, settings: Settings
) -> Posterior:
    """Read a stored fit of the settings' analysis and summarise it again; nothing is sampled."""
    return summarise(stored_fit(folder, model, settings.analysis), codebook, settings)


def cells_of_run(run: Run, changes: xr.Dataset | Samples) -> xr.Dataset:
    """Reduce progression, or its samples in parts, to the cells that the run's analysis fits."""
    if run.settings.analysis == PLAIN:
        return cell_means(changes, run.codebook, vcov=run.settings.vcov)
    from bipbayes.run.other_analyses import analysis_cells

    return analysis_cells(run, changes if isinstance(changes, xr.Dataset) else run.progression())


def summarise(
    fit: xr.DataTree,
    codebook: Codebook,
    settings: Settings,
    *,
    effects: xr.DataArray | None = None,
) -> Posterior:
    """Compute every estimand of a fit, its intervals, diagnostics and verdict."""
    cells = cells_of(fit)
    model = str(fit.attrs["model"])
    effects = effect_draws(fit, cells) if effects is None else effects
    draws: dict[str, xr.DataArray] = {}
    intervals = posterior_intervals(
        _kept(_estimands(fit, effects, cells, codebook), draws),
        cells,
        codebook,
        model=model,
        settings=IntervalSettings(settings.level, settings.kind, settings.rope),
        point=points_of(fit),
    )
    diagnostics = diagnostics_frame(fit, intervals)
    verdict = diagnose(fit, diagnostics)
    analysis = str(cells.attrs.get("analysis", PLAIN))
    return Posterior(model, fit, cells, draws, intervals, diagnostics, verdict, analysis)


def _estimands(
    fit: xr.DataTree, effects: xr.DataArray, cells: xr.Dataset, codebook: Codebook
) -> Iterator[tuple[str, xr.DataArray]]:
    """Compute name and draws of every estimand, one after the other."""
    yield from estimand_parts(_progress(effects, cells), cells, codebook)
    anew = new_jobcenter_effects(fit, cells)
    if anew is not None:
        yield "new_jobcenter", new_jobcenter_draws(_progress(anew, cells), cells, codebook)


def _kept(
    parts: Iterable[tuple[str, xr.DataArray]], draws: dict[str, xr.DataArray]
) -> Iterator[tuple[str, xr.DataArray]]:
    """Pass draws on and keep those that figures and the audit ask for."""
    for name, part in parts:
        if name in DRAWS:
            draws[name] = part
        yield name, part


def _progress(effects: xr.DataArray, cells: xr.Dataset) -> xr.DataArray:
    """Return draws of effects as progression, which latent ones of ordinal cells must become."""
    if cells.attrs.get("analysis") != ORDINAL:
        return effects
    from bipbayes.ordinal.translate import translate

    return translate(effects, cells)


def cells_of(fit: xr.DataTree) -> xr.Dataset:
    """Return the cells that a fit was made from, with their attributes."""
    cells = fit["constant_data"].to_dataset()
    kept = ("vcov", "previous", "synthetic", "study", *_ANALYSIS)
    return cells.assign_attrs({key: fit.attrs[key] for key in kept if key in fit.attrs})


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
    if folder.file("diagnostics.csv").is_file():
        stored = folder.read("diagnostics.csv")
        if "analysis" not in stored:
            stored = stored.assign(analysis=PLAIN)
        kept = [without(stored, posterior.diagnostics, keys=("model", "analysis"))]
    rows = pd.concat([*kept, posterior.diagnostics], ignore_index=True)
    folder.write("diagnostics.csv", rows[list(posterior.diagnostics.columns)], fits=fits)
    verdict = posterior.verdict
    folder.finish(
        stage,
        posterior.wanted,
        preliminary=bool(posterior.fit.attrs["preliminary"]),
        verdict=json.loads(json.dumps(verdict.record(), default=float)),
        sampler=str(posterior.fit.attrs["sampler"]),
        repair=str(posterior.cells.attrs.get("repair", "")),
        adjust_remark=str(posterior.cells.attrs.get("adjust_remark", "")),
    )
    name = named(posterior.model, posterior.analysis)
    for reason in (*verdict.reasons, *verdict.review):
        logger.warning("%s: %s", name, reason)
    if verdict.passed:
        logger.info("%s: the fit passed its checks", name)
    return posterior
