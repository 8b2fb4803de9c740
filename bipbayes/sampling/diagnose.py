"""Judging a fit after it is stored: verdicts with their reasons in words.

The sampler: R-hat 1.01 and 100 effective draws per chain of the default four, in bulk and tails,
are those of Vehtari et al. (2021); they are held to every *reported* quantity. Hyperparameters are
no results: those that miss are named and fail nothing. E-BFMI below 0.3 (Betancourt 2016) and trees
at full depth cost efficiency rather than truth, so they ask for a look.

The exact engine: its draws are as good as the points over the standard deviations behind them, of
which 400 must count effectively. Pareto's k of their weights above 0.7 makes estimates unreliable,
above 0.5 slower to converge (Vehtari et al. 2024): the one fails, the other asks for a look.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.data.sample import Integers
from bipbayes.option_words import EXACT, NUTS
from bipbayes.sampling.convergence import convergence
from bipbayes.sampling.labels import SAMPLE, elements

DIAGNOSTICS: Final = ("r_hat", "ess_bulk", "ess_tail")
_SIZES: Final = ("ess_bulk", "ess_tail")
LABELS: Final = ("estimand", "outcome", "combination", "jobcenter")
COLUMNS: Final = ("model", "analysis", "quantity", *LABELS, "estimate", "se", *DIAGNOSTICS, "mcse")
HYPERPARAMETER: Final = "hyperparameter"
ESTIMATE: Final = "estimate"


@dataclass(frozen=True)
class Thresholds:
    """What a fit must reach.

    Attributes
    ----------
    r_hat
        Highest R-hat.
    ess
        Lowest effective sample size, bulk and tail.
    divergences
        Highest number of divergent transitions.
    e_bfmi
        Lowest energy fraction; below, the fit is to be looked at.
    k_hat, good_k
        Highest Pareto k of importance weights; above `good_k`, the fit is to be looked at.
    """

    r_hat: float = 1.01
    ess: float = 400.0
    divergences: int = 0
    e_bfmi: float = 0.3
    k_hat: float = 0.7
    good_k: float = 0.5


THRESHOLDS: Final = Thresholds()


@dataclass(frozen=True)
class Verdict:
    """Whether a fit may be reported.

    Attributes
    ----------
    passed
        True where there are no `reasons`.
    reasons
        Why it failed, one sentence each.
    review
        What to look at, though it fails nothing.
    interrupted
        True where there are fewer draws than asked for: such a fit is never exported.
    worst
        Highest R-hat, lowest ESS and the engine's own measures.
    thresholds
        Those that were used.
    """

    passed: bool
    reasons: tuple[str, ...]
    review: tuple[str, ...]
    interrupted: bool
    worst: dict[str, float]
    thresholds: Thresholds

    def record(self) -> dict[str, Any]:
        """Return the verdict as plain values for ``run.json``."""
        return asdict(self)

    def __str__(self) -> str:
        """Say in a line whether the fit passed, by which measures, and what is the matter."""
        told = f"{'passed' if self.passed else 'failed'} its checks ({measures(self.worst)})"
        return "; ".join([told, *self.reasons, *self.review])


def measures(worst: Mapping[str, float]) -> str:
    """Write a verdict's worst values: k-hat and points, or R-hat, ESS and divergences."""
    if "k_hat" in worst:
        return f"k-hat {worst['k_hat']:.2f}, {worst['effective_points']:.0f} effective points"
    least = min(worst["ess_bulk"], worst["ess_tail"])
    return f"R-hat {worst['r_hat']:.3f}, ESS {least:.0f}, {worst['divergences']:.0f} divergences"


def diagnostics_frame(fit: xr.DataTree, reported: pd.DataFrame) -> pd.DataFrame:
    """Put the diagnostics of hyperparameters and of all reported quantities in one frame.

    Parameters
    ----------
    fit
        From `bipbayes.sampling.fit.sample`.
    reported
        Rows of the long interval frame; those without an estimate are left out.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`; ``quantity`` is the name of a hyperparameter, or ``estimate``, told apart by
        `LABELS`; the frame's ``estimand`` is ``hyperparameter`` for the former.
    """
    estimates = reported[reported["estimate"].notna()].assign(quantity=ESTIMATE)
    parts = [hyperparameters(fit), estimates.reindex(columns=list(COLUMNS))]
    frame = pd.concat([part for part in parts if len(part)], ignore_index=True)
    named = {name: str(fit.attrs.get(name, "")) for name in ("model", "analysis")}
    return frame.assign(**named).reindex(columns=list(COLUMNS))


