"""The exact engine over the standard deviations: brute force on grids, hard shapes, weights."""

import numpy as np
import pytest
from cell_builders import CellShape, make_cells
from scipy import linalg, stats
from scipy.special import logsumexp, softmax

from bipbayes.sampling.batches import Batch
from bipbayes.sampling.exact import integrate as integration
from bipbayes.sampling.exact import proposal
from bipbayes.sampling.exact.density import linear_posterior, log_density, moments
from bipbayes.sampling.exact.integrate import Mixture, find_modes, integrate, tail_shape, thinned
from bipbayes.sampling.exact.posterior import draw, saturated_posterior
from bipbayes.sampling.exact.reduce import gaussian_model
from bipbayes.sampling.registry import load_model

TWO = (
    Batch("combination_jobcenter_effect", ("combination", "jobcenter"), 0.5),
    Batch("jobcenter_indicator_effect", ("jobcenter", "indicator"), 0.2),
    Batch("average_effect", (), 0.1, fixed=True),
)


@pytest.fixture(scope="module")
def cells():
    return make_cells(CellShape(indicators=3, jobcenters=4, empty=("10",)), seed=6)


def _dense(cells, ratios):
    """Log density of the means, with half-normal priors, and the posterior of all effects.

    Every covariance is written out.
    """
    sizes = [cells.sizes[dim] for dim in ("combination", "jobcenter", "indicator")]
    labels = np.array(list(np.ndindex(*sizes)))
    seen = (cells["n"] > 0).to_numpy().ravel()
    same = labels[:, None] == labels
    prior = 0.1**2 + (0.5 * ratios[0]) ** 2 * (same[..., 0] & same[..., 1])
    prior += (0.2 * ratios[1]) ** 2 * (same[..., 1] & same[..., 2])
    noise = linalg.block_diag(*np.nan_to_num(cells["vcov"].to_numpy()).reshape(-1, *sizes[2:] * 2))
    means = cells["mean"].to_numpy().ravel()[seen]
    total = (prior + noise)[np.ix_(seen, seen)]
    law = stats.multivariate_normal(np.zeros(seen.sum()), total)
    gain = np.linalg.solve(total, prior[seen]).T
    variance = np.diag(prior - gain @ prior[seen])
    return law.logpdf(means) - 0.5 * (ratios**2).sum(), gain @ means, variance


def _grid_moments(density, ends):
    """Means and spreads of two ratios by the trapezoid rule, which is exact to rounding here."""
    axes = [np.linspace(0, end, 161) for end in ends]
    values = np.array([[density(np.array([x, y])) for y in axes[1]] for x in axes[0]])
    weight = np.exp(values - values.max())
    for axis in (0, 1):
        index = [slice(None)] * 2
        for edge in (0, -1):
            index[axis] = edge
            weight[tuple(index)] *= 0.5
    weight /= weight.sum()
    means = [weight.sum(axis=1 - axis) @ axes[axis] for axis in (0, 1)]
    return weight, axes, np.array(means)


@pytest.fixture(scope="module")
def model(cells):
    return gaussian_model(cells, TWO)


@pytest.fixture(scope="module")
def grid(model):
    """Weights over both ratios, the axes, and the ratios' means."""
    return _grid_moments(lambda row: log_density(model, row), (2.6, 3.2))


def test_posterior_of_two_sds_is_that_of_brute_force(cells, model, grid):
    """Catches a wrong density, a proposal whose cut or shares are wrong, or points badly joined.

    The density agrees to 1e-6 everywhere on the grid; the importance sampling's error falls with
    the number of points to what is left of a thousandth of a standard deviation.
    """
    rng = np.random.default_rng(0)
    some = rng.uniform(0.01, 2.0, (20, 2))
    found = np.array([log_density(model, row) for row in some])
    brute = np.array([_dense(cells, row)[0] for row in some])
    np.testing.assert_allclose(found - found[0], brute - brute[0], atol=1e-6)
    weight, axes, means = grid
    assert weight[-1].sum() + weight[:, -1].sum() < 1e-9
    mixture = integrate(model, points=2**14, seed=1)
    ratios = mixture.sds[:, :2] / model.scale[:2]
    spread = np.sqrt([weight.sum(axis=1 - a) @ (axes[a] - means[a]) ** 2 for a in (0, 1)])
    np.testing.assert_allclose(mixture.weight @ ratios, means, atol=2e-3 * spread.min())
    assert (mixture.sds[:, 2] == 0.1).all()


