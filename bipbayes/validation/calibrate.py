"""Calibration of the package's models by the sampler, in rounds that are stored one by one."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.atomic import atomic_path
from bipbayes.cells import cell_means
from bipbayes.data.codebook import Codebook
from bipbayes.data.progression import progression
from bipbayes.progress import stage
from bipbayes.sampling.batches import is_flat
from bipbayes.sampling.registry import load_model
from bipbayes.sampling.settings import SamplerSettings
from bipbayes.validation.calibrated_fits import prior_truths, sampled_fit
from bipbayes.validation.calibration import Known, rank_shares
from bipbayes.validation.campaign import claim, run_tasks
from bipbayes.validation.fits import compiled_model
from bipbayes.validation.generator import draw_design, draw_drift, simulate_study
from bipbayes.validation.settings import ValidationSettings

_SAMPLER: Final = SamplerSettings(draws=1000, tune=500, chains=1)


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
    where: tuple[str | None, int | None] = (None, None),
    overwrite: bool = False,
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
    overwrite
        Remove another validation's files from the folder.

    Returns
    -------
    pandas.DataFrame
        ``model``, ``round``, ``quantity``, ``share``.
    """
    claim(folder, settings, overwrite=overwrite)
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
    from bipbayes.sampling.contract import build_model

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
