"""What both engines put into a fit beside their draws, made from the declared batches."""

import errno
import json
import os
import platform
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr

from bipbayes.atomic import atomic_path
from bipbayes.cells import CELL
from bipbayes.errors import FitError
from bipbayes.option_words import NUTS
from bipbayes.sampling.batches import Batch, idle_priors, is_flat
from bipbayes.sampling.labels import SAMPLE, coordinates, labels
from bipbayes.sampling.registry import ModelFile
from bipbayes.sampling.settings import SamplerSettings

OBSERVED: Final = "cell_mean"
PRIOR_DRAWS: Final = 500
_JOBCENTER: Final = "jobcenter"
_PACKAGES: Final = ("bipbayes", "numpy", "scipy", "xarray")
_SAMPLERS: Final = ("pymc", "pytensor", "nutpie", "numba")


def batch_draws(
    batches: Sequence[Batch], cells: xr.Dataset, *, coefficients: np.ndarray, sds: np.ndarray
) -> xr.Dataset:
    """Name and label draws of batches.

    `batches`: as `bipbayes.sampling.batches.present` leaves them; `cells`: gives labels;
    `coefficients`, `sds`: draws of all exchangeable effects and of all standard deviations in the
    batches' order, shapes (chain, draw, coefficient) and (chain, draw, sd).

    Returns: of every batch the effects, and ``<name>_sd`` where it is not known.
    """
    named = labels(cells)
    found: dict[str, xr.DataArray] = {}
    first, spread = 0, 0
    for batch in batches:
        size, count = batch.size(cells), len(batch.scales)
        own = coefficients[..., first : first + size].reshape(
            *coefficients.shape[:2], *batch.shape(cells)
        )
        coords = {dim: named[dim] for dim in batch.dims}
        found[batch.name] = _array(_of_combinations(own, batch), coords)
        if not batch.fixed:
            values = sds[..., spread : spread + count]
            found[batch.sd_name] = _spread(values, batch)
        first, spread = first + size, spread + count
    return xr.Dataset(found)


def prior_draws(
    batches: Sequence[Batch], cells: xr.Dataset, *, draws: int, seed: int
) -> xr.Dataset:
    """Draw standard deviations and effects from the prior, dims ``chain`` (one), ``draw``, ..."""
    rng = np.random.default_rng(seed)
    sds = _prior_sds(batches, rng, draws)
    scale = _by_coefficient(batches, cells, sds)
    coefficients = scale * rng.standard_normal(scale.shape)
    return batch_draws(batches, cells, coefficients=coefficients, sds=sds)


def new_jobcenter(
    batches: Sequence[Batch], cells: xr.Dataset, *, sds: np.ndarray, seed: int
) -> xr.Dataset:
    """Draw the effects of a jobcenter that is not among the data, one a draw.

    Returns: the batches over jobcenters, without that dim; where there is nothing to draw from, no
    variable and the attribute ``reason``.
    """
    if is_flat(batches):
        reason = f"{batches[0].name} has no distribution that new values can be drawn from"
        return xr.Dataset(attrs={"reason": reason})
    over = [batch for batch in batches if _JOBCENTER in batch.dims]
    if not over:
        return xr.Dataset(attrs={"reason": "its terms do not vary over sites"})
    one = cells.isel(jobcenter=[0])
    scale = _by_coefficient(batches, one, sds)
    drawn = scale * np.random.default_rng(seed).standard_normal(scale.shape)
    everything = batch_draws(batches, one, coefficients=drawn, sds=sds)
    return everything[[batch.name for batch in over]].isel(jobcenter=0, drop=True)


def log_prior(batches: Sequence[Batch], posterior: xr.Dataset) -> xr.Dataset:
    """Log densities of the half-normal priors of the standard deviations.

    What is scaled when the sensitivity to the prior is measured: the normal distributions of
    the effects given their standard deviations are part of the model.
    """
    found = {}
    for batch in batches:
        if batch.sd_name not in posterior:
            continue
        values = posterior[batch.sd_name]
        scale: Any = batch.scales[0]
        if batch.basis is not None:
            scale = xr.DataArray(np.array(batch.scales), dims=batch.basis.group_dim)
        found[batch.sd_name] = 0.5 * np.log(2 / np.pi) - np.log(scale) - 0.5 * (values / scale) ** 2
    return xr.Dataset(found)


def observed_means(cells: xr.Dataset) -> xr.Dataset:
    """Return the observed cell means in one row, dim ``observation``."""
    means = cells["mean"].transpose(*CELL).to_numpy()
    seen = (cells["n"] > 0).transpose(*CELL).to_numpy()
    named = {"observation": coordinates(cells)["observation"]}
    return xr.Dataset({OBSERVED: ("observation", means[seen])}, coords=named)