def _over_points(log_weight, means, variances):
    """Means and standard deviations of a mixture of normals."""
    weight = np.exp(np.array(log_weight) - np.max(log_weight))
    weight /= weight.sum()
    mean = weight @ np.array(means)
    return mean, np.sqrt(weight @ (np.array(variances) + (np.array(means) - mean) ** 2))


def test_posterior_of_all_effects_is_that_of_brute_force(cells, model):
    """Catches effects of another cell, a prior left out of the weights, a spread without points.

    Two standard deviations on a grid, every matrix dense, against the closed forms on the same
    grid to 1e-6; the points of the engine come as near as their number allows. The rule is exact
    for smooth even functions, so that the grid stands for the integral.
    """
    grid = [(x, y) for x in np.arange(0.0, 2.8, 0.1) for y in np.arange(0.0, 3.4, 0.1)]
    halves = np.log([(0.5 if x == 0 else 1.0) * (0.5 if y == 0 else 1.0) for x, y in grid])
    dense = [_dense(cells, np.array(row)) for row in grid]
    brute = _over_points([d[0] for d in dense] + halves, *([d[i] for d in dense] for i in (1, 2)))
    effects = model.design.toarray()
    sds = [model.sds(np.array(row)) for row in grid]
    closed = [linear_posterior(model, row, effects) for row in sds]
    density = [log_density(model, np.array(row)) for row in grid] + halves
    found = _over_points(density, [mean for mean, _ in closed], [sd**2 for _, sd in closed])
    np.testing.assert_allclose(found, brute, atol=1e-6)
    mixture = integrate(model, points=2**13, seed=1)
    parts = [linear_posterior(model, row, effects) for row in mixture.sds]
    drawn = _over_points(np.log(mixture.weight), [m for m, _ in parts], [s**2 for _, s in parts])
    np.testing.assert_allclose(drawn, brute, atol=2e-3 * brute[1].min())


def test_without_pooling_effects_are_the_cell_means(cells):
    """Catches a likelihood that is no longer the means' own where the prior says nothing.

    A batch over single cells whose known standard deviation is large beside all errors is
    `no_pooling`, whose posterior is written down: the means with their covariance.
    """
    wide = Batch("cell_effect", ("combination", "jobcenter", "indicator"), 1e4, fixed=True)
    model = gaussian_model(cells, (wide,))
    weights = np.random.default_rng(2).normal(size=(30, model.design.shape[0]))
    weights *= (cells["n"] > 0).to_numpy().ravel()
    found = linear_posterior(model, np.array([1e4]), weights @ model.design.toarray())
    np.testing.assert_allclose(found, saturated_posterior(cells, weights), rtol=1e-6, atol=1e-6)


def test_points_are_weighed_honestly(model, grid):
    """Catches an error that the number of effective points does not own up to."""
    means = grid[2]
    errors = []
    for seed in range(20):
        mixture = integrate(model, points=256, seed=seed)
        ratios = mixture.sds[:, :2] / model.scale[:2]
        mean = mixture.weight @ ratios
        spread = np.sqrt(mixture.weight @ (ratios - mean) ** 2 / mixture.ess)
        errors.append((mean - means) / spread)
    # Sobol points do better than independent ones, never worse.
    assert np.sqrt(np.mean(np.square(errors))) < 1.1


HARD = {
    "one site": CellShape(jobcenters=1),
    "two sites": CellShape(jobcenters=2, indicators=6),
    "25 sites": CellShape(jobcenters=25, indicators=3, responses=(2, 30)),
    "five treatments": CellShape(treatments=5, jobcenters=3, indicators=3),
    "hardly any data": CellShape(responses=(0, 3)),
    "nothing varies": CellShape(responses=(300, 400)),
}


