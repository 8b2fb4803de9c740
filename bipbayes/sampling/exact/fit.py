"""Fitting a model of batches exactly; what comes back is a DataTree as the sampler's."""

import logging
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import xarray as xr

from bipbayes.cells import CELL, error_roots
from bipbayes.errors import ModelError
from bipbayes.option_words import EXACT
from bipbayes.sampling import tree
from bipbayes.sampling.batches import Batch, is_flat
from bipbayes.sampling.exact.integrate import integrate
from bipbayes.sampling.exact.posterior import draw
from bipbayes.sampling.exact.reduce import gaussian_model
from bipbayes.sampling.labels import SAMPLE
from bipbayes.sampling.registry import ModelFile
from bipbayes.sampling.settings import DEFAULTS, SamplerSettings, derived_seed

logger = logging.getLogger(__name__)

METHOD: Final = "exact: importance sampling of standard deviations"


def sample(
    model_file: ModelFile,
    cells: xr.Dataset,
    *,
    priors: Any = None,
    settings: SamplerSettings = DEFAULTS,
) -> xr.DataTree:
    """Fit a model to the cells, by the same arguments as `bipbayes.sampling.fit.sample`.

    Parameters
    ----------
    model_file
        From `bipbayes.sampling.registry.load_model`; one that declares batches.
    cells
        From `bipbayes.cells.cell_means`.
    priors
        An instance of the file's ``Priors``; default: its defaults.
    settings
        Points, draws, chains, seed. Chains only give the draws their shape.

    Returns
    -------
    xarray.DataTree
        ``posterior``, ``prior``, ``log_prior``, ``sample_stats`` (``point``: the point over the
        standard deviations behind each draw; those of one point are not independent),
        ``observed_data``, ``constant_data``, ``new_jobcenter``. Attributes as the sampler's, and
        ``k_hat``, ``effective_points``, ``points``, ``rounds``.

    Raises
    ------
    ModelError
        The file declares no batches.
    """
    chosen = model_file.Priors() if priors is None else priors
    batches = model_file.declared(cells, chosen)
    if not batches:
        raise ModelError(
            f"{model_file.name} declares no batches, so that it has no closed forms; "
            "fit it with --engine nuts"
        )
    logger.info("fitting %s by closed forms", model_file.name)
    seed = derived_seed(settings.seed, f"exact/{model_file.name}")
    if is_flat(batches):
        groups, facts_of_points = _saturated(batches[0], cells, settings, seed)
    else:
        groups, facts_of_points = _integrated(batches, cells, settings, seed)
    return tree.explained_fit(
        {**groups, "log_prior": tree.log_prior(batches, groups["posterior"])},
        model_file,
        cells,
        priors=chosen,
        settings=settings,
        terms=[batch.name for batch in batches],
        obtained=[settings.draws] * settings.chains,
        engine={"engine": EXACT, "sampler": METHOD, **facts_of_points},
    )


def _integrated(
    batches: Sequence[Batch], cells: xr.Dataset, settings: SamplerSettings, seed: int
) -> tuple[dict[str, xr.Dataset], dict[str, float]]:
    """Integrate over the standard deviations and draw."""
    model = gaussian_model(cells, batches)
    mixture = integrate(model, points=settings.points, seed=seed)
    shape = (settings.chains, settings.draws)
    drawn = draw(model, mixture, draws=shape[0] * shape[1], seed=seed)
    sds = drawn.sds.reshape(*shape, -1)
    groups = {
        "posterior": tree.batch_draws(
            batches, cells, coefficients=drawn.coefficients.reshape(*shape, -1), sds=sds
        ),
        "prior": tree.prior_draws(batches, cells, draws=tree.PRIOR_DRAWS, seed=seed),
        "sample_stats": _points(drawn.point.reshape(shape)),
        "new_jobcenter": tree.new_jobcenter(batches, cells, sds=sds, seed=seed + 1),
    }
    alone = len(mixture.weight) == 1  # known standard deviations: nothing is integrated over
    return groups, {
        "k_hat": mixture.k_hat,
        "effective_points": float(shape[0] * shape[1]) if alone else mixture.ess,
        "points": len(mixture.weight),
        "rounds": mixture.rounds,
    }


def _saturated(
    batch: Batch, cells: xr.Dataset, settings: SamplerSettings, seed: int
) -> tuple[dict[str, xr.Dataset], dict[str, float]]:
    """Draw every cell block around its means: independent draws of a normal distribution."""
    root, observed = error_roots(cells)
    shape = (settings.chains, settings.draws)
    normal = np.random.default_rng(seed).standard_normal((*shape, *observed.shape))
    errors = np.einsum("cjkl,sdcjl->sdcjk", root, normal, optimize=True)
    means = cells["mean"].transpose(*CELL).to_numpy()
    values = np.where(observed, means + errors, np.nan)
    named = tree.batch_draws(
        [batch], cells, coefficients=values.reshape(*shape, -1), sds=np.zeros((*shape, 1))
    )
    count = shape[0] * shape[1]
    groups = {
        "posterior": named[[batch.name]],
        "sample_stats": _points(np.arange(count).reshape(shape)),
        "new_jobcenter": tree.new_jobcenter([batch], cells, sds=np.zeros((*shape, 1)), seed=seed),
    }
    return groups, {"k_hat": 0.0, "effective_points": float(count), "points": count, "rounds": 1}


def _points(point: np.ndarray) -> xr.Dataset:
    sample = {dim: np.arange(size) for dim, size in zip(SAMPLE, point.shape, strict=True)}
    return xr.Dataset({"point": (SAMPLE, point)}, coords=sample)