def hyperparameters(fit: xr.DataTree) -> pd.DataFrame:
    """Summarise what is in the posterior beside the terms (standard deviations of batches).

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`, one row for each element.
    """
    terms = json.loads(str(fit.attrs["terms"]))
    posterior = fit["posterior"].to_dataset()
    rest = posterior.drop_vars([name for name in terms if name in posterior])
    names = {"parameter": "quantity", "mean": "estimate", "sd": "se"}
    frame = moments_frame(rest, point=points_of(fit)).rename(columns=names)
    empty = dict.fromkeys(LABELS, "") | {"estimand": HYPERPARAMETER}
    frame = frame.assign(model=str(fit.attrs["model"]), **empty)
    return frame.reindex(columns=list(COLUMNS))


def moments_frame(draws: xr.Dataset, *, point: Integers | None) -> pd.DataFrame:
    """Summarise every number of variables.

    Parameters
    ----------
    draws
        Dims ``chain``, ``draw`` and possibly labels, which become part of a number's name.
    point
        Of the exact engine's draws the point behind each, shape (chain, draw).

    Returns
    -------
    pandas.DataFrame
        ``parameter, mean, sd, mcse, ess_bulk, ess_tail, r_hat``.
    """
    named = elements(draws)
    values = np.stack(list(named.values()), axis=2) if named else np.empty((2, 2, 0))
    found = {"mean": values.mean(axis=(0, 1)), "sd": values.std(axis=(0, 1), ddof=1)}
    checks = asdict(convergence(values, point=point))
    return pd.DataFrame({"parameter": list(named), **found, **checks})


def diagnose(
    fit: xr.DataTree, diagnostics: pd.DataFrame, *, thresholds: Thresholds = THRESHOLDS
) -> Verdict:
    """Judge a fit.

    Parameters
    ----------
    fit
        From `bipbayes.sampling.fit.sample`.
    diagnostics
        From `diagnostics_frame`.
    thresholds
        What it must reach.

    Returns
    -------
    Verdict
        With every reason, worst values and the thresholds.
    """
    reported = diagnostics[diagnostics["estimand"] != HYPERPARAMETER]
    worst = {
        "ess_bulk": float(reported["ess_bulk"].min()),
        "ess_tail": float(reported["ess_tail"].min()),
    }
    if is_exact(fit):
        worst |= {name: float(fit.attrs[name]) for name in ("k_hat", "effective_points")}
        reasons = [*_missing(reported, _SIZES), *_point_reasons(worst, thresholds)]
        review = list(_point_review(worst, thresholds))
    else:
        worst |= _sampler_measures(fit, reported)
        reasons = [
            *_draw_reasons(fit),
            *_missing(reported, DIAGNOSTICS),
            *_misses(reported, thresholds),
        ]
        if worst["divergences"] > thresholds.divergences:
            reasons.append(f"{worst['divergences']:.0f} divergent transitions")
        review = [*_hyperparameter_review(diagnostics, thresholds), *_review(worst, thresholds)]
    return Verdict(
        passed=not reasons,
        reasons=tuple(reasons),
        review=tuple(review),
        interrupted=bool(int(fit.attrs["interrupted"])),
        worst=worst,
        thresholds=thresholds,
    )


def is_exact(fit: xr.DataTree) -> bool:
    """Say whether a fit comes from the exact engine."""
    return str(fit.attrs.get("engine", NUTS)) == EXACT


def points_of(fit: xr.DataTree) -> np.ndarray | None:
    """Return the point behind each draw of the exact engine, (chain, draw); else None."""
    if not is_exact(fit):
        return None
    return np.asarray(fit["sample_stats"]["point"].transpose(*SAMPLE).to_numpy())


