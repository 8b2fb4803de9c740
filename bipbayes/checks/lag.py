"""Neighbouring changes of one citizen: how they correlate, and what a covariance claims of it."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from bipbayes.checks.figure import finish, outcome_rows
from bipbayes.checks.inputs import Check, CheckInputs, CheckResult, result
from bipbayes.checks.table import GROUP, Columns, Interval
from bipbayes.data.sample import Floats, Integers
from bipbayes.plots.style import GREY, POSTERIOR_COLOUR, figure_style, is_narrow
from bipbayes.wording import Context, phrase

COLUMNS: Final[Columns] = {
    "outcome": GROUP,
    "pairs": 0,
    "correlation": 2,
    "interval": Interval(2),
    "claimed": 2,
}
BOOTSTRAP: Final = 1000
_FEWEST: Final = 3  # pairs


def lag_correlation(
    progression: xr.Dataset, *, outcomes: Sequence[str], level: float = 0.95, seed: int = 0
) -> pd.DataFrame:
    """Correlation of neighbouring changes of a citizen, by outcome.

    Two changes are neighbours where the later starts at the response where the earlier ends;
    independent changes have 0, changes of pure measurement noise have -0.5.

    `progression`: from `bipbayes.data.progression.progression`; `outcomes`: those wanted; `level`:
    of the intervals; `seed`: of the citizens drawn anew for them.

    Returns: ``outcome``, ``pairs``, ``correlation`` of the standardised changes around the means of
    their combination, ``lower``, ``upper`` (citizens drawn with replacement; the means are kept).
    """
    combination = progression["combination"].to_numpy()
    citizen = pd.factorize(progression["citizen"].to_numpy())[0]
    weights = np.random.default_rng(seed).multinomial(
        citizen.max() + 1, np.full(citizen.max() + 1, 1 / (citizen.max() + 1)), size=BOOTSTRAP
    )
    rows = []
    for outcome in outcomes:
        one = progression.sel(outcome=outcome)
        values = pd.Series(one["standardised"].to_numpy())
        centred = (values - values.groupby(combination).transform("mean")).to_numpy()
        later, earlier = _pairs(centred, one["previous"].to_numpy())
        sums = _sums(centred[later], centred[earlier], citizen[later], size=weights.shape[1])
        known = len(later) >= _FEWEST
        drawn = _correlation(weights @ sums) if known else np.array([np.nan])
        tail = (1 - level) / 2
        lower, upper = np.nanquantile(drawn, [tail, 1 - tail]) if known else (np.nan, np.nan)
        rows.append(
            {
                "outcome": outcome,
                "pairs": len(later),
                "correlation": float(_correlation(sums.sum(axis=0))) if known else np.nan,
                "lower": lower,
                "upper": upper,
            }
        )
    return pd.DataFrame(rows)


def claimed_lag(cells: xr.Dataset) -> pd.DataFrame:
    """Say what a working covariance claims of neighbouring changes of one citizen.

    Two changes that share an answer have covariance C - N, and each has variance
    C + D + (1 + s) N (`bipbayes.cells.covariance`); s is 1 for an indicator with itself.

    `cells`: from `bipbayes.cells.cell_means`. Returns: ``outcome``, ``claimed``: the correlation
    that ``vcov`` supposes (0 but for ``citizen``).
    """
    names = ("noise", "change", "persistent")
    noise, change, person = (_diagonal(cells[f"{name}_covariance"]) for name in names)
    common = _diagonal(cells["common_starts"])
    claimed = (person - noise) / (person + change + (1 + common) * noise)
    return pd.DataFrame({"outcome": cells["indicator"].to_numpy(), "claimed": claimed + 0.0})


def _diagonal(matrix: xr.DataArray) -> Floats:
    return np.diag(matrix.transpose("indicator", "indicator_").to_numpy())


def _pairs(centred: Floats, start: Integers) -> tuple[Integers, Integers]:
    """Positions of the later and the earlier change of every pair."""
    later = np.flatnonzero((start >= 0) & np.isfinite(centred))
    later = later[np.isfinite(centred[start[later]])]
    return later, start[later]


def _sums(later: Floats, earlier: Floats, citizen: Integers, *, size: int) -> Floats:
    """Return number, sums, squares and product by citizen, shape (citizen, 6)."""
    columns = (np.ones_like(later), later, earlier, later**2, earlier**2, later * earlier)
    return np.column_stack([np.bincount(citizen, weights=c, minlength=size) for c in columns])


def _correlation(sums: Floats) -> Floats:
    """Correlation from sums, over the last axis."""
    n, x, y, xx, yy, xy = np.moveaxis(np.asarray(sums, dtype="float64"), -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((n * xy - x * y) / np.sqrt((n * xx - x**2) * (n * yy - y**2)))


def lag_figure(frame: pd.DataFrame, *, context: Context, values: Mapping[str, object]) -> Figure:
    """Draw the lag-one correlation of every indicator beside what the covariance claims."""
    language = context.language
    with figure_style():
        figure, axes, rows = outcome_rows(frame, context)
        axes.plot(
            frame["correlation"], rows, "o", color="black", markersize=3.5,
            label=phrase("check_lag_observed", language),
        )  # fmt: skip
        axes.plot(
            frame["claimed"], rows, "D", color=POSTERIOR_COLOUR, markersize=4.5,
            markerfacecolor="none", label=phrase("check_lag_claimed", language, **values),
        )  # fmt: skip
        for value in (-0.5, 0.0):
            axes.axvline(value, color=GREY, linewidth=0.7, linestyle="--")
        if is_narrow():
            axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2)
        else:
            axes.legend(loc="center right", bbox_to_anchor=(0.85, 0.5))
        axes.set_xlabel(phrase("check_axis_lag", language))
        finish(
            figure, "lag_figure", context, values=values, left=2.3, top=0.8 if is_narrow() else 0.45
        )
    return figure


def check_lag(inputs: CheckInputs) -> CheckResult:
    """Hold the correlation of neighbouring changes against what the covariance claims."""
    codes, level = inputs.codebook.indicator_codes, inputs.settings.level
    seen = lag_correlation(inputs.progression, outcomes=codes, level=level, seed=inputs.seed("lag"))
    frame = seen.merge(claimed_lag(inputs.cells), on="outcome", how="left")
    vcov = phrase(str(inputs.cells.attrs["vcov"]), inputs.context.language)
    return result(
        inputs, "lag", COLUMNS, frame, drawn={"frame": frame}, values={"vcov": vcov},
    )  # fmt: skip


CHECK: Final = Check(check_lag, needs_fit=False, needs_responses=True)
