"""Heat map, shrinkage, correlation, ranks and energy."""

from __future__ import annotations

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from figure_words import collisions
from frame_builders import (
    energy,
    hyperparameters,
    long_frame,
    residual_covariance,
    small_codebook,
)
from matplotlib.quiver import Quiver

from bipbayes.disclosure.small_cells import emptied
from bipbayes.intervals import ALL_INDICATORS
from bipbayes.plots.correlation import correlation_data, correlation_figure
from bipbayes.plots.heatmap import colour_limit, heatmap_data, heatmap_figure
from bipbayes.plots.sampler import energy_figure, flatten, rank_figure, thinned
from bipbayes.plots.save import misfit
from bipbayes.plots.shrinkage import shrinkage_data, shrinkage_figure
from bipbayes.plots.style import drawn_for
from bipbayes.plots.task import COLUMN
from bipbayes.wording import Context

CODEBOOK = small_codebook()
CONTEXT = Context(CODEBOOK, synthetic=True, language="da")
FRAME = long_frame(CODEBOOK)


def test_heatmap_marks_follow_the_intervals() -> None:
    """Catches marks on the wrong side of zero and on prior-driven cells."""
    frame = FRAME.copy()
    chosen = (frame["source"] == "posterior") & (frame["estimand"] == "effect")
    chosen &= frame["outcome"] == "q1"
    limits = {"00": (0.1, 0.2, 0.3), "01": (-0.3, -0.2, -0.1), "10": (-0.1, 0.1, 0.3)}
    for combination, values in limits.items():
        rows = chosen & (frame["combination"] == combination)
        frame.loc[rows, ["lower", "estimate", "upper"]] = values
    frame.loc[chosen & (frame["combination"] == "11"), "note"] = "prior-driven"
    data = heatmap_data(frame, CONTEXT)
    marks = data[(data["source"] == "posterior") & (data["outcome"] == "q1")]
    assert marks.set_index("combination")["mark"].to_dict() == {
        "00": "+",
        "01": "−",
        "10": "",
        "11": "·",
    }
    assert ALL_INDICATORS not in set(data["outcome"])


def test_heatmap_panels_share_scale_and_rows() -> None:
    """Catches rows in another order, transposed cells, and panels on two colour scales."""
    data = heatmap_data(FRAME.sample(frac=1, random_state=3), CONTEXT)
    figure = heatmap_figure(data, context=CONTEXT)
    images = [axes.images[0] for axes in figure.axes[:2]]
    assert images[0].get_clim() == images[1].get_clim() == (-colour_limit(data), colour_limit(data))
    ols = data[(data["source"] == "ols") & (data["outcome"] == "q3")].set_index("combination")
    np.testing.assert_allclose(
        images[1].get_array()[2], ols.loc[list(CODEBOOK.combinations), "estimate"]
    )
    rows = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert rows == ["q1 Søvn", "q2 Food & drink", "q3 Weight", "Citizen mean"]
    assert "Syntetiske data." in figure.texts[1].get_text().replace("\n", " ")


def test_shrinkage_goes_from_ols_to_posterior_by_n() -> None:
    """Catches arrows the wrong way round, and bands not ordered by n."""
    data = shrinkage_data(FRAME, CONTEXT)
    keys = ["outcome", "combination"]
    effects = FRAME[FRAME["estimand"] == "effect"]
    ols = effects[effects["vcov"] == "classical"].set_index(keys)["estimate"]
    posterior = effects[effects["source"] == "posterior"].set_index(keys)["estimate"]
    indexed = data.set_index(keys)
    np.testing.assert_array_equal(indexed["ols"], ols.loc[indexed.index])
    np.testing.assert_array_equal(indexed["posterior"], posterior.loc[indexed.index])
    assert set(data["outcome"]) == {"q1", "q2", "q3"}
    medians = data.groupby("combination", sort=False)["n"].median()
    assert medians.is_monotonic_increasing
    assert (data["pooled"] == data["combination"].map(posterior[ALL_INDICATORS])).all()
    figure = shrinkage_figure(data, frame=FRAME, context=CONTEXT)
    arrows = [item for item in figure.axes[0].collections if isinstance(item, Quiver)]
    moved = np.sort(np.concatenate([arrow.V for arrow in arrows]))
    np.testing.assert_allclose(moved, np.sort(data["posterior"] - data["ols"]))


