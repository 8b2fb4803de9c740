"""One replicate: simulate a study, analyse it in every way, write its scores."""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.atomic import atomic_path
from bipbayes.cells import cell_means
from bipbayes.data.adjusted import adjusted_progression
from bipbayes.data.adjustment import BASELINE, make_adjustment
from bipbayes.data.codebook import Codebook
from bipbayes.data.progression import progression
from bipbayes.regression import estimate_ols
from bipbayes.regression.adjusted import estimate_adjusted
from bipbayes.validation.fits import fit_scores
from bipbayes.validation.generator import draw_design, draw_drift, simulate_study
from bipbayes.validation.scores import score_ols
from bipbayes.validation.settings import OLS_VCOV, ValidationSettings
from bipbayes.validation.targets import study_targets
from bipbayes.validation.truth import Truth, population_truth, stored_truth


def replicate_path(folder: Path, number: int) -> Path:
    """Where a replicate's scores lie."""
    return folder / "replicates" / f"replicate-{number:05d}.parquet"


def truth_path(folder: Path, number: int) -> Path:
    """Where the truth of a group of replicates lies."""
    return folder / "truths" / f"truth-{number:05d}.npz"


def derived(settings: ValidationSettings, purpose: int, number: int) -> int:
    """Derive a seed from the validation's own, 31 bits."""
    state = np.random.SeedSequence([settings.seed, purpose, number]).generate_state(1)
    return int(state[0] >> 1)


def run_replicate(
    codebook: Codebook, *, settings: ValidationSettings, number: int, folder: Path
) -> int:
    """Run one replicate and store its scores, unless they are there.

    Parameters
    ----------
    codebook
        Of the simulated study.
    settings
        The validation's.
    number
        From 0; the same number gives the same study.
    folder
        The validation's.

    Returns
    -------
    int
        The number.
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
    path = truth_path(folder, group)
    stored = stored_truth(path)
    if stored is not None:
        return stored
    truth = population_truth(
        codebook,
        drift=drift,
        generator=settings.generator,
        citizens=settings.population,
        seed=derived(settings, 3, group),
    )
    stored_truth(path, truth)
    return truth
