"""Residuals of groups of cells, and how far the quantiles of all residuals may stray.

A single cell hides a misfit that a whole jobcenter shows. The mean over a group's cells is held
against the same mean in data that the model predicts, so that correlated errors count as such.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from bipbayes.cells import CELL
from bipbayes.checks.figure import finish
from bipbayes.checks.inputs import Check, CheckInputs, CheckResult, result
from bipbayes.checks.table import GROUP, PROBABILITY, WORDS, Columns
from bipbayes.plots.style import (
    DIVERGING,
    across,
    bar_room,
    colour_bar,
    figure_style,
    ink_on,
    is_narrow,
    text_width,
)
from bipbayes.sampling.labels import SAMPLE
from bipbayes.wording import Context, combination_text, number, phrase

COLUMNS: Final[Columns] = {
    "by": WORDS,
    "group": GROUP,
    "n": 0,
    "mean": 3,
    "expected": 3,
    "sd": 3,
    "residual": 2,
    "pit": PROBABILITY,
}
_COLUMN: Final = 0.46  # inches
_SMALLEST: Final = 0.17  # inches, that a number takes
_TICK_SIZE: Final = 7.0
_LIMIT = 3.0  # at which the colours end


def group_residuals(
    cells: xr.Dataset, predicted: xr.DataArray, *, by: Sequence[str]
) -> pd.DataFrame:
    """Hold the mean of every group of cells against its prediction.

    `cells`: from `bipbayes.cells.cell_means`; `predicted`: from
    `bipbayes.checks.predictive.predicted_means` of the posterior; `by`: dims that make the groups,
    out of ``combination, jobcenter, indicator``.

    Returns: `by`, ``n`` (answers), ``mean`` and ``expected`` (cells weighted by their answers),
    ``sd`` (of the prediction), ``residual`` (standardised), ``pit``. Groups without answers are
    left out.
    """
    n = cells["n"].transpose(*CELL).astype("float64")
    rest = [dim for dim in CELL if dim not in by]
    total = n.sum(rest)
    weight = (n / total.where(total > 0)).fillna(0.0)
    observed = (cells["mean"].transpose(*CELL).fillna(0.0) * weight).sum(rest)
    replicated = xr.dot(predicted.fillna(0.0), weight, dim=rest)
    found = xr.Dataset(
        {
            "n": total,
            "mean": observed,
            "expected": replicated.mean(SAMPLE),
            "sd": replicated.std(SAMPLE, ddof=1),
            "pit": (replicated < observed).mean(SAMPLE),
        }
    ).drop_vars("respondent", errors="ignore")
    frame = found.to_dataframe(dim_order=list(by)).reset_index()
    frame = frame[frame["n"] > 0].reset_index(drop=True)
    residual = (frame["mean"] - frame["expected"]) / frame["sd"]
    first = [*by, "n", "mean", "expected", "sd"]
    return frame.assign(residual=residual)[[*first, "residual", "pit"]]


def residual_map(groups: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Arrange residuals by combination and jobcenter, with both margins.

    `groups`: ``by`` (``combination``, ``jobcenter`` or both joined by a space), ``combination``,
    ``jobcenter`` (empty in a margin), ``residual``; `context`: order of the combinations. Returns:
    index combinations, then ``""`` (all); columns jobcenters, then ``""``.
    """
    wide = groups.pivot(index="combination", columns="jobcenter", values="residual")
    jobcenters = [name for name in groups["jobcenter"].drop_duplicates() if name]
    used = [code for code in context.codebook.combinations if code in wide.index]
    return wide.reindex(index=[*used, ""], columns=[*jobcenters, ""])


