"""Closed forms given the standard deviations: density, its gradient, posterior of the effects."""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from bipbayes.data.sample import Floats
from bipbayes.sampling.exact.reduce import GaussianModel


@dataclass(frozen=True)
class Factor:
    """The precision of z, factored block by block, then the border.

    Attributes
    ----------
    scale
        Standard deviation by coefficient, and a zero behind them for what fills up blocks.
    root
        Inverse Cholesky factors of the blocks, (block, size, size).
    cross
        ``root`` times the precision between block and border, but for the border's standard
        deviations ``outer``, (block, size, border).
    outer
        Standard deviation by coefficient of the border.
    corner
        Cholesky factor of what is left of the border's precision.
    half, rest
        The right-hand side, solved for the blocks and for the border.
    """

    scale: Floats
    root: Floats
    cross: Floats
    outer: Floats
    corner: Floats
    half: Floats
    rest: Floats

    @property
    def explained(self) -> float:
        """What the fit explains of y'y."""
        return float((self.half**2).sum() + self.rest @ self.rest)

    @property
    def log_determinant(self) -> float:
        """Of the precision of z."""
        blocks = np.log(np.diagonal(self.root, axis1=1, axis2=2)).sum()
        return float(2 * (np.log(np.diag(self.corner)).sum() - blocks))


def factorise(model: GaussianModel, sds: Floats) -> Factor:
    """Factor the precision of z, given all standard deviations."""
    gram = model.gram
    scale = np.append(sds[model.group], 0.0)
    inner, outer = scale[gram.place], scale[gram.border]
    # In place as far as can be: fresh memory of this size costs as much as the algebra.
    block = gram.block * inner[:, :, None]
    block *= inner[:, None]
    _add_identity(block)
    root = np.linalg.inv(np.linalg.cholesky(block))
    turned = root * inner[:, None]
    cross = turned @ gram.cross
    flat = _flat(cross)
    corner = flat.T @ flat
    np.subtract(gram.corner, corner, out=corner)
    corner *= outer
    corner *= outer[:, None]
    _add_identity(corner)
    half = (turned @ gram.inner[..., None])[..., 0]
    rest = outer * (gram.outer - half.ravel() @ flat)
    if len(outer):
        # NumPy's, since SciPy's keeps the interpreter from the other thread.
        corner = np.linalg.cholesky(corner)
        rest = linalg.blas.dtrsv(corner.T, rest, lower=0, trans=1)
    return Factor(scale, root, cross, outer, corner, half, rest)


def log_density(model: GaussianModel, ratios: Floats) -> float:
    """Log posterior density of the free standard deviations.

    `model`: from `bipbayes.sampling.exact.reduce.gaussian_model`; `ratios`: free standard
    deviations, each in scales of its half-normal prior; the sign does not matter. Returns: up to
    the constant of the half-normal priors.
    """
    return _value(model, factorise(model, model.sds(np.abs(ratios))), ratios)


def log_density_gradient(model: GaussianModel, ratios: Floats) -> tuple[float, Floats]:
    """Log density as `log_density`, and its gradient by the (positive) ratios."""
    sds = model.sds(ratios)
    factor = factorise(model, sds)
    mean, variance = _standard_moments(model, factor)
    sums = np.bincount(model.group, weights=mean**2 + variance - 1, minlength=len(sds))
    return _value(model, factor, ratios), sums[model.free] / ratios - ratios


def moments(model: GaussianModel, sds: Floats) -> tuple[Floats, Floats]:
    """Posterior mean and variance of every coefficient, given the standard deviations."""
    factor = factorise(model, sds)
    mean, variance = _standard_moments(model, factor)
    scale = factor.scale[:-1]
    return scale * mean, scale**2 * variance


