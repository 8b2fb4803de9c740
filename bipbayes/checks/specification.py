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
from bipbayes.checks.mixture import mixture_quantile
from bipbayes.data.progression import PreviousRule, progression
from bipbayes.data.sample import Floats
from bipbayes.data.study import Study
from bipbayes.errors import ModelError, SettingsError
from bipbayes.estimands.draws import estimand_draws
from bipbayes.regression import estimate_ols, ols_intervals
from bipbayes.sampling.exact.posterior import normal_mixture
from bipbayes.sampling.registry import ModelFile, load_model, model_names

ENGINE: Final = "closed forms"
POINTS: Final = 64
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
    models: Sequence[str] = (),
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
        Names or files of models that declare batches, with their default priors; empty is
        all of the package's.
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
        A model that declares no batches.
    """
    chosen = [load_model(name) for name in models or model_names()]
    if without := [each.name for each in chosen if each.batches is None]:
        raise SettingsError(f"{', '.join(without)} declare no batches: they have no closed forms")
    frames = []
    for rule in previous:
        changes = progression(study, previous=rule)
        frames.append(_ols(changes, study, targets, level=level).assign(previous=rule))
        for name in vcov:
            cells = cell_means(changes, study.codebook, vcov=name)
            for model in _fitting(chosen, cells, asked=bool(models)):
                rows = _posterior(cells, study, targets, model=model, level=level)
                frames.append(rows.assign(vcov=name, model=model.name, previous=rule))
    first = ["estimand", "outcome", "combination"]
    frame = pd.concat(frames, ignore_index=True)[[*first, *COLUMNS]]
    return frame.sort_values([*first, "estimate"], kind="stable", ignore_index=True)


def _fitting(chosen: Sequence[ModelFile], cells: xr.Dataset, *, asked: bool) -> list[ModelFile]:
    """Leave out models that refuse a study of this shape, unless they were asked for by name."""
    kept = []
    for model in chosen:
        try:
            model.declared(cells)
        except ModelError:
            if asked:
                raise
            continue
        kept.append(model)
    return kept


def _ols(
    changes: xr.Dataset, study: Study, targets: Sequence[Target], *, level: float
) -> pd.DataFrame:
    estimates = estimate_ols(changes, study.codebook)
    frame = ols_intervals(estimates, study.codebook, level=level)
    wanted = pd.DataFrame([vars(target) for target in targets])
    return wanted.merge(frame, on=list(wanted.columns)).assign(p_positive=np.nan)


def _posterior(
    cells: xr.Dataset, study: Study, targets: Sequence[Target], *, model: ModelFile, level: float
) -> pd.DataFrame:
    wanted, shift = _weights(cells, study, targets)
    means, sds, weight = normal_mixture(cells, model.declared(cells), wanted, points=POINTS)
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
