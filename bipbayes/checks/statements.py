"""Statements on many effects at once, from joint draws.

Marginal intervals cannot say how many of twenty effects are positive together, since they err
together; draws can: each draw is counted, and the share of draws is the probability.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.errors import SettingsError
from bipbayes.intervals import excludes_zero

SAMPLE = ("chain", "draw")


def count_improved(
    draws: xr.DataArray,
    *,
    outcomes: Sequence[str],
    at_least: Sequence[int],
    beyond: float = 0.0,
    level: float = 0.95,
) -> pd.DataFrame:
    """Count in every draw how many outcomes a combination improves.

    Parameters
    ----------
    draws
        One estimand, dims ``chain, draw, combination, outcome``, in sd of progression.
    outcomes
        Those counted, such as all indicators.
    at_least
        Numbers of which the probability is wanted.
    beyond
        An outcome counts as improved above this.
    level
        Of the interval of the count.

    Returns
    -------
    pandas.DataFrame
        One row a combination: ``combination``, ``outcomes`` (how many are counted),
        ``expected``, ``lower``, ``upper`` (of the count) and ``p_at_least_<number>``.
        Probabilities refer to the joint posterior; ``NaN`` where an effect is unknown.

    Raises
    ------
    SettingsError
        A number above the number of outcomes.
    """
    if any(not 0 <= number <= len(outcomes) for number in at_least):
        raise SettingsError(f"at_least {list(at_least)} goes beyond {len(outcomes)} outcomes")
    chosen = draws.sel(outcome=list(outcomes))
    counts = (chosen > beyond).sum("outcome").where(chosen.notnull().all("outcome"))
    tail = (1 - level) / 2
    frame = pd.DataFrame(
        {
            "combination": counts["combination"].to_numpy(),
            "outcomes": len(outcomes),
            "expected": counts.mean(SAMPLE, skipna=False).to_numpy(),
            "lower": counts.quantile(tail, SAMPLE, skipna=False).to_numpy(),
            "upper": counts.quantile(1 - tail, SAMPLE, skipna=False).to_numpy(),
        }
    )
    unknown = counts.isnull().any(SAMPLE).to_numpy()
    for number in at_least:
        share = (counts >= number).mean(SAMPLE).to_numpy()
        frame[f"p_at_least_{number}"] = np.where(unknown, np.nan, share)
    return frame


def rank_combinations(
    draws: xr.DataArray, *, outcomes: Sequence[str], level: float = 0.95
) -> pd.DataFrame:
    """Rank the combinations in every draw, the best first.

    Parameters
    ----------
    draws
        One estimand, dims ``chain, draw, combination, outcome``. Combinations with unknown
        effects in an outcome are left out of its ranking.
    outcomes
        Each gets a ranking of its own.
    level
        Of the intervals of the ranks.

    Returns
    -------
    pandas.DataFrame
        ``outcome``, ``combination``, ``combinations`` (ranked), ``p_best``, ``rank`` (expected,
        1 is best), ``rank_lower``, ``rank_upper``; in order of the expected rank.
    """
    tail = (1 - level) / 2
    frames = []
    for outcome in outcomes:
        values = draws.sel(outcome=outcome).transpose(*SAMPLE, "combination").to_numpy()
        values = values.reshape(-1, values.shape[2])
        known = np.isfinite(values).all(axis=0)
        ranks = (-values[:, known]).argsort(axis=1).argsort(axis=1) + 1
        low, high = np.quantile(ranks, [tail, 1 - tail], axis=0)
        frame = pd.DataFrame(
            {
                "outcome": outcome,
                "combination": draws["combination"].to_numpy()[known],
                "combinations": int(known.sum()),
                "p_best": (ranks == 1).mean(axis=0),
                "rank": ranks.mean(axis=0),
                "rank_lower": low,
                "rank_upper": high,
            }
        )
        frames.append(frame.sort_values("rank", kind="stable"))
    return pd.concat(frames, ignore_index=True)


def significant_under_posterior(
    ols_frame: pd.DataFrame, draws: xr.DataArray, *, vcov: str, estimand: str
) -> pd.DataFrame:
    """Type S and type M errors of every significant OLS estimate, judged by the posterior.

    Parameters
    ----------
    ols_frame
        Long frame; its OLS rows with this `vcov` and `estimand` whose interval excludes zero
        are used.
    draws
        The same estimand from the posterior, dims ``chain, draw, combination, outcome``.
    vcov, estimand
        Which errors, of what.

    Returns
    -------
    pandas.DataFrame
        ``estimand, vcov, outcome, combination, n``, ``ols_estimate``, ``posterior_mean``,
        ``type_s`` (posterior probability that the true sign is the other one) and ``type_m``
        (the OLS estimate over the posterior mean of the size of the true effect; above 1 it
        exaggerates).
    """
    rows = ols_frame[
        ols_frame["source"].eq("ols")
        & ols_frame["vcov"].eq(vcov)
        & ols_frame["estimand"].eq(estimand)
        & excludes_zero(ols_frame)
    ].reset_index(drop=True)
    labels = {name: xr.DataArray(rows[name], dims="row") for name in ("outcome", "combination")}
    drawn = draws.sizes["chain"] * draws.sizes["draw"]  # there may be no row
    values = draws.sel(labels).transpose(*SAMPLE, "row").to_numpy().reshape(drawn, len(rows))
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