def test_what_is_held_back_is_not_said_to_have_no_estimate() -> None:
    """Catches effects that an export blanks and that OLS or the posterior is said to lack."""
    effects = FRAME["estimand"].eq("effect") & FRAME["outcome"].eq("q1")
    blank = effects & FRAME["combination"].isin(["01", "10"])
    frame = emptied(FRAME, blank, 5)
    lacking = effects & FRAME["combination"].eq("11") & FRAME["source"].eq("ols")
    frame.loc[lacking, "estimate"] = np.nan
    english = replace(CONTEXT, language="en")
    figure = shrinkage_figure(shrinkage_data(frame, english), frame=frame, context=english)
    said = " ".join(text.get_text() for text in figure.texts).replace("\n", " ")
    assert "Without an arrow: 2 of 12 effects, held back since they rest on few persons" in said
    assert "Without an arrow: 1 of 12 effects, which one of the two leaves blank." in said


def test_correlation_is_that_of_the_covariance_in_codebook_order() -> None:
    """Catches labels that do not belong to their row, and a covariance shown as it is."""
    covariance = residual_covariance(CODEBOOK)
    scaled = covariance * np.outer([1, 2, 3], [1, 2, 3])
    turned = scaled.isel(indicator=[2, 0, 1], indicator_=[1, 2, 0])
    data = correlation_data(turned, CONTEXT)
    assert list(data) == ["q1", "q2", "q3"]
    np.testing.assert_allclose(data, covariance, atol=1e-14)
    figure = correlation_figure(data, context=CONTEXT)
    numbers = [text.get_text() for text in figure.axes[0].texts]
    assert numbers == [f"{100 * data.iloc[r, c]:.0f}" for r, c in ((1, 0), (2, 0), (2, 1))]


def test_ranks_are_drawn_of_nearly_independent_draws() -> None:
    """Catches chains called suspicious because their draws depend on the ones before."""
    rng = np.random.default_rng(2)
    noise = rng.normal(size=(4, 2000))
    slow = noise.copy()
    for place in range(1, 2000):
        slow[:, place] += 0.9 * slow[:, place - 1]
    for values, least, most in ((noise, 1, 2), (slow, 10, 40)):
        kept, step = thinned(xr.Dataset({"sd": (("chain", "draw"), values)}))
        assert least <= step <= most
        assert kept.sizes["draw"] == -(-2000 // step)


def test_every_label_is_a_panel() -> None:
    """Catches a vector of standard deviations drawn as one variable, and English words."""
    flat = flatten(hyperparameters())
    expected = ["combination_effect_sd", "combination_jobcenter_effect_sd", "order_sd[1]"]
    assert [str(name) for name in flat.data_vars] == [*expected, "order_sd[2]"]
    figure = rank_figure(hyperparameters(), context=CONTEXT)
    titled = [axes for axes in figure.axes if axes.get_title(loc="left")]
    assert len(titled) == 4
    assert titled[0].get_xlabel() == "Relativ rang"
    assert figure.legends[0].get_texts()[0].get_text() == "kæde 1"
    plt.close(figure)


def test_pictures_of_the_sampler_fit_a_column() -> None:
    """Catches legends over titles, and titles of panels over one another."""
    with drawn_for(size=COLUMN):
        for figure in (
            rank_figure(hyperparameters(), context=CONTEXT),
            energy_figure(energy(), context=CONTEXT),
        ):
            assert collisions(figure) == [] and misfit(figure, COLUMN) == ""


def test_energies_say_what_they_are() -> None:
    """Catches English words in a Danish picture, and one without the fraction of energy."""
    figure = energy_figure(energy(), context=CONTEXT)
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["marginal", "overgang"]
    assert "E-BFMI" in figure.texts[1].get_text()
    plt.close(figure)
