"""The exact engine beside dense algebra and nutpie: ``python tests/benchmarks/bench_exact.py``.

On cells of BIP's size: one evaluation of the density of the standard deviations in bordered
blocks against one dense Cholesky factor; the way from cells to the complete posterior (points,
4,000 draws, every estimand with its interval) against nutpie with its compilation. ``--nuts``
adds the latter, which takes a minute.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import builders

from bipbayes.cells import cell_means
from bipbayes.estimands.draws import effect_draws, estimand_parts
from bipbayes.estimands.intervals import posterior_intervals
from bipbayes.sampling.diagnose import points_of
from bipbayes.sampling.exact import fit as exact
from bipbayes.sampling.exact.density import log_density, log_density_gradient
from bipbayes.sampling.exact.reduce import gaussian_model
from bipbayes.sampling.registry import load_model
from bipbayes.sampling.settings import SamplerSettings

SIZES = {"citizens": 3707, "waves": (2, 6), "gaps": 0.08, "unknown": 0.0}
CODEBOOK = builders.make_codebook(20, 4, jobcenters=[f"site {i}" for i in range(1, 11)])


def timed[Result](work: Callable[[], Result], *, runs: int = 1) -> tuple[float, Result]:
    """Shortest wall time of several runs, and the last result."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - start)
    return min(times), result


def complete(engine, model_file, cells):
    """From cells to every estimand's interval."""
    fit = engine.sample(model_file, cells, settings=SamplerSettings(draws=1000, seed=1))
    draws = estimand_parts(effect_draws(fit, cells), cells, CODEBOOK)
    posterior_intervals(draws, cells, CODEBOOK, model=model_file.name, point=points_of(fit))
    return fit


def main() -> None:
    data = builders.random_progression(CODEBOOK, seed=1, shape=builders.Shape(**SIZES))
    cells = cell_means(data, CODEBOOK)
    for name in ("hierarchical", "factorial"):
        model_file = load_model(name)
        batches = model_file.declared(cells)
        with threadpool_limits(limits=1, user_api="blas"):
            blocks, dense = (gaussian_model(cells, batches, by=by) for by in (None, ""))
            point = np.full(int(blocks.free.sum()), 0.4)
            fast, one = timed(lambda m=blocks, p=point: log_density(m, p), runs=20)
            slow, other = timed(lambda m=dense, p=point: log_density(m, p), runs=20)
            gradient, _ = timed(lambda m=blocks, p=point: log_density_gradient(m, p), runs=20)
        print(
            f"{name}: {len(blocks.group)} coefficients, evaluation {1e3 * fast:.2f} ms "
            f"(with gradient {1e3 * gradient:.2f}), dense {1e3 * slow:.2f} ms, "
            f"ratio {slow / fast:.1f}; densities differ by {abs(one - other):.1e}"
        )
        seconds, fit = timed(lambda f=model_file: complete(exact, f, cells), runs=3)
        print(
            f"{name}: cells to complete posterior {seconds:.2f} s, {fit.attrs['points']} points, "
            f"{fit.attrs['effective_points']:.0f} effective, k {fit.attrs['k_hat']:.2f}"
        )
        if "--nuts" in sys.argv:
            from bipbayes.sampling import fit as nuts

            sampled, _ = timed(lambda f=model_file: complete(nuts, f, cells))
            print(f"{name}: nutpie {sampled:.1f} s, ratio {sampled / seconds:.1f}")


if __name__ == "__main__":
    main()
