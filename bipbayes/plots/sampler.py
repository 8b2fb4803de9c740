"""Pictures of the sampler: ranks of the draws by chain and energies, drawn by ArviZ."""

import math
from typing import Any, Final, cast

import arviz_plots
import arviz_stats
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bipbayes.phrases import decimals_marked
from bipbayes.plots.captions import caption, titled
from bipbayes.plots.style import (
    across,
    beside,
    decimal_axis,
    figure_style,
    furnish,
    is_narrow,
    panel_titles,
)
from bipbayes.sampling.labels import SAMPLE, elements
from bipbayes.wording import Context, number, parameter_words, phrase

_COLUMNS: Final = 3
_FEWEST: Final = 20  # draws of a chain that a picture of ranks needs
_ROOM: Final = 0.15
_CHAIN_COLOURS: Final = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#000000")
_CHAIN_STYLES: Final = ("-", "--", "-.", ":")


def flatten(draws: xr.Dataset) -> xr.Dataset:
    """Return the same draws with one variable for every label: ``order_sd[1]``."""
    coords = {dim: draws[dim] for dim in SAMPLE}
    return xr.Dataset({name: (SAMPLE, one) for name, one in elements(draws).items()}, coords)


def thinned(flat: xr.Dataset) -> tuple[xr.Dataset, int]:
    """Keep every k-th draw, so that they are about as independent as ArviZ's test takes them.

    Returns
    -------
    tuple
        The draws kept, and k: draws over the smallest effective sample size, rounded up.
    """
    total = flat.sizes["chain"] * flat.sizes["draw"]
    sizes = cast(Any, arviz_stats).ess(flat, method="bulk")
    least = min(float(size) for size in sizes.data_vars.values())
    step = max(1, math.ceil(total / least)) if least > 0 else 1
    step = min(step, max(1, flat.sizes["draw"] // _FEWEST))
    return flat.isel(draw=slice(None, None, step)), step


def rank_figure(draws: xr.Dataset, *, context: Context) -> Figure:
    """Draw Delta-ECDFs of the ranks, one panel a hyperparameter, one line a chain."""
    language = context.language
    flat, step = thinned(flatten(draws))
    flat = flat.rename({n: parameter_words(str(n), language=language) for n in flat.data_vars})
    columns = min(beside(_COLUMNS, 1.4), len(flat.data_vars))
    rows = -(-len(flat.data_vars) // columns)
    chains = flat.sizes["chain"]
    with figure_style():
        collection = arviz_plots.plot_rank(
            xr.DataTree.from_dict({"posterior": flat}),
            backend="matplotlib",
            col_wrap=columns,
            aes={"color": ["chain"], "linestyle": ["chain"]},
            color=[_CHAIN_COLOURS[k % len(_CHAIN_COLOURS)] for k in range(chains)],
            linestyle=[_CHAIN_STYLES[k % len(_CHAIN_STYLES)] for k in range(chains)],
            visuals={"ecdf_lines": {"width": 1.0}, "remove_axis": False},
            figure_kwargs={
                "figsize": (across(2.6 * columns + 0.7), 1.75 * rows + 0.9),
                "figsize_units": "inches",
                "layout": "none",
            },
        )
        figure: Figure = collection.viz["figure"].item()
        _label_ranks(figure, language)
        further = panel_titles(figure, across(math.inf) / columns)
        narrow = is_narrow()
        furnish(
            figure,
            title=titled(context, phrase("rank_title", language)),
            caption=caption(context, [phrase("rank_marks", language, step=step)]),
            left=0.65,
            top=0.65 + further + (0.35 if narrow else 0.0),
            gap=0.35,
        )
        figure.subplots_adjust(hspace=1.2 if narrow else 0.6)
        _legend(figure, chains, language, 0.25 + further)
    return figure


def energy_figure(energy: xr.DataArray, *, context: Context) -> Figure:
    """Draw the distributions of energies and transitions."""
    language = context.language
    tree = xr.DataTree.from_dict({"sample_stats": xr.Dataset({"energy": energy})})
    with figure_style():
        collection = arviz_plots.plot_energy(
            tree,
            backend="matplotlib",
            show_bfmi=False,
            color=list(_CHAIN_COLOURS[:2]),
            figure_kwargs={
                "figsize": (across(6.0), 3.6),
                "figsize_units": "inches",
                "layout": "none",
            },
        )
        figure: Figure = collection.viz["figure"].item()
        for axes in figure.axes:
            axes.set_xlabel(phrase("energy_axis", language))
        _translate_energy(figure, language)
        values = np.atleast_1d(cast(Any, arviz_stats).bfmi(tree)["energy"].to_numpy())
        bfmi = "; ".join(number(float(value), 2, language=language) for value in values)
        furnish(
            figure,
            title=titled(context, phrase("energy_title", language)),
            caption=caption(context, [phrase("energy_marks", language, bfmi=bfmi)]),
            left=0.6,
        )
        place = figure.axes[0].get_position()
        for legend in figure.legends:  # ArviZ puts it where the title is
            legend.set_loc("upper right")
            legend.set_bbox_to_anchor((place.x1, place.y1))
    return figure


def _label_ranks(figure: Figure, language: str) -> None:
    limits = [axes.get_ylim() for axes in figure.axes]
    for axes, (low, high) in zip(figure.axes, limits, strict=True):
        axes.set_ylim(low, high + _ROOM * (high - low))  # for the text above the lines
        decimal_axis(axes, "x", language=language)
        decimal_axis(axes, "y", language=language)
        axes.tick_params(labelbottom=True)
        axes.set_xlabel(phrase("rank_axis", language))
        place = axes.get_subplotspec()
        beginning = place is None or place.is_first_col()
        axes.set_ylabel(phrase("rank_difference", language) if beginning else "")
        for text in axes.texts:
            # ArviZ writes the test's p value with a point and without a space.
            told = text.get_text().replace("p=0.00", "p<0.01").replace("(", " (")
            text.set_text(decimals_marked(told, language))
            text.set_fontsize(7)


def _legend(figure: Figure, chains: int, language: str, above: float) -> None:
    """Name the chains at the title's end; in a column, so many inches above the panels."""
    handles = [
        Line2D(
            [],
            [],
            color=_CHAIN_COLOURS[k % len(_CHAIN_COLOURS)],
            linestyle=_CHAIN_STYLES[k % len(_CHAIN_STYLES)],
            label=phrase("chain", language, number=k + 1),
        )
        for k in range(chains)
    ]
    if not is_narrow():
        figure.legend(handles=handles, loc="upper right", ncols=chains)
        return
    first, height = figure.axes[0].get_position(), figure.get_size_inches()[1]
    corner, look = (0.02, first.y1 + above / height), {"columnspacing": 0.8, "handlelength": 1.4}
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=corner, ncols=min(chains, 4), **look
    )


def _translate_energy(figure: Figure, language: str) -> None:
    """Put ArviZ's legend into the language, and tell the curves apart without colour."""
    names = [phrase(f"energy_{name}", language) for name in ("marginal", "transition")]
    curves = figure.axes[0].get_lines()
    for legend in figure.legends:
        for text, name in zip(legend.get_texts(), names, strict=True):
            text.set_text(name)
        for lines in (curves, legend.get_lines()):
            lines[-1].set_linestyle("--")
