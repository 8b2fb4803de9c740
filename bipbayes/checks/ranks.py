"""The combinations ranked, from joint draws."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from bipbayes.checks.figure import above, finish, panel_inches, rows_figure
from bipbayes.checks.inputs import Check, CheckInputs, CheckResult, result
from bipbayes.checks.table import GROUP, PROBABILITY, Columns, Interval
from bipbayes.estimands.intervals import limits
from bipbayes.intervals import ALL_INDICATORS
from bipbayes.plots.style import figure_style
from bipbayes.plots.task import WHOLE, Page
from bipbayes.sampling.labels import pooled
from bipbayes.wording import Context, outcome_label, phrase

COLUMNS: Final[Columns] = {
    "outcome": GROUP,
    "combination": GROUP,
    "rank": 1,
    "interval": Interval(0),
    "p_best": PROBABILITY,
}


def rank_combinations(
    draws: xr.DataArray, *, outcomes: Sequence[str], level: float = 0.95
) -> pd.DataFrame:
    """Rank the combinations in every draw, the best first.

    `draws`: one estimand, dims ``chain, draw, combination, outcome``. Combinations with unknown
    effects in an outcome are left out of its ranking; `outcomes`: each gets a ranking of its own;
    `level`: of the intervals of the ranks.

    Returns: ``outcome``, ``combination``, ``combinations`` (ranked), ``p_best``, ``rank``
    (expected, 1 is best), ``rank_lower``, ``rank_upper``; in order of the expected rank.
    """
    frames = []
    for outcome in outcomes:
        values = pooled(draws.sel(outcome=outcome))
        known = np.isfinite(values).all(axis=0)
        ranks = (-values[:, known]).argsort(axis=1).argsort(axis=1) + 1
        low, high = limits(ranks, level=level)
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


def ranks_figure(
    frame: pd.DataFrame,
    *,
    context: Context,
    values: Mapping[str, object],
    page: Page = WHOLE,
) -> Figure:
    """Draw the rank of every combination, a panel an outcome."""
    language = context.language
    panels = []
    for outcome in dict.fromkeys(frame["outcome"]):
        rows = frame[frame["outcome"] == outcome]
        rows = rows.rename(columns={"rank_lower": "lower", "rank_upper": "upper"})
        panels.append((outcome_label(context.codebook, outcome, language=language), rows))
    with figure_style():
        figure, room = rows_figure(panels[page.rows], context, centre="rank", chance="p_best")
        most = int(frame["combinations"].max())
        for axes in figure.axes:
            axes.set_xlim(0.3, most + 0.7)
            axes.set_xticks([1, *range(4, most + 1, 4)] if most > 5 else range(1, most + 1))
            axes.set_xlabel(phrase("check_axis_rank", language))
            above(axes, phrase("check_column_p_best", language))
        finish(figure, "ranks_figure", context, values=values, page=page, **room)
    return figure


def check_ranks(inputs: CheckInputs) -> CheckResult:
    """Rank the combinations, over all indicators and for every average."""
    outcomes = [ALL_INDICATORS, *inputs.codebook.average_codes]
    level = inputs.settings.level
    frame = rank_combinations(inputs.draws["effect"], outcomes=outcomes, level=level)
    shown = inputs.blanked(frame).rename(columns={"rank_lower": "lower", "rank_upper": "upper"})
    best = frame.drop_duplicates("outcome").set_index("outcome")["combination"].to_dict()
    return result(
        inputs, "ranks", COLUMNS, shown, drawn={"frame": frame}, facts={"first": best},
        values={"combinations": int(frame["combinations"].max())},
    ).divided(len(outcomes), **panel_inches(frame))  # fmt: skip


CHECK: Final = Check(check_ranks)
