"""Both engines at their defaults on studies of many shapes.

``python tests/benchmarks/bench_engines.py [exact | nuts] [shape ...] [--seeds=8]``

One row a shape: of the exact engine Pareto's k, effective points and rounds (worst of the seeds);
of the sampler the worst R-hat, bulk and tail ESS over all reported quantities, divergences, how
many seeds passed, and hyperparameters that fall short (which are no results and fail nothing).
Without words both engines run on all shapes; the sampler takes half a minute a seed.
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import builders

from bipbayes.bip.facts import bip_codebook
from bipbayes.cells import cell_means
from bipbayes.data.codebook import Codebook
from bipbayes.data.progression import progression
from bipbayes.data.study import Study
from bipbayes.estimands.intervals import IntervalSettings
from bipbayes.estimands.posterior import summarise
from bipbayes.option_words import EXACT, NUTS
from bipbayes.run.settings import DEFAULT_DRAWS, Settings
from bipbayes.sampling.registry import load_model
from bipbayes.sampling.settings import SamplerSettings
from bipbayes.synthetic.simulate import EffectSds
from bipbayes.validation.generator import Generator, draw_design, draw_drift, simulate_study
from bipbayes.validation.settings import DEFAULT_GENERATOR, DESIGNS

MODEL = load_model("hierarchical")
BIP = bip_codebook()


@dataclass(frozen=True)
class Shape:
    """A study of the package's own generator; ``None`` citizens: the default data."""

    codebook: Codebook = BIP
    citizens: int | None = 3707
    jobcenters: int = 10
    generator: Generator = DEFAULT_GENERATOR


FLAT = Generator(sds=EffectSds(combination_respondent=0.0, jobcenter_indicator=0.0))
SHAPES = {
    "default data": Shape(citizens=None),
    "small": Shape(citizens=500, jobcenters=4),
    "two sites": Shape(jobcenters=2),
    "25 sites, two sds of zero": Shape(jobcenters=25, generator=FLAT),
    "5 treatments": Shape(builders.make_codebook(20, 5)),
    "60 items": Shape(builders.make_codebook(60, 4)),
    "120 citizens with slopes": Shape(citizens=120, generator=DESIGNS["slopes-small"]["generator"]),
    "one site": Shape(jobcenters=1),
    "40 citizens": Shape(citizens=40, jobcenters=3),
}


def cells_of(shape: Shape) -> xr.Dataset:
    """Simulate a study and reduce it to cells."""
    study = _default() if shape.citizens is None else _simulated(shape)
    return cell_means(progression(study, shape.codebook), shape.codebook)


def _default() -> Study:
    from tempfile import TemporaryDirectory

    from bipbayes.bip.simulate import simulate_bip
    from bipbayes.data.read import read_responses
    from bipbayes.synthetic.simulate import write_responses

    with TemporaryDirectory() as folder:
        path = Path(folder) / "responses.csv"
        write_responses(simulate_bip().responses, path)
        return read_responses(path, BIP)


def _simulated(shape: Shape) -> Study:
    book, sites, generator = shape.codebook, shape.jobcenters, shape.generator
    drift = draw_drift(book, sites, generator=generator, seed=1)
    design = draw_design(
        book, citizens=shape.citizens, jobcenters=sites, seed=1, responses=generator.responses
    )
    return simulate_study(design, drift=drift, generator=generator, seed=1)


def verdicts(engine: str, shape: Shape, cells: xr.Dataset, seeds: int) -> Iterator[dict]:
    """Judge the fits of all seeds as a run does."""
    if engine == NUTS:
        from bipbayes.sampling.fit import compile_model, sample_compiled

        compiled = compile_model(MODEL, cells)
    else:
        from bipbayes.sampling.exact.fit import sample
    for seed in range(1, seeds + 1):
        asked = Settings(engine=engine, seed=seed)
        settings = SamplerSettings(draws=DEFAULT_DRAWS[engine], tune=asked.tune, seed=seed)
        started = time.perf_counter()
        if engine == NUTS:
            fit = sample_compiled(compiled, cells, settings=settings)
        else:
            fit = sample(MODEL, cells, settings=settings)
        seconds = time.perf_counter() - started
        verdict = summarise(fit, shape.codebook, IntervalSettings()).verdict
        rounds = float(fit.attrs.get("rounds", np.nan))
        short = any("hyperparameters" in note for note in verdict.review)
        said = "; ".join((*verdict.reasons, *verdict.review))
        print(f"  {engine} {seed} {seconds:.1f} s {verdict.worst} {said}", file=sys.stderr)
        yield {**verdict.worst, "rounds": rounds, "passed": verdict.passed, "short": short,
               "seconds": seconds}  # fmt: skip


def row(engine: str, found: list[dict]) -> str:
    """Worst of all seeds, as a row of a table."""

    def worst(name: str, of=min) -> float:
        return of(each[name] for each in found)

    ess = f"{worst('ess_bulk'):.0f} | {worst('ess_tail'):.0f}"
    if engine == NUTS:
        own = f"{worst('r_hat', max):.4f} | {ess} | {sum(e['divergences'] for e in found):.0f}"
        own += f" | {sum(each['short'] for each in found)}"
    else:
        own = f"{worst('k_hat', max):.2f} | {worst('effective_points'):.0f} | {ess}"
        own += f" | {worst('rounds', max):.0f}"
    passed = sum(each["passed"] for each in found)
    return f"{own} | {passed} of {len(found)} | {np.median([e['seconds'] for e in found]):.0f} s"


def main(*asked: str) -> None:
    seeds = next((int(a.split("=")[1]) for a in asked if a.startswith("--seeds=")), 8)
    words = [a for a in asked if not a.startswith("--")]
    engines = [word for word in words if word in (EXACT, NUTS)] or [EXACT, NUTS]
    for name in [word for word in words if word in SHAPES] or SHAPES:
        cells = cells_of(SHAPES[name])
        for engine in engines:
            found = list(verdicts(engine, SHAPES[name], cells, seeds))
            print(f"{engine} | {name} | {row(engine, found)}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
