"""Fits: what is in them, that they repeat bit for bit, and what an interruption leaves."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
import xarray as xr
from fits import SMALL, compiled, hierarchical_fit, ragged_cells

from bipbayes.errors import FitError
from bipbayes.sampling import fit as fitting
from bipbayes.sampling.diagnose import diagnose, hyperparameters
from bipbayes.sampling.fit import draw_posterior
from bipbayes.sampling.registry import load_model
from bipbayes.sampling.restore import restore
from bipbayes.sampling.settings import SamplerSettings, derived_seed


def test_a_fit_explains_itself() -> None:
    """Catches terms, cells or settings that a stored fit would lack."""
    fit, cells = hierarchical_fit(), ragged_cells()
    terms = load_model("hierarchical").terms(ragged_cells())
    sds = {f"{term}_sd" for term in terms}
    assert set(fit["posterior"].data_vars) == {*terms, *sds}
    assert fit["posterior"].sizes["chain"] == SMALL.chains
    assert fit["posterior"].sizes["draw"] == SMALL.draws
    xr.testing.assert_equal(fit["constant_data"].to_dataset(), cells)
    assert fit["observed_data"]["cell_mean"].size == int((cells["n"] > 0).sum())
    assert json.loads(fit.attrs["terms"]) == list(terms)
    assert json.loads(fit.attrs["settings"])["tune"] == SMALL.tune
    assert json.loads(fit.attrs["priors"])["combination"] == 0.15
    assert (fit.attrs["vcov"], fit.attrs["synthetic"], fit.attrs["sampler"]) == (
        "citizen", 1, "nutpie",
    )  # fmt: skip
    assert fit.attrs["interrupted"] == 0
    assert "reached_max_treedepth" in fit["sample_stats"].data_vars


def test_draws_repeat_bit_for_bit() -> None:
    """Catches a seed that does not reach the sampler, or threads that disturb the draws."""
    again = draw_posterior(compiled("hierarchical"), ragged_cells(), settings=SMALL)
    xr.testing.assert_identical(
        hierarchical_fit()["posterior"].to_dataset().drop_attrs(),
        again["posterior"].to_dataset().drop_attrs(),
    )


def test_another_seed_gives_other_draws() -> None:
    """Catches a seed that is recorded and not used."""
    other = SamplerSettings(draws=20, tune=50, seed=SMALL.seed + 1)
    first = SamplerSettings(draws=20, tune=50, seed=SMALL.seed)
    draws = [
        draw_posterior(compiled("hierarchical"), ragged_cells(), settings=settings)
        for settings in (first, other)
    ]
    values = [fit["posterior"]["combination_effect"].to_numpy() for fit in draws]
    assert not np.isclose(values[0], values[1]).any()


def test_derived_seeds_differ_by_purpose_and_stay() -> None:
    """Catches streams that coincide, or that change between versions of the package."""
    names = ("posterior/hierarchical", "posterior/factorial", "prior/hierarchical")
    seeds = {derived_seed(seed, name) for seed in range(50) for name in names}
    assert len(seeds) == 150
    assert derived_seed(0, "posterior/hierarchical") == derived_seed(0, "posterior/hierarchical")


def test_restored_terms_are_those_of_pymc() -> None:
    """Catches draws that are mixed up over chains or dims when terms are restored."""
    model = compiled("hierarchical").model
    rng = np.random.default_rng(0)
    arrays = {}
    for variable in model.free_RVs:
        dims = model.named_vars_to_dims.get(variable.name, ())
        shape = (2, 3, *(len(model.coords[dim]) for dim in dims))
        arrays[variable.name] = (("chain", "draw", *dims), rng.uniform(0.1, 1, shape))
    coords = {"chain": [0, 1], "draw": [0, 1, 2]}
    posterior = xr.Dataset(arrays, coords=coords)
    names = ["combination_respondent_effect", "jobcenter_indicator_effect"]
    found = restore(model, posterior, names=names)
    expected = pm.compute_deterministics(
        posterior, model=model, var_names=names, progressbar=False,
        compile_kwargs={"mode": "FAST_COMPILE"},
    )  # fmt: skip
    for name in names:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-12)
        assert found[name].dims == expected[name].dims


def interrupted(monkeypatch: pytest.MonkeyPatch, obtained: list[int]) -> None:
    """Make the sampler return what an interruption leaves: chains that end in NaN."""
    real = fitting.nutpie.sample

    def partial(*arguments: Any, **keywords: Any) -> xr.DataTree:
        trace = real(*arguments, **keywords)
        posterior = trace["posterior"].to_dataset()
        count = xr.DataArray(obtained, dims="chain", coords={"chain": posterior["chain"]})
        trace["posterior"] = xr.DataTree(posterior.where(posterior["draw"] < count))
        return trace

    monkeypatch.setattr(fitting.nutpie, "sample", partial)


def test_an_interrupted_fit_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a partial trace that passes for a whole one (the sampler says nothing)."""
    interrupted(monkeypatch, [40, 40, 25, 0])
    settings = SamplerSettings(draws=40, tune=50, seed=1)
    fit = draw_posterior(compiled("hierarchical"), ragged_cells(), settings=settings)
    assert fit.attrs["interrupted"] == 1
    assert json.loads(fit.attrs["draws_obtained"]) == [40, 40, 25, 0]
    assert fit["posterior"].sizes["chain"] == 3
    assert fit["posterior"].sizes["draw"] == 25
    assert fit["posterior"].to_dataset().notnull().all().to_array().all()
    verdict = diagnose(fit, hyperparameters(fit))
    assert not verdict.passed
    assert verdict.interrupted
    assert any("[40, 40, 25, 0]" in reason for reason in verdict.reasons)


def test_a_fit_without_draws_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches an empty trace that is stored."""
    interrupted(monkeypatch, [0, 0, 0, 0])
    settings = SamplerSettings(draws=20, tune=50, seed=1)
    with pytest.raises(FitError, match="before any chain"):
        draw_posterior(compiled("hierarchical"), ragged_cells(), settings=settings)


_PROGRAM = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from cell_builders import make_cells
from bipbayes.sampling.fit import sample
from bipbayes.sampling.registry import load_model
from bipbayes.sampling.settings import SamplerSettings
fit = sample(
    load_model("complete_pooling"), make_cells(), settings=SamplerSettings(draws=50, tune=50)
)
print(hashlib.sha256(fit["posterior"]["combination_effect"].to_numpy().tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_cold_and_warm_compile_caches_give_the_same_draws(tmp_path: Path) -> None:
    """Catches numba's fastmath, under which a cold and a warm cache give different draws."""
    flags = f"base_compiledir={tmp_path}"
    tests = str(Path(__file__).parents[1])
    digests = {
        subprocess.run(
            [sys.executable, "-c", _PROGRAM, tests],
            env={**os.environ, "PYTENSOR_FLAGS": flags},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for _ in range(2)
    }
    assert len(digests) == 1


def test_compiling_leaves_no_files_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches dozens of files of code in the folder of temporary files after every run."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    number = pt.dscalar()
    assert pytensor.function([number], pt.exp(number) + number, mode="NUMBA")(0.0) == 1.0
    assert list(tmp_path.iterdir()) == []
