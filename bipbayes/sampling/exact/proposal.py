"""Proposals of standard deviations: mixtures of Student distributions, cut off at zero.

A coordinate is drawn given those before it, from a Student distribution above zero (the way of
Geweke, Hajivassiliou and Keane): what the cut leaves out is then known exactly for any number of
standard deviations, however many of them are near zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np
from scipy.special import gammaln, logsumexp, ndtr, stdtr, stdtrit

from bipbayes.data.sample import Floats

DEGREES: Final = 8.0
WIDER: Final = 1.1  # than what is known of the density, since its tails are longer
_EDGE: Final = 1e-10  # uniform numbers keep off zero and one


@dataclass(frozen=True)
class Component:
    """One Student distribution.

    Attributes
    ----------
    share
        Of the mixture.
    centre
        Shape (sd,).
    root
        Lower Cholesky factor of the scale matrix, shape (sd, sd).
    """

    share: float
    centre: Floats
    root: Floats


def draw(component: Component, uniform: Floats) -> Floats:
    """Turn uniform numbers, shape (point, sd), into points of a component."""
    return _walk(component, uniform, given=False)[0]


def log_density(components: Sequence[Component], points: Floats) -> Floats:
    """Log density of a mixture at points, shape (point, sd)."""
    parts = log_densities(components, points)
    return np.asarray(logsumexp(parts, axis=1))


def log_densities(components: Sequence[Component], points: Floats) -> Floats:
    """Log densities of the components times their shares, shape (point, component)."""
    parts = [_walk(each, points, given=True)[1] + np.log(each.share) for each in components]
    return np.stack(parts, axis=1)


def _walk(component: Component, values: Floats, *, given: bool) -> tuple[Floats, Floats]:
    """Go through the coordinates: points from uniform numbers or `given`, and log densities."""
    points, scaled = values.copy(), np.zeros_like(values)
    log = np.zeros(len(values))
    for place, step in enumerate(np.diag(component.root)):
        centre = component.centre[place] + scaled[:, :place] @ component.root[place, :place]
        above = stdtr(DEGREES, centre / step)
        if not given:
            share = np.clip(1 - values[:, place], _EDGE, 1 - _EDGE)
            points[:, place] = np.maximum(centre - step * stdtrit(DEGREES, above * share), 0.0)
        scaled[:, place] = (points[:, place] - centre) / step
        log += _log_student(scaled[:, place]) - np.log(step) - np.log(above)
    return points, log


def _log_student(values: Floats) -> Floats:
    constant = gammaln((DEGREES + 1) / 2) - gammaln(DEGREES / 2) - 0.5 * np.log(DEGREES * np.pi)
    return np.asarray(constant - (DEGREES + 1) / 2 * np.log1p(values**2 / DEGREES))


def refit(components: Sequence[Component], points: Floats, weight: Floats) -> list[Component]:
    """Move components to where weighted points lie: one step of a mixture's maximisation.

    A component that answers for too little weight to have a covariance is left out.
    """
    parts = log_densities(components, points)
    answer = np.exp(parts - logsumexp(parts, axis=1, keepdims=True)) * weight[:, None]
    found = [_moved(points, own) for own in answer.T]
    kept = [each for each in found if each is not None]
    total = sum(each.share for each in kept)
    return [replace(each, share=each.share / total) for each in kept]


def _moved(points: Floats, weight: Floats) -> Component | None:
    """Fit one component to the moments that are left above zero."""
    count = points.shape[1]
    if weight.sum() ** 2 < 2 * count * (weight**2).sum():
        return None
    share = weight / weight.sum()
    mean, square = share @ points, share @ points**2
    ratio = np.interp(mean**2 / square, *_table())  # of centre and scale
    hazard = np.exp(-0.5 * ratio**2) / np.sqrt(2 * np.pi) / ndtr(ratio)
    scale = np.sqrt(square / (1 + ratio**2 + ratio * hazard))
    around = (points - mean) / np.sqrt(square - mean**2)
    correlation = (share[:, None] * around).T @ around
    # Towards none: as much as chance gives so few effective points.
    kept = 1 / (1 + count * (share**2).sum())
    correlation = kept * correlation + (1 - kept) * np.eye(count)
    root = WIDER * scale[:, None] * np.linalg.cholesky(correlation)
    return Component(float(weight.sum()), ratio * scale, root)


@cache
def _table() -> tuple[Floats, Floats]:
    """Squared mean over mean square of a normal distribution cut at zero, by centre over scale.

    Below that of a half-normal distribution it is a half-normal one with that mean square: what
    is more skewed has a longer tail, which a centre below zero would cut short.
    """
    ratio = np.linspace(0.0, 8.0, 400)
    hazard = np.exp(-0.5 * ratio**2) / np.sqrt(2 * np.pi) / ndtr(ratio)
    return (ratio + hazard) ** 2 / (1 + ratio**2 + ratio * hazard), ratio
