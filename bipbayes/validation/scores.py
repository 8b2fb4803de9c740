"""Where the truth lies in what an analysis says of it.

A score holds, for each estimate, the probability that the analysis gives to values below the
truth (``below_truth``) and below zero (``below_zero``). Coverage of equal-tailed intervals at
every level, and errors of sign, follow from these two; OLS has them from its t distribution.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from bipbayes.checks.mixture import mixture_quantile
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Floats
from bipbayes.sampling.exact.integrate import Mixture
from bipbayes.sampling.exact.posterior import sums_by_point
from bipbayes.sampling.exact.reduce import GaussianModel
from bipbayes.validation.targets import Targets

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


def score_ols(
    estimates: xr.Dataset, codebook: Codebook, targets: Targets, *, vcov: str
) -> pd.DataFrame:
    """Score the OLS estimates of single outcomes with one kind of standard error.

    Parameters
    ----------
    estimates
        From `bipbayes.regression.estimate_ols`.
    codebook
        The study's.
    targets
        The study's; its rows over all indicators have no OLS estimate.
    vcov
        Name of the standard errors.
    """
    rows = targets.rows[targets.rows["outcome"].isin(codebook.outcomes)].reset_index(drop=True)
    chosen = estimates.sel(vcov=vcov)
    outcome, combination = (xr.DataArray(rows[name], dims="row") for name in _LABELS)
    matrix = chosen["covariance"].sel(outcome=outcome, combination=combination)
    estimate = chosen["estimate"].sel(outcome=outcome, combination=combination).to_numpy()
    variance = matrix.sel(combination_=combination).to_numpy()
    base = {"outcome": outcome, "combination": codebook.no_treatment}
    contrast = (rows["estimand"] == "contrast").to_numpy()
    reference = chosen["covariance"].sel(base).sel(combination_=codebook.no_treatment).to_numpy()
    shared = matrix.sel(combination_=codebook.no_treatment).to_numpy()
    variance = np.where(contrast, variance + reference - 2 * shared, variance)
    estimate = np.where(contrast, estimate - chosen["estimate"].sel(base).to_numpy(), estimate)
    degrees = chosen["df"].sel(outcome=outcome).to_numpy()
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


_LABELS: Final = ("outcome", "combination")


def score_mixture(
    model: GaussianModel, mixture: Mixture, targets: Targets, *, labels: Mapping[str, str]
) -> pd.DataFrame:
    """Score a closed-form posterior.

    Parameters
    ----------
    model, mixture
        From `bipbayes.sampling.exact`.
    targets
        The study's.
    labels
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

    widths = {
        f"width_{round(100 * level)}": mixture_quantile(means, sds, weight, 0.5 + level / 2)
        - mixture_quantile(means, sds, weight, 0.5 - level / 2)
        for level in LEVELS
    }
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

    Parameters
    ----------
    effects
        Shape (draw, combination x jobcenter x indicator).
    targets
        The study's.
    labels
        ``engine``, ``model`` and ``vcov``.
    """
    values = (targets.matrix @ effects.T).T + targets.shift
    widths = {}
    for level in LEVELS:
        lower, upper = np.quantile(values, [0.5 - level / 2, 0.5 + level / 2], axis=0)
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
