"""Random ragged cells of any shape with known effects, for tests of models and sampling."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

SDS = {
    "combination_effect": 0.10,
    "combination_respondent_effect": 0.05,
    "combination_indicator_effect": 0.05,
    "combination_jobcenter_effect": 0.07,
    "jobcenter_effect": 0.08,
    "jobcenter_indicator_effect": 0.05,
}


@dataclass(frozen=True)
class CellShape:
    """Numbers of labels and of responses; `empty` combinations have none."""

    treatments: int = 2
    jobcenters: int = 3
    indicators: int = 4
    responses: tuple[int, int] = (0, 60)
    gaps: float = 0.1
    empty: tuple[str, ...] = ()
    correlation: float = 0.3


def make_cells(shape: CellShape = CellShape(), *, seed: int = 0) -> xr.Dataset:
    """Cells with the fields of `bipbayes.cells.cell_means` and the truth as ``effect``.

    Covariances are the ``response`` form S0 ∘ (o'o) / (n n') of random gaps.
    """
    rng = np.random.default_rng(seed)
    combinations = [format(i, f"0{shape.treatments}b") for i in range(2**shape.treatments)]
    indicators = [f"q{i + 1}" for i in range(shape.indicators)]
    first = (shape.indicators + 1) // 2
    respondent = ["citizen" if i < first else "caseworker" for i in range(shape.indicators)]
    jobcenters = [f"site {i + 1}" for i in range(shape.jobcenters)]
    covariance = shape.correlation + (1 - shape.correlation) * np.eye(shape.indicators)
    sizes = (len(combinations), len(jobcenters), len(indicators))
    n, vcov = np.zeros(sizes, dtype="int64"), np.full((*sizes, sizes[2]), np.nan)
    mean = np.full(sizes, np.nan)
    effect = _effect(rng, sizes, np.array(respondent) == "caseworker")
    for c, j in np.ndindex(sizes[:2]):
        count = 0 if combinations[c] in shape.empty else int(rng.integers(*shape.responses))
        answered = (rng.random((count, sizes[2])) > shape.gaps).astype(float)
        joint = answered.T @ answered
        n[c, j] = joint.diagonal()
        seen = n[c, j] > 0
        if not seen.any():
            continue
        block = np.ix_(seen, seen)
        own = covariance[block] * joint[block] / np.outer(n[c, j][seen], n[c, j][seen])
        vcov[c, j][block] = own
        mean[c, j][seen] = rng.multivariate_normal(effect[c, j][seen], own)
    cell = ("combination", "jobcenter", "indicator")
    return xr.Dataset(
        {
            "mean": (cell, mean),
            "n": (cell, n),
            "n_citizens": (cell, n),
            "vcov": ((*cell, "indicator_"), vcov),
            "effect": (cell, effect),
        },
        coords={
            "combination": combinations,
            "jobcenter": jobcenters,
            "indicator": indicators,
            "indicator_": indicators,
            "respondent": ("indicator", respondent),
        },
        attrs={"vcov": "response", "previous": "item", "synthetic": 1, "study": "test"},
    )


def _effect(
    rng: np.random.Generator, sizes: tuple[int, int, int], caseworker: np.ndarray
) -> np.ndarray:
    c, j, k = sizes
    effect = rng.normal(0, SDS["combination_effect"], (c, 1, 1))
    by_respondent = rng.normal(0, SDS["combination_respondent_effect"], (c, 2))
    effect = effect + by_respondent[:, caseworker.astype(int)][:, None, :]
    effect = effect + rng.normal(0, SDS["combination_indicator_effect"], (c, 1, k))
    effect = effect + rng.normal(0, SDS["combination_jobcenter_effect"], (c, j, 1))
    effect = effect + rng.normal(0, SDS["jobcenter_effect"], (1, j, 1))
    return np.asarray(effect + rng.normal(0, SDS["jobcenter_indicator_effect"], (1, j, k)))