@pytest.mark.parametrize("name", ["hierarchical", "factorial"])
@pytest.mark.parametrize("title", HARD)
def test_hard_shapes_have_even_weights(name, title):
    """Catches a proposal that does not find sds near zero, or that weights break down."""
    cells = make_cells(HARD[title], seed=4)
    if title == "nothing varies":
        rng = np.random.default_rng(1)
        error = rng.normal(size=cells["mean"].shape) / np.sqrt(cells["n"])
        cells = cells.assign(mean=cells["mean"] * 0 + 0.3 * error)
    model = gaussian_model(cells, load_model(name).declared(cells))
    mixture = integrate(model, seed=2)
    assert mixture.k_hat < 0.5
    assert mixture.ess > 400


def test_the_proposals_density_is_that_of_its_draws():
    """Catches a density that forgets the cut at zero, has other tails or another root.

    Over all positive points it sums to one, and its means are those of its draws.
    """
    root = np.array([[0.4, 0.0], [0.3, 0.2]])
    components = [
        proposal.Component(0.7, np.array([0.1, 0.3]), root),
        proposal.Component(0.3, np.array([1.0, -0.2]), 0.5 * root),
    ]
    axis = np.linspace(0, 9, 901)
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=2).reshape(-1, 2)
    edge = np.where((axis == 0) | (axis == 9), 0.5, 1.0) * axis[1]
    weight = np.exp(proposal.log_density(components, points)) * np.outer(edge, edge).ravel()
    assert weight.sum() == pytest.approx(1.0, abs=1e-3)
    uniform = stats.qmc.Sobol(2, rng=np.random.default_rng(1)).random_base2(13)
    drawn = [proposal.draw(each, uniform) for each in components]
    assert min(values.min() for values in drawn) >= 0
    means = sum(each.share * own.mean(axis=0) for each, own in zip(components, drawn, strict=True))
    np.testing.assert_allclose(weight @ points, means, atol=3e-3)
    # Far from zero nothing is cut: the covariance is that of the Student distribution.
    far = proposal.draw(proposal.Component(1.0, np.array([9.0, 9.0]), root), uniform)
    spread = proposal.DEGREES / (proposal.DEGREES - 2)
    np.testing.assert_allclose(np.cov(far.T), spread * root @ root.T, rtol=0.1)


def test_a_proposal_moves_to_where_the_weight_is():
    """Catches weights left out, correlations lost, and a cut at zero taken for no cut.

    Points of a normal distribution whose second coordinate is cut off at zero, by weight.
    """
    rng = np.random.default_rng(2)
    centre, scale = np.array([5.0, 0.5, 8.0]), np.array([1.0, 0.5, 2.0])
    root = np.linalg.cholesky([[1, 0, 0.6], [0, 1, 0], [0.6, 0, 1]])
    points = np.array([3.0, 0.1, 7.0]) + rng.normal(size=(60_000, 3)) * [2.0, 1.0, 3.0]
    points = points[points[:, 1] > 0]
    wide = stats.norm([3.0, 0.1, 7.0], [2.0, 1.0, 3.0]).logpdf(points).sum(axis=1)
    cov = np.outer(scale, scale) * (root @ root.T)
    weight = np.exp(stats.multivariate_normal(centre, cov).logpdf(points) - wide)
    first = proposal.Component(1.0, np.array([3.0, 0.1, 7.0]), np.eye(3))
    (found,) = proposal.refit([first], points, weight / weight.sum())
    np.testing.assert_allclose(found.centre, centre, atol=0.06)
    wanted = proposal.WIDER * scale[:, None] * root
    np.testing.assert_allclose(found.root, wanted, atol=0.06)
    few = np.zeros(len(points))
    few[:3] = 1 / 3
    assert proposal.refit([first], points, few) == []


