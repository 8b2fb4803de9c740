"""Closed forms of additive normal models: the posterior given the sds, and over them.

Given the standard deviations everything is normal. With the whitened means ``y = A b + e``,
coefficients ``b = Λ z``, ``Λ`` the diagonal of standard deviations, ``z`` and ``e`` standard
normal:

    precision of z      Q = Λ A'A Λ + I,        mean of z   u = Q⁻¹ Λ A'y
    log marginal        -½ (log det Q + y'y - u'Λ A'y + N log 2π)
    its gradient        (Σu² + Σ diag(Q⁻¹) - count) / sd, sums over the term's coefficients

The standard deviations are integrated over by importance sampling: a Student distribution around
the mode, folded at zero, at scrambled Sobol points. (The density is an even function of every
standard deviation, hence smooth at zero; that of their logarithms is not nearly normal there.)
The result is a mixture of normals that is exact but for the number of points, and shares no code
with the sampler: each checks the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
import xarray as xr
from scipy import linalg, optimize, sparse, stats
from scipy.special import logsumexp

from bipbayes.cells import whiten
from bipbayes.checks.terms import CELL, Term, design_matrix
from bipbayes.data.sample import Floats, Integers

POINTS: Final = 64
DEGREES: Final = 5  # of the Student distribution that proposes standard deviations
LOWEST: Final = 1e-3  # mode of a standard deviation, in scales of its prior
FOLDED: Final = 8  # standard deviations that may lie near zero together
WIDER: Final = 1.2  # than the curvature at the mode, since the right tail is longer
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
        Standard deviations at the mode of their joint density, shape (term,).
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


def log_density(model: GaussianModel, ratios: Floats) -> tuple[float, Floats]:
    """Log posterior density of the free standard deviations, and its gradient.

    Parameters
    ----------
    model
        Data and terms.
    ratios
        Free standard deviations, each in scales of its half-normal prior; the sign does not
        matter.

    Returns
    -------
    tuple
        Value, up to the constant of the half-normal priors, and gradient by `ratios`.
    """
    sds = _all_sds(model, ratios)
    factor, mean, quadratic = _solve(model, sds)
    inverse = linalg.solve_triangular(factor, np.eye(len(factor)), lower=True, check_finite=False)
    surplus = mean**2 + (inverse**2).sum(axis=0) - 1
    sums = np.bincount(model.group, weights=surplus, minlength=len(sds))[model.free]
    return _value(model, factor, quadratic, ratios), sums / ratios - ratios


def find_mode(model: GaussianModel) -> Floats:
    """Free standard deviations at the mode of their density, in scales of their priors."""
    start = np.full(len(model.free), 0.4)
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
        bounds=[(LOWEST, None)] * len(start),
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
    ratios = np.abs(mode + (width[:, None] * stats.norm.ppf(uniform[:, :-1])) @ root.T)
    target = np.array([_density_only(model, row) for row in ratios])
    distance = target - _log_folded(ratios, mode, root)
    weight = np.exp(distance - distance.max())
    weight /= weight.sum()
    sds = np.stack([_all_sds(model, row) for row in ratios])
    return Mixture(sds, weight, float(1 / (weight**2).sum()), _all_sds(model, mode))


def thinned(mixture: Mixture, points: int) -> Mixture:
    """Resample a mixture to fewer points of equal weight, spread evenly over the first sd."""
    order = np.argsort(mixture.sds[:, 0])
    edges = np.cumsum(mixture.weight[order])
    place = np.searchsorted(edges, (np.arange(points) + 0.5) / points)
    chosen = order[np.minimum(place, len(order) - 1)]
    return Mixture(mixture.sds[chosen], np.full(points, 1 / points), mixture.ess, mixture.mode)


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


def linear_posterior(model: GaussianModel, sds: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Posterior means and standard deviations of sums of coefficients, given the sds.

    Parameters
    ----------
    model, sds
        As for `conditional`.
    weights
        Shape (sum, coefficient).
    """
    factor, mean, _ = _solve(model, sds)
    scaled = weights * sds[model.group]
    half = linalg.solve_triangular(factor, scaled.T, lower=True, check_finite=False)
    return scaled @ mean, np.sqrt((half**2).sum(axis=0))


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


def _all_sds(model: GaussianModel, ratios: Floats) -> Floats:
    sds = np.array([term.scale for term in model.terms])
    sds[model.free] *= np.abs(ratios)
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


def _value(model: GaussianModel, factor: Floats, quadratic: float, ratios: Floats) -> float:
    likelihood = 2 * np.log(np.diag(factor)).sum() + model.square - quadratic
    likelihood += model.observations * np.log(2 * np.pi)
    return float(-0.5 * (likelihood + (ratios**2).sum()))


def _density_only(model: GaussianModel, ratios: Floats) -> float:
    factor, _, quadratic = _solve(model, _all_sds(model, ratios))
    return _value(model, factor, quadratic, ratios)


def _spread(model: GaussianModel, mode: Floats) -> Floats:
    """Root of the proposal's covariance: the inverse Hessian, no wider than the prior."""
    step = 0.02

    def gradient(point: Floats) -> Floats:
        # Even density: its gradient changes sign with the coordinate.
        return np.sign(point) * log_density(model, np.maximum(np.abs(point), LOWEST / 10))[1]

    rows = [
        (gradient(mode + shift) - gradient(mode - shift)) / (2 * step)
        for shift in step * np.eye(len(mode))
    ]
    hessian = -np.array(rows)
    values, vectors = np.linalg.eigh((hessian + hessian.T) / 2)
    return np.asarray(WIDER * vectors / np.sqrt(np.maximum(values, 1.0)))


def _log_folded(ratios: Floats, mode: Floats, root: Floats) -> Floats:
    """Log density of the folded proposal, up to a constant."""
    nearness = mode / np.sqrt((root**2).sum(axis=1))
    near = np.argsort(nearness)[:FOLDED]
    signs = np.ones((2 ** len(near), len(mode)))
    signs[:, near] = np.array(list(product((1.0, -1.0), repeat=len(near))))
    turned = np.linalg.solve(root, (ratios[:, None] * signs - mode).reshape(-1, len(mode)).T)
    distance = (turned**2).sum(axis=0).reshape(len(ratios), len(signs))
    power = -0.5 * (DEGREES + len(mode))
    return np.asarray(logsumexp(power * np.log1p(distance / DEGREES), axis=1))
