"""Calendar time: what changes of one jobcenter and one quarter share beyond their cells' means.

Every working covariance claims that different citizens of a jobcenter are independent given the
effects. A shock that all citizens of a jobcenter meet in a quarter (a reform, a new manager, a
plant that closes) breaks the claim: effects then err more than their intervals say. For an
outcome with residuals e around the means of combination x jobcenter,

    U[b] = sum of e[r] e[s] over pairs of changes r, s of different citizens in block b,

a block being a jobcenter and a quarter (of the later response's date). Without shocks the sum
over blocks is what the means' own error leaves, a little below zero. It is found, with its
distribution, by turning the signs of whole citizens at random and taking cell means anew, which
keeps whatever covariance and heavy tails the changes of one citizen have (the wild bootstrap by
cluster: Cameron, Gelbach and Miller 2008). A shock of variance 1 adds a known number to every
U[b], so the surplus over that number is the shocks' variance.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from scipy import sparse, stats

from bipbayes.checks.figure import finish, outcome_rows
from bipbayes.checks.inputs import Check, CheckInputs, CheckResult, result
from bipbayes.checks.table import GROUP, PROBABILITY, Columns, Interval
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Booleans, Floats, Integers, Sample, analysis_sample
from bipbayes.errors import ModelError
from bipbayes.intervals import ALL_INDICATORS
from bipbayes.plots.style import POSTERIOR_COLOUR, figure_style
from bipbayes.wording import Context, number, percent, phrase

COLUMNS: Final[Columns] = {
    "outcome": GROUP,
    "blocks": 0,
    "shock": 2,
    "interval": Interval(2),
    "limit": 2,
    "p_value": PROBABILITY,
}
SIGNS: Final = 500  # sets of random signs
_CHUNK: Final = 100  # of them at a time
logger = logging.getLogger(__name__)
_SHOCK = ("shock", "lower", "upper", "limit")


def calendar_shocks(
    progression: xr.Dataset, codebook: Codebook, *, level: float = 0.95, seed: int = 0
) -> pd.DataFrame:
    """Estimate the size of shocks by jobcenter and quarter, by outcome.

    `progression`: from `bipbayes.data.progression.progression`; `codebook`: names indicators and
    averages; `level`: of intervals and of the limit; `seed`: of the random signs.

    Returns: ``outcome`` (``all_indicators`` first: mean variance over the indicators), ``blocks``
    (jobcenter and quarter, with changes of two citizens or more), ``shock`` (standard deviation, in
    standard deviations of progression; 0 where its square is estimated below zero), ``lower``,
    ``upper`` (from the differences between blocks), ``limit`` (the shock that chance stays below in
    a share `level` of cases where there is none), ``p_value`` (one-sided). ``NaN`` where no block
    has two citizens.

    Raises ModelError: no two citizens have changes in one jobcenter and quarter.
    """
    sample = analysis_sample(progression, codebook)
    block = _blocks(sample, progression["date"].to_numpy())
    size = (int(sample.citizen.max()) + 1, SIGNS)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=size).astype("float64")
    found = {
        name: _surplus(sample, sample.observed[:, place], block, place=place, signs=signs)
        for place, name in enumerate(sample.outcomes)
    }
    found = {name: one for name, one in found.items() if one.scale.sum() > 0}
    together = [found[name] for name in codebook.indicator_codes if name in found]
    if not together:
        raise ModelError(
            codebook.say("no two {citizens} have changes in one {jobcenter} and quarter")
        )
    lines = [_line(ALL_INDICATORS, together, level)]
    lines += [
        _line(name, [found[name]] if name in found else [], level) for name in sample.outcomes
    ]
    return pd.DataFrame(lines)


@dataclass(frozen=True)
class _Surplus:
    """U of an outcome by block, shape (block,).

    ``own`` less what cell means leave in it, ``turned`` the same with random signs, shape
    (block, sign), ``scale`` what shocks of variance 1 add.
    """

    own: Floats
    turned: Floats
    scale: Floats


def _blocks(sample: Sample, dates: np.ndarray) -> Integers:
    """Give each jobcenter's quarter a number, shape (row,)."""
    quarter = pd.factorize(pd.DatetimeIndex(dates[sample.rows]).to_period("Q"))[0]
    keys = sample.jobcenter * (quarter.max() + 1) + quarter
    return np.asarray(np.unique(keys, return_inverse=True)[1], dtype="int64")


