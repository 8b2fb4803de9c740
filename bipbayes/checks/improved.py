"""How many indicators each combination improves, from joint draws."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from bipbayes.checks.figure import above, finish, panel_inches, rows_figure
from bipbayes.checks.inputs import Check, CheckInputs, CheckResult, result
from bipbayes.checks.table import GROUP, NAMED, PROBABILITY, Columns, Interval
from bipbayes.errors import SettingsError
from bipbayes.estimands.intervals import limits
from bipbayes.intervals import COMPARED
from bipbayes.plots.style import GREY, figure_style
from bipbayes.plots.task import WHOLE, Page
from bipbayes.sampling.labels import SAMPLE, pooled
from bipbayes.wording import Context, capital, phrase

COLUMNS: Final[Columns] = {
    "estimand": NAMED,
    "combination": GROUP,
    "outcomes": 0,
    "expected": 1,
    "interval": Interval(0),
    "p_at_least": PROBABILITY,
}
MOST = 0.75  # of the indicators, where no number is asked for


def count_improved(
    draws: xr.DataArray,
    *,
    outcomes: Sequence[str],
    at_least: Sequence[int],
    beyond: float = 0.0,
    level: float = 0.95,
) -> pd.DataFrame:
    """Count in every draw how many outcomes a combination improves.

    `draws`: one estimand, dims ``chain, draw, combination, outcome``, in sd of progression;
    `outcomes`: those counted, such as all indicators; `at_least`: numbers of which the probability
    is wanted; `beyond`: an outcome counts as improved above this; `level`: of the interval of the
    count.

    Returns: one row a combination: ``combination``, ``outcomes`` (how many are counted),
    ``expected``, ``lower``, ``upper`` (of the count) and ``p_at_least_<number>``. Probabilities
    refer to the joint posterior; ``NaN`` where an effect is unknown.

    Raises SettingsError: A number above the number of outcomes.
    """
    if any(not 0 <= number <= len(outcomes) for number in at_least):
        raise SettingsError(f"at_least {list(at_least)} goes beyond {len(outcomes)} outcomes")
    chosen = draws.sel(outcome=list(outcomes))
    counts = (chosen > beyond).sum("outcome").where(chosen.notnull().all("outcome"))
    lower, upper = limits(pooled(counts), level=level)
    frame = pd.DataFrame(
        {
            "combination": counts["combination"].to_numpy(),
            "outcomes": len(outcomes),
            "expected": counts.mean(SAMPLE, skipna=False).to_numpy(),
            "lower": lower,
            "upper": upper,
        }
    )
    unknown = counts.isnull().any(SAMPLE).to_numpy()
    for number in at_least:
        share = (counts >= number).mean(SAMPLE).to_numpy()
        frame[f"p_at_least_{number}"] = np.where(unknown, np.nan, share)
    return frame


def improved_figure(
    frame: pd.DataFrame,
    *,
    context: Context,
    values: Mapping[str, object],
    page: Page = WHOLE,
) -> Figure:
    """Draw how many indicators each combination improves, a panel an estimand."""
    estimands = list(dict.fromkeys(frame["estimand"]))
    outcomes, at_least = (int(frame[name].iloc[0]) for name in ("outcomes", "at_least"))
    panels = [
        (capital(phrase(name, context.language)), frame[frame["estimand"] == name])
        for name in estimands
    ]
    with figure_style():
        figure, room = rows_figure(
            panels[page.rows], context, centre="expected", chance="p_at_least"
        )
        for axes in figure.axes:
            axes.axvline(at_least, color=GREY, linewidth=0.7, linestyle="--")
            axes.set_xlim(-0.5, outcomes + 0.5)
            axes.set_xlabel(phrase("check_axis_improved", context.language))
            axes.locator_params(axis="x", integer=True)
            above(axes, phrase("check_short_p", context.language, at_least=at_least))
        finish(figure, "improved_figure", context, values=values, page=page, **room)
    return figure


def check_improved(inputs: CheckInputs) -> CheckResult:
    """Count how many indicators each combination improves."""
    known = inputs.draws["effect"].notnull().any((*SAMPLE, "combination"))
    codes = [code for code in inputs.codebook.indicator_codes if known.sel(outcome=code)]
    wanted = inputs.asked.at_least
    at_least = math.ceil(MOST * len(codes)) if wanted is None else wanted
    level = inputs.settings.level
    parts = [
        count_improved(inputs.draws[name], outcomes=codes, at_least=[at_least], level=level).assign(
            estimand=name
        )
        for name in COMPARED
    ]
    frame = pd.concat(parts, ignore_index=True)
    frame = frame.rename(columns={f"p_at_least_{at_least}": "p_at_least"}).assign(at_least=at_least)
    frame = frame[["estimand", *frame.columns.drop("estimand")]]
    return result(
        inputs, "improved", COLUMNS, inputs.blanked(frame), drawn={"frame": frame},
        values={"outcomes": len(codes), "at_least": at_least},
        facts={"at_least": at_least},
    ).divided(frame["estimand"].nunique(), **panel_inches(frame))  # fmt: skip


CHECK: Final = Check(check_improved)
