"""A judged fit: every estimand of its draws, their intervals, diagnostics and verdict."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.cells import CELL
from bipbayes.data.codebook import Codebook
from bipbayes.estimands.draws import (
    effect_draws,
    estimand_parts,
    new_jobcenter_draws,
    new_jobcenter_effects,
)
from bipbayes.estimands.intervals import IntervalSettings, posterior_intervals
from bipbayes.intervals import COMPARED, PLAIN
from bipbayes.option_words import ORDINAL
from bipbayes.sampling.diagnose import Verdict, diagnose, diagnostics_frame, points_of
from bipbayes.sampling.labels import SAMPLE, pooled
from bipbayes.sampling.predict import block_log_likelihood, predicted_means
from bipbayes.sampling.registry import OF_ANALYSIS
from bipbayes.sampling.tree import OBSERVED


@dataclass(frozen=True)
class Posterior:
    """A judged fit and what follows from its draws; `draws` are those of `COMPARED`.

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


def summarise(
    fit: xr.DataTree,
    codebook: Codebook,
    settings: IntervalSettings,
    *,
    effects: xr.DataArray | None = None,
) -> Posterior:
    """Compute every estimand of a fit, its intervals, diagnostics and verdict.

    Parameters
    ----------
    fit
        From either engine, or as it was stored.
    codebook
        The study's.
    settings
        Level and kind of the intervals.
    effects
        From `bipbayes.estimands.draws.effect_draws`, where they are there already.
    """
    cells = cells_of(fit)
    model = str(fit.attrs["model"])
    effects = effect_draws(fit, cells) if effects is None else effects
    draws: dict[str, xr.DataArray] = {}
    intervals = posterior_intervals(
        _kept(_estimands(fit, effects, cells, codebook), draws),
        cells,
        codebook,
        model=model,
        settings=settings,
        point=points_of(fit),
    )
    diagnostics = diagnostics_frame(fit, intervals)
    verdict = diagnose(fit, diagnostics)
    analysis = str(cells.attrs.get("analysis", PLAIN))
    return Posterior(model, fit, cells, draws, intervals, diagnostics, verdict, analysis)


def cells_of(fit: xr.DataTree) -> xr.Dataset:
    """Return the cells that a fit was made from, with their attributes."""
    cells = fit["constant_data"].to_dataset()
    kept = ("vcov", "previous", "synthetic", "study", *OF_ANALYSIS)
    return cells.assign_attrs({key: fit.attrs[key] for key in kept if key in fit.attrs})


def progress_draws(effects: xr.DataArray, cells: xr.Dataset) -> xr.DataArray:
    """Return draws of effects as progression, which latent ones of ordinal cells must become."""
    if cells.attrs.get("analysis") != ORDINAL:
        return effects
    from bipbayes.ordinal.probit import translate

    return translate(effects, cells)


def _estimands(
    fit: xr.DataTree, effects: xr.DataArray, cells: xr.Dataset, codebook: Codebook
) -> Iterator[tuple[str, xr.DataArray]]:
    """Compute name and draws of every estimand, one after the other."""
    yield from estimand_parts(progress_draws(effects, cells), cells, codebook)
    anew = new_jobcenter_effects(fit, cells)
    if anew is not None:
        yield "new_jobcenter", new_jobcenter_draws(progress_draws(anew, cells), cells, codebook)


def _kept(
    parts: Iterable[tuple[str, xr.DataArray]], draws: dict[str, xr.DataArray]
) -> Iterator[tuple[str, xr.DataArray]]:
    """Pass draws on and keep those that figures and the audit ask for."""
    for name, part in parts:
        if name in COMPARED:
            draws[name] = part
        yield name, part


PREDICTED: Final = 100  # draws of each chain: enough for pictures, a tenth of the file


def add_predictions(
    fit: xr.DataTree, effects: xr.DataArray, cells: xr.Dataset, *, seed: int
) -> None:
    """Add the groups ``log_likelihood`` and ``posterior_predictive`` to a fit of either engine.

    Parameters
    ----------
    fit
        Changed in place.
    effects
        From `bipbayes.estimands.draws.effect_draws`.
    cells
        Those that were fitted.
    seed
        Of the predictions' sampling errors.
    """
    fit["log_likelihood"] = xr.DataTree(_log_likelihood(effects, cells))
    step = max(1, effects.sizes["draw"] // PREDICTED)
    some = effects.isel(draw=slice(None, None, step))
    predicted = predicted_means(cells, some, seed=seed).transpose(*SAMPLE, *CELL)
    seen = (cells["n"] > 0).transpose(*CELL).to_numpy()
    named = {dim: some[dim].to_numpy() for dim in SAMPLE}
    values = xr.DataArray(
        predicted.to_numpy()[:, :, seen],
        dims=(*SAMPLE, "observation"),
        coords={**named, "observation": fit["observed_data"]["observation"].to_numpy()},
    )
    fit["posterior_predictive"] = xr.DataTree(xr.Dataset({OBSERVED: values}))


def _log_likelihood(effects: xr.DataArray, cells: xr.Dataset) -> xr.Dataset:
    values = block_log_likelihood(cells, pooled(effects, *CELL))
    seen = (cells["n"] > 0).transpose(*CELL).to_numpy().any(axis=2).ravel()
    names = [
        f"{combination} {jobcenter}"
        for combination in cells["combination"].to_numpy()
        for jobcenter in cells["jobcenter"].to_numpy()
    ]
    array = xr.DataArray(
        values.reshape(*(effects.sizes[dim] for dim in SAMPLE), -1)[..., seen],
        dims=(*SAMPLE, "cell_block"),
        coords={
            **{dim: effects[dim].to_numpy() for dim in SAMPLE},
            "cell_block": np.array(names)[seen],
        },
    )
    return xr.Dataset({OBSERVED: array})
