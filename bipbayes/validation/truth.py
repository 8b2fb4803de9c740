"""What estimates estimate: expected standardised progression under the generator.

A large population with the same effects, drawn anew, is averaged by cell. An answer enters by
its expectation given the latent level before the last step (a sum of normal probabilities over
the scale's thresholds), so that neither noise nor step adds Monte Carlo error. Standard
deviations come from the population's drawn answers.

Where treatment follows low answers, the truth of a cell is causal: what everybody in the jobcenter
would have changed by, had the last step been taken under the combination.
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
    draw_design,
    draw_responses,
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
    """Sums over the population so far; ``treated`` counts changes under each combination."""

    count: Floats
    treated: Floats
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
    cells, columns = [np.zeros(shape) for _ in range(4)], np.zeros((2, shape[1]))
    sums = _Sums(*cells, *columns)
    for block in range(max(1, -(-citizens // BLOCK))):
        size = min(BLOCK, citizens)
        design = draw_design(
            codebook,
            citizens=size,
            jobcenters=drift.shape[1],
            seed=seed + 7919 * (block + 1),
            responses=generator.responses,
        )
        _add(sums, design, drift=drift, generator=generator, seed=[seed, block])
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
    sums: _Sums, design: Design, *, drift: Floats, generator: Generator, seed: list[int]
) -> None:
    design, latent, answers = draw_responses(design, drift=drift, generator=generator, seed=seed)
    site, jobcenters = design.site[design.citizen], drift.shape[1]
    before, there = _expectations(latent, design.codebook.scale, generator)
    questions = design.questions
    positions: list[NDArray[np.int64]] = [np.array([k]) for k in range(drift.shape[2])]
    causal = generator.selection is not None
    everybody = range(drift.shape[0]) if causal else (None,)
    columns = list(enumerate([*positions, *members(design.codebook)]))
    for combination in everybody:
        own = design.combination if combination is None else np.full_like(site, combination)
        here = _expected(before + drift[own, site], design, latent, generator=generator)
        for column, places in columns:
            rows = np.flatnonzero(questions.sample[:, column])
            start = questions.previous[rows, column]
            change = (here[rows][:, places] - there[start][:, places]).mean(axis=1)
            moments = np.column_stack([np.ones(len(rows)), change, change**2])
            cell = own[rows] * jobcenters + site[rows]
            grouped = group_sums(cell, moments, size=len(sums.count))
            sums.count[:, column] += grouped[:, 0]
            sums.total[:, column] += grouped[:, 1]
            sums.square[:, column] += grouped[:, 2]
    for column, places in columns:
        rows = np.flatnonzero(questions.sample[:, column])
        start = questions.previous[rows, column]
        drawn = (answers[rows][:, places] - answers[start][:, places]).mean(axis=1)
        cell = design.combination[rows] * jobcenters + site[rows]
        sums.treated[:, column] += np.bincount(cell, minlength=len(sums.treated))
        sums.drawn[column] += drawn.sum()
        sums.drawn_square[column] += (drawn**2).sum()


def _expectations(
    latent: Latent, scale: tuple[int, int], generator: Generator
) -> tuple[Floats, Floats]:
    """Return latent levels before the last step, and expected answers given the level itself."""
    before = np.vstack([latent.base[:1], latent.base[:-1]])
    noise = generator.noise * latent.steadiness
    return before, expected_answers(latent.base, noise, scale=scale, cut=generator.cut)


def _expected(level: Floats, design: Design, latent: Latent, *, generator: Generator) -> Floats:
    """Return expected answers where only the drift of the last step is known."""
    moved = np.hypot(generator.noise * latent.steadiness, generator.surprise)
    return expected_answers(level, moved, scale=design.codebook.scale, cut=generator.cut)


def _truth(sums: _Sums, shape: tuple[int, int]) -> Truth:
    size = sums.treated.sum(axis=0)
    drawn = sums.drawn / size
    sd = np.sqrt(sums.drawn_square / size - drawn**2)
    count = np.where(sums.count > 0, sums.count, np.nan)
    average = sums.total / count
    # Effects count from average progress, under the combinations that were given.
    mean = (np.nan_to_num(average) * sums.treated).sum(axis=0) / size
    # Several changes of a citizen err together a little; this error is that of independent ones.
    error = np.sqrt(np.maximum(sums.square / count - average**2, 0) / count)
    return Truth(
        cell=((average - mean) / sd).reshape(*shape, -1),
        error=(error / sd).reshape(*shape, -1),
        mean=mean,
        sd=sd,
    )
