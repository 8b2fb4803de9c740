"""How long the flagship compiles: ``python tests/benchmarks/bench_compile.py``.

The model of ``models/hierarchical.py``, whose batches share one row of effects, against the same
model written out batch by batch, each in a process of its own with an empty compile cache and
then with a filled one. Prints seconds and the ratio of the two in this run; both densities are
compared at one point first.
"""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pymc as pm
import xarray as xr

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import builders

from bipbayes.cells import cell_means
from bipbayes.sampling.batches import Batch
from bipbayes.sampling.fit import compile_model
from bipbayes.sampling.graph import LightTail, centring
from bipbayes.sampling.labels import respondent_position
from bipbayes.sampling.likelihood import coordinates, observe
from bipbayes.sampling.registry import load_model

# Where a batch's dims go among (combination, jobcenter, indicator).
BATCHES = {
    "combination_effect": (("combination",), np.s_[:, None, None]),
    "combination_respondent_effect": (("combination", "respondent"), np.s_[:, None, :]),
    "combination_indicator_effect": (("combination", "indicator"), np.s_[:, None, :]),
    "combination_jobcenter_effect": (("combination", "jobcenter"), np.s_[:, :, None]),
    "jobcenter_effect": (("jobcenter",), np.s_[None, :, None]),
    "jobcenter_indicator_effect": (("jobcenter", "indicator"), np.s_[None, :, :]),
}


def cells_of_bip_size() -> xr.Dataset:
    """Cells of 20 indicators, 16 combinations and 10 jobcenters."""
    codebook = builders.make_codebook(20, 4, jobcenters=[f"site {i}" for i in range(1, 11)])
    shape = builders.Shape(citizens=3707, waves=(2, 6))
    return cell_means(builders.random_progression(codebook, seed=1, shape=shape), codebook)


def batch_by_batch(cells: xr.Dataset, priors: object) -> pm.Model:
    """Return the flagship with every batch in operations of its own."""
    scales = {name: getattr(priors, name.removesuffix("_effect")) for name in BATCHES}
    batches = [Batch(name, dims, scales[name]) for name, (dims, _) in BATCHES.items()]
    degrees = centring(batches, cells)
    with pm.Model(coords=coordinates(cells)) as model:
        effect = 0.0
        for name, (dims, place) in BATCHES.items():
            bend = LightTail(0.5 * scales[name])
            log_sd = pm.math.log(pm.HalfNormal(f"{name}_sd", scales[name], default_transform=bend))
            degree = pm.Data(f"{name}_centring", degrees[name])
            raw = pm.Normal(f"{name}_raw", 0.0, pm.math.exp(degree * log_sd), dims=dims)
            term = pm.Deterministic(name, pm.math.exp((1 - degree) * log_sd) * raw, dims=dims)
            if "respondent" in dims:
                term = term[:, respondent_position(cells)]
            effect = effect + term[place]
        observe(effect, cells)
    return model


def compiled_in(which: str, folder: Path) -> float:
    """Seconds of compiling in a new process with the compile cache in `folder`."""
    environment = {**os.environ, "PYTENSOR_FLAGS": f"base_compiledir={folder}"}
    command = [sys.executable, __file__, which]
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(output.stdout)


def one(which: str) -> None:
    """Print the seconds that one of the two takes here."""
    file, cells = load_model("hierarchical"), cells_of_bip_size()
    if which == "theirs":
        file = replace(file, build=batch_by_batch)
    start = time.perf_counter()
    compile_model(file, cells)
    sys.stdout.write(f"{time.perf_counter() - start}\n")


def same_density() -> float:
    """Largest relative difference between the two log densities at some points."""
    file, cells = load_model("hierarchical"), cells_of_bip_size()
    models = [build(cells, file.Priors()) for build in (file.build, batch_by_batch)]
    densities = [model.compile_logp(mode="FAST_COMPILE") for model in models]
    rng, gaps = np.random.default_rng(1), []
    for _ in range(3):
        start = models[0].initial_point()
        point = {name: rng.normal(0, 0.1, np.shape(value)) for name, value in start.items()}
        ours, theirs = (float(density(point)) for density in densities)
        gaps.append(abs(ours - theirs) / abs(theirs))
    return max(gaps)


def main() -> None:
    """Print both times, their ratio, and how far the densities agree."""
    print(f"largest relative difference of the log densities: {same_density():.1e}")
    with tempfile.TemporaryDirectory() as folder:
        places = {which: Path(folder) / which for which in ("ours", "theirs")}
        for state in ("cold", "warm"):
            seconds = {which: compiled_in(which, place) for which, place in places.items()}
            ratio = seconds["theirs"] / seconds["ours"]
            print(
                f"{state} cache: shared row {seconds['ours']:.1f} s, "
                f"batch by batch {seconds['theirs']:.1f} s, ratio {ratio:.2f}"
            )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        one(sys.argv[1])
    else:
        main()
