"""Pictures of the checks: what is drawn is what the frames say."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from figure_words import collisions
from frame_builders import small_codebook

from bipbayes.plots.save import misfit, save_figure
from bipbayes.plots.style import drawn_for
from bipbayes.plots.task import COLUMN, PRINT_ROOM, pages
from bipbayes.plots.validation import (
    PANELS,
    calibration_data,
    calibration_figure,
    coverage_data,
    coverage_figure,
)
from bipbayes.run.validate_stage import PRINTED
from bipbayes.wording import Context

CONTEXT = Context(small_codebook(), synthetic=True)


def _table() -> pd.DataFrame:
    rows = [
        {
            "source": source,
            "engine": engine,
            "model": model,
            "vcov": vcov,
            "analysis": "",
            "estimand": estimand,
            "target": target,
            "replicates": 10,
            "truths": 5,
            "covered_95": 0.94 + 0.01 * place,
            "covered_95_mcse": 0.01,
            "rmse": 0.1 / (place + 1),
            "rmse_mcse": 0.004,
        }
        for place, (source, engine, model, vcov) in enumerate(
            [("ols", "", "", "classical"), ("posterior", "nuts", "hierarchical", "citizen")]
        )
        for estimand in ("effect", "contrast")
        for target in ("single", "overall", "average, all answers")
        if source == "posterior" or target != "overall"
    ]
    return pd.DataFrame(rows)


def test_coverage_has_a_row_for_every_analysis(tmp_path):
    """Catches analyses that share a row, averages in a panel, or a drawing that fails."""
    data = coverage_data(_table())
    assert data.drop_duplicates("row")["label"].tolist() == [
        "OLS, classical", "hierarchical, citizen, nuts",
    ]  # fmt: skip
    assert set(data["target"]) == {"single", "overall"}
    figure = coverage_figure(_table(), context=replace(CONTEXT, language="da"))
    assert len(figure.axes) == 8
    text = " ".join(entry.get_text() for entry in figure.texts)
    assert "Syntetiske data" in text
    files = save_figure(figure, tmp_path / "coverage", formats=("png",))
    assert files[0].stat().st_size > 10_000


@pytest.mark.parametrize("size", ["", COLUMN, "page"])
def test_pictures_of_a_campaign_are_whole_in_danish(size: str) -> None:
    """Catches words over words and off the page, points for commas, and columns four feet high.

    In a column the figure of coverage was 14.7 inches high, at a page its axis left the page.
    """
    context = replace(CONTEXT, language="da")
    shares = pd.DataFrame({"model": "m", "round": np.tile(np.arange(30), 3), "share": 0.4})
    shares["quantity"] = np.repeat(["combination_effect_sd", "best known effect", "b"], 30)
    with drawn_for(size=size):
        figures = [
            coverage_figure(_table(), context=context, page=page)
            for page in pages(len(PANELS), PRINTED.get(size, 1.0), room=PRINT_ROOM.get(size, 9.0))
        ]
        figures.append(calibration_figure(shares, model="m", context=context))
    for figure in figures:
        assert collisions(figure) == [] and misfit(figure, size) == ""
        ticks = [text.get_text() for axes in figure.axes for text in axes.get_xticklabels()]
        assert any("," in tick for tick in ticks) and not any("." in tick for tick in ticks)
    assert figures[-1].axes[1].get_title(loc="left") == "bedst kendte effekt"


def test_two_replicates_have_no_monte_carlo_error() -> None:
    """Catches a campaign of one or two replicates that ends in a traceback at its picture."""
    table = _table()
    errors = [name for name in table if name.endswith("_mcse")]
    figure = coverage_figure(table.assign(**dict.fromkeys(errors, np.nan)), context=CONTEXT)
    assert all(np.isfinite(axes.get_xlim()).all() for axes in figure.axes)


def test_calibration_draws_every_quantity_of_one_model(tmp_path):
    """Catches rounds of two models mixed, or quantities left out."""
    rng = np.random.default_rng(1)
    shares = pd.DataFrame(
        {
            "model": np.repeat(["one", "two"], 60),
            "round": np.tile(np.repeat(np.arange(30), 2), 2),
            "quantity": np.tile(["a sd", "b"], 60),
            "share": rng.uniform(size=120),
        }
    )
    data = calibration_data(shares, "two")
    assert list(data) == ["a_sd", "b"]
    expected = shares[(shares["model"] == "two") & (shares["quantity"] == "b")]["share"]
    np.testing.assert_array_equal(data["b"], expected)
    figure = calibration_figure(shares, model="two", context=CONTEXT)
    files = save_figure(figure, tmp_path / "x", formats=("png",))
    assert files[0].stat().st_size > 10_000
