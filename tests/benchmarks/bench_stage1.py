"""Stage 1 against other programs; run by hand: ``python tests/benchmarks/bench_stage1.py``.

Times OLS of all outcomes with five kinds of standard errors against a loop over statsmodels,
and the cells with ``vcov="citizen"`` against an explicit loop over pairs of changes, on random
data of BIP's size (20 indicators, 10 jobcenters, 16 combinations). The best of several runs
counts. Prints the ratios and how far the results agree.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm
import xarray as xr

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import builders

from bipbayes.cells import cell_means
from bipbayes.data.codebook import Codebook
from bipbayes.regression import VCOV, estimate_ols

STATSMODELS = dict(zip(VCOV, ("nonrobust", "HC1", "HC3", "cluster", "cluster-crv3"), strict=True))


def best[Result](work: Callable[[], Result], *, runs: int) -> tuple[float, Result]:
    """Shortest processor time of several runs (other work does not count), and the last result."""
    times = []
    for _ in range(runs):
        start = time.process_time()
        result = work()
        times.append(time.process_time() - start)
    return min(times), result


def statsmodels_loop(data: xr.Dataset, codebook: Codebook) -> dict[tuple[str, str], np.ndarray]:
    """Covariances of every outcome and kind of error, one statsmodels fit each."""
    clusters = {
        f"cluster_{name}": pd.factorize(data[name].to_numpy())[0]
        for name in ("citizen", "jobcenter")
    }
    covariances = {}
    for outcome in codebook.outcomes:
        y = data["standardised"].sel(outcome=outcome).to_numpy()
        sample = ~np.isnan(y) & data["analysed"].to_numpy()
        dummies = pd.get_dummies(data["combination"].to_numpy()[sample], dtype=float)
        for vcov, name in STATSMODELS.items():
            options = {"cov_kwds": {"groups": clusters[vcov][sample]}} if vcov in clusters else {}
            try:
                fit = sm.OLS(y[sample], dummies).fit(cov_type=name, use_t=True, **options)
            except ValueError:  # a jobcenter that cannot be left out
                continue
            covariances[vcov, outcome] = np.asarray(fit.cov_params())
    return covariances


def pair_loop(data: xr.Dataset, codebook: Codebook, cells: xr.Dataset) -> np.ndarray:
    """Sum covariances over all pairs of changes of a cell, given N, D and C."""
    codes = list(codebook.indicator_codes)
    noise, change, person = (
        cells[f"{name}_covariance"].to_numpy() for name in ("noise", "change", "persistent")
    )
    values = data["standardised"].sel(outcome=codes).where(data["analysed"]).to_numpy()
    start = data["previous"].sel(outcome=codes).to_numpy()
    block = list(zip(data["combination"].values, data["jobcenter"].values, strict=True))
    rows: dict[tuple[str, str], dict[str, list[int]]] = {}
    for row in np.flatnonzero(~np.isnan(values).all(axis=1)):
        rows.setdefault(block[row], {}).setdefault(data["citizen"].values[row], []).append(row)
    result = np.full(cells["vcov"].shape, np.nan)
    for c, combination in enumerate(codebook.combinations):
        for j, jobcenter in enumerate(cells["jobcenter"].values):
            total = np.zeros(noise.shape)
            for own in rows.get((combination, jobcenter), {}).values():
                changes = [
                    (r, start[r, k], k) for r in own for k in np.flatnonzero(values[r] == values[r])
                ]
                for end, begin, k in changes:
                    for end_, begin_, m in changes:
                        shared = (
                            int(end == end_)
                            + int(begin == begin_)
                            - int(end == begin_)
                            - int(begin == end_)
                        )
                        total[k, m] += noise[k, m] * shared + change[k, m] * (end == end_)
                        total[k, m] += person[k, m]
            n = cells["n"].to_numpy()[c, j].astype(float)
            counts = np.outer(n, n)
            result[c, j] = np.divide(
                total, counts, out=np.full_like(total, np.nan), where=counts > 0
            )
    return result


def main() -> None:
    """Print both comparisons."""
    codebook = builders.make_codebook(20, 4, jobcenters=[f"site {i}" for i in range(1, 11)])
    shape = builders.Shape(citizens=3707, waves=(1, 6), gaps=0.05, unknown=0.3)
    data = builders.random_progression(codebook, seed=1, shape=shape)
    print(f"{data.sizes['response']} responses, {int(data['n'].max())} changes of an indicator")
    ours, estimates = best(lambda: estimate_ols(data, codebook), runs=5)
    theirs, covariances = best(lambda: statsmodels_loop(data, codebook), runs=1)
    gap = max(
        np.abs(estimates["covariance"].sel(vcov=vcov, outcome=outcome).to_numpy() - matrix).max()
        for (vcov, outcome), matrix in covariances.items()
    )
    print(f"OLS: {ours:.3f} s, statsmodels loop {theirs:.2f} s: {theirs / ours:.0f} times as fast")
    print(f"     largest difference of a covariance: {gap:.1e}")
    ours, cells = best(lambda: cell_means(data, codebook), runs=5)
    theirs, looped = best(lambda: pair_loop(data, codebook, cells), runs=1)
    gap = np.nanmax(np.abs(looped - cells["vcov"].to_numpy()))
    print(
        f"cells: {ours:.3f} s, pairs of changes {theirs:.1f} s: {theirs / ours:.0f} times as fast"
    )
    print(f"     largest difference of a covariance: {gap:.1e}")


if __name__ == "__main__":
    main()
