"""A judged fit: every estimand of its draws, their intervals, diagnostics and verdict."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import xarray as xr

from bipbayes.data.codebook import Codebook
from bipbayes.estimands.draws import estimand_parts
from bipbayes.estimands.effects import effect_draws
from bipbayes.estimands.intervals import IntervalSettings, posterior_intervals
from bipbayes.estimands.new_jobcenter import new_jobcenter_draws, new_jobcenter_effects
from bipbayes.intervals import COMPARED, ORDINAL, PLAIN
from bipbayes.sampling.diagnose import Verdict, diagnose, diagnostics_frame, points_of
from bipbayes.sampling.engines import OF_ANALYSIS


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
        From `bipbayes.estimands.effects.effect_draws`, where they are there already.
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
    from bipbayes.ordinal.translate import translate

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
