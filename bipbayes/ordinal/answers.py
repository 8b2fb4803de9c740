"""Answers given previous answers, one indicator at a time, as codes."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from bipbayes.data.adjustment import merged_levels
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Floats, Integers, Sample


@dataclass(frozen=True)
class Answers:
    """One indicator's answers in its analysis sample.

    Attributes
    ----------
    indicator
        Code.
    rows
        Positions of the rows in the sample.
    category, level, combination
        Codes by row: of the answer (along `categories`), of the previous answer (along
        `levels`), of the combination (along the sample's).
    categories
        Answers that occur, ascending; those never given are no categories.
    levels
        Previous answers that occur, ascending; rare ones joined (`merged_levels`).
    level_share, level_answer
        Share of the rows in a level and their mean previous answer.
    mean, sd
        Of progression, in scale points: what standardises it.
    """

    indicator: str
    rows: Integers
    category: Integers
    level: Integers
    combination: Integers
    categories: Floats
    levels: tuple[tuple[float, ...], ...]
    level_share: Floats
    level_answer: Floats
    mean: float
    sd: float


def indicator_answers(
    progression: xr.Dataset, codebook: Codebook, *, sample: Sample
) -> tuple[Answers, ...]:
    """Take the answers of every indicator out of progression.

    Parameters
    ----------
    progression
        As `bipbayes.data.progression.progression` returns it; an answer is the previous answer
        plus the change.
    codebook
        Its indicators, in order.
    sample
        Analysed responses of this progression.
    """
    return tuple(
        _answers(progression, sample, indicator=code, position=sample.outcomes.index(code))
        for code in codebook.indicator_codes
    )


def _answers(progression: xr.Dataset, sample: Sample, *, indicator: str, position: int) -> Answers:
    here = progression.sel(outcome=indicator)
    rows = np.flatnonzero(sample.observed[:, position])
    responses = sample.rows[rows]
    baseline = here["baseline"].to_numpy()[responses]
    answer = np.round(baseline + here["change"].to_numpy()[responses], 9)
    categories, category = np.unique(answer, return_inverse=True)
    levels = tuple(tuple(level) for level in merged_levels(baseline))
    code = np.zeros(len(rows), dtype="int64")
    for index, level in enumerate(levels):
        code[np.isin(baseline, level)] = index
    counts = np.bincount(code, minlength=len(levels)).astype("float64")
    sums = np.bincount(code, weights=baseline, minlength=len(levels))
    return Answers(
        indicator=indicator,
        rows=rows,
        category=category.astype("int64"),
        level=code,
        combination=sample.combination[rows],
        categories=categories,
        levels=levels,
        level_share=counts / max(len(rows), 1),
        level_answer=sums / np.maximum(counts, 1),
        mean=float(here["mean"].item()),
        sd=float(here["sd"].item()),
    )
