"""Ranks of simulation-based calibration, drawn by ArviZ."""

from typing import Any

import arviz_base
import arviz_plots
import pandas as pd
from matplotlib.figure import Figure

from bipbayes.plots.style import figure_style, furnish
from bipbayes.wording import phrase


def calibration_data(shares: pd.DataFrame, model: str) -> dict[str, Any]:
    """Return the shares of one model by quantity."""
    chosen = shares[shares["model"] == model]
    wide = chosen.pivot(index="round", columns="quantity", values="share")
    order = list(dict.fromkeys(chosen["quantity"]))
    return {name.replace(" ", "_"): wide[name].to_numpy() for name in order}


def calibration_figure(shares: pd.DataFrame, *, model: str, language: str = "en") -> Figure:
    """Draw the difference of the ranks' distribution from the uniform one, by quantity."""
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
            title=f"{title} ({phrase('synthetic', language)})",
            caption=phrase("calibration_marks", language, rounds=rounds),
            left=0.6,
            top=0.7,
            gap=0.3,
        )
        figure.subplots_adjust(hspace=0.7)
    return figure
