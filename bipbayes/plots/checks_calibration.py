"""Ranks of simulation-based calibration, drawn by ArviZ."""

from typing import Any, Final

import arviz_base
import arviz_plots
import pandas as pd
from matplotlib.figure import Figure

from bipbayes.plots.style import figure_style, furnish
from bipbayes.wording import phrase, pick

_TITLE: Final = ("Calibration of the model {model}", "Kalibrering af modellen {model}")
_MARKS: Final = (
    "Difference between the distribution of the ranks of known truths among posterior draws and "
    "the uniform distribution, {rounds} rounds of synthetic data drawn from the model's own prior. "
    "Marked points speak most against uniform ranks; a calibrated quantity has none.",
    "Forskel mellem fordelingen af kendte sandheders rang blandt posteriortrækninger og den "
    "ensartede fordeling, {rounds} runder med syntetiske data trukket fra modellens egen "
    "priorfordeling. Markerede punkter taler mest imod ensartede range; en kalibreret størrelse "
    "har ingen.",
)


def calibration_data(shares: pd.DataFrame, model: str) -> dict[str, Any]:
    """Return the shares of one model by quantity.

    Parameters
    ----------
    shares
        From `bipbayes.validation.calibration.run_calibration`.
    model
        Its name.
    """
    chosen = shares[shares["model"] == model]
    wide = chosen.pivot(index="round", columns="quantity", values="share")
    order = list(dict.fromkeys(chosen["quantity"]))
    return {name.replace(" ", "_"): wide[name].to_numpy() for name in order}


def calibration_figure(shares: pd.DataFrame, *, model: str, language: str = "en") -> Figure:
    """Draw the difference of the ranks' distribution from the uniform one, by quantity.

    Parameters
    ----------
    shares
        From `bipbayes.validation.calibration.run_calibration`.
    model
        Its name.
    language
        ``en`` or ``da``.

    Returns
    -------
    matplotlib.figure.Figure
        Save it with `bipbayes.plots.save.save_figure`.
    """
    data = calibration_data(shares, model)
    rounds = len(next(iter(data.values())))
    tree = arviz_base.from_dict({"prior_sbc": data}, sample_dims=["sample"])
    rows = -(-len(data) // 3)
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
            title=f"{pick(_TITLE, language).format(model=model)} ({phrase('synthetic', language)})",
            caption=pick(_MARKS, language).format(rounds=rounds),
            left=0.6,
            top=0.7,
            gap=0.3,
        )
        figure.subplots_adjust(hspace=0.7)
    return figure
