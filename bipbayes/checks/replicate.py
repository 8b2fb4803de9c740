"""Changes that an analysis expects of single responses: replicated data sets of raw answers.

The hierarchy knows cell means only. What it supposes of the rows behind them is its working
covariance: a change is the cell's effect, plus what persists in the citizen with covariance C,
plus a real change with covariance D, plus the noise N of the answer that ends it minus that of
the answer from which it starts. These rows are normal numbers, while answers are whole points of
a scale; the ordered probit (`bipbayes.ordinal`) draws answers instead.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr

from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Booleans, Floats, Integers, analysis_sample
from bipbayes.ordinal.estimates import fit_indicators
from bipbayes.sampling.labels import CELL

NORMAL = "normal"
ROUNDED = "rounded"
ON_SCALE = "on_scale"
ORDINAL = "ordinal"


@dataclass(frozen=True)
class Rows:
    """The analysed changes of the indicators, row by row.

    Attributes
    ----------
    change, baseline
        Scale points, shape (row, indicator); ``NaN`` without a change.
    observed
        Where there is one.
    start
        Position along ``response`` of the answer from which it starts.
    response
        Position of the row itself.
    combination, jobcenter, citizen
        Positions of its cell and of its citizen.
    responses
        Number of responses, analysed or not.
    sd, mean
        Of progression, by indicator, in scale points.
    """

    change: Floats
    baseline: Floats
    observed: Booleans
    start: Integers
    response: Integers
    combination: Integers
    jobcenter: Integers
    citizen: Integers
    responses: int
    sd: Floats
    mean: Floats


def indicator_rows(progression: xr.Dataset, codebook: Codebook) -> Rows:
    """Take the analysed changes of the indicators out of progression."""
    sample = analysis_sample(progression, codebook)
    codes = list(codebook.indicator_codes)
    chosen = progression.sel(outcome=codes).transpose("response", "outcome", ...)
    observed = sample.observed[:, : len(codes)]
    return Rows(
        change=np.where(observed, chosen["change"].to_numpy()[sample.rows], np.nan),
        baseline=np.where(observed, chosen["baseline"].to_numpy()[sample.rows], np.nan),
        observed=observed,
        start=np.maximum(chosen["previous"].to_numpy()[sample.rows], 0),
        response=sample.rows,
        combination=sample.combination,
        jobcenter=sample.jobcenter,
        citizen=sample.citizen,
        responses=progression.sizes["response"],
        sd=chosen["sd"].to_numpy(),
        mean=chosen["mean"].to_numpy(),
    )


def normal_changes(
    rows: Rows, cells: xr.Dataset, effects: xr.DataArray, *, seed: int = 0
) -> Iterator[Floats]:
    """Draw changes in scale points, one data set for each draw of effects.

    Parameters
    ----------
    rows
        From `indicator_rows`.
    cells
        Those that were fitted: C, N and D of their working covariance.
    effects
        Dims ``chain, draw, combination, jobcenter, indicator``.
    seed
        Of the errors.

    Yields
    ------
    numpy.ndarray
        Shape (row, indicator); ``NaN`` without a change.
    """
    rng = np.random.default_rng(seed)
    noise, change, person = (
        _root(cells[f"{name}_covariance"].fillna(0).transpose("indicator", "indicator_").to_numpy())
        for name in ("noise", "change", "persistent")
    )
    columns = np.arange(len(rows.sd))
    ordered = effects.transpose("chain", "draw", *CELL).to_numpy()
    for effect in ordered.reshape(-1, *ordered.shape[2:]):
        answer = rng.standard_normal((rows.responses, len(columns))) @ noise
        error = rng.standard_normal(rows.change.shape) @ change
        error += answer[rows.response] - answer[rows.start, columns]
        lasting = rng.standard_normal((int(rows.citizen.max()) + 1, len(columns))) @ person
        error += lasting[rows.citizen]
        standardised = effect[rows.combination, rows.jobcenter] + error
        drawn = rows.mean + rows.sd * standardised
        yield np.where(rows.observed, drawn, np.nan)


def on_scale(rows: Rows, change: Floats, scale: tuple[int, int]) -> Floats:
    """Round changes to whole points and keep the answers that they lead to on the scale."""
    answer = np.clip(rows.baseline + np.round(change), *scale)
    return np.asarray(answer - rows.baseline)


def ordinal_changes(
    progression: xr.Dataset, codebook: Codebook, rows: Rows, *, draws: int, seed: int = 0
) -> Iterator[Floats]:
    """Draw answers given previous answers by the fitted ordered probits, as changes.

    Estimates count as known. Answers of one response are correlated as the changes are (a
    normal copula with their within-cell correlation), which leaves each answer's distribution
    as it is.

    Parameters
    ----------
    progression, codebook
        As for `bipbayes.ordinal.estimates.estimate_ordinal`.
    rows
        From `indicator_rows`.
    draws
        Number of data sets.
    seed
        Of the answers.

    Yields
    ------
    numpy.ndarray
        Shape (row, indicator), scale points; ``NaN`` where there is no change or no probit.
    """
    rng = np.random.default_rng(seed)
    sample = analysis_sample(progression, codebook)
    fits = fit_indicators(progression, codebook, sample=sample)
    codes = list(codebook.indicator_codes)
    root = _root(_correlation(rows))
    for _ in range(draws):
        latent = rng.standard_normal(rows.change.shape) @ root
        drawn = np.full(rows.change.shape, np.nan)
        for code, fit in fits.items():
            column, given = codes.index(code), fit.answers
            location = fit.probit.level_effect[given.level] + fit.effect[given.combination]
            value = location + latent[given.rows, column]
            category = np.searchsorted(fit.probit.thresholds, value)
            drawn[given.rows, column] = given.categories[category]
        yield drawn - rows.baseline


def _correlation(rows: Rows) -> Floats:
    """Correlation of the changes of one response, positive definite."""
    centred = (rows.change - rows.mean) / rows.sd
    filled = np.where(rows.observed, centred, 0.0)
    joint = rows.observed.astype("float64")
    covariance = filled.T @ filled / np.maximum(joint.T @ joint, 1.0)
    values, vectors = np.linalg.eigh(covariance)
    repaired = (vectors * np.maximum(values, 1e-6)) @ vectors.T
    scale = np.sqrt(np.diag(repaired))
    return np.asarray(repaired / np.outer(scale, scale))


def _root(covariance: Floats) -> Floats:
    """Symmetric root of a positive semi-definite matrix."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)
