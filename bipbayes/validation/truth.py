"""What estimates estimate: expected standardised progression under the generator.

A large population with the same effects, drawn anew, is averaged by cell. An answer enters by
its expectation given the latent level before the last step (a sum of normal probabilities over
the scale's thresholds), so that neither noise nor step adds Monte Carlo error. Standard
deviations come from the population's drawn answers.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from bipbayes.atomic import atomic_path
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import group_sums
from bipbayes.synthetic.design import Design, members
from bipbayes.validation.generator import (
    Floats,
    Generator,
    Latent,
    draw_answers,
    draw_design,
    draw_latent,
)

BLOCK: Final = 20_000  # citizens of the population drawn at a time


@dataclass(frozen=True)
class Truth:
    """Expected standardised progression of the population.

    Attributes
    ----------
    cell
        Shape (combination, jobcenter, outcome); NaN where the population has no change.
    error
        Its Monte Carlo standard error.
    mean, sd
        Of change in scale points by outcome.
    """

    cell: Floats
    error: Floats
    mean: Floats
    sd: Floats


@dataclass
class _Sums:
    """Sums over the population so far."""

    count: Floats
    total: Floats
    square: Floats
    drawn: Floats
    drawn_square: Floats


def expected_answers(
    mean: Floats, spread: Floats, *, scale: tuple[int, int], cut: bool
) -> NDArray[np.float64]:
    """Return the expectation of an answer whose latent value is normal.

    Parameters
    ----------
    mean, spread
        Of the latent value, same shape.
    scale
        Lowest and highest answer.
    cut
        Whether answers are rounded and cut to the scale.
    """
    if not cut:
        return mean
    low, high = scale
    expected = np.full(mean.shape, float(low))
    for threshold in range(low, high):
        expected += ndtr((mean - threshold - 0.5) / spread)
    return expected


def population_truth(
    codebook: Codebook,
    *,
    drift: Floats,
    generator: Generator,
    citizens: int,
    seed: int,
) -> Truth:
    """Average the population.

    Parameters
    ----------
    codebook
        Outcomes are its indicators, then its averages.
    drift
        Shape (combination, jobcenter, indicator).
    generator
        Sizes of the parts.
    citizens
        Size of the population.
    seed
        Of the population; not that of any study.
    """
    shape = (drift.shape[0] * drift.shape[1], len(codebook.outcomes))
    zeros = [np.zeros(shape) for _ in range(3)]
    sums = _Sums(zeros[0], zeros[1], zeros[2], np.zeros(shape[1]), np.zeros(shape[1]))
    for block in range(max(1, -(-citizens // BLOCK))):
        size = min(BLOCK, citizens)
        design = draw_design(
            codebook, citizens=size, jobcenters=drift.shape[1], seed=seed + 7919 * (block + 1)
        )
        rng = np.random.default_rng([seed, block])
        _add(sums, rng, design, drift=drift, generator=generator)
    return _truth(sums, drift.shape[:2])


def stored_truth(path: Path, compute: "Truth | None" = None) -> Truth | None:
    """Read a truth from its file, or write the one given."""
    if compute is not None:
        with atomic_path(path) as temporary, temporary.open("wb") as stream:
            np.savez_compressed(
                stream, cell=compute.cell, error=compute.error, mean=compute.mean, sd=compute.sd
            )
        return compute
    if not path.is_file():
        return None
    with np.load(path) as stored:
        return Truth(**{name: stored[name] for name in ("cell", "error", "mean", "sd")})


def _add(
    sums: _Sums, rng: np.random.Generator, design: Design, *, drift: Floats, generator: Generator
) -> None:
    latent = draw_latent(rng, design, drift=drift, generator=generator)
    answers = draw_answers(rng, design, latent=latent, generator=generator)
    here, there = _expectations(latent, design.codebook.scale, generator)
    cell = design.combination * drift.shape[1] + design.site[design.citizen]
    questions = design.questions
    positions: list[NDArray[np.int64]] = [np.array([k]) for k in range(drift.shape[2])]
    for column, places in enumerate([*positions, *members(design.codebook)]):
        rows = np.flatnonzero(questions.sample[:, column])
        start = questions.previous[rows, column]
        change = (here[rows][:, places] - there[start][:, places]).mean(axis=1)
        drawn = (answers[rows][:, places] - answers[start][:, places]).mean(axis=1)
        moments = np.column_stack([np.ones(len(rows)), change, change**2])
        grouped = group_sums(cell[rows], moments, size=len(sums.count))
        sums.count[:, column] += grouped[:, 0]
        sums.total[:, column] += grouped[:, 1]
        sums.square[:, column] += grouped[:, 2]
        sums.drawn[column] += drawn.sum()
        sums.drawn_square[column] += (drawn**2).sum()


def _expectations(
    latent: Latent, scale: tuple[int, int], generator: Generator
) -> tuple[Floats, Floats]:
    """Return expected answers before the last step is known, and given the level itself."""
    noise = generator.noise * latent.steadiness
    before = np.vstack([latent.base[:1], latent.base[:-1]])
    moved = np.sqrt(noise**2 + generator.step**2)
    here = expected_answers(before + latent.drift, moved, scale=scale, cut=generator.cut)
    return here, expected_answers(latent.base, noise, scale=scale, cut=generator.cut)


def _truth(sums: _Sums, shape: tuple[int, int]) -> Truth:
    size = sums.count.sum(axis=0)
    mean = sums.total.sum(axis=0) / size
    drawn = sums.drawn / size
    sd = np.sqrt(sums.drawn_square / size - drawn**2)
    count = np.where(sums.count > 0, sums.count, np.nan)
    average = sums.total / count
    # Several changes of a citizen err together a little; this error is that of independent ones.
    error = np.sqrt(np.maximum(sums.square / count - average**2, 0) / count)
    return Truth(
        cell=((average - mean) / sd).reshape(*shape, -1),
        error=(error / sd).reshape(*shape, -1),
        mean=mean,
        sd=sd,
    )
