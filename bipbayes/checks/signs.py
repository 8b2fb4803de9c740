"""Every significant OLS estimate judged by the posterior: errors of sign and size."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from bipbayes.checks.figure import against_n
from bipbayes.checks.inputs import Check, CheckInputs, CheckResult, result
from bipbayes.checks.table import NAMED, Columns
from bipbayes.intervals import COMPARED, excludes_zero
from bipbayes.sampling.labels import pooled
from bipbayes.wording import Context, number, phrase

COLUMNS: Final[Columns] = {
    "estimand": NAMED,
    "vcov": NAMED,
    "significant": 0,
    "type_s_median": 3,
    "type_s_likely": 0,
    "type_m_median": 2,
    "type_m_largest": 2,
}
ERRORS = ("classical", "cluster_citizen")
LIKELY = 0.05  # a type S error worth counting


def significant_under_posterior(
    ols_frame: pd.DataFrame, draws: xr.DataArray, *, vcov: str, estimand: str
) -> pd.DataFrame:
    """Type S and type M errors of every significant OLS estimate, judged by the posterior.

    `ols_frame`: long frame; its OLS rows with this `vcov` and `estimand` whose interval excludes
    zero are used; `draws`: the same estimand from the posterior, dims ``chain, draw, combination,
    outcome``; `vcov`, `estimand`: which errors, of what.

    Returns: ``estimand, vcov, outcome, combination, n``, ``ols_estimate``, ``posterior_mean``,
    ``type_s`` (posterior probability that the true sign is the other one) and ``type_m`` (the OLS
    estimate over the posterior mean of the size of the true effect; above 1 it exaggerates).
    """
    rows = ols_frame[
        ols_frame["source"].eq("ols")
        & ols_frame["vcov"].eq(vcov)
        & ols_frame["estimand"].eq(estimand)
        & excludes_zero(ols_frame)
    ].reset_index(drop=True)
    labels = {name: xr.DataArray(rows[name], dims="row") for name in ("outcome", "combination")}
    values = pooled(draws.sel(labels), "row")
    estimate = rows["estimate"].to_numpy()
    known = np.isfinite(values).all(axis=0)
    other = (np.sign(values) != np.sign(estimate)).mean(axis=0)
    frame = rows[["estimand", "vcov", "outcome", "combination", "n"]].copy()
    return frame.assign(
        ols_estimate=estimate,
        posterior_mean=values.mean(axis=0),
        type_s=np.where(known, other, np.nan),
        type_m=np.abs(estimate) / np.abs(values).mean(axis=0),
    )


def signs_figure(frame: pd.DataFrame, *, context: Context, values: Mapping[str, object]) -> Figure:
    """Draw type S and type M of the significant OLS estimates against n."""
    return against_n(
        frame, ["type_s", "type_m"], name="signs_figure", context=context, values=values
    )


def check_signs(inputs: CheckInputs) -> CheckResult:
    """Judge every significant OLS estimate by the posterior."""
    parts = [
        significant_under_posterior(
            inputs.intervals, inputs.draws[estimand], vcov=vcov, estimand=estimand
        )
        for estimand in COMPARED
        for vcov in ERRORS
    ]
    raw = pd.concat(parts, ignore_index=True)
    drawn, raw = raw[raw["vcov"] == ERRORS[0]], inputs.blanked(raw)
    language = inputs.context.language
    likely = number(LIKELY, 2, language=language)
    return result(
        inputs, "signs", COLUMNS, _counted(raw), raw=raw,
        drawn={"frame": drawn} if len(drawn) else None,
        values={"likely": likely, "vcov": phrase(ERRORS[0], language)},
        facts={"significant": len(raw)},
    )  # fmt: skip


def _counted(raw: pd.DataFrame) -> pd.DataFrame:
    counted = raw.assign(likely=raw["type_s"] > LIKELY).groupby(["estimand", "vcov"], sort=False)
    return counted.agg(
        significant=("type_s", "size"),
        type_s_median=("type_s", "median"),
        type_s_likely=("likely", "sum"),
        type_m_median=("type_m", "median"),
        type_m_largest=("type_m", "max"),
    ).reset_index()


CHECK: Final = Check(check_signs)
