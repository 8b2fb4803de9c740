"""Exact fits: honest Monte Carlo errors, flat models, refusals, the same numbers on any machine."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cell_builders import CellShape, make_cells

from bipbayes.errors import ModelError, SettingsError
from bipbayes.run.settings import Settings
from bipbayes.run.stored import fit_settings
from bipbayes.sampling.batches import FLAT, Batch, is_flat
from bipbayes.sampling.convergence import monte_carlo
from bipbayes.sampling.exact.fit import sample
from bipbayes.sampling.exact.posterior import saturated_posterior
from bipbayes.sampling.registry import engine_of, load_model
from bipbayes.sampling.settings import SamplerSettings

SHAPE = CellShape(empty=("10",))


def test_errors_of_draws_in_groups_are_those_of_repetition():
    """Catches errors that forget what draws of one point share, or the points' own weights.

    Points of unequal weight, each with several draws: the spread of the mean over repetitions is
    what one repetition says of itself.
    """
    rng = np.random.default_rng(1)
    counts = rng.integers(1, 12, 300)
    point = np.repeat(np.arange(300), counts)
    means, errors, sizes = [], [], []
    for _ in range(400):
        own = rng.normal(size=300)[point] + 0.7 * rng.normal(size=len(point))
        size, _, error = monte_carlo(own[:, None], point)
        means.append(own.mean())
        errors.append(error[0])
        sizes.append(size[0])
    assert np.mean(errors) == pytest.approx(np.std(means), rel=0.1)
    share = counts / counts.sum()
    expected = (1 + 0.49) / ((share**2).sum() + 0.49 / len(point))
    assert np.median(sizes) == pytest.approx(expected, rel=0.1)


def test_sizes_do_not_exceed_the_draws_and_missing_ones_are_empty():
    """Catches sizes of nothing, and more than all draws claimed."""
    draws = np.random.default_rng(2).normal(size=(500, 3))
    draws[:, 1], draws[0, 2] = 1.0, np.nan
    size, tail, error = monte_carlo(draws, np.arange(500))
    assert 400 < size[0] <= 500 and 300 < tail[0] <= 500
    assert error[0] == pytest.approx(draws[:, 0].std() / np.sqrt(500), rel=0.01)
    assert np.isnan([size[1:], tail[1:], error[1:]]).all()


def test_errors_stay_when_draws_are_shifted_and_tails_are_the_weaker_one():
    """Catches sums that are not centred, another quantile, and the better of the two tails.

    A few points hold the upper tail together; the lower one is of independent draws.
    """
    rng = np.random.default_rng(4)
    point = np.repeat(np.arange(200), 20)
    draws = rng.normal(size=(len(point), 1))
    draws[point < 15] = np.abs(draws[point < 15]) + 3.0
    size, tail, error = monte_carlo(draws, point)
    shifted = monte_carlo(draws + 50.0, point)
    np.testing.assert_allclose(shifted, (size, tail, error), rtol=1e-6)
    sizes = []
    for share in (0.05, 0.95):
        below = (draws[:, 0] <= np.quantile(draws[:, 0], share)).astype(float)
        sums = np.array([(below[point == one] - below.mean()).sum() for one in range(200)])
        sizes.append(min(below.var(ddof=1) / ((sums / len(below)) ** 2).sum(), len(below)))
    assert sizes[0] > 3 * sizes[1]
    assert tail[0] == pytest.approx(sizes[1])


@pytest.mark.slow
def test_errors_cover_what_other_seeds_give():
    """Catches an engine that is surer of its means than its own repetition."""
    cells = make_cells(SHAPE, seed=3)
    found, errors = [], []
    for seed in range(12):
        fit = sample(
            load_model("hierarchical"), cells, settings=SamplerSettings(draws=500, seed=seed)
        )
        draws = fit["posterior"]["jobcenter_effect"].to_numpy().reshape(-1, 3)
        point = fit["sample_stats"]["point"].to_numpy().ravel()
        found.append(draws.mean(axis=0))
        errors.append(monte_carlo(draws, point)[2])
    ratio = np.std(found, axis=0, ddof=1) / np.mean(errors, axis=0)
    assert (ratio < 1.6).all() and (ratio > 0.3).all()


def test_a_flat_model_is_its_closed_form():
    """Catches draws that are turned with the wrong root, or unknown cells with an effect."""
    cells = make_cells(SHAPE, seed=3)
    fit = sample(load_model("no_pooling"), cells, settings=SamplerSettings(draws=2000, seed=1))
    draws = fit["posterior"]["cell_effect"].to_numpy().reshape(8000, -1)
    seen = (cells["n"] > 0).to_numpy().ravel()
    assert np.isnan(draws[:, ~seen]).all()
    weights = np.random.default_rng(1).normal(size=(20, draws.shape[1])) * seen
    mean, sd = saturated_posterior(cells, weights)
    sums = np.nan_to_num(draws) @ weights.T
    assert (np.abs(sums.mean(axis=0) - mean) < 4.5 * sd / np.sqrt(8000)).all()
    np.testing.assert_allclose(sums.std(axis=0), sd, rtol=0.04)
    assert "no distribution" in fit["new_jobcenter"].attrs["reason"]
    assert "prior" not in fit.children


def test_new_jobcenters_vary_by_their_own_sds():
    """Catches the data's jobcenters taken for a new one, or another draw's sd."""
    cells = make_cells(CellShape(responses=(200, 260)), seed=3)
    fit = sample(load_model("hierarchical"), cells, settings=SamplerSettings(seed=1))
    new = fit["new_jobcenter"].to_dataset()
    over = {"combination_jobcenter_effect", "jobcenter_effect", "jobcenter_indicator_effect"}
    assert set(new.data_vars) == over
    for name in over:
        ratio = new[name] / fit["posterior"][f"{name}_sd"]
        assert float(ratio.std()) == pytest.approx(1, abs=0.05)
        assert abs(float(ratio.mean())) < 0.06


def test_engines_are_chosen_by_what_a_file_declares(tmp_path):
    """Catches a graph sent to closed forms, or a model of batches that is compiled unasked."""
    built = tmp_path / "built.py"
    built.write_text(
        "from dataclasses import dataclass\nTERMS = ('x',)\n"
        "@dataclass(frozen=True)\nclass Priors:\n    pass\n"
        "def build(cells, priors):\n    pass\n"
    )
    own, declared = load_model(built), load_model("hierarchical")
    assert (engine_of(own, None), engine_of(declared, None)) == ("nuts", "exact")
    assert engine_of(declared, "nuts") == "nuts"
    with pytest.raises(SettingsError, match="built has no batches"):
        engine_of(own, "exact")
    assert fit_settings(Settings(), declared)["draws"] == 1000
    assert fit_settings(Settings(engine="nuts"), declared)["draws"] == 1500
    with pytest.raises(SettingsError, match="--chains 1 is too few"):
        fit_settings(Settings(engine="nuts", chains=1), declared)
    with pytest.raises(ModelError, match="declares no batches"):
        sample(own, make_cells(SHAPE))
    with pytest.raises(SettingsError, match=r"--engine .* is unknown; known: exact, nuts"):
        Settings(engine="stan")


def test_a_users_own_batches_are_fitted(tmp_path):
    """Catches an engine that knows the package's models by name."""
    path = tmp_path / "mine.py"
    path.write_text(
        "from dataclasses import dataclass\n"
        "from bipbayes.sampling.batches import Batch\n"
        "@dataclass(frozen=True)\nclass Priors:\n    level: float = 0.2\n"
        "def batches(cells, priors):\n"
        "    return (Batch('level', ('indicator', 'jobcenter'), priors.level),)\n"
    )
    cells = make_cells(SHAPE, seed=3)
    fit = sample(load_model(path), cells, settings=SamplerSettings(seed=1))
    assert fit["posterior"]["level"].dims == ("chain", "draw", "indicator", "jobcenter")
    means = fit["posterior"]["level"].mean(("chain", "draw")).transpose("jobcenter", "indicator")
    raw = cells["mean"].weighted(cells["n"]).mean("combination")
    assert np.corrcoef(means.to_numpy().ravel(), raw.to_numpy().ravel())[0, 1] > 0.7


