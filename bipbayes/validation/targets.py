"""What is judged: single and overall effects and contrasts, as sums over cells.

Every estimand is linear in the cell effects. ``effect`` weights jobcenters as observed in the
combination; averages are the standardised average (DESIGN 4); ``all_indicators`` is the mean
over the indicators. The same weights turn the population's cells into the truth of a study.

An average has two truths, which differ in what is asked. *Complete rows*: its own change, from
the last occasion on which all members were answered; with gaps that is longer ago, so that more
has happened (OLS estimates this). *All answers*: the weighted mean of its members' changes, each
since its own last answer (the posterior estimates this).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from scipy import sparse

from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Floats
from bipbayes.estimands.weights import average_weights, observed_weights
from bipbayes.intervals import ALL_INDICATORS
from bipbayes.validation.truth import Truth

COMPLETE_ROWS: Final = "complete rows"
ALL_ANSWERS: Final = "all answers"


@dataclass(frozen=True)
class Targets:
    """Estimands of one study with their truth.

    Attributes
    ----------
    rows
        ``estimand``, ``outcome``, ``definition`` (of an average's truth; else empty),
        ``combination``, ``n``, ``n_citizens``, ``truth``.
    matrix
        Shape (estimand, combination x jobcenter x indicator).
    shift
        Added to the product, shape (estimand,).
    """

    rows: pd.DataFrame
    matrix: sparse.csr_array
    shift: Floats


def study_targets(cells: xr.Dataset, codebook: Codebook, truth: Truth) -> Targets:
    """Collect a study's estimands.

    Parameters
    ----------
    cells
        From `bipbayes.cells.cell_means`; gives weights and scale.
    codebook
        The study's.
    truth
        Of the population; its jobcenters are those of `cells`.

    Returns
    -------
    Targets
        For every outcome, then all indicators: combinations observed for that outcome.
    """
    effects = _effects(cells, codebook, truth)
    return _with_contrasts(effects, codebook.no_treatment)


def _effects(cells: xr.Dataset, codebook: Codebook, truth: Truth) -> Targets:
    share = _shares(cells)
    loadings, shifts = _loadings(cells, codebook)
    frames, blocks = [], []
    for outcome, loading in loadings.items():
        # Jobcenters are weighted by the outcome's own n; over all indicators, by each one's.
        names = codebook.indicator_codes if outcome == ALL_INDICATORS else (outcome,)
        weights = np.stack([share[name] for name in names], axis=-1)
        block = _block_rows(weights * loading)
        own = _rows(cells, outcome, _true(truth, codebook, names, share))
        if outcome in codebook.average_codes:
            single = np.nan_to_num(truth.cell[..., : len(codebook.indicators)]).ravel()
            expected = np.where(own["truth"].notna(), block @ single + shifts[outcome], np.nan)
            members = own.assign(definition=ALL_ANSWERS, truth=expected)
            frames.append(members)
            blocks.append(block)
            own = own.assign(definition=COMPLETE_ROWS)
        blocks.append(block)
        frames.append(own)
    rows = pd.concat(frames, ignore_index=True)
    known = ((rows["n"] > 0) & rows["truth"].notna()).to_numpy()
    matrix = sparse.csr_array(sparse.vstack(blocks, format="csr"))
    shift = np.array([shifts[outcome] for outcome in rows["outcome"]])
    return Targets(rows[known].reset_index(drop=True), matrix[known], shift[known])


def _shares(cells: xr.Dataset) -> dict[str, Floats]:
    """Shares of the jobcenters in each combination, (combination, jobcenter) by outcome."""
    share = observed_weights(cells).transpose("outcome", "combination", "jobcenter")
    return dict(zip(share["outcome"].to_numpy(), share.to_numpy(), strict=True))


def _loadings(cells: xr.Dataset, codebook: Codebook) -> tuple[dict[str, Floats], dict[str, float]]:
    """Weights of the indicators in each outcome, and the shift of its scale."""
    codes = list(codebook.indicator_codes)
    weights, moved = average_weights(cells, codebook)
    loadings = dict(zip(codes, np.eye(len(codes)), strict=True))
    for average in codebook.average_codes:
        loadings[average] = weights.sel(outcome=average, indicator=codes).to_numpy()
    loadings[ALL_INDICATORS] = np.full(len(codes), 1 / len(codes))
    shifts = dict.fromkeys(loadings, 0.0)
    shifts |= {str(name): float(value) for name, value in moved.to_series().items()}
    return loadings, shifts


def _block_rows(weights: Floats) -> sparse.csr_array:
    """One row for each combination, over all cells."""
    combinations = len(weights)
    flat = np.nan_to_num(weights).reshape(combinations, -1)
    blocks = [sparse.csr_array(row[None]) for row in flat]
    return sparse.csr_array(sparse.block_diag(blocks, format="csr"))


def _true(
    truth: Truth, codebook: Codebook, names: tuple[str, ...], share: dict[str, Floats]
) -> Floats:
    """Truth by combination: the population's cells with the study's weights."""
    places = [codebook.outcomes.index(name) for name in names]
    cell = np.moveaxis(truth.cell[..., places], -1, 0)
    weight = np.stack([share[name] for name in names])
    total = np.where(weight > 0, weight * cell, 0.0).sum(axis=2)
    return np.asarray(np.where(weight.sum(axis=2) == 0, np.nan, total).mean(axis=0))


def _rows(cells: xr.Dataset, outcome: str, true: Floats) -> pd.DataFrame:
    if outcome == ALL_INDICATORS:
        codes = cells["indicator"].to_numpy()
        n = cells["n_outcome"].sel(outcome=codes).sum("jobcenter").mean("outcome")
        citizens = cells["n_citizens_outcome"].sel(outcome=codes).sum("jobcenter").mean("outcome")
    else:
        n = cells["n_outcome"].sel(outcome=outcome).sum("jobcenter")
        citizens = cells["n_citizens_outcome"].sel(outcome=outcome).sum("jobcenter")
    return pd.DataFrame(
        {
            "estimand": "effect",
            "outcome": outcome,
            "definition": "",
            "combination": cells["combination"].to_numpy(),
            "n": n.to_numpy().astype(float),
            "n_citizens": citizens.to_numpy().astype(float),
            "truth": true,
        }
    )


def _with_contrasts(effects: Targets, reference: str) -> Targets:
    rows = effects.rows
    key = rows["outcome"] + "/" + rows["definition"]
    base = rows.index[rows["combination"] == reference]
    place = pd.Series(base, index=key[base])
    chosen = rows.index[(rows["combination"] != reference) & key.isin(place.index)]
    against = place[key[chosen]].to_numpy()
    contrasts = rows.loc[chosen].assign(
        estimand="contrast",
        truth=rows["truth"].to_numpy()[chosen] - rows["truth"].to_numpy()[against],
    )
    return Targets(
        pd.concat([rows, contrasts], ignore_index=True),
        sparse.csr_array(
            sparse.vstack([effects.matrix, effects.matrix[chosen] - effects.matrix[against]])
        ),
        np.concatenate([effects.shift, effects.shift[chosen] - effects.shift[against]]),
    )
