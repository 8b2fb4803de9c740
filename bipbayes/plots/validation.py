"""What the simulation study found: ranks of calibration, coverage and error of every analysis."""

from typing import Any, Final

import arviz_base
import arviz_plots
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bipbayes.plots.captions import titled
from bipbayes.plots.style import (
    BAND,
    GREY,
    OLS_COLOUR,
    OLS_MARKER,
    POSTERIOR_COLOUR,
    POSTERIOR_MARKER,
    figure_style,
    furnish,
)
from bipbayes.wording import Context, phrase


def calibration_data(shares: pd.DataFrame, model: str) -> dict[str, Any]:
    """Return the shares of one model by quantity."""
    chosen = shares[shares["model"] == model]
    wide = chosen.pivot(index="round", columns="quantity", values="share")
    order = list(dict.fromkeys(chosen["quantity"]))
    return {name.replace(" ", "_"): wide[name].to_numpy() for name in order}


def calibration_figure(shares: pd.DataFrame, *, model: str, context: Context) -> Figure:
    """Draw the difference of the ranks' distribution from the uniform one, by quantity."""
    language = context.language
    data = calibration_data(shares, model)
    rounds = len(next(iter(data.values())))
    tree = arviz_base.from_dict({"prior_sbc": data}, sample_dims=["sample"])
    rows = -(-len(data) // 3)
    title = phrase("calibration_title", language, model=model)
    with figure_style():
        collection = arviz_plots.plot_ecdf_pit(
            tree,
            group="prior_sbc",
            sample_dims=["sample"],
            method="pot_c",
            visuals={"p_value_text": False},
            backend="matplotlib",
            col_wrap=3,
            figure_kwargs={"figsize": (10, 1.4 + 2.2 * rows)},
        )
        figure: Figure = collection.viz["figure"].item()
        furnish(
            figure,
            title=titled(context, title),
            caption=phrase("calibration_marks", language, rounds=rounds),
            left=0.6,
            top=0.7,
            gap=0.3,
        )
        figure.subplots_adjust(hspace=0.7)
    return figure


GOAL: Final = (0.93, 0.97)
_PANELS: Final = (
    ("effect", "single"),
    ("contrast", "single"),
    ("effect", "overall"),
    ("contrast", "overall"),
)


def coverage_data(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a coverage table that are drawn, with a label for each analysis.

    Returns
    -------
    pandas.DataFrame
        With ``label`` and ``row`` (0 at the top; the same in all panels).
    """
    chosen = [pair in _PANELS for pair in zip(table["estimand"], table["target"], strict=True)]
    data = table[chosen].copy()
    model = data["model"].where(data["model"] != "", "OLS")
    engine = data["engine"].where(data["engine"] == "", ", " + data["engine"])
    adjusted = data["analysis"].where(data["analysis"] == "", ", " + data["analysis"])
    data["label"] = model + ", " + data["vcov"] + adjusted + engine
    order = {label: row for row, label in enumerate(dict.fromkeys(data["label"]))}
    data["row"] = data["label"].map(order)
    return data


def _draw_measure(axes: Axes, data: pd.DataFrame, *, measure: str) -> None:
    """Draw one measure of one panel."""
    for source, colour, marker in (
        ("ols", OLS_COLOUR, OLS_MARKER),
        ("posterior", POSTERIOR_COLOUR, POSTERIOR_MARKER),
    ):
        rows = data[data["source"] == source]
        axes.errorbar(
            rows[measure],
            rows["row"],
            xerr=2 * rows[f"{measure}_mcse"],
            fmt=marker,
            color=colour,
            markersize=4,
            linewidth=1,
        )
    axes.grid(axis="y", color=BAND)
    axes.tick_params(axis="y", length=0)


def coverage_figure(table: pd.DataFrame, *, context: Context) -> Figure:
    """Draw coverage (top) and root mean square error (below) for four kinds of estimand."""
    language = context.language
    data = coverage_data(table)
    labels = data.drop_duplicates("row").sort_values("row")
    with figure_style():
        figure = Figure(figsize=(12.0, 2.2 + 0.42 * len(labels)))
        grid = figure.subplots(2, len(_PANELS), sharey=True, squeeze=False)
        for column, panel in enumerate(_PANELS):
            rows = data[(data["estimand"] == panel[0]) & (data["target"] == panel[1])]
            _draw_measure(grid[0, column], rows, measure="covered_95")
            _draw_measure(grid[1, column], rows, measure="rmse")
            grid[0, column].axvspan(*GOAL, color="#DDDDDD", zorder=0)
            grid[0, column].axvline(0.95, color=GREY, linewidth=0.6)
            grid[0, column].set_xlim(min(0.7, data["covered_95"].min() - 0.02), 1.005)
            # One or two replicates have no Monte Carlo error.
            widest = (rows["rmse"] + rows["rmse_mcse"].fillna(0.0)).max()
            grid[1, column].set_xlim(0, 1.12 * widest)
            grid[0, column].set_title(phrase(f"coverage_{'_'.join(panel)}", language), loc="left")
        for row, name in enumerate(("coverage_axis", "error_axis")):
            grid[row, 0].set_yticks(list(labels["row"]), list(labels["label"]))
            grid[row, 0].set_ylim(len(labels) - 0.4, -0.6)
            grid[row, 1].set_xlabel(phrase(name, language), color=GREY)
        counts = {name: int(table[name].max()) for name in ("replicates", "truths")}
        furnish(
            figure,
            title=titled(context, phrase("coverage_title", language)),
            caption=phrase("coverage_marks", language, **counts),
            left=3.2,
            top=0.6,
            gap=0.16,
        )
        figure.subplots_adjust(hspace=0.5)
    return figure