def _surplus(
    sample: Sample, seen: Booleans, block: Integers, *, place: int, signs: Floats
) -> _Surplus:
    """Sum products over pairs of different citizens of a block, for one outcome."""
    blocks, rows = int(block.max()) + 1, np.flatnonzero(seen)
    pairs, person = np.unique(sample.citizen[rows] * blocks + block[rows], return_inverse=True)
    each = _incidence(block[rows], blocks)
    by_citizen, by_block = _incidence(person, len(pairs)), _incidence(pairs % blocks, blocks)
    in_cell = _incidence(sample.cell[rows], sample.cells)
    size = np.asarray(in_cell.sum(axis=1)).ravel()
    means = sparse.diags_array(1 / np.maximum(size, 1)) @ in_cell

    def products(values: Any) -> Any:
        centred = values - in_cell.T @ (means @ values)
        return _squares(each @ centred) - by_block @ _squares(by_citizen @ centred)

    values = sample.values[rows, place][:, None]
    n = size[sample.cell[rows]]
    # A residual's variance is 1 - 1/n of that of its error.
    errors = (values - in_cell.T @ (means @ values)) * np.sqrt(n / np.maximum(n - 1, 1))[:, None]
    mine = signs[sample.citizen[rows]]
    turned = np.hstack(
        [products(errors * mine[:, start : start + _CHUNK]) for start in range(0, SIGNS, _CHUNK)]
    )
    left = turned.mean(axis=1)
    scale = np.asarray(products(each.T.tocsr()).sum(axis=1))
    return _Surplus(products(values)[:, 0] - left, turned - left[:, None], scale)


def _squares(values: Any) -> Any:
    """Square elementwise, dense or sparse."""
    return values * values  # elementwise for sparse arrays, too


def _incidence(groups: Integers, size: int) -> sparse.csr_array:
    """Ones where a row belongs to a group, shape (group, row)."""
    rows = len(groups)
    return sparse.csr_array((np.ones(rows), (groups, np.arange(rows))), shape=(size, rows))


def _line(outcome: str, found: Sequence[_Surplus], level: float) -> dict[str, object]:
    """Turn surpluses into the size of shocks; several outcomes: their mean variance."""
    empty = dict.fromkeys(("shock", "lower", "upper", "limit", "p_value"), np.nan)
    if not found:
        return {"outcome": outcome, "blocks": 0, **empty}
    total = [one.scale.sum() for one in found]
    variances = [one.own.sum() / size for one, size in zip(found, total, strict=True)]
    chance = np.mean([one.turned.sum(0) / s for one, s in zip(found, total, strict=True)], axis=0)
    strays = np.mean(
        [
            (one.own - value * one.scale) / size
            for one, value, size in zip(found, variances, total, strict=True)
        ],
        axis=0,
    )
    used = int(np.any([one.scale > 1e-9 for one in found], axis=0).sum())
    variance = float(np.mean(variances))
    half = np.inf
    if used > 1:
        error = np.sqrt((strays**2).sum() * used / (used - 1))
        half = float(stats.t.ppf((1 + level) / 2, used - 1) * error)
    ends = (variance, variance - half, variance + half, float(np.quantile(chance, level)))
    sizes = dict(
        zip(("shock", "lower", "upper", "limit"), np.sqrt(np.maximum(ends, 0)), strict=True)
    )
    p_value = (1 + int((chance >= variance).sum())) / (1 + SIGNS)
    return {"outcome": outcome, "blocks": used, **sizes, "p_value": p_value}


def calendar_figure(
    frame: pd.DataFrame, *, context: Context, values: Mapping[str, object]
) -> Figure:
    """Draw the size of shocks by jobcenter and quarter, and how large chance makes them."""
    language = context.language
    with figure_style():
        figure, axes, rows = outcome_rows(frame, context)
        axes.plot(
            frame["shock"], rows, "o", color="black", markersize=3.5,
            label=phrase("check_calendar_estimated", language),
        )  # fmt: skip
        axes.plot(
            frame["limit"], rows, "|", color=POSTERIOR_COLOUR, markersize=8, markeredgewidth=1.5,
            label=phrase("check_column_limit", language, **values),
        )  # fmt: skip
        axes.set_xlim(left=-0.005)
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, borderaxespad=0.2)
        axes.set_xlabel(phrase("check_axis_calendar", language))
        finish(figure, "calendar_figure", context, values=values, left=2.3)
    return figure


def check_calendar(inputs: CheckInputs) -> CheckResult:
    """Look for what changes of one jobcenter and quarter share beyond their cells' means."""
    level, language = inputs.settings.level, inputs.context.language
    frame = calendar_shocks(
        inputs.progression, inputs.codebook, level=level, seed=inputs.seed("calendar")
    )
    whole = frame.iloc[0]
    verdict = "found" if whole["p_value"] <= 1 - level else "none"
    told = {name: number(float(whole[name]), 2, language=language) for name in _SHOCK}
    values = {"level": percent(level, language), **told}
    said = phrase(f"check_calendar_{verdict}", language, **values)
    if verdict == "found":
        logger.warning("%s", phrase("check_calendar_found", "en", **values))
    return result(
        inputs, "calendar", COLUMNS, frame, drawn={"frame": frame},
        values={**values, "verdict": said},
        facts={name: float(whole[name]) for name in (*_SHOCK, "p_value")},
    )  # fmt: skip


CHECK: Final = Check(check_calendar, needs_fit=False, needs_responses=True)
