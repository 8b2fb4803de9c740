"""Forests: OLS beside ArviZ's posterior forest on the same rows and scale."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from frame_builders import effect_draws, long_frame, small_codebook
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bipbayes.intervals import ALL_INDICATORS
from bipbayes.plots.forest import forest_caption, forest_figure, shared_limits
from bipbayes.plots.forest_rows import forest_data, inner_limits, jobcenter_data
from bipbayes.plots.heatmap import heatmap_data, heatmap_figure
from bipbayes.wording import Context

CODEBOOK = small_codebook()
CONTEXT = Context(CODEBOOK, synthetic=True)
FRAME = long_frame(CODEBOOK)


@pytest.fixture(scope="module")
def forest() -> Iterator[Figure]:
    inner = inner_limits(effect_draws(CODEBOOK).sel(outcome="q1")) / 10
    rows = forest_data(FRAME, CONTEXT, outcome="q1", inner=inner)
    figure = forest_figure(rows, context=CONTEXT, title="q1 Sleep", outcome="q1")
    yield figure
    plt.close(figure)


def _by_height(axes: Axes) -> list[str]:
    texts = [text for text in axes.texts if text.get_text()]
    ordered = sorted(texts, key=lambda text: -text.get_position()[1])
    return [text.get_text() for text in ordered]


def test_rows_hold_both_sources_of_the_same_quantity() -> None:
    """Catches OLS of one outcome or estimand beside the posterior of another."""
    rows = forest_data(FRAME.sample(frac=1, random_state=1), CONTEXT, outcome="q2").frame
    keys = {"outcome": "q2", "estimand": "effect", "combination": "10"}
    chosen = FRAME[(FRAME[list(keys)] == pd.Series(keys)).all(axis=1)]
    row = rows.set_index("combination").loc["10"]
    ols = chosen[chosen["vcov"] == "classical"].iloc[0]
    posterior = chosen[chosen["source"] == "posterior"].iloc[0]
    assert row["ols_lower"] == ols["lower"]
    assert row["posterior_upper"] == posterior["upper"]
    assert row["n"] == ols["n"]
    assert rows["combination"].tolist() == list(CODEBOOK.combinations)


def test_contrasts_have_no_row_of_the_reference() -> None:
    """Catches an empty row for the combination that contrasts start from."""
    rows = forest_data(FRAME, CONTEXT, outcome="q1", estimand="contrast")
    assert rows.frame["combination"].tolist() == ["01", "10", "11"]
    assert rows.ols is not None
    assert rows.ols.estimand == "contrast"


def test_inner_limits_are_quantiles_of_the_draws() -> None:
    """Catches limits of another level, or quantiles over the wrong dims."""
    draws = effect_draws(CODEBOOK).sel(outcome="q1")
    pooled = draws.sel(combination="11").to_numpy().ravel()
    limits = inner_limits(draws).loc["11"]
    np.testing.assert_allclose(limits, np.quantile(pooled, [0.25, 0.75]))


def test_columns_share_rows_order_and_scale(forest: Figure) -> None:
    """Catches a column upside down or on a scale of its own."""
    labels, ols, posterior, n = forest.axes
    assert _by_height(labels) == ["00  none", "01  T", "10  K", "11  K+T"]
    counts = forest_data(FRAME, CONTEXT, outcome="q1").frame["n"]
    assert _by_height(n)[-4:] == [str(int(count)) for count in counts]
    assert ols.get_xlim() == posterior.get_xlim()
    assert ols.get_ylim() == posterior.get_ylim() == labels.get_ylim() == n.get_ylim()


def test_intervals_are_drawn_where_the_frame_says(forest: Figure) -> None:
    """Catches ArviZ recomputing intervals, and OLS on another row than its label."""
    _, ols, posterior, _ = forest.axes
    rows = forest_data(FRAME, CONTEXT, outcome="q1").frame
    drawn = [
        line.get_xdata()
        for line in posterior.lines
        if len(line.get_xdata()) == 2 and line.get_linewidth() < 2
    ]
    expected = rows[["posterior_lower", "posterior_upper"]].to_numpy()
    for low, high in expected:
        assert any(np.allclose(ends, (low, high)) for ends in drawn)
    segments = next(c for c in ols.collections if hasattr(c, "get_segments")).get_segments()
    by_height = sorted(segments, key=lambda segment: -segment[0][1])
    ends = [segment[:, 0].tolist() for segment in by_height]
    np.testing.assert_allclose(ends, rows[["ols_lower", "ols_upper"]].to_numpy())


def test_the_scale_holds_every_interval_and_zero() -> None:
    """Catches clipped intervals and a zero line outside the picture."""
    frame = pd.DataFrame({"ols_lower": [0.2], "ols_upper": [0.9], "posterior_lower": [np.nan]})
    low, high = shared_limits(frame)
    assert low < 0
    assert high > 0.9


def test_the_caption_names_both_kinds_of_interval(forest: Figure) -> None:
    """Catches one interval called by the other's name, and a missing synthetic."""
    caption = forest.texts[1].get_text().replace("\n", " ")
    assert "OLS: 95 % confidence interval, classical errors." in caption
    assert "Posterior (model hierarchical): 95 % credible interval (equal-tailed)" in caption
    assert "average progress" in caption
    assert "Synthetic data." in caption


