"""Closed forms of additive normal models: the posterior given the sds, and over them.

Given the standard deviations everything is normal. With the whitened means ``y = A b + e``,
coefficients ``b = Λ z``, ``Λ`` the diagonal of standard deviations, ``z`` and ``e`` standard
normal:

    precision of z      Q = Λ A'A Λ + I,        mean of z   u = Q⁻¹ Λ A'y
    log marginal        -½ (log det Q + y'y - u'Λ A'y + N log 2π)
    its gradient        Σu² + Σ diag(Q⁻¹) - count, by log sd, sums over the term's coefficients

The standard deviations are integrated over by importance sampling of their logarithms: a
Student distribution around the mode, evaluated at scrambled Sobol points. The result is a
mixture of normals that is exact but for the number of points, and shares no code with the
sampler: each checks the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import xarray as xr
from scipy import linalg, optimize, sparse, stats

from bipbayes.cells import whiten
from bipbayes.checks.terms import CELL, Term, design_matrix
from bipbayes.data.sample import Floats, Integers

POINTS: Final = 64
DEGREES: Final = 6  # of the Student distribution that proposes standard deviations
LOWEST: Final = 1e-4  # standard deviations below count as this
SPREAD: Final = 1.5  # widest proposal of a logarithm, where the data say little
EDGE: Final = 1e-6


@dataclass(frozen=True)
class GaussianModel:
    """A model and its data, reduced to what the closed forms need.

    Attributes
    ----------
    terms
        Of the effect.
    group
        Position of the term by coefficient.
    design
        Effects from coefficients, shape (combination x jobcenter x indicator, coefficient).
    gram, projection, square, observations
        A'A, A'y, y'y and the number of observed means.
    """

    terms: tuple[Term, ...]
    group: Integers
    design: sparse.csr_array
    gram: Floats
    projection: Floats
    square: float
    observations: int

    @property
    def free(self) -> Integers:
        """Positions of the terms whose standard deviation is estimated."""
        return np.flatnonzero([not term.fixed for term in self.terms])


@dataclass(frozen=True)
class Mixture:
    """Posterior over the standard deviations: weighted points.

    Attributes
    ----------
    sds
        Shape (point, term).
    weight
        Shape (point,), sums to 1.
    ess
        Effective number of points.
    mode
        Standard deviations at the mode of the density of their logarithms, shape (term,).
    """

    sds: Floats
    weight: Floats
    ess: float
    mode: Floats


def gaussian_model(cells: xr.Dataset, terms: Sequence[Term]) -> GaussianModel:
    """Reduce cells and terms.

    Parameters
    ----------
    cells
        From `bipbayes.cells.cell_means`.
    terms
        For example from `bipbayes.checks.terms.hierarchical_terms`.
    """
    white = whiten(cells).transpose(..., *CELL, "indicator_")
    observed = white["observed"].to_numpy().ravel()
    blocks = white["whitener"].to_numpy()
    blocks = blocks.reshape(-1, *blocks.shape[-2:])
    design, group = design_matrix(cells, terms)
    places = np.arange(len(blocks) + 1)
    whitener = sparse.bsr_array((blocks, places[:-1], places)).tocsr()
    turned = sparse.csr_array(whitener @ design)[observed]
    means = white["whitened"].to_numpy().ravel()[observed]
    return GaussianModel(
        terms=tuple(terms),
        group=group,
        design=design,
        gram=np.asarray((turned.T @ turned).todense()),
        projection=np.asarray(turned.T @ means),
        square=float(means @ means),
        observations=len(means),
    )


def log_density(model: GaussianModel, log_sds: Floats) -> tuple[float, Floats]:
    """Log posterior density of the free log standard deviations, and its gradient.

    Parameters
    ----------
    model
        Data and terms.
    log_sds
        Logarithms of the free standard deviations; the density is that of the logarithms.

    Returns
    -------
    tuple
        Value (normalised but for the constant of the half-normal priors) and gradient.
    """
    sds = _all_sds(model, log_sds)
    factor, mean, quadratic = _solve(model, sds)
    value = -0.5 * (2 * np.log(np.diag(factor)).sum() + model.square - quadratic)
    value -= 0.5 * model.observations * np.log(2 * np.pi)
    inverse = linalg.solve_triangular(factor, np.eye(len(factor)), lower=True, check_finite=False)
    variance = (inverse**2).sum(axis=0)
    gradient = np.bincount(model.group, weights=mean**2 + variance - 1, minlength=len(sds))
    ratio = (sds / np.array([term.scale for term in model.terms])) ** 2
    value += float((-0.5 * ratio[model.free] + log_sds).sum())
    return float(value), (gradient - ratio + 1)[model.free]


def find_mode(model: GaussianModel) -> Floats:
    """Logarithms of the free standard deviations at the mode of their density."""
    start = np.log([0.3 * model.terms[place].scale for place in model.free])
    if not len(start):
        return start

    def downhill(point: Floats) -> tuple[float, Floats]:
        value, gradient = log_density(model, point)
        return -value, -gradient

    found = optimize.minimize(
        downhill,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(np.log(LOWEST), 1.5)] * len(start),
        options={"ftol": 1e-9, "gtol": 1e-3},
    )
    return np.asarray(found.x)


def plugged_in(model: GaussianModel) -> Mixture:
    """Return the standard deviations at their mode as if they were known."""
    sds = _all_sds(model, find_mode(model))
    return Mixture(sds[None], np.ones(1), 1.0, sds)


def integrate(model: GaussianModel, *, points: int = POINTS, seed: int = 0) -> Mixture:
    """Integrate over the standard deviations.

    Parameters
    ----------
    model
        Data and terms.
    points
        Importance sampling points, a power of two.
    seed
        Scrambles the points.
    """
    mode = find_mode(model)
    if not len(mode):
        return plugged_in(model)
    root = _spread(model, mode)
    uniform = stats.qmc.Sobol(len(mode) + 1, rng=seed).random(points)
    uniform = np.clip(uniform, EDGE, 1 - EDGE)
    width = np.sqrt(DEGREES / stats.chi2.ppf(uniform[:, -1], DEGREES))
    normal = stats.norm.ppf(uniform[:, :-1])
    log_sds = np.maximum(mode + (width[:, None] * normal) @ root.T, np.log(LOWEST))
    target = np.array([_log_density_only(model, row) for row in log_sds])
    distance = ((width[:, None] * normal) ** 2).sum(axis=1)
    proposal = -0.5 * (DEGREES + len(mode)) * np.log1p(distance / DEGREES)
    weight = np.exp(target - proposal - (target - proposal).max())
    weight /= weight.sum()
    sds = np.stack([_all_sds(model, row) for row in log_sds])
    return Mixture(sds, weight, float(1 / (weight**2).sum()), _all_sds(model, mode))


def conditional(model: GaussianModel, sds: Floats) -> tuple[Floats, Floats]:
    """Posterior of the coefficients given the standard deviations.

    Returns
    -------
    tuple
        Mean, shape (coefficient,), and a root R of the covariance, R R'.
    """
    factor, mean, _ = _solve(model, sds)
    scale = sds[model.group]
    identity = np.eye(len(factor))
    inverse = linalg.solve_triangular(factor, identity, lower=True, check_finite=False)
    return scale * mean, scale[:, None] * inverse.T


def effect_sample(
    model: GaussianModel, mixture: Mixture, *, draws: int, seed: int = 0
) -> tuple[Floats, Floats]:
    """Draw effects from the mixture.

    Returns
    -------
    tuple
        Effects, shape (draw, combination x jobcenter x indicator), and the draws' standard
        deviations, shape (draw, term); in random order.
    """
    rng = np.random.default_rng(seed)
    place = np.searchsorted(np.cumsum(mixture.weight), (np.arange(draws) + rng.random()) / draws)
    place = np.minimum(place, len(mixture.weight) - 1)
    parts = []
    for point, count in zip(*np.unique(place, return_counts=True), strict=True):
        mean, root = conditional(model, mixture.sds[point])
        coefficients = mean + rng.standard_normal((count, len(mean))) @ root.T
        parts.append(coefficients @ model.design.T)
    order = rng.permutation(draws)
    return np.concatenate(parts)[order], mixture.sds[place][order]


def _all_sds(model: GaussianModel, log_sds: Floats) -> Floats:
    sds = np.array([term.scale for term in model.terms])
    sds[model.free] = np.exp(log_sds)
    return sds


def _solve(model: GaussianModel, sds: Floats) -> tuple[Floats, Floats, float]:
    """Cholesky factor of Q, mean of z, and what the fit explains of y'y."""
    scale = sds[model.group]
    precision = model.gram * scale * scale[:, None]
    precision[np.diag_indices_from(precision)] += 1.0
    factor = linalg.cholesky(precision, lower=True, overwrite_a=True, check_finite=False)
    right = scale * model.projection
    half = linalg.solve_triangular(factor, right, lower=True, check_finite=False)
    mean = linalg.solve_triangular(factor, half, lower=True, trans="T", check_finite=False)
    return factor, mean, float(half @ half)


def _log_density_only(model: GaussianModel, log_sds: Floats) -> float:
    sds = _all_sds(model, log_sds)
    factor, _, quadratic = _solve(model, sds)
    scale = np.array([term.scale for term in model.terms])
    prior = (-0.5 * (sds / scale)[model.free] ** 2 + log_sds).sum()
    likelihood = -0.5 * (2 * np.log(np.diag(factor)).sum() + model.square - quadratic)
    return float(likelihood + prior - 0.5 * model.observations * np.log(2 * np.pi))


def _spread(model: GaussianModel, mode: Floats) -> Floats:
    """Root of the proposal's covariance: the inverse Hessian, held within bounds."""
    step = 0.05
    rows = [
        (log_density(model, mode + shift)[1] - log_density(model, mode - shift)[1]) / (2 * step)
        for shift in step * np.eye(len(mode))
    ]
    hessian = -np.array(rows)
    values, vectors = np.linalg.eigh((hessian + hessian.T) / 2)
    return np.asarray(vectors / np.sqrt(np.maximum(values, SPREAD**-2)))