def residuals_figure(
    groups: pd.DataFrame, *, context: Context, values: Mapping[str, object]
) -> Figure:
    """Draw the residuals of all blocks of cells (`residual_map`), with the margins at the ends."""
    language = context.language
    wide = residual_map(groups, context)
    shown = wide.to_numpy(dtype="float64")
    everything = phrase("check_everything", language)
    with figure_style():
        wide_as_drawn = 2.6 + _COLUMN * shown.shape[1]
        width = max(across(wide_as_drawn), 1.5 + _SMALLEST * shown.shape[1])
        cell = _COLUMN - (wide_as_drawn - width) / shown.shape[1]
        figure = Figure(figsize=(width, 1.9 + 0.24 * shown.shape[0] + bar_room()))
        axes = figure.add_subplot()
        axes.set_facecolor("#D9D9D9")
        image = axes.imshow(shown, cmap=DIVERGING, norm=Normalize(-_LIMIT, _LIMIT), aspect="auto")
        for row, column in np.argwhere(np.isfinite(shown)):
            value = shown[row, column]
            axes.text(
                column, row, number(value, 1, language=language), ha="center", va="center",
                size=6, color=ink_on(image.to_rgba(value)),
            )  # fmt: skip
        names = [c and combination_text(context.codebook, c, language=language) for c in wide.index]
        axes.set_yticks(range(len(names)), [name or everything for name in names])
        sites = [name or everything for name in wide.columns]
        long = max(text_width(name, _TICK_SIZE) for name in sites) > cell
        axes.set_xticks(range(len(sites)), sites, rotation=90 if long else 0)
        axes.tick_params(length=0)
        axes.add_patch(Rectangle((shown.shape[1] - 1.5, len(names) - 1.5), 1, 1, color="white"))
        axes.axhline(len(names) - 1.5, color="white", linewidth=3)
        axes.axvline(len(wide.columns) - 1.5, color="white", linewidth=3)
        axes.spines[:].set_visible(False)
        axes.set_xlabel(phrase("check_column_by_jobcenter", language))
        finish(
            figure, "residuals_figure", context, values=values, letters=True, left=1.35,
            right=0.12 if is_narrow() else 0.75, top=0.45 + bar_room(),
        )  # fmt: skip
        colour_bar(figure, image, axes, language=language, gap=0.1, extend="both")
    return figure


def check_residuals(inputs: CheckInputs) -> CheckResult:
    """Hold whole combinations, jobcenters and both against their posterior prediction."""
    predicted = inputs.predicted
    frames = []
    for by in (["combination"], ["jobcenter"], ["indicator"], ["combination", "jobcenter"]):
        rows = group_residuals(inputs.cells, predicted, by=by)
        frames.append(rows.assign(by=" ".join(by), group=rows[by[0]] if len(by) == 1 else ""))
    frame = pd.concat(frames, ignore_index=True)
    labels = ["by", "group", *CELL]
    frame[list(CELL)] = frame[list(CELL)].fillna("")
    frame = frame[[*labels, *(name for name in frame.columns if name not in labels)]]
    mapped = frame[frame["by"] != "indicator"]
    raw = frame if inputs.synthetic else _protected(frame, inputs)
    shown = raw[raw["by"].isin(["combination", "jobcenter"])]
    facts = {"largest": float(frame["residual"].abs().max())}
    return result(
        inputs, "residuals", COLUMNS, shown, raw=raw, drawn={"groups": mapped}, facts=facts
    )


def _protected(frame: pd.DataFrame, inputs: CheckInputs) -> pd.DataFrame:
    """Leave out pairs and blank groups of few responses (data that are not synthetic)."""
    rows = frame[frame["by"] != "combination jobcenter"].copy()
    numbers = rows.select_dtypes("number").columns
    few = rows["n"] / inputs.cells.sizes["indicator"] < inputs.settings.minimum_count
    few &= rows["by"] != "indicator"
    combinations = rows[rows["by"] == "combination"]
    blank = inputs.blanked(combinations)["mean"].isna()
    few |= blank.reindex(rows.index, fill_value=False)
    rows[numbers] = rows[numbers].astype("float64").mask(few)
    return rows


CHECK: Final = Check(check_residuals)
