"""The posterior's own code against its peers: ``python tests/benchmarks/bench_posterior.py``.

1. One evaluation of the density with its gradient: whitened cell means in one dense product
   against PyMC's ``MvNormal`` on the same cells, both compiled by PyTensor for Numba.
2. Convergence diagnostics of many quantities in one pass against ArviZ, one by one.

Processor time, the best of several runs; prints ratios and how far the results agree.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import arviz_stats
import numpy as np
import pymc as pm
import pytensor
import xarray as xr

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import builders

from bipbayes.cells import cell_means
from bipbayes.sampling.convergence import TAIL, convergence
from bipbayes.sampling.likelihood import coordinates, observe

SIZES = {"citizens": 3707, "waves": (2, 6), "gaps": 0.0, "unknown": 0.0}


def best[Result](work: Callable[[], Result], *, runs: int) -> tuple[float, Result]:
    """Shortest processor time of several runs, and the last result."""
    times = []
    for _ in range(runs):
        start = time.process_time()
        result = work()
        times.append(time.process_time() - start)
    return min(times), result


def cells_of_bip_size() -> xr.Dataset:
    """Cells of which none is empty, so that both densities take all of them."""
    codebook = builders.make_codebook(20, 4, jobcenters=[f"site {i}" for i in range(1, 11)])
    data = builders.random_progression(codebook, seed=1, shape=builders.Shape(**SIZES))
    cells = cell_means(data, codebook)
    full = (cells["n"] > 0).all("indicator").all("jobcenter")
    return cells.sel(combination=full.to_numpy())


def model_of(cells: xr.Dataset, *, whitened: bool) -> pm.Model:
    """Effects of all cells with one of the two likelihoods."""
    dims = ("combination", "jobcenter", "indicator")
    with pm.Model(coords=coordinates(cells)) as model:
        effect = pm.Normal("effect", 0.0, 0.2, dims=dims)
        if whitened:
            observe(effect, cells)
        else:
            covariance = cells["vcov"].to_numpy()
            pm.MvNormal("mean", effect, chol=np.linalg.cholesky(covariance), observed=cells["mean"])
    return model


def gradient(model: pm.Model) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """Compile the log density and its gradient of one vector."""
    function = model.logp_dlogp_function(ravel_inputs=True, mode=pytensor.compile.mode.NUMBA)
    function.set_extra_values({})
    return lambda point: tuple(function(point))


def density() -> None:
    """Compare the two densities on the same points."""
    cells = cells_of_bip_size()
    ours, theirs = (gradient(model_of(cells, whitened=each)) for each in (True, False))
    size = int(np.prod([cells.sizes[dim] for dim in ("combination", "jobcenter", "indicator")]))
    points = np.random.default_rng(1).normal(0, 0.1, (200, size))
    for function in (ours, theirs):
        function(points[0])  # compiles
    time_ours, ours_at = best(lambda: [ours(point) for point in points], runs=5)
    time_theirs, theirs_at = best(lambda: [theirs(point) for point in points], runs=5)
    gap = max(np.abs(a[1] - b[1]).max() for a, b in zip(ours_at, theirs_at, strict=True))
    print(
        f"density and gradient of {size} cells: {1e6 * time_ours / len(points):.0f} us, "
        f"MvNormal {1e6 * time_theirs / len(points):.0f} us: "
        f"{time_theirs / time_ours:.1f} times as fast"
    )
    print(f"     largest difference of a gradient: {gap:.1e}")


def one_by_one(draws: np.ndarray) -> np.ndarray:
    """ArviZ's diagnostics, shape (diagnostic, quantity)."""
    rows = []
    for quantity in np.moveaxis(draws, 2, 0):
        tail = arviz_stats.ess(quantity, method="tail", prob=TAIL)
        error = arviz_stats.mcse(quantity, method="mean")
        rows.append((arviz_stats.rhat(quantity), arviz_stats.ess(quantity), tail, error))
    return np.array(rows).T


def diagnostics() -> None:
    """Compare ESS, R-hat and MCSE of 200 quantities."""
    draws = np.random.default_rng(2).normal(size=(4, 2000, 200)).cumsum(axis=1) * 0.02
    draws += np.random.default_rng(3).normal(size=draws.shape)
    time_ours, ours = best(lambda: convergence(draws), runs=3)

    time_theirs, theirs = best(lambda: one_by_one(draws), runs=1)
    found = np.stack([ours.r_hat, ours.ess_bulk, ours.ess_tail, ours.mcse])
    gap = np.abs(found / theirs - 1).max()
    print(
        f"diagnostics of {draws.shape[2]} quantities: {time_ours:.2f} s, ArviZ one by one "
        f"{time_theirs:.2f} s: {time_theirs / time_ours:.1f} times as fast"
    )
    print(f"     largest relative difference: {gap:.1e}")


if __name__ == "__main__":
    density()
    diagnostics()
