"""The report's own form: data, order, labels, caption."""

from __future__ import annotations

import numpy as np
import pytest
from frame_builders import ols_frame, small_codebook

from bipbayes.bip.facts import bip_codebook
from bipbayes.errors import DataError
from bipbayes.plots.interval_figure import interval_data, interval_figure
from bipbayes.wording import Context

CODEBOOK = small_codebook()
CONTEXT = Context(CODEBOOK, synthetic=True)


def test_data_are_the_frame_in_the_codebooks_order() -> None:
    """Catches rows in file order, the wrong errors, or another outcome's numbers."""
    frame = ols_frame(CODEBOOK)
    shuffled = frame.sample(frac=1, random_state=2)
    data = interval_data(shuffled, CONTEXT, outcome="q2", vcov="cluster_citizen")
    assert data["combination"].tolist() == ["00", "01", "10", "11"]
    assert data["label"].tolist() == ["none", "T", "K", "K+T"]
    chosen = frame.query(
        "outcome == 'q2' and estimand == 'effect' and vcov == 'cluster_citizen'"
    ).set_index("combination")
    for column in ("n", "estimate", "lower", "upper"):
        np.testing.assert_array_equal(data[column], chosen.loc[data["combination"], column])


def test_a_combination_without_an_estimate_keeps_its_place() -> None:
    """Catches points that slide to the left when a combination is empty."""
    frame = ols_frame(CODEBOOK)
    data = interval_data(frame[frame["combination"] != "01"], CONTEXT, outcome="q1")
    assert data["combination"].tolist() == ["00", "01", "10", "11"]
    assert np.isnan(data.loc[1, "estimate"])
    figure = interval_figure(data, context=CONTEXT, outcome="q1")
    labels = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert labels[1] == "T\n01\n"


def test_mixed_levels_are_refused() -> None:
    """Catches a figure whose caption names one level and whose lines have two."""
    frame = ols_frame(CODEBOOK)
    frame.loc[frame["combination"] == "01", "level"] = 0.9
    data = interval_data(frame, CONTEXT, outcome="q1")
    with pytest.raises(DataError, match=r"mix.*level"):
        interval_figure(data, context=CONTEXT, outcome="q1")


def test_what_the_figure_says() -> None:
    """Catches missing n, code, report figure, kind of interval, errors, synthetic, Danish."""
    codebook = bip_codebook()
    context = Context(codebook, synthetic=True, language="da", preliminary=True)
    data = interval_data(ols_frame(codebook), context, outcome="B1")
    figure = interval_figure(data, context=context, outcome="B1")
    axes = figure.axes[0]
    n = int(data.loc[10, "n"])
    assert axes.get_xticklabels()[10].get_text() == f"J+S\n1010\nn={n}"
    title, caption = (text.get_text().replace("\n", " ") for text in figure.texts)
    assert title == "B1 Ide om arbejde (syntetiske data)"
    for told in (
        "Svarer til rapportens figur 4.",
        "95 %-konfidensinterval, klassiske standardfejl",
        "gennemsnitlige progression",
        "Syntetiske data.",
        "Foreløbig.",
    ):
        assert told in caption
    assert axes.yaxis.get_major_formatter().format_ticks([-0.5, 0.25]) == ["−0,50", "0,25"]


def test_real_data_are_not_called_synthetic_nor_given_figure_numbers() -> None:
    """Catches a fixed caption."""
    context = Context(CODEBOOK, synthetic=False)
    data = interval_data(ols_frame(CODEBOOK), context, outcome="q1")
    caption = interval_figure(data, context=context, outcome="q1").texts[1].get_text()
    assert "ynthetic" not in caption
    assert "Figure" not in caption


def test_filled_where_zero_is_excluded() -> None:
    """Catches marks that disagree with the intervals."""
    frame = ols_frame(CODEBOOK)
    chosen = (frame["outcome"] == "q1") & (frame["estimand"] == "effect")
    frame.loc[chosen & (frame["combination"] == "00"), ["lower", "upper"]] = [0.01, 0.5]
    frame.loc[chosen & (frame["combination"] == "01"), ["lower", "upper"]] = [-0.01, 0.5]
    data = interval_data(frame, CONTEXT, outcome="q1")
    faces = interval_figure(data, context=CONTEXT, outcome="q1").axes[0].collections[-1]
    whites = (faces.get_facecolor()[:, :3] == 1).all(axis=1)
    assert not whites[0]
    assert whites[1]
