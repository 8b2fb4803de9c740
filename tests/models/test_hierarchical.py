"""The flagship's density against its formulas, and its priors."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
import xarray as xr
from cell_builders import CellShape, make_cells
from scipy import stats

from bipbayes.errors import SettingsError
from bipbayes.sampling.registry import load_model

MODEL = load_model("hierarchical")
Priors, build = MODEL.Priors, MODEL.build

DIMS = {
    "combination_effect": ("combination",),
    "combination_respondent_effect": ("combination", "respondent"),
    "combination_indicator_effect": ("combination", "indicator"),
    "combination_jobcenter_effect": ("combination", "jobcenter"),
    "jobcenter_effect": ("jobcenter",),
    "jobcenter_indicator_effect": ("jobcenter", "indicator"),
}


def expected_log_density(
    cells: xr.Dataset, terms: dict[str, np.ndarray], sds: dict[str, float], priors: Any
) -> float:
    """The module's formulas with loops: effects added up by label, one MvNormal a cell block."""
    total = 0.0
    for name in DIMS:
        scale = asdict(priors)[name.removesuffix("_effect")]
        total += stats.halfnorm(scale=scale).logpdf(sds[name])
        total += stats.norm(0, sds[name]).logpdf(terms[name]).sum()
    respondents = list(dict.fromkeys(cells["respondent"].to_numpy().tolist()))
    for c in range(cells.sizes["combination"]):
        for j in range(cells.sizes["jobcenter"]):
            seen = np.flatnonzero(cells["n"].to_numpy()[c, j])
            if not len(seen):
                continue
            effect = []
            for k in seen:
                r = respondents.index(str(cells["respondent"].to_numpy()[k]))
                effect.append(
                    terms["combination_effect"][c]
                    + terms["combination_respondent_effect"][c, r]
                    + terms["combination_indicator_effect"][c, k]
                    + terms["combination_jobcenter_effect"][c, j]
                    + terms["jobcenter_effect"][j]
                    + terms["jobcenter_indicator_effect"][j, k]
                )
            covariance = cells["vcov"].to_numpy()[c, j][np.ix_(seen, seen)]
            means = cells["mean"].to_numpy()[c, j][seen]
            total += stats.multivariate_normal(effect, covariance).logpdf(means)
    return float(total)


def test_density_is_that_of_the_formulas() -> None:
    """Catches a wrong sum, prior, whitener or degree of centring; constants aside.

    Differences between points are compared: whitening and non-centring only change constants
    and the volume, and the latter is taken account of.
    """
    cells, priors = make_cells(CellShape(indicators=5, empty=("10",)), seed=3), Priors()
    model = build(cells, priors)
    density = model.compile_logp(jacobian=False, mode="FAST_COMPILE")
    outputs = [model[f"{name}_raw"] for name in DIMS]
    shapes = {
        name: tuple(value.shape.eval(mode="FAST_COMPILE"))
        for name, value in zip(DIMS, outputs, strict=True)
    }
    degrees = _centring(cells, priors)
    rng = np.random.default_rng(0)
    differences = []
    for _ in range(3):
        sds = {name: float(rng.uniform(0.02, 0.2)) for name in DIMS}
        terms = {name: rng.normal(0, sds[name], shapes[name]) for name in DIMS}
        point, volume = {}, 0.0
        for name in DIMS:
            spread = model[f"{name}_sd"]
            transform = model.rvs_to_transforms[spread]
            value = model.rvs_to_values[spread].name
            point[value] = transform.forward(sds[name], *spread.owner.inputs).eval(
                mode="FAST_COMPILE"
            )
            point[f"{name}_raw"] = terms[name] / sds[name] ** (1 - degrees[name])
            volume += ((1 - degrees[name]) * np.log(sds[name])).sum()
        expected = expected_log_density(cells, terms, sds, priors) + volume
        differences.append(float(density(point)) - expected)
    assert np.ptp(differences) < 1e-8


def _centring(cells: xr.Dataset, priors: Any) -> dict[str, np.ndarray]:
    from bipbayes.sampling.batches import Batch
    from bipbayes.sampling.graph import centring

    scales = asdict(priors)
    batches = [
        Batch(name, dims, scales[name.removesuffix("_effect")]) for name, dims in DIMS.items()
    ]
    return centring(batches, cells)


def test_prior_cell_means_are_as_documented() -> None:
    """Catches default scales that no longer say what the module's docstring says of them."""
    rng = np.random.default_rng(1)
    size = 400_000
    cell = sum(
        np.abs(rng.normal(0, scale, size)) * rng.normal(size=size)
        for scale in asdict(Priors()).values()
    )
    assert np.mean(np.abs(cell) < 0.6) == pytest.approx(0.98, abs=0.005)
    assert np.mean(np.abs(cell) < 1.0) == pytest.approx(0.999, abs=0.001)
    assert np.std(cell) == pytest.approx(0.23, abs=0.005)


def test_all_refused_scales_are_named() -> None:
    """Catches a check that stops at the first fault."""
    with pytest.raises(SettingsError, match=r"(?s)combination = -1.*jobcenter = 0"):
        Priors(combination=-1, jobcenter=0)
