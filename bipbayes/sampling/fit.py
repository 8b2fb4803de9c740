"""Fitting a model with nutpie; what comes back is a DataTree that explains itself.

nutpie is called directly and not through ``pm.sample``: that compiles anew in every call, makes
no convergence checks on this path either, derives a seed of its own and takes no progress
callback. PyMC still builds the model and nutpie compiles PyMC's graph, so nothing is lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import nutpie
import pymc as pm
import pytensor
import xarray as xr

from bipbayes.errors import FitError
from bipbayes.option_words import NUTS
from bipbayes.progress import Stage, stage
from bipbayes.sampling.batches import is_flat
from bipbayes.sampling.graph import build_model, built_terms
from bipbayes.sampling.labels import SAMPLE
from bipbayes.sampling.likelihood import likelihood_data
from bipbayes.sampling.registry import ModelFile
from bipbayes.sampling.restore import draw_new_jobcenter, evaluate, restore
from bipbayes.sampling.settings import DEFAULTS, SAMPLER, SamplerSettings, derived_seed
from bipbayes.sampling.tree import PRIOR_DRAWS, explained_fit, log_prior, prior_draws

_RAW: Final = "_raw"  # free variables that only serve the sampler
_PROGRESS_RATE: Final = 200  # milliseconds
# With numba's default, cold and warm compile caches give different draws (whole trajectories).
_REPEATABLE: Final = {"numba__fastmath": False}
# The code that PyTensor generates goes beside its cache, where it is cleared away when it is old,
# and not into the folder of temporary files, where it would stay.
pytensor.config.generated_src_dir = pytensor.config.generated_src_dir or str(
    Path(pytensor.config.compiledir) / "generated"
)


@dataclass(frozen=True)
class CompiledModel:
    """A model with its compiled density: the slow part, shared by fits of one shape."""

    model_file: ModelFile
    priors: Any
    model: pm.Model
    compiled: Any
    terms: tuple[str, ...]


def compile_model(model_file: ModelFile, cells: xr.Dataset, *, priors: Any = None) -> CompiledModel:
    """Build a model and compile its density and gradient.

    Parameters
    ----------
    model_file
        From `bipbayes.sampling.registry.load_model`.
    cells
        From `bipbayes.cells.cell_means`.
    priors
        An instance of the file's ``Priors``; default: its defaults.

    Raises
    ------
    ModelError
        The file does not keep to the contract.
    """
    chosen = model_file.Priors() if priors is None else priors
    model = build_model(model_file, cells, priors=chosen)
    compiling = stage(f"compiling {model_file.name}")
    with compiling, pytensor.config.change_flags(**_REPEATABLE):
        compiled = nutpie.compile_pymc_model(
            model, var_names=[variable.name for variable in model.free_RVs]
        )
    terms = built_terms(model, model_file.terms(cells, chosen))
    return CompiledModel(model_file, chosen, model, compiled, terms)


def sample(
    model_file: ModelFile,
    cells: xr.Dataset,
    *,
    priors: Any = None,
    settings: SamplerSettings = DEFAULTS,
) -> xr.DataTree:
    """Fit a model to the cells.

    Parameters
    ----------
    model_file, cells, priors
        As for `compile_model`.
    settings
        Draws, chains, seed.

    Returns
    -------
    xarray.DataTree
        As `draw_posterior` describes it, and the groups ``prior`` (none where it is flat) and
        ``new_jobcenter``: the terms over jobcenters for one that is not among the data, or the
        attribute ``reason`` why not.

    Raises
    ------
    ModelError, FitError
        See `compile_model` and `draw_posterior`.
    """
    compiled = compile_model(model_file, cells, priors=priors)
    fit = draw_posterior(compiled, cells, settings=settings)
    new = draw_new_jobcenter(
        compiled.model,
        fit["posterior"].to_dataset(),
        terms=compiled.terms,
        seed=derived_seed(settings.seed, f"new_jobcenter/{model_file.name}"),
    )
    fit["new_jobcenter"] = xr.DataTree(new)
    if (prior := _prior(compiled, cells, settings.seed)) is not None:
        fit["prior"] = xr.DataTree(prior)
    return fit


def draw_posterior(
    compiled: CompiledModel,
    cells: xr.Dataset,
    *,
    settings: SamplerSettings = DEFAULTS,
) -> xr.DataTree:
    """Sample a compiled model, given these cells.

    Parameters
    ----------
    compiled
        From `compile_model`; it may have been compiled for other cells of the same labels if
        the model uses cells through `observe` and `centring` only (``hierarchical`` does).
    cells, settings
        As for `sample`.

    Returns
    -------
    xarray.DataTree
        ``posterior`` (the terms and the other variables, dims ``chain, draw, ...``),
        ``sample_stats``, ``observed_data`` and ``constant_data`` (the cells). Attributes:
        ``model``, ``model_digest``, ``terms``, ``priors``, ``settings``, ``seed``, ``sampler``,
        ``versions`` (JSON where not plain), ``vcov``, ``previous``, ``synthetic``, ``study``,
        ``draws_requested``, ``draws_obtained`` (per chain), ``interrupted`` (0 or 1).

    Raises
    ------
    FitError
        Sampling failed, or was stopped before any chain had draws.
    """
    trace = _run(compiled, cells, settings=settings)
    obtained = _obtained(trace)
    if obtained != [settings.draws] * settings.chains:
        trace = _trimmed(trace, obtained)
    return explained_fit(
        {
            "posterior": _posterior(compiled, trace["posterior"].to_dataset()),
            "sample_stats": _sample_stats(trace["sample_stats"].to_dataset()),
            "log_prior": _log_prior(compiled, cells, trace["posterior"].to_dataset()),
        },
        compiled.model_file,
        cells,
        priors=compiled.priors,
        settings=settings,
        terms=compiled.terms,
        obtained=obtained,
        engine={"engine": NUTS, "sampler": SAMPLER},
    )


def _run(compiled: CompiledModel, cells: xr.Dataset, *, settings: SamplerSettings) -> xr.DataTree:
    name = compiled.model_file.name
    total = settings.chains * (settings.draws + settings.tune)
    ready = compiled.compiled.with_data(**likelihood_data(cells))
    size = f"{settings.chains} chains of {settings.tune} + {settings.draws} draws"
    try:
        with stage(f"sampling {name}, {size}", total=total) as sampling:
            trace: xr.DataTree = nutpie.sample(
                ready,
                draws=settings.draws,
                tune=settings.tune,
                chains=settings.chains,
                seed=derived_seed(settings.seed, f"posterior/{name}"),
                target_accept=max(settings.target_accept, compiled.model_file.target_accept),
                save_warmup=False,
                progress_bar=False,
                progress_callback=partial(_follow, sampling),
                progress_rate=_PROGRESS_RATE,
            )
    except (RuntimeError, ValueError) as error:
        raise FitError(f"sampling {name} failed: {error}") from error
    return trace


def _follow(sampling: Stage, chains: Sequence[Any]) -> None:
    """Move the stage to where nutpie says that its chains are."""
    divergences = sum(chain.divergences for chain in chains)
    tuning = any(chain.tuning for chain in chains)
    note = "tuning" if tuning else f"{divergences} divergences"
    sampling.move(sum(chain.finished_draws for chain in chains), note=note)


def _obtained(trace: xr.DataTree) -> list[int]:
    """Count the draws of each chain: interrupted ones end in NaN (nutpie says nothing)."""
    posterior = trace["posterior"].to_dataset() if "posterior" in trace.children else xr.Dataset()
    first = next(iter(posterior.data_vars.values()), None)
    if first is None:
        return [0]
    others = [dim for dim in first.dims if dim not in SAMPLE]
    return [int(count) for count in first.notnull().all(others).sum("draw").to_numpy()]


def _trimmed(trace: xr.DataTree, obtained: list[int]) -> xr.DataTree:
    """Keep the draws that all chains with draws have."""
    started = [place for place, count in enumerate(obtained) if count > 0]
    if not started:
        raise FitError("sampling was stopped before any chain had draws; nothing is stored")
    shortest = min(obtained[place] for place in started)
    groups = {
        f"/{name}": trace[name].to_dataset().isel(chain=started, draw=slice(0, shortest))
        for name in ("posterior", "sample_stats")
    }
    return xr.DataTree.from_dict(groups)


def _posterior(compiled: CompiledModel, free: xr.Dataset) -> xr.Dataset:
    """Return terms and hyperparameters; what only serves the sampler is left out."""
    terms = compiled.terms
    wanted = [name for name in terms if name not in free]
    found = restore(compiled.model, free, names=wanted)
    serving = {name for name in free if _is_serving(str(name), free[name])}
    rest = {name: free[name] for name in free.data_vars if name not in {*terms, *serving}}
    return xr.Dataset({**{name: found.get(name, free.get(name)) for name in terms}, **rest})


def _is_serving(name: str, values: xr.DataArray) -> bool:
    """Say whether a free variable only serves the sampler."""
    return name.endswith(_RAW) or "observation" in values.dims


def _sample_stats(stats: xr.Dataset) -> xr.Dataset:
    numbers = [name for name, values in stats.data_vars.items() if values.dtype.kind in "biuf"]
    # ArviZ and PyMC look for their own name of this flag, and skip the check without it.
    return stats[numbers].assign(reached_max_treedepth=stats["maxdepth_reached"])


def _log_prior(compiled: CompiledModel, cells: xr.Dataset, free: xr.Dataset) -> xr.Dataset:
    """Log prior density of what is no additive term: hyperparameters such as standard deviations.

    Of a model that is built and not declared, that of all its free variables but those that
    only serve the sampler.
    """
    if batches := compiled.model_file.declared(cells, compiled.priors):
        return log_prior(batches, free)
    hyper = [v for v in compiled.model.free_RVs if not _is_serving(v.name, free[v.name])]
    chosen = [v for v in hyper if v.name not in compiled.terms] or hyper
    densities = {v.name: pm.logp(v, v) for v in chosen}
    return xr.Dataset(evaluate(compiled.model, free, outputs=densities))


def _prior(compiled: CompiledModel, cells: xr.Dataset, seed: int) -> xr.Dataset | None:
    batches = compiled.model_file.declared(cells, compiled.priors)
    if not batches or is_flat(batches):
        return None
    own = derived_seed(seed, f"prior/{compiled.model_file.name}")
    return prior_draws(batches, cells, draws=PRIOR_DRAWS, seed=own)