def test_fewer_points_stand_for_the_same_mixture():
    """Catches points that stay whatever their weight, or the weights of others."""
    sds = np.array([[0.3], [0.1], [0.2], [0.4]])
    mixture = Mixture(sds, np.array([0.5, 0.2, 0.05, 0.25]), sds[0])
    found = thinned(mixture, 20)
    np.testing.assert_array_equal(found.weight, np.full(20, 1 / 20))
    values, counts = np.unique(found.sds, return_counts=True)
    assert dict(zip(values, counts, strict=True)) == {0.1: 4, 0.2: 1, 0.3: 10, 0.4: 5}


def test_even_weights_are_many_and_without_a_tail():
    """Catches one of the two that passes for both."""
    rng = np.random.default_rng(1)
    few = np.where(np.arange(1024) < 250, 0.0, -9.0) + 0.01 * rng.random(1024)
    tail = 0.7 * rng.standard_exponential(1024)
    assert tail_shape(few) < integration.GOOD_K and not integration._is_even(few, 1024)
    assert tail_shape(tail) > integration.GOOD_K and not integration._is_even(tail, 1024)
    assert integration._is_even(0.3 * rng.normal(size=1024), 1024)


def test_two_modes_are_both_found(cells, monkeypatch):
    """Catches a climb from one start that leaves half of the posterior out.

    A density with modes at 0.3 and 3, the farther with three times the weight: the proposal's
    shares are those of normal distributions, the farther mode comes first.
    """
    model = gaussian_model(cells, TWO[:1])
    parts = stats.norm(0.3, 0.1), stats.norm(3.0, 0.2)
    near, far = parts

    def density(model, ratios):
        return float(np.log(near.pdf(ratios[0]) + 3 * far.pdf(ratios[0]) + 1e-300))

    def gradient(model, ratios):
        step = 1e-5
        ends = [density(model, ratios + shift) for shift in (step, -step)]
        return density(model, ratios), np.array([(ends[0] - ends[1]) / (2 * step)])

    monkeypatch.setattr(integration, "log_density", density)
    monkeypatch.setattr(integration, "log_density_gradient", gradient)
    modes = find_modes(model)
    assert np.round([mode[0] for mode in modes], 2).tolist() == [3.0, 0.3]
    around = integration._around(model, modes)
    assert [each.share for each in around] == pytest.approx([0.75, 0.25], abs=0.01)
    widths = [each.root[0, 0] / proposal.WIDER for each in around]
    assert widths == pytest.approx([0.2, 0.1], rel=0.05)
    mixture = integrate(model, seed=3)
    assert mixture.mode[0] / model.scale[0] == pytest.approx(3.0, abs=0.01)
    above = mixture.sds[:, 0] / model.scale[0] > 1.5
    assert mixture.weight[above].sum() == pytest.approx(0.75, abs=0.01)
    assert mixture.k_hat < 0.5


@pytest.mark.parametrize("far", [0.4, 0.45, 0.55, 0.6])
def test_two_modes_of_real_data_have_their_shares(far):
    """Catches a climb that passes over a mode: its share was lost and the weights looked even.

    Three effects known to a thousandth say that the standard deviation is next to nothing, the
    fourth, far off and hardly known, that it is large. The share of the far mode by a fine grid.
    """
    cells = make_cells(CellShape(jobcenters=1, indicators=1, responses=(5, 9), gaps=0.0), seed=1)
    mean = np.array([0.0004, -0.0006, 0.0003, far]).reshape(4, 1, 1)
    noise = np.array([1e-6, 1e-6, 1e-6, 0.01]).reshape(4, 1, 1, 1)
    cells = cells.assign(mean=(cells["mean"].dims, mean), vcov=(cells["vcov"].dims, noise))
    model = gaussian_model(cells, [Batch("combination_effect", ("combination",), 0.5)])
    grid = np.geomspace(1e-6, 6, 4000)
    log = np.array([log_density(model, np.array([ratio])) for ratio in grid])
    weight = np.exp(log - log.max()) * np.gradient(grid)
    share = weight[grid > 0.05].sum() / weight.sum()
    assert 0.01 < share < 0.99
    assert len(find_modes(model)) == 2
    mixture = integrate(model, seed=1)
    found = mixture.weight[mixture.sds[:, 0] / model.scale[0] > 0.05].sum()
    assert found == pytest.approx(share, abs=0.006)
    assert mixture.k_hat < 0.5


