"""Tilted probabilities: individual chances whose group sums are exactly what is wanted.

Citizen i has the probability of category k

    p[i, k] = softmax_k(base[i, k] + sum_g slope[k, g] counts[i, g] / scale)

with one more category of predictor 0. The slopes solve sum_i counts[i, g] p[i, k] = target[k, g],
the stationary point of a convex function (the exponential tilting of survey calibration, Deville
and Sarndal 1992, Journal of the American Statistical Association 87:376).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ROUNDS: Final = 40
ENOUGH: Final = 1e-9
RIDGE: Final = 1e-7
HALVINGS: Final = 12


def tilted_shares(
    base: Floats, counts: Floats, *, targets: Floats, numbers: Floats | None = None
) -> Floats:
    """Return probabilities of the categories.

    Parameters
    ----------
    base
        Predictors before tilting, shape (citizen, category).
    counts
        Weights by group, shape (citizen, group); not negative.
    targets
        Wanted weighted sums, shape (category, group). Where they cannot be met the
        probabilities go as far as `ROUNDS` steps lead.
    numbers
        How many citizens each row stands for (default one).

    Returns
    -------
    numpy.ndarray
        Shape (citizen, category); what is missing to 1 is the last, unnamed category.
    """
    largest = max(float(counts.max(initial=0.0)), 1.0)
    held = np.ones(len(base)) if numbers is None else numbers
    problem = _Problem(base, counts / largest, held, targets / largest)
    slopes = np.zeros(targets.shape)
    enough = ENOUGH * max(1.0, float(np.abs(problem.wanted).max(initial=0.0)))
    for _ in range(ROUNDS):
        shares = problem.shares(slopes)
        gradient = problem.gradient(shares, slopes)
        if np.abs(gradient).max(initial=0.0) < enough:
            break
        step = np.linalg.solve(problem.hessian(shares), gradient.ravel())
        moved = problem.descend(slopes, step.reshape(slopes.shape))
        if moved is slopes:
            break
        slopes = moved
    return problem.shares(slopes)


@dataclass(frozen=True)
class _Problem:
    """The convex function whose stationary point is wanted; a small ridge keeps it definite."""

    base: Floats
    features: Floats
    numbers: Floats
    wanted: Floats

    def shares(self, slopes: Floats) -> Floats:
        """Probabilities, shape (row, category)."""
        predictor, top = self._predictor(slopes)
        weights = np.exp(predictor - top[:, None])
        return np.asarray(weights / (weights.sum(axis=1) + np.exp(-top))[:, None])

    def objective(self, slopes: Floats) -> float:
        """Log-partition minus slopes times targets."""
        predictor, top = self._predictor(slopes)
        total = np.exp(predictor - top[:, None]).sum(axis=1) + np.exp(-top)
        partition = float((self.numbers * (np.log(total) + top)).sum())
        return (
            partition - float((slopes * self.wanted).sum()) + RIDGE / 2 * float((slopes**2).sum())
        )

    def gradient(self, shares: Floats, slopes: Floats) -> Floats:
        """Weighted sums minus targets, shape (category, group)."""
        weighted = shares * self.numbers[:, None]
        return np.asarray(weighted.T @ self.features - self.wanted + RIDGE * slopes)

    def hessian(self, shares: Floats) -> Floats:
        """Second derivatives, square in category x group."""
        categories, groups = shares.shape[1], self.features.shape[1]
        blocks = np.empty((categories, groups, categories, groups))
        for one in range(categories):
            for other in range(categories):
                weight = self.numbers * shares[:, one] * ((one == other) - shares[:, other])
                blocks[one, :, other, :] = self.features.T @ (self.features * weight[:, None])
        matrix = blocks.reshape(categories * groups, categories * groups)
        return np.asarray(matrix + RIDGE * np.eye(categories * groups))

    def descend(self, slopes: Floats, step: Floats) -> Floats:
        """Take the Newton step, halved until the objective does not rise."""
        before, size = self.objective(slopes), 1.0
        for _ in range(HALVINGS):
            trial = slopes - size * step
            if self.objective(trial) <= before:
                return np.asarray(trial)
            size /= 2
        return slopes

    def _predictor(self, slopes: Floats) -> tuple[Floats, Floats]:
        predictor = self.base + self.features @ slopes.T
        return predictor, np.maximum(predictor.max(axis=1, initial=0.0), 0.0)
