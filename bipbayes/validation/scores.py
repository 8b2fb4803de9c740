"""What is judged, and where the truth lies in what an analysis says of it.

Every estimand is linear in the cell effects. ``effect`` weights jobcenters as observed in the
combination; averages are the standardised average; ``all_indicators`` is the mean
over the indicators. The same weights turn the population's cells into the truth of a study.

An average has two truths, which differ in what is asked. *Complete rows*: its own change, from
the last occasion on which all members were answered; with gaps that is longer ago, so that more
has happened (OLS estimates this). *All answers*: the weighted mean of its members' changes, each
since its own last answer (the posterior estimates this).

A score holds, for each estimate, the probability that the analysis gives to values below the
truth (``below_truth``) and below zero (``below_zero``). Coverage of equal-tailed intervals at
every level, and errors of sign, follow from these two; OLS has them from its t distribution.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from scipy import sparse, stats

from bipbayes.cells.means import average_weights, observed_weights
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Floats
from bipbayes.estimands.intervals import limits, mixture_quantile, tails
from bipbayes.intervals import ALL_INDICATORS
from bipbayes.regression.intervals import contrasts_of, effects_of
from bipbayes.sampling.exact.integrate import Mixture
from bipbayes.sampling.exact.posterior import sums_by_point
from bipbayes.sampling.exact.reduce import GaussianModel
from bipbayes.validation.generator import Truth

COMPLETE_ROWS: Final = "complete rows"
ALL_ANSWERS: Final = "all answers"
LEVELS: Final = (0.5, 0.8, 0.95)
COLUMNS: Final = (
    "source",
    "engine",
    "model",
    "vcov",
    "analysis",
    "estimand",
    "outcome",
    "definition",
    "combination",
    "n",
    "n_citizens",
    "truth",
    "estimate",
    "se",
    "below_truth",
    "below_zero",
    "width_50",
    "width_80",
    "width_95",
)
_KEYS: Final = ("estimand", "outcome", "combination")


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

    `cells`: from `bipbayes.cells.cell_means`; gives weights and scale; `truth`: of the population;
    its jobcenters are those of `cells`. Returns: for every outcome, then all indicators:
    combinations observed for that outcome.
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


def score_ols(
    estimates: xr.Dataset, codebook: Codebook, targets: Targets, *, vcov: str
) -> pd.DataFrame:
    """Score the OLS estimates of single outcomes with one kind of standard error.

    `estimates`: from `bipbayes.regression.estimate_ols`; `targets`: the study's; its rows over all
    indicators have no OLS estimate; `vcov`: name of the standard errors.
    """
    rows = targets.rows[targets.rows["outcome"].isin(codebook.outcomes)].reset_index(drop=True)
    chosen, read = estimates.sel(vcov=vcov), ["estimate", "covariance", "n", "n_citizens", "note"]
    effects, contrasts = (
        part[["estimate", "variance"]]
        for part in (effects_of(chosen[read]), contrasts_of(chosen[read], codebook.no_treatment))
    )
    names = pd.Index(["effect", "contrast"], name="estimand")
    both = xr.concat([effects, contrasts], names, join="outer")
    found = both.sel({name: xr.DataArray(rows[name], dims="row") for name in _KEYS})
    estimate, variance = found["estimate"].to_numpy(), found["variance"].to_numpy()
    degrees = chosen["df"].sel(outcome=xr.DataArray(rows["outcome"], dims="row")).to_numpy()
    se = np.sqrt(np.maximum(variance, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):  # a single response has no error
        standing = {
            "below_truth": stats.t.cdf((rows["truth"] - estimate) / se, degrees),
            "below_zero": stats.t.cdf(-estimate / se, degrees),
        }
    widths = {f"width_{round(100 * level)}": 2 * stats.t.ppf(0.5 + level / 2, degrees) * se
              for level in LEVELS}  # fmt: skip
    named = {"source": "ols", "engine": "", "model": "", "vcov": vcov}
    return _ordered(rows.assign(**named, estimate=estimate, se=se, **standing, **widths))


def score_mixture(
    model: GaussianModel, mixture: Mixture, targets: Targets, *, labels: Mapping[str, str]
) -> pd.DataFrame:
    """Score a closed-form posterior.

    `model`, `mixture`: from `bipbayes.sampling.exact`; `targets`: the study's; `labels`:
    ``engine``, ``model`` and ``vcov``.
    """
    means, sds = sums_by_point(model, mixture, targets.matrix)
    return score_normals(means + targets.shift, sds, targets, weight=mixture.weight, labels=labels)


def score_normals(
    means: Floats, sds: Floats, targets: Targets, *, weight: Floats, labels: Mapping[str, str]
) -> pd.DataFrame:
    """Score mixtures of normals, shape (point, estimand)."""
    estimate = weight @ means
    variance = weight @ (sds**2 + (means - estimate) ** 2)

    def below(value: Floats) -> Floats:
        return np.asarray(weight @ stats.norm.cdf((value - means) / sds))

    widths = {}
    for level in LEVELS:
        lower, upper = (mixture_quantile(means, sds, weight, tail) for tail in tails(level))
        widths[f"width_{round(100 * level)}"] = upper - lower
    rows = targets.rows.assign(
        source="posterior",
        estimate=estimate,
        se=np.sqrt(variance),
        below_truth=below(targets.rows["truth"].to_numpy()),
        below_zero=below(np.zeros(len(estimate))),
    )
    return _ordered(rows.assign(**labels, **widths))


def score_draws(effects: Floats, targets: Targets, *, labels: Mapping[str, str]) -> pd.DataFrame:
    """Score posterior draws.

    `effects`: shape (draw, combination x jobcenter x indicator); `targets`: the study's; `labels`:
    ``engine``, ``model`` and ``vcov``.
    """
    values = (targets.matrix @ effects.T).T + targets.shift
    widths = {}
    for level in LEVELS:
        lower, upper = limits(values, level=level)
        widths[f"width_{round(100 * level)}"] = upper - lower
    rows = targets.rows.assign(
        source="posterior",
        estimate=values.mean(axis=0),
        se=values.std(axis=0, ddof=1),
        below_truth=_share_below(values, targets.rows["truth"].to_numpy()),
        below_zero=_share_below(values, np.zeros(values.shape[1])),
    )
    return _ordered(rows.assign(**labels, **widths))


def _share_below(values: Floats, limit: Floats) -> Floats:
    # Half a draw on either side keeps the share off 0 and 1, as an expected rank.
    return np.asarray(((values < limit).sum(axis=0) + 0.5) / (len(values) + 1))


def _ordered(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.reindex(columns=list(COLUMNS))