def linear_posterior(model: GaussianModel, sds: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Posterior means and standard deviations of sums of coefficients, given the sds.

    `model`, `sds`: as for `moments`; `weights`: shape (sum, coefficient).
    """
    mean, root = spread_root(model, sds, weights)
    return mean, np.sqrt((root**2).sum(axis=1))


def spread_root(model: GaussianModel, sds: Floats, rows: Floats) -> tuple[Floats, Floats]:
    """Posterior of rows times coefficients: means, and a root R of their covariance, R R'.

    Parameters
    ----------
    model, sds
        As for `moments`.
    rows
        Shape (row, coefficient).
    """
    factor = factorise(model, sds)
    halves, rests = _half_solve(model, factor, rows * factor.scale[:-1])
    mean = halves.T @ factor.half.ravel() + rests.T @ factor.rest
    return mean, np.concatenate([halves, rests]).T


def draw_coefficients(model: GaussianModel, sds: Floats, normal: Floats) -> Floats:
    """Turn standard normal numbers, shape (draw, coefficient), into draws of the coefficients."""
    factor = factorise(model, sds)
    gram = model.gram
    solved = factor.rest + normal[:, gram.border]
    if len(gram.border):
        solved = linalg.blas.dtrsm(1.0, factor.corner.T, solved.T).T
    padded = np.concatenate([normal, np.zeros((len(normal), 1))], axis=1)
    inner = factor.half.T[None] + padded[:, gram.place.T]  # (draw, size, block)
    inner -= np.moveaxis(factor.cross @ (factor.outer * solved).T, 2, 0).transpose(0, 2, 1)
    result = np.empty_like(padded)
    result[:, gram.place.ravel()] = np.einsum("bij,dib->dbj", factor.root, inner).reshape(
        len(normal), -1
    )
    result[:, gram.border] = solved
    return result[:, :-1] * factor.scale[:-1]


def _value(model: GaussianModel, factor: Factor, ratios: Floats) -> float:
    surplus = factor.log_determinant + model.square - factor.explained
    surplus += model.observations * np.log(2 * np.pi)
    return float(-0.5 * (surplus + (ratios**2).sum()))


def _flat(blocks: Floats) -> Floats:
    """Lay the rows of all blocks under each other."""
    count, size, width = blocks.shape
    return blocks.reshape(count * size, width)


def _add_identity(matrix: Floats) -> None:
    places = np.arange(matrix.shape[-1])
    matrix[..., places, places] += 1.0


def _standard_moments(model: GaussianModel, factor: Factor) -> tuple[Floats, Floats]:
    """Mean and variance of z."""
    gram = model.gram
    mean, variance = np.empty((2, len(factor.scale)))
    border, inverse = factor.rest, np.zeros((0, 0))
    if len(border):
        inverse = linalg.lapack.dtrtri(factor.corner.T, lower=0)[0].T
        border = inverse.T @ factor.rest
    mean[gram.border], variance[gram.border] = border, (inverse**2).sum(axis=0)
    turned = factor.root.transpose(0, 2, 1)
    inner = factor.half - factor.cross @ (factor.outer * border)
    mean[gram.place] = (turned @ inner[..., None])[..., 0]
    spread = _flat(factor.cross) @ (inverse * factor.outer).T
    shared = turned @ spread.reshape(factor.cross.shape)
    variance[gram.place] = (factor.root**2).sum(axis=1) + (shared**2).sum(axis=2)
    return mean[:-1], variance[:-1]


def _half_solve(model: GaussianModel, factor: Factor, rows: Floats) -> tuple[Floats, Floats]:
    """Solve the factor's lower triangle for rows of z: blocks (flat), then border."""
    gram = model.gram
    padded = np.concatenate([rows, np.zeros((len(rows), 1))], axis=1)
    inner = factor.root @ padded.T[gram.place]  # (block, size, row)
    halves = _flat(inner)
    rests = rows.T[gram.border] - factor.outer[:, None] * (_flat(factor.cross).T @ halves)
    if len(gram.border):
        rests = linalg.blas.dtrsm(1.0, factor.corner.T, rests, trans_a=1)
    return halves, rests
