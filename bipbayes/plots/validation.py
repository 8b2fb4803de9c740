"""What the simulation study found: ranks of calibration, coverage and error of every analysis."""

from typing import Any, Final

import arviz_base
import arviz_plots
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bipbayes.phrases import catalogue
from bipbayes.plots.captions import titled
from bipbayes.plots.style import (
    BAND,
    GREY,
    OLS_COLOUR,
    OLS_MARKER,
    POSTERIOR_COLOUR,
    POSTERIOR_MARKER,
    across,
    beside,
    decimal_axis,
    figure_style,
    furnish,
    is_narrow,
    panel_titles,
)
from bipbayes.plots.task import WHOLE, Page
from bipbayes.wording import Context, parameter_words, phrase


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
    columns = beside(3, 1.55, besides=0.2)
    rows = -(-len(data) // columns)
    title = phrase("calibration_title", language, model=model)
    with figure_style():
        collection = arviz_plots.plot_ecdf_pit(
            tree,
            group="prior_sbc",
            sample_dims=["sample"],
            method="pot_c",
            visuals={"p_value_text": False},
            backend="matplotlib",
            col_wrap=columns,
            figure_kwargs={"figsize": (across(10), 1.4 + (1.8 if is_narrow() else 2.2) * rows)},
        )
        figure: Figure = collection.viz["figure"].item()
        names = {name.replace(" ", "_"): name for name in shares["quantity"]}
        _label_panels(figure, names, language)
        further = panel_titles(figure, across(10) / columns)
        furnish(
            figure,
            title=titled(context, title),
            caption=phrase("calibration_marks", language, rounds=rounds),
            left=0.65,
            top=0.7 + further,
            gap=0.3,
        )
        figure.subplots_adjust(hspace=0.9 if is_narrow() else 0.7)
    return figure


def _label_panels(figure: Figure, names: dict[str, str], language: str) -> None:
    """Name quantities and axes in words, with the language's decimal mark."""
    for axes in filter(lambda axes: axes.axison, figure.axes):  # not the empty place of a grid
        name = names.get(axes.get_title(), axes.get_title())
        key = f"calibration_{name.replace(' ', '_')}"
        known = key in catalogue()
        axes.set_title(phrase(key, language) if known else parameter_words(name, language=language))
        for which in ("x", "y"):
            decimal_axis(axes, which, language=language)
        axes.tick_params(labelbottom=True)
        place = axes.get_subplotspec()
        first = place is None or place.is_first_col()
        axes.set_xlabel(phrase("rank_axis", language))
        axes.set_ylabel(phrase("rank_difference", language) if first else "")


_BETWEEN: Final = 0.65  # inches, of panels below one another
_NARROW_BETWEEN: Final = 0.85  # where the words under them take two lines
GOAL: Final = (0.93, 0.97)
PANELS: Final = (
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
    chosen = [pair in PANELS for pair in zip(table["estimand"], table["target"], strict=True)]
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


def coverage_figure(table: pd.DataFrame, *, context: Context, page: Page = WHOLE) -> Figure:
    """Draw coverage (top) and root mean square error (below) for four kinds of estimand."""
    panels = PANELS[page.rows]
    between = _NARROW_BETWEEN if is_narrow() else _BETWEEN
    language = context.language
    data = coverage_data(table)
    labels = data.drop_duplicates("row").sort_values("row")
    with figure_style():
        columns = beside(len(panels), 2.0, besides=1.5)
        lines = 2 * (len(panels) // columns)
        height = 2.2 + 0.21 * lines * len(labels) + (lines - 2) * between
        figure = Figure(figsize=(across(12.0), height))
        grid = figure.subplots(lines, columns, sharey=True, squeeze=False)
        for place, panel in enumerate(panels):
            line, column = 2 * (place // columns), place % columns
            above, below = grid[line, column], grid[line + 1, column]
            rows = data[(data["estimand"] == panel[0]) & (data["target"] == panel[1])]
            _draw_measure(above, rows, measure="covered_95")
            _draw_measure(below, rows, measure="rmse")
            above.axvspan(*GOAL, color="#DDDDDD", zorder=0)
            above.axvline(0.95, color=GREY, linewidth=0.6)
            above.set_xlim(min(0.7, data["covered_95"].min() - 0.02), 1.005)
            # One or two replicates have no Monte Carlo error.
            widest = (rows["rmse"] + rows["rmse_mcse"].fillna(0.0)).max()
            below.set_xlim(0, 1.12 * widest)
            for axes in (above, below):
                decimal_axis(axes, "x", language=language)
            above.set_title(phrase(f"coverage_{'_'.join(panel)}", language), loc="left")
        for line, row in enumerate(grid):
            row[0].set_yticks(list(labels["row"]), list(labels["label"]))
            row[0].set_ylim(len(labels) - 0.4, -0.6)
            name = ("coverage_axis", "error_axis")[line % 2]
            # Under few panels the words begin with the first, so that they do not leave the page.
            few = columns < len(PANELS)
            where = {"loc": "left"} if few else {}
            row[0 if few else 1].set_xlabel(phrase(name, language), color=GREY, **where)
        counts = {name: int(table[name].max()) for name in ("replicates", "truths")}
        furnish(
            figure,
            title=titled(context, phrase("coverage_title", language), page),
            caption=phrase("coverage_marks", language, **counts),
            left=3.2,
            top=0.6,
            gap=(0.16, between),
        )
        if lines == 2 and not is_narrow():
            figure.subplots_adjust(hspace=0.5)
    return figure
