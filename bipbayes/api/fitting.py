"""Fitting a model to a study in memory."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bipbayes.analyses import analysis_cells
from bipbayes.api.choices import analysis_name, of_kind, one_of
from bipbayes.api.estimates import Covariates, people
from bipbayes.api.fits import Fit
from bipbayes.api.study import Study
from bipbayes.cells import VCOV
from bipbayes.estimands.arviz_groups import add_predictions
from bipbayes.estimands.effects import effect_draws
from bipbayes.estimands.intervals import KINDS, IntervalSettings
from bipbayes.estimands.posterior import summarise
from bipbayes.intervals import PLAIN
from bipbayes.regression.inference import checked_level
from bipbayes.run.settings import DEFAULT_DRAWS, DEFAULT_SEED, DEFAULT_TUNE
from bipbayes.sampling.engines import engine_of, fit_cells
from bipbayes.sampling.priors import make_priors, read_priors
from bipbayes.sampling.registry import ModelFile, load_model
from bipbayes.sampling.settings import ENGINES, SamplerSettings, derived_seed


def fit(
    study: Study,
    model: str | Path = "hierarchical",
    *,
    engine: str | None = None,
    vcov: str = "citizen",
    adjust: str | Sequence[str] = (),
    covariates: Covariates = None,
    ordinal: bool = False,
    priors: str | Path | Mapping[str, float] | None = None,
    draws: int | None = None,
    tune: int = DEFAULT_TUNE,
    chains: int = 4,
    seed: int = DEFAULT_SEED,
    level: float = 0.95,
    kind: str = "eti",
    rope: float | None = None,
) -> Fit:
    """Fit a model to the cells of a study; nothing is written.

    Parameters
    ----------
    study
        From `bipbayes.read` or `bipbayes.synthetic_bip`.
    model
        ``complete_pooling``, ``no_pooling``, ``hierarchical``, ``factorial``, or the path of
        your own model file.
    engine
        ``exact`` (default wherever a model declares batches) or ``nuts`` (any model).
    vcov
        Working covariance of the cells: ``citizen``, ``response`` or ``iid``.
    adjust, covariates, ordinal
        As for `bipbayes.ols`.
    priors
        Scales by name, or a TOML file with a table for the model; default: the model's own.
    draws, tune, chains
        Draws kept (exact 1000, nuts 1500) and, by nuts, discarded, of each chain.
    seed
        From which all others derive: the same seed gives the same draws.
    level, kind
        Of the credible intervals; ``eti`` (equal-tailed) or ``hdi`` (highest density).
    rope
        Half-width of the region of practical equivalence, if wanted.

    Returns
    -------
    Fit
        Judged: see its ``verdict``. One that fails its checks is not refused but says so.

    Examples
    --------
    >>> bb.fit(study, "complete_pooling", draws=300, seed=3).model
    'complete_pooling'
    """
    of_kind("study", study, Study, "read")
    model_file = load_model(model)
    one_of("vcov", vcov, VCOV)
    if engine is not None:
        one_of("engine", engine, ENGINES)
    settings = IntervalSettings(checked_level(level), one_of("kind", kind, KINDS), rope)
    engine = engine_of(model_file, engine)
    asked = SamplerSettings(
        draws=draws or DEFAULT_DRAWS[engine], tune=tune, chains=chains, seed=seed
    )
    scales = _priors(model_file, priors)
    analysis = analysis_name(adjust, ordinal=ordinal)
    registered = people(study, analysis, covariates)
    if analysis == PLAIN and vcov == "citizen":
        cells = study.cells
    else:
        cells = analysis_cells(
            study.progression,
            study.codebook,
            analysis=analysis,
            vcov=vcov,
            covariates=registered,
        )
    facts: dict[str, str | int | float] = {"data_sha256": study.digest, "preliminary": 0}
    tree = fit_cells(model_file, cells, engine=engine, priors=scales, settings=asked, facts=facts)
    effects = effect_draws(tree, cells)
    add_predictions(tree, effects, cells, seed=derived_seed(seed, f"predictive/{model_file.name}"))
    return Fit(study, summarise(tree, study.codebook, settings, effects=effects), settings)


def _priors(model_file: ModelFile, given: str | Path | Mapping[str, float] | None) -> Any:
    if given is None or isinstance(given, Mapping):
        return make_priors(model_file.Priors, given or {})
    read = read_priors(Path(given), [model_file.name])
    return make_priors(model_file.Priors, read[model_file.name])