def test_without_ols_there_is_no_empty_column() -> None:
    """Catches a blank OLS panel, and the prior-driven mark getting lost."""
    frame = FRAME.copy()
    chosen = (frame["outcome"] == ALL_INDICATORS) & (frame["combination"] == "11")
    frame.loc[chosen, "note"] = "prior-driven"
    rows = forest_data(frame, CONTEXT, outcome=ALL_INDICATORS)
    assert rows.ols is None
    figure = forest_figure(rows, context=CONTEXT, title="All")
    assert len(figure.axes) == 3
    assert _by_height(figure.axes[2])[-1].endswith("†")
    assert "driven by the prior" in figure.texts[1].get_text().replace("\n", " ")
    plt.close(figure)


def test_jobcenters_stand_in_order_then_all_then_new() -> None:
    """Catches jobcenters of another combination, and the summary rows among them."""
    context = Context(CODEBOOK, synthetic=True, language="da")
    rows = jobcenter_data(FRAME, context, combination="01").frame
    expected = ["north", "south", "west", "Alle steder", "Sted uden for data"]
    assert rows["label"].tolist() == expected
    frame = FRAME[(FRAME["outcome"] == ALL_INDICATORS) & (FRAME["combination"] == "01")]
    whole = frame[frame["estimand"] == "effect"].iloc[0]
    assert rows.loc[3, "posterior_estimate"] == whole["estimate"]


def test_a_jobcenter_not_seen_has_no_responses() -> None:
    """Catches the widest interval beside the largest n: that of all jobcenters together."""
    rows = jobcenter_data(FRAME, CONTEXT, combination="01").frame.set_index("label")
    assert np.isnan(rows.loc["Site not seen", "n"])
    assert rows.loc["All sites", "n"] > 0


def test_averages_with_another_zero_say_so_under_their_figures() -> None:
    """Catches effects of all answers drawn against the zero of complete responses, unsaid."""
    own = FRAME["source"].eq("posterior") & FRAME["estimand"].eq("effect")
    own &= FRAME["outcome"].eq("citizen_mean")
    centre = (FRAME["n"] / FRAME.loc[own, "n"].sum() * FRAME["estimate"])[own].sum()
    for shift, said in ((0.0, False), (-0.05, True)):
        moved = FRAME.assign(
            estimate=FRAME["estimate"].mask(own, FRAME["estimate"] - centre + shift)
        )
        rows = forest_data(moved, CONTEXT, outcome="citizen_mean")
        told = forest_caption(rows, CONTEXT, "citizen_mean")
        assert ("zero is the mean change of complete responses" in told) == said
        assert "zero is" not in forest_caption(rows, CONTEXT, "q1")
        figure = heatmap_figure(heatmap_data(moved, CONTEXT), context=CONTEXT)
        assert ("lie \u22120.05 from that zero" in str(figure.get_label())) == said
    contrasts = forest_data(moved, CONTEXT, outcome="citizen_mean", estimand="contrast")
    assert "zero is" not in forest_caption(contrasts, CONTEXT, "citizen_mean")
