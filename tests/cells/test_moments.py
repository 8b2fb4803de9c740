"""Residual moments against explicit loops and known truth."""

import builders
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bipbayes.cells import cell_means
from bipbayes.cells.gram import joint_answers
from bipbayes.cells.moments import Residuals, residual_covariance, residuals
from bipbayes.data.sample import Sample

CODEBOOK = builders.make_codebook(4, 2)
CODES = list(CODEBOOK.indicator_codes)


def residual_frame(data: xr.Dataset) -> pd.DataFrame:
    """Residuals from cell means by response and indicator, the slow way."""
    cell = [
        f"{c}|{j}"
        for c, j in zip(data["combination"].values, data["jobcenter"].values, strict=True)
    ]
    values = data["standardised"].sel(outcome=CODES).where(data["analysed"]).to_pandas()
    return values - values.groupby(cell).transform("mean")


@pytest.mark.parametrize("previous", ["item", "response"])
def test_moments_equal_loops(previous: str) -> None:
    """Catches residuals of the wrong cell, wrong neighbours, wrong degrees of freedom."""
    data = builders.random_progression(CODEBOOK, seed=1, previous=previous)
    cells = cell_means(data, CODEBOOK)
    residual = residual_frame(data).to_numpy()
    start = data["previous"].sel(outcome=CODES).to_numpy()
    n = cells["n"].to_numpy().reshape(-1, 4)
    observed = ~np.isnan(residual)
    labels = [*zip(data["combination"].values, data["jobcenter"].values, strict=True)]
    grid = [(c, j) for c in cells["combination"].values for j in cells["jobcenter"].values]
    for k in range(4):
        for m in range(4):
            both = observed[:, k] & observed[:, m]
            degrees = 0.0
            for g, label in enumerate(grid):
                joint = sum(both[r] for r in range(len(both)) if labels[r] == label)
                if joint:
                    rest = 1 / n[g, k] + 1 / n[g, m] - joint / (n[g, k] * n[g, m])
                    degrees += joint * (1 - rest)
            expected = (residual[both, k] * residual[both, m]).sum() / degrees
            assert cells["residual_covariance"][k, m] == pytest.approx(expected, rel=1e-10)
            same = (start[both, k] == start[both, m]).mean()
            assert cells["common_starts"][k, m] == pytest.approx(same, rel=1e-12)
            products = [
                residual[r, a] * residual[start[r, a], b]
                for a, b in ((k, m), (m, k))
                for r in np.flatnonzero(observed[:, a])
                if observed[start[r, a], b]
            ]
            assert cells["lag_covariance"][k, m] == pytest.approx(np.mean(products), rel=1e-10)


def iid_residuals(rng: np.random.Generator, truth: np.ndarray, gaps: float) -> Residuals:
    """Independent responses in six small cells with means of their own, and gaps."""
    cell = np.repeat(np.arange(6), [1, 2, 3, 4, 6, 9])
    count = len(truth)
    values = rng.multivariate_normal(np.zeros(count), truth, len(cell)) + cell[:, None]
    observed = rng.random(values.shape) > gaps
    sample = Sample(
        values=np.where(observed, values, 0.0),
        observed=observed,
        combination=cell,
        jobcenter=np.zeros_like(cell),
        citizen=np.arange(len(cell)),
        rows=np.arange(len(cell)),
        combinations=tuple("abcdef"),
        jobcenters=("one",),
        outcomes=tuple("xyz"),
    )
    return residuals(sample, np.full(values.shape, -1))


def test_residual_covariance_is_unbiased_with_gaps() -> None:
    """Catches n instead of n - 1 and a correction that only holds without gaps."""
    rng = np.random.default_rng(3)
    truth = np.array([[1.0, 0.6, 0.3], [0.6, 1.5, 0.2], [0.3, 0.2, 0.8]])
    draws = []
    for _ in range(1500):
        residual = iid_residuals(rng, truth, 0.3)
        draws.append(residual_covariance(residual, joint_answers(residual)))
    error = np.std(draws, axis=0) / np.sqrt(len(draws))
    assert (np.abs(np.mean(draws, axis=0) - truth) < 4 * error).all()
    naive = np.mean(draws, axis=0) * (1 - 1 / 5)
    assert (np.abs(naive - truth) > 4 * error)[np.diag_indices(3)].all()


def test_what_never_occurs_is_zero() -> None:
    """Catches 0 / 0 for indicators that are never answered together."""
    data = builders.random_progression(CODEBOOK, seed=4)
    values = data["standardised"].copy()
    odd = np.arange(data.sizes["response"]) % 2 == 1
    values.loc[{"outcome": "q1"}] = values.sel(outcome="q1").where(odd)
    values.loc[{"outcome": "q2"}] = values.sel(outcome="q2").where(~odd)
    cells = cell_means(data.assign(standardised=values), CODEBOOK)
    assert cells["residual_covariance"].sel(indicator="q1", indicator_="q2") == 0
    assert cells["common_starts"].sel(indicator="q1", indicator_="q2") == 1
    assert np.isfinite(cells["residual_covariance"]).all()