def explained_fit(
    groups: Mapping[str, xr.Dataset],
    model_file: ModelFile,
    cells: xr.Dataset,
    *,
    priors: Any,
    settings: SamplerSettings,
    terms: Sequence[str],
    obtained: Sequence[int],
    engine: Mapping[str, str | int | float],
) -> xr.DataTree:
    """Put draws, the cells and what a fit says of itself together.

    Parameters
    ----------
    groups
        Draws, and what else the engine knows of them.
    model_file, cells, priors, settings, terms
        What was fitted and how.
    obtained
        Draws by chain.
    engine
        ``engine``, ``sampler`` and what only this engine has to say.
    """
    carried = ("vcov", "previous", "study")
    packages = (*_PACKAGES, *(_SAMPLERS if engine["engine"] == NUTS else ()))
    versions = {name: version(name) for name in packages}
    declare = model_file.batches
    idle = [] if declare is None else idle_priors(declare, cells, priors)
    fit = xr.DataTree.from_dict(
        {**groups, "observed_data": observed_means(cells), "constant_data": cells.drop_attrs()}
    )
    fit.attrs = {
        "model": model_file.name,
        "model_digest": model_file.digest,
        "declares_batches": int(declare is not None),
        "terms": json.dumps(list(terms)),
        "priors": json.dumps(asdict(priors)),
        "idle_priors": json.dumps(idle),
        "settings": json.dumps(asdict(settings)),
        "seed": settings.seed,
        "versions": json.dumps({"python": platform.python_version(), **versions}),
        **{name: str(cells.attrs.get(name, "")) for name in carried},
        "synthetic": int(np.asarray(cells.attrs.get("synthetic", 0))),
        "draws_requested": settings.draws,
        **engine,
        "draws_obtained": json.dumps(list(obtained)),
        "interrupted": int(min(obtained) < settings.draws or len(obtained) < settings.chains),
    }
    return fit


def _prior_sds(batches: Sequence[Batch], rng: np.random.Generator, draws: int) -> np.ndarray:
    """Draw all standard deviations, shape (1, draw, sd); known ones are what they are."""
    scale = np.array([scale for batch in batches for scale in batch.scales])
    known = np.array([batch.fixed for batch in batches for _ in batch.scales], dtype="bool")
    ratio = np.abs(rng.standard_normal((1, draws, len(scale))))
    return np.asarray(scale * np.where(known, 1.0, ratio))


def _by_coefficient(batches: Sequence[Batch], cells: xr.Dataset, sds: np.ndarray) -> np.ndarray:
    """Repeat each standard deviation for the effects that it is of."""
    parts, first = [np.zeros((*sds.shape[:2], 0))], 0
    for batch in batches:
        parts.append(sds[..., first + batch.groups(cells)])
        first += len(batch.scales)
    return np.concatenate(parts, axis=-1)


def _of_combinations(values: np.ndarray, batch: Batch) -> np.ndarray:
    """Turn coefficients, behind chain and draw, into effects of combinations."""
    if batch.basis is None:
        return values
    return np.moveaxis(np.tensordot(batch.basis.matrix, values, axes=(1, 2)), 0, 2)


def _spread(values: np.ndarray, batch: Batch) -> xr.DataArray:
    if batch.basis is None:
        return _array(values[..., 0], {})
    return _array(values, {batch.basis.group_dim: list(batch.basis.group_labels)})


def _array(values: np.ndarray, coords: Mapping[str, list[str]]) -> xr.DataArray:
    sample = {dim: np.arange(length) for dim, length in zip(SAMPLE, values.shape, strict=False)}
    return xr.DataArray(values, coords={**sample, **coords}, dims=[*SAMPLE, *coords])


ENGINE: Final = "h5netcdf"
_ROOM: Final = 2_000_000  # bytes, of a file beside its numbers
GROUPS: Final = ("posterior", "sample_stats", "observed_data", "constant_data")


def save_fit(path: Path, fit: xr.DataTree) -> None:
    """Write a fit; a reader sees the old file or the whole new one.

    Parameters
    ----------
    path
        Of the file, such as ``posterior/hierarchical.nc``; folders are made.
    fit
        From `bipbayes.sampling.fit.sample`.

    Raises
    ------
    OSError
        The disk has no room for it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # HDF5 does not survive a disk that fills while it writes: the whole process would die.
    if shutil.disk_usage(path.parent).free < fit.nbytes + _ROOM:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    # Not compressed: that saves a twentieth of the file and takes longer than all draws.
    with atomic_path(path) as temporary:
        fit.to_netcdf(temporary, engine=ENGINE)


def load_fit(path: Path) -> xr.DataTree:
    """Read a fit into memory; the file is closed again.

    Raises
    ------
    FitError
        The file is missing, damaged, or holds something else.
    """
    if not path.is_file():
        raise FitError(f"there is no fit {path}; run fit-posterior first")
    try:
        fit = xr.load_datatree(path, engine=ENGINE)
    except (OSError, ValueError, KeyError) as error:
        raise FitError(f"{path} cannot be read as a fit ({error}); fit the model again") from error
    missing = [name for name in GROUPS if name not in fit.children]
    if missing or "terms" not in fit.attrs:
        lacking = ", ".join(missing) or "the names of its terms"
        raise FitError(f"{path} is no fit of this package: it lacks {lacking}")
    return fit
