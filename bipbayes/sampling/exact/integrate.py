"""The posterior over the standard deviations: weighted points, by importance sampling.

Points are scrambled Sobol points of a mixture of Student distributions around the modes, above
zero. (The density is an even function of every standard deviation, hence smooth at zero; that of
their logarithms is not nearly normal there.) Where the weights are too uneven the mixture moves to
where the weight is and more points are drawn; all points then count as drawn from the mixture of
all proposals (Veach and Guibas 1995).
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
from scipy import optimize
from scipy.special import logsumexp
from scipy.stats import qmc
from threadpoolctl import threadpool_limits

from bipbayes.data.sample import Floats
from bipbayes.progress import Stage, stage
from bipbayes.sampling.exact import proposal
from bipbayes.sampling.exact.density import log_density, log_density_gradient
from bipbayes.sampling.exact.proposal import Component
from bipbayes.sampling.exact.reduce import GaussianModel

POINTS: Final = 1024
GOOD_K: Final = 0.5
_SHARE: Final = 0.4  # of the points that should count; below, the proposal moves
_PILOTS: Final = 4  # rounds of a quarter of the points, to move the proposal
_ROUNDS: Final = 3
_MOVING: Final = 4  # effective points by standard deviation that a proposal is moved by
_STARTS: Final = (0.4, 0.05, 1.5)  # in scales of the priors
_LADDER: Final = np.array([0.001, 0.03, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2])  # likewise
_STRIDE: Final = 0.1  # of the first step uphill, which is not to pass over a mode
_LOWEST: Final = 1e-3  # of a standard deviation at the mode
_STEP: Final = 0.02
_APART: Final = 2.0  # modes closer than this many standard deviations are one
_FEW: Final = 256  # points: below, they have no tail to fit
_THREADS: Final = 2


@dataclass(frozen=True)
class Mixture:
    """Posterior over the standard deviations: weighted points.

    Attributes
    ----------
    sds
        Shape (point, sd).
    weight
        Shape (point,), sums to 1.
    mode
        Standard deviations at the highest mode of their joint density, shape (sd,).
    k_hat
        Shape of the weights' tail; 0 where the points are too few to tell, or one is exact.
    rounds
        How often points were drawn.
    """

    sds: Floats
    weight: Floats
    mode: Floats
    k_hat: float = 0.0
    rounds: int = 1

    @property
    def ess(self) -> float:
        """Effective number of points."""
        return float(1 / (self.weight**2).sum())


def plugged_in(model: GaussianModel) -> Mixture:
    """Return the standard deviations at their mode as if they were known."""
    with threadpool_limits(limits=1, user_api="blas"):
        sds = model.sds(find_modes(model)[0])
    return Mixture(sds[None], np.ones(1), sds)


def integrate(model: GaussianModel, *, points: int = POINTS, seed: int = 0) -> Mixture:
    """Integrate over the standard deviations.

    Parameters
    ----------
    model
        From `bipbayes.sampling.exact.reduce.gaussian_model`.
    points
        Importance sampling points of each round, a power of two.
    seed
        Scrambles the points.

    Returns
    -------
    Mixture
        Of one point where all standard deviations are known. Whether it may be relied on is
        said by `Mixture.k_hat` and `Mixture.ess`.
    """
    if not model.free.any():
        return plugged_in(model)
    # One thread of linear algebra: numbers then do not depend on the number of cores.
    one_thread = threadpool_limits(limits=1, user_api="blas")
    with one_thread, stage("integrating over standard deviations", total=points) as running:
        modes = find_modes(model)
        components = _around(model, modes)
        return _rounds(model, components, modes[0], points=points, seed=seed, running=running)


def thinned(mixture: Mixture, points: int) -> Mixture:
    """Resample a mixture to fewer points of equal weight, spread evenly over the first sd."""
    order = np.argsort(mixture.sds[:, 0])
    edges = np.cumsum(mixture.weight[order])
    place = np.searchsorted(edges, (np.arange(points) + 0.5) / points)
    chosen = order[np.minimum(place, len(order) - 1)]
    return replace(mixture, sds=mixture.sds[chosen], weight=np.full(points, 1 / points))


def find_modes(model: GaussianModel) -> list[Floats]:
    """Modes of the density of the free standard deviations, in scales of their priors.

    The highest comes first. They are looked for from several starts, then from wherever the
    density rises again aside of the highest mode, along one standard deviation.
    """
    count = int(model.free.sum())
    if not count:
        return [np.zeros(0)]
    found = _each(lambda start: _climb(model, np.full(count, start)), _STARTS)
    highest = max(found, key=lambda pair: pair[0])[1]
    found += _each(lambda start: _climb(model, start), _aside(model, highest))
    found.sort(key=lambda pair: -pair[0])
    modes: list[Floats] = []
    for _, mode in found:
        if all(np.abs(mode - other).max() > _STEP for other in modes):
            modes.append(mode)
    return modes


def _aside(model: GaussianModel, mode: Floats) -> list[Floats]:
    """Points that are higher than their neighbours on lines through a mode, and not beside it."""
    rungs = np.tile(mode, (len(mode), len(_LADDER), 1))
    for place, line in enumerate(rungs):
        line[:, place] = _LADDER
    flat = rungs.reshape(-1, len(mode))
    height = np.reshape(_each(lambda row: log_density(model, row), flat), rungs.shape[:2])
    ends = np.full((len(mode), 1), -np.inf)
    padded = np.concatenate([ends, height, ends], axis=1)
    rises = (height > padded[:, :-2]) & (height > padded[:, 2:])
    beside = np.searchsorted(_LADDER, mode)[:, None] - np.arange(len(_LADDER))
    return list(rungs[rises & (beside != 0) & (beside != 1)])


def _climb(model: GaussianModel, start: Floats) -> tuple[float, Floats]:
    def downhill(point: Floats) -> tuple[float, Floats]:
        value, gradient = log_density_gradient(model, _STRIDE * point)
        return -value, -_STRIDE * gradient

    found = optimize.minimize(
        downhill,
        start / _STRIDE,
        jac=True,
        method="L-BFGS-B",
        bounds=[(_LOWEST / _STRIDE, None)] * len(start),
        options={"ftol": 1e-9, "gtol": 1e-3 * _STRIDE},
    )
    return -float(found.fun), _STRIDE * np.asarray(found.x)


def _around(model: GaussianModel, modes: Sequence[Floats]) -> list[Component]:
    """One component a mode, as large as a normal distribution of its height and curvature."""
    components: list[Component] = []
    sizes = []
    for mode in modes:
        root = _spread(model, mode)
        if any(_distance(each, mode) < _APART for each in components):
            continue
        components.append(Component(1.0, mode, root))
        sizes.append(log_density(model, mode) + np.log(np.diag(root)).sum())
    shares = np.exp(np.array(sizes) - logsumexp(sizes))
    shares = np.maximum(shares, 0.05) / np.maximum(shares, 0.05).sum()
    pairs = zip(components, shares, strict=True)
    return [replace(each, share=float(share)) for each, share in pairs]


def _distance(component: Component, point: Floats) -> float:
    return float(np.linalg.norm(np.linalg.solve(component.root, point - component.centre)))


def _spread(model: GaussianModel, mode: Floats) -> Floats:
    """Root of the proposal's covariance: the inverse Hessian, no wider than the prior."""

    def gradient(point: Floats) -> Floats:
        # Even density: its gradient changes sign with the coordinate.
        positive = np.maximum(np.abs(point), _LOWEST / 10)
        return np.asarray(np.sign(point) * log_density_gradient(model, positive)[1])

    steps = _STEP * np.eye(len(mode))
    ends = _each(gradient, [*(mode + steps), *(mode - steps)])
    hessian = -(np.array(ends[: len(mode)]) - np.array(ends[len(mode) :])) / (2 * _STEP)
    values, vectors = np.linalg.eigh((hessian + hessian.T) / 2)
    covariance = proposal.WIDER**2 * (vectors / np.maximum(values, 1.0)) @ vectors.T
    return np.asarray(np.linalg.cholesky(covariance))