def test_flat_batches_stand_alone():
    """Catches a flat batch that is silently given a prior of its own."""
    flat = Batch("x", ("combination", "jobcenter", "indicator"), FLAT)
    assert is_flat([flat])
    for batches in ([flat, Batch("y", (), 1.0)], [Batch("x", ("combination",), FLAT)]):
        with pytest.raises(ModelError, match="stands alone"):
            is_flat(batches)


_FIT = """
import sys
sys.path.insert(0, {tests!r})
from cell_builders import CellShape, make_cells
from bipbayes.sampling.exact.fit import sample
from bipbayes.sampling.registry import load_model
from bipbayes.sampling.settings import SamplerSettings
fit = sample(load_model("factorial"), make_cells(CellShape(jobcenters=5, indicators=8), seed=3),
             settings=SamplerSettings(draws=50, seed=4))
import hashlib
for name, values in sorted(fit["posterior"].data_vars.items()):
    print(name, hashlib.sha256(values.to_numpy().tobytes()).hexdigest())
assert not {{"pymc", "pytensor", "numba", "arviz", "arviz_stats"}} & set(sys.modules)
"""


def test_numbers_do_not_depend_on_cores_and_no_sampler_is_imported():
    """Catches threads of linear algebra that change the draws, and seconds of needless imports."""
    tests = str(Path(__file__).parents[2])
    outputs = set()
    for threads in ("1", "4"):
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        done = subprocess.run(
            [sys.executable, "-c", _FIT.format(tests=tests)],
            capture_output=True, text=True, check=True, env=environment,
        )  # fmt: skip
        outputs.add(done.stdout)
    assert len(outputs) == 1
