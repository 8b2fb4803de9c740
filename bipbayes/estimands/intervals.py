"""Posterior intervals of every estimand, with the diagnostics of each reported quantity."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import ndtr

from bipbayes.data.codebook import Codebook
from bipbayes.data.factorial import factorial_contrasts
from bipbayes.data.sample import Floats
from bipbayes.errors import SettingsError, unknown
from bipbayes.intervals import (
    ALL_INDICATORS,
    CONTRASTS,
    NO_SPREAD,
    PLAIN,
    PRIOR_DRIVEN,
    interval_frame,
)
from bipbayes.option_words import CREDIBLE
from bipbayes.sampling.convergence import TAIL, convergence, in_chunks, monte_carlo
from bipbayes.sampling.labels import SAMPLE


def mixture_quantile(means: Floats, sds: Floats, weight: Floats, share: float) -> Floats:
    """Quantile of mixtures of normals by bisection.

    Parameters
    ----------
    means, sds
        Shape (point, quantity).
    weight
        Shape (point,).
    share
        Probability below.
    """
    centre = weight @ means
    reach = 10 * np.sqrt(weight @ (sds**2 + (means - centre) ** 2))
    low, high = centre - reach, centre + reach
    for _ in range(45):  # halves 20 standard deviations to rounding error
        middle = (low + high) / 2
        above = weight @ ndtr((middle - means) / sds) > share
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.asarray((low + high) / 2)


UNKNOWN_CELL: Final = "no answers in a cell that the estimand needs; the model does not pool"
COUNTED: Final = ("n", "n_citizens", "answers")
_SUMMARY: Final = (
    *("estimate", "se", "lower", "upper", "p_positive", "p_wrong_sign", "p_rope"),
    *("ess_bulk", "ess_tail", "r_hat", "mcse"),
)


@dataclass(frozen=True)
class IntervalSettings:
    """How draws become intervals.

    Attributes
    ----------
    level
        Probability inside the interval.
    kind
        ``eti`` (equal-tailed) or ``hdi`` (highest density).
    rope
        Half-width of a region of practical equivalence, or ``None`` for none.
    """

    level: float = 0.95
    kind: str = "eti"
    rope: float | None = None


def posterior_intervals(
    draws: Mapping[str, xr.DataArray] | Iterable[tuple[str, xr.DataArray]],
    cells: xr.Dataset,
    codebook: Codebook,
    *,
    model: str,
    settings: IntervalSettings = IntervalSettings(),
    point: np.ndarray | None = None,
) -> pd.DataFrame:
    """Summarise the draws of all estimands in the long frame.

    Parameters
    ----------
    draws
        As `bipbayes.estimands.draws.estimand_draws` returns them, or name and draws one after
        the other, which need not be held together (`bipbayes.estimands.draws.estimand_parts`).
    cells
        Numbers of answers and citizens behind each estimate.
    codebook
        Gives the order of rows.
    model
        Name of the model.
    settings
        Level and kind of the intervals.
    point
        Of the exact engine's draws the point behind each, shape (chain, draw).

    Returns
    -------
    pandas.DataFrame
        `bipbayes.intervals.COLUMNS`; ``estimate`` and ``se`` are posterior mean and standard
        deviation, ``p_wrong_sign`` the smaller of P(> 0) and P(< 0), ``mcse`` the Monte Carlo
        error of the mean. ``note`` is ``prior-driven`` where no answer stands behind a row, or
        behind the combination without treatment that a contrast subtracts. An average's ``n``
        counts complete responses, as OLS needs them; its posterior rests on every answer to its
        indicators, so that it is prior-driven only where none of them was answered.
    """
    frames = [
        summary_rows(array, settings, point).assign(estimand=name)
        for name, array in (draws.items() if isinstance(draws, Mapping) else draws)
        if array.size
    ]
    frame = pd.concat(frames, ignore_index=True)
    counts = answer_counts(cells, codebook)
    frame = _with_counts(frame, counts)
    frame["source"], frame["model"], frame["vcov"] = "posterior", model, str(cells.attrs["vcov"])
    frame["analysis"] = str(cells.attrs.get("analysis", PLAIN))
    frame["level"], frame["kind"] = settings.level, settings.kind
    unknown = frame["estimate"].isna()
    empty = (frame["answers"] == 0) | _without_reference(frame, counts, codebook.no_treatment)
    without = cells["outcome"].to_numpy()[cells["sd"].isnull().to_numpy()]
    reason = np.where(frame["outcome"].isin(without), NO_SPREAD, UNKNOWN_CELL)
    frame["note"] = np.where(unknown, reason, np.where(empty, PRIOR_DRIVEN, ""))
    return interval_frame(frame.drop(columns="answers"))


def limits(draws: np.ndarray, *, level: float, kind: str = "eti") -> tuple[np.ndarray, np.ndarray]:
    """Return lower and upper limits of credible intervals.

    Parameters
    ----------
    draws
        Shape (draw, ...).
    level, kind
        As in `IntervalSettings`.
    """
    if kind == "eti":
        low, high = np.quantile(draws, tails(level), axis=0)
        return low, high
    if kind == "hdi":
        from arviz_stats.base.array import BaseArray

        hdi = BaseArray().hdi
        low, high = np.moveaxis(np.asarray(hdi(draws, prob=level, axis=0)), -1, 0)  # type: ignore[no-untyped-call]
        return low, high
    raise SettingsError(unknown("kind", kind, CREDIBLE))


def tails(level: float) -> tuple[float, float]:
    """Return the probabilities below the limits of an equal-tailed interval."""
    tail = (1 - level) / 2
    return tail, 1 - tail


def summary_rows(
    array: xr.DataArray, settings: IntervalSettings, point: np.ndarray | None
) -> pd.DataFrame:
    """Summarise draws, one row a quantity: labels, estimates, limits and diagnostics.

    Parameters
    ----------
    array
        Dims ``chain, draw`` and those that label the rows.
    settings
        Level and kind of the intervals.
    point
        Of the exact engine's draws the point behind each, shape (chain, draw).
    """
    labels = [dim for dim in array.dims if dim not in SAMPLE]
    ordered = array.transpose(*SAMPLE, *labels)
    values = ordered.to_numpy().reshape(*ordered.shape[:2], -1)
    index = pd.MultiIndex.from_product([ordered[dim].to_numpy() for dim in labels], names=labels)
    found = in_chunks(partial(_summary, settings=settings, point=point), values, rows=len(_SUMMARY))
    return index.to_frame(index=False).assign(**dict(zip(_SUMMARY, found, strict=True)))


def _summary(
    values: np.ndarray, *, settings: IntervalSettings, point: np.ndarray | None
) -> np.ndarray:
    """Return `_SUMMARY` of some quantities from their draws, shape (chain, draw, quantity)."""
    pooled = np.ascontiguousarray(values.reshape(-1, values.shape[2]).T)
    known = np.isfinite(pooled).all(axis=1)
    known_tails = None
    if settings.kind == "eti":  # with the tails that its error needs, sorted once
        wanted = [*tails(settings.level), *TAIL]
        low, high, *known_tails = np.quantile(pooled, wanted, axis=1)
    else:
        low, high = limits(pooled.T, level=settings.level, kind=settings.kind)
    if point is None:
        checks = convergence(values)
        diagnostics = (checks.ess_bulk, checks.ess_tail, checks.r_hat, checks.mcse)
    else:
        bulk, tail, error = monte_carlo(pooled.T, point.ravel(), tails=known_tails)
        diagnostics = (bulk, tail, np.full(len(known), np.nan), error)
    positive = (pooled > 0).mean(axis=1)
    inside = np.full(len(known), np.nan)
    if settings.rope is not None:
        inside = (np.abs(pooled) <= settings.rope).mean(axis=1)
    probabilities = (positive, np.minimum(positive, 1 - positive), inside)
    shown = np.where(known, (low, high, *probabilities, *diagnostics), np.nan)
    return np.stack([pooled.mean(axis=1), pooled.std(axis=1, ddof=1), *shown])


def answer_counts(cells: xr.Dataset, codebook: Codebook) -> pd.DataFrame:
    """Count answers and citizens by combination or term, jobcenter (``""``: all) and outcome.

    A citizen has one jobcenter as a rule, so that citizens add up over jobcenters; one who
    moved counts in each. ``all_indicators`` has the largest number over indicators. ``answers``
    is ``n``, but of an average the largest number over its indicators.
    """
    counts = xr.Dataset(
        {
            "n": cells["n_outcome"],
            "n_citizens": cells["n_citizens_outcome"],
            "answers": _answers(cells["n_outcome"], codebook),
        }
    ).drop_vars(["respondent"], errors="ignore")
    single = counts.sel(outcome=list(codebook.indicator_codes)).max("outcome")
    counts = xr.concat([counts, single.expand_dims(outcome=[ALL_INDICATORS])], dim="outcome")
    everywhere = counts.sum("jobcenter").expand_dims(jobcenter=[""])
    both = xr.concat([counts, everywhere], dim="jobcenter")
    frame = both.to_dataframe()[[*COUNTED]].reset_index()
    return pd.concat([frame, _factorial_counts(frame, codebook)], ignore_index=True)


def _answers(n: xr.DataArray, codebook: Codebook) -> xr.DataArray:
    """Return the numbers of answers that the posterior of each outcome rests on."""
    result = n.copy()
    for average in codebook.average_codes:
        members = n.sel(outcome=list(codebook.members(average)))
        result.loc[{"outcome": average}] = members.max("outcome")
    return result


def _factorial_counts(counts: pd.DataFrame, codebook: Codebook) -> pd.DataFrame:
    """Return the smallest combination's counts for every term: each rests on all of them."""
    overall = counts[counts["jobcenter"] == ""]
    smallest = overall.groupby("outcome", sort=False)[[*COUNTED]].min().reset_index()
    terms = pd.DataFrame({"combination": list(factorial_contrasts(codebook)[0]), "jobcenter": ""})
    return terms.merge(smallest, how="cross")


def _with_counts(frame: pd.DataFrame, counts: pd.DataFrame) -> pd.DataFrame:
    if "jobcenter" not in frame:
        frame["jobcenter"] = ""
    frame["jobcenter"] = frame["jobcenter"].fillna("")
    return frame.merge(counts, on=["combination", "jobcenter", "outcome"], how="left")


def _without_reference(frame: pd.DataFrame, counts: pd.DataFrame, reference: str) -> pd.Series:
    """Mark contrasts whose reference, the combination without treatment, has no answers."""
    overall = counts[(counts["combination"] == reference) & (counts["jobcenter"] == "")]
    answers = overall.set_index("outcome")["answers"]
    contrast = frame["estimand"].isin(CONTRASTS)
    return contrast & (frame["outcome"].map(answers) == 0)