def _rounds(
    model: GaussianModel,
    components: list[Component],
    mode: Floats,
    *,
    points: int,
    seed: int,
    running: Stage,
) -> Mixture:
    """Draw points and weigh them; where they are too uneven, move the proposal and draw more."""
    used: list[tuple[int, list[Component]]] = []
    ratios, target = np.zeros((0, len(mode))), np.zeros(0)
    pilots = [points // 4] * _PILOTS if points >= _FEW else []
    sizes = [*pilots, *[points] * (_ROUNDS if pilots else 1)]
    while sizes:
        size, number = sizes.pop(0), len(used)
        running.move(len(target), total=len(target) + size)
        used.append((size, components))
        ratios = np.concatenate([ratios, _points(components, size, seed=[seed, number])])
        values = _each(partial(_weigh, model, running), ratios[len(target) :])
        target = np.concatenate([target, values])
        together = _joined(used)
        log_weight = target - proposal.log_density(together, ratios)
        own = target[-size:] - proposal.log_density(components, ratios[-size:])
        if size < points and _effective(own) >= _SHARE * size:
            sizes = [points] * _ROUNDS  # good as it is
        elif size == points and _is_even(log_weight, points):
            break
        else:
            components = _next(together, ratios, log_weight)
    weight = _normalised(log_weight)
    k_hat = tail_shape(log_weight) if pilots else 0.0
    return Mixture(model.sds(ratios), weight, model.sds(mode), k_hat, len(used))


def _weigh(model: GaussianModel, running: Stage, row: Floats) -> float:
    value = log_density(model, row)
    running.advance()
    return value


def _joined(used: Sequence[tuple[int, list[Component]]]) -> list[Component]:
    """Join the proposals of all rounds: their mixture is what all points are drawn from."""
    total = sum(size for size, _ in used)
    return [replace(each, share=each.share * size / total) for size, own in used for each in own]


def _normalised(log_weight: Floats) -> Floats:
    return np.asarray(np.exp(log_weight - logsumexp(log_weight)))


def _effective(log_weight: Floats) -> float:
    return float(1 / (_normalised(log_weight) ** 2).sum())


def _is_even(log_weight: Floats, points: int) -> bool:
    if points < _FEW:
        return True
    return tail_shape(log_weight) <= GOOD_K and _effective(log_weight) >= _SHARE * points


def _next(components: list[Component], ratios: Floats, log_weight: Floats) -> list[Component]:
    """Move a proposal to where the weight is, part of the way where few points have it all."""
    power = 1.0
    wanted = min(_MOVING * ratios.shape[1], len(log_weight) / 4)
    while _effective(power * log_weight) < wanted:
        power *= 0.8
    moved = proposal.refit(components, ratios, _normalised(power * log_weight))
    return moved or components


def _points(components: Sequence[Component], points: int, *, seed: list[int]) -> Floats:
    """Sobol points of every component, as many as its share asks for."""
    ends = np.round(np.cumsum([0.0, *(each.share for each in components)]) * points).astype(int)
    parts = []
    for number, each in enumerate(components):
        count = int(ends[number + 1] - ends[number])
        if not count:
            continue
        rng = np.random.default_rng([*seed, number])
        sequence = qmc.Sobol(len(each.centre), rng=rng)
        power = int(np.ceil(np.log2(count)))
        parts.append(proposal.draw(each, sequence.random_base2(power)[:count]))
    return np.concatenate(parts)


def _each[Given, Found](
    function: Callable[[Given], Found], values: Sequence[Given] | Floats
) -> list[Found]:
    """Apply a function to all values on two cores: linear algebra releases the interpreter."""
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(function, values))