def _sampler_measures(fit: xr.DataTree, reported: pd.DataFrame) -> dict[str, float]:
    stats = fit["sample_stats"].to_dataset()
    return {
        "r_hat": float(reported["r_hat"].max()),
        "divergences": float(stats["diverging"].sum()),
        "full_depth": float(stats["reached_max_treedepth"].sum()),
        "e_bfmi": _lowest_energy_fraction(stats),
    }


def _draw_reasons(fit: xr.DataTree) -> Iterator[str]:
    if int(fit.attrs["interrupted"]):
        obtained = json.loads(str(fit.attrs["draws_obtained"]))
        yield (
            f"sampling was interrupted: {obtained} draws by chain, "
            f"where {fit.attrs['draws_requested']} were asked for"
        )


def _missing(reported: pd.DataFrame, needed: Sequence[str]) -> Iterator[str]:
    if len(reported) == 0:
        yield "nothing was reported, so nothing can be judged"
    if missing := int(reported[list(needed)].isna().any(axis=1).sum()):
        yield f"{missing} quantities have no diagnostics (too few draws, or draws that never move)"


def _misses(rows: pd.DataFrame, thresholds: Thresholds) -> Iterator[str]:
    if above := int((rows["r_hat"] > thresholds.r_hat).sum()):
        worst = rows["r_hat"].max()
        yield f"R-hat above {thresholds.r_hat} for {above} quantities (worst {worst:.3f})"
    for column, word in (("ess_bulk", "bulk"), ("ess_tail", "tail")):
        if below := int((rows[column] < thresholds.ess).sum()):
            yield (
                f"{word} ESS below {thresholds.ess:.0f} for {below} quantities "
                f"(lowest {rows[column].min():.0f})"
            )


def _hyperparameter_review(diagnostics: pd.DataFrame, thresholds: Thresholds) -> Iterator[str]:
    rows = diagnostics[diagnostics["estimand"] == HYPERPARAMETER]
    if misses := list(_misses(rows, thresholds)):
        missed = rows["r_hat"] > thresholds.r_hat
        missed |= rows[list(_SIZES)].min(axis=1) < thresholds.ess
        yield (
            f"hyperparameters, which are no reported results, fall short: "
            f"{', '.join(rows.loc[missed, 'quantity'])} ({'; '.join(misses)})"
        )


def _point_reasons(worst: dict[str, float], thresholds: Thresholds) -> Iterator[str]:
    if worst["effective_points"] < thresholds.ess:
        yield (
            f"{worst['effective_points']:.0f} effective points over the standard deviations, "
            f"fewer than {thresholds.ess:.0f}; ask for --engine nuts"
        )
    if not worst["k_hat"] <= thresholds.k_hat:  # NaN, too: weights that have no tail to fit
        yield (
            f"Pareto's k of the points' weights is {worst['k_hat']:.2f}, above "
            f"{thresholds.k_hat}; ask for --engine nuts"
        )


def _point_review(worst: dict[str, float], thresholds: Thresholds) -> Iterator[str]:
    if thresholds.good_k < worst["k_hat"] <= thresholds.k_hat:
        k_hat, good = worst["k_hat"], thresholds.good_k
        yield (
            f"Pareto's k of the points' weights is {k_hat:.2f}, above {good}, after all rounds of "
            "moving the proposal: errors may be larger than said; compare with check engines"
        )


def _review(worst: dict[str, float], thresholds: Thresholds) -> Iterator[str]:
    if worst["full_depth"]:
        yield f"{worst['full_depth']:.0f} draws reached the sampler's greatest tree depth"
    if worst["e_bfmi"] < thresholds.e_bfmi:
        yield f"E-BFMI {worst['e_bfmi']:.2f} of a chain is below {thresholds.e_bfmi}"


def _lowest_energy_fraction(stats: xr.Dataset) -> float:
    energy = stats["energy"].transpose(*SAMPLE).to_numpy()
    fraction = (np.diff(energy, axis=1) ** 2).mean(axis=1) / energy.var(axis=1, ddof=1)
    return float(fraction.min())