def test_a_mode_aside_in_one_sd_is_found(monkeypatch, cells):
    """Catches starts on the diagonal alone: two sds, the second mode in a corner."""
    model = gaussian_model(cells, TWO)
    modes = np.array([[0.3, 0.3], [0.02, 2.5]])

    def density(model, ratios):
        return float(logsumexp(-0.5 * ((ratios - modes) ** 2).sum(axis=1) / 0.01))

    def gradient(model, ratios):
        pull = softmax(-0.5 * ((ratios - modes) ** 2).sum(axis=1) / 0.01)
        return density(model, ratios), pull @ (modes - ratios) / 0.01

    monkeypatch.setattr(integration, "_STARTS", (0.4,))
    monkeypatch.setattr(integration, "log_density", density)
    monkeypatch.setattr(integration, "log_density_gradient", gradient)
    np.testing.assert_allclose(sorted(map(tuple, find_modes(model))), modes[::-1], atol=0.02)
    np.testing.assert_allclose(integration._aside(model, modes[0]), [[0.3, 3.2]])


def test_an_unreachable_posterior_is_owned_up_to(cells, monkeypatch):
    """Catches weights that look even only because the tail was never seen.

    The density has a tail that no Student distribution of eight degrees covers.
    """
    model = gaussian_model(cells, TWO[:1])
    monkeypatch.setattr(
        integration, "log_density", lambda model, ratios: float(-1.1 * np.log1p(ratios[0] ** 2))
    )
    monkeypatch.setattr(integration, "_spread", lambda model, mode: 0.01 * np.eye(1))
    monkeypatch.setattr(integration, "find_modes", lambda model: [np.array([0.4])])
    monkeypatch.setattr(integration.proposal, "refit", lambda components, *rest: components)
    mixture = integrate(model, seed=1)
    assert mixture.k_hat > 0.7
    assert mixture.rounds == 7


@pytest.mark.parametrize("shape", [0.2, 0.6, 1.1])
@pytest.mark.parametrize("count", [200, 1024, 5000])
def test_tail_shape_is_that_of_arviz(shape, count):
    """Catches another estimate than the one that the limits of k were found for."""
    from arviz_stats.base import array_stats

    weights = np.log(np.random.default_rng(3).pareto(1 / shape, size=count) + 1)
    assert tail_shape(weights) == pytest.approx(float(array_stats.psislw(-weights)[1]), abs=1e-10)


def test_results_do_not_depend_on_the_number_of_threads(cells, monkeypatch):
    """Catches points that are summed or drawn in the order in which threads end."""
    model = gaussian_model(cells, TWO)
    first = draw(model, integrate(model, seed=5), draws=500, seed=6)
    monkeypatch.setattr(integration, "_THREADS", 1)
    again = draw(model, integrate(model, seed=5), draws=500, seed=6)
    np.testing.assert_array_equal(first.coefficients, again.coefficients)


def test_draws_have_the_mixtures_moments(cells):
    """Catches draws that ignore weights, points or the covariance between coefficients."""
    model = gaussian_model(cells, TWO)
    mixture = integrate(model, seed=2)
    draws = draw(model, mixture, draws=4000, seed=3)
    parts = [moments(model, row) for row in mixture.sds]
    means, variances = (np.stack(part) for part in zip(*parts, strict=True))
    expected = mixture.weight @ means
    variance = mixture.weight @ (variances + (means - expected) ** 2)
    z = (draws.coefficients.mean(axis=0) - expected) / np.sqrt(variance / 400)
    assert np.abs(z).max() < 4
    np.testing.assert_allclose(draws.coefficients.var(axis=0), variance, rtol=0.15)
    np.testing.assert_array_equal(draws.sds, mixture.sds[draws.point])
    counts = np.bincount(draws.point, minlength=len(mixture.weight))
    assert np.abs(counts - 4000 * mixture.weight).max() < 1
    assert (draws.point[1:] != draws.point[:-1]).sum() + 1 == (counts > 0).sum()