_LEAST: Final = 5  # of a tail


def tail_shape(log_weight: Floats) -> float:
    """Shape of a generalised Pareto distribution fitted to the largest weights.

    Zhang and Stephens's (2009) estimate with the weak prior towards one half of Vehtari et al.

    `log_weight`: up to a constant, shape (point,). Returns: up to 0.5 the estimates are as good as
    independent draws'; above 0.7 they are not to be relied on.
    """
    count = len(log_weight)
    tail = int(min(np.ceil(count / 5), np.floor(3 * np.sqrt(count))))
    if tail < _LEAST:
        return float("nan")
    ordered = np.sort(log_weight - log_weight.max())
    cut = max(ordered[-tail - 1], np.log(np.finfo(float).tiny))
    largest = np.exp(ordered[-tail:]) - np.exp(cut)
    if largest[-1] - largest[0] < np.finfo(float).tiny:
        return float("-inf")  # all weights alike
    return _shape(largest)


def _shape(exceedance: Floats) -> float:
    """Posterior mean of the shape of sorted exceedances over a grid of the inverse scale."""
    count = len(exceedance)
    grid = 30 + int(np.sqrt(count))
    quarter = exceedance[int(count / 4 + 0.5) - 1]
    steps = 1 - np.sqrt(grid / (np.arange(1, grid + 1) - 0.5))
    inverse = steps / (3 * quarter) + 1 / exceedance[-1]
    shape = np.log1p(-inverse[:, None] * exceedance).mean(axis=1)
    log_likelihood = count * (np.log(-inverse / shape) - shape - 1)
    weight = 1 / np.exp(log_likelihood - log_likelihood[:, None]).sum(axis=1)
    kept = weight >= 10 * np.finfo(float).eps
    weight = weight[kept] / weight[kept].sum()
    scale = weight @ inverse[kept]
    found = np.log1p(-scale * exceedance).mean()
    return float((count * found + 5) / (count + 10))
