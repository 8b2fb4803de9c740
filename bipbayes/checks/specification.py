"""One effect under every choice of analysis: the specification curve.

Choices: the rule for the previous answer, the working covariance, the model (closed forms, the
standard deviations integrated over), and OLS with each kind of standard error. The answer to
"what if you had ...": one row a choice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from bipbayes.cells import VCOV, cell_means
from bipbayes.checks.gaussian import gaussian_model, integrate, linear_posterior
from bipbayes.checks.mixture import mixture_quantile
from bipbayes.checks.saturated import NO_POOLING, saturated_posterior
from bipbayes.checks.terms import KNOWN, model_terms
from bipbayes.data.progression import PreviousRule, progression
from bipbayes.data.sample import Floats
from bipbayes.data.study import Study
from bipbayes.errors import SettingsError
from bipbayes.estimands.draws import estimand_draws
from bipbayes.ols import estimate_ols, ols_intervals
from bipbayes.sampling.registry import load_model

ENGINE: Final = "closed forms"
LADDER: Final = ("complete_pooling", NO_POOLING, "hierarchical", "factorial")
COLUMNS: Final = (
    "source", "model", "vcov", "previous", "estimate", "se", "lower", "upper", "level", "kind",
    "p_positive",
)  # fmt: skip


@dataclass(frozen=True)
class Target:
    """The effect asked for: one row of the long frame without source."""

    estimand: str
    outcome: str
    combination: str


def specification_curve(
    study: Study,
    targets: Sequence[Target],
    *,
    models: Sequence[str] = LADDER,
    vcov: Sequence[str] = VCOV,
    previous: Sequence[PreviousRule] = get_args(PreviousRule),
    level: float = 0.95,
) -> pd.DataFrame:
    """Estimate effects under every combination of choices.

    Parameters
    ----------
    study
        Checked responses.
    targets
        Effects or contrasts (also ``standardised_...``) wanted.
    models
        Those with closed forms (`bipbayes.checks.terms.KNOWN` and ``no_pooling``), with their
        default priors.
    vcov, previous
        Working covariances and rules for the previous answer.
    level
        Of all intervals.

    Returns
    -------
    pandas.DataFrame
        ``estimand, outcome, combination``, then `COLUMNS`; posterior numbers come from closed
        forms, not from the sampler. OLS has no estimate over all indicators.

    Raises
    ------
    SettingsError
        A model without closed forms.
    """
    with_forms = (*KNOWN, NO_POOLING)
    if unknown := sorted(set(models) - set(with_forms)):
        raise SettingsError(f"{unknown} have no closed forms; those with: {', '.join(with_forms)}")
    frames = []
    for rule in previous:
        changes = progression(study, previous=rule)
        frames.append(_ols(changes, study, targets, level=level).assign(previous=rule))
        for name in vcov:
            cells = cell_means(changes, study.codebook, vcov=name)
            for model in models:
                rows = _posterior(cells, study, targets, model=model, level=level)
                frames.append(rows.assign(vcov=name, model=model, previous=rule))
    first = ["estimand", "outcome", "combination"]
    frame = pd.concat(frames, ignore_index=True)[[*first, *COLUMNS]]
    return frame.sort_values([*first, "estimate"], kind="stable", ignore_index=True)


def _ols(
    changes: xr.Dataset, study: Study, targets: Sequence[Target], *, level: float
) -> pd.DataFrame:
    estimates = estimate_ols(changes, study.codebook)
    frame = ols_intervals(estimates, study.codebook, level=level)
    wanted = pd.DataFrame([vars(target) for target in targets])
    return wanted.merge(frame, on=list(wanted.columns)).assign(p_positive=np.nan)


def _posterior(
    cells: xr.Dataset, study: Study, targets: Sequence[Target], *, model: str, level: float
) -> pd.DataFrame:
    wanted, shift = _weights(cells, study, targets)
    means, sds, weight = _points(cells, model, wanted)
    means = means + shift
    estimate = weight @ means
    tail = (1 - level) / 2
    return pd.DataFrame([vars(target) for target in targets]).assign(
        source="posterior",
        estimate=estimate,
        se=np.sqrt(weight @ (sds**2 + (means - estimate) ** 2)),
        lower=mixture_quantile(means, sds, weight, tail),
        upper=mixture_quantile(means, sds, weight, 1 - tail),
        level=level,
        kind="eti",
        p_positive=weight @ stats.norm.cdf(means / sds),
    )


def _points(cells: xr.Dataset, model: str, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Means and sds of the targets, shape (point, target), and the points' weights."""
    if model == NO_POOLING:
        mean, sd = saturated_posterior(cells, weights)
        return mean[None], sd[None], np.ones(1)
    terms = model_terms(model, cells, priors=load_model(model).Priors())
    reduced = gaussian_model(cells, terms)
    mixture = integrate(reduced)
    matrix = weights @ reduced.design
    points = [linear_posterior(reduced, sds, matrix) for sds in mixture.sds]
    means, sds = np.stack([mean for mean, _ in points]), np.stack([sd for _, sd in points])
    return means, sds, mixture.weight


def _weights(cells: xr.Dataset, study: Study, targets: Sequence[Target]) -> tuple[Floats, Floats]:
    """Weights of the cells in each target and its shift, read off the estimands themselves.

    Estimands are linear in the effects: unit effects in place of draws give the weights.
    """
    dims = ("combination", "jobcenter", "indicator")
    shape = [cells.sizes[dim] for dim in dims]
    size = int(np.prod(shape))
    units = np.concatenate([np.zeros((1, size)), np.eye(size)]).reshape(1, size + 1, *shape)
    coords: dict[str, Any] = {"chain": [0], "draw": np.arange(size + 1)}
    coords |= {dim: cells[dim].to_numpy() for dim in dims}
    array = xr.DataArray(units, coords=coords, dims=("chain", "draw", *dims))
    draws = estimand_draws(array, cells, study.codebook)
    rows = [
        draws[target.estimand]
        .sel(outcome=target.outcome, combination=target.combination)
        .isel(chain=0)
        .to_numpy()
        for target in targets
    ]
    table = np.stack(rows)
    return table[:, 1:] - table[:, :1], table[:, 0]
