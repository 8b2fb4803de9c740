"""All analyses of one outcome in one picture: rows, marks, words."""

import matplotlib.colors as colours
import numpy as np
import pandas as pd
import pytest
from frame_builders import posterior_frame, small_codebook

from bipbayes.errors import DataError
from bipbayes.intervals import ALL_INDICATORS, ANALYSES
from bipbayes.plots.analyses import LOOKS, analyses_data, analyses_figure
from bipbayes.plots.catalogue import beside_tasks
from bipbayes.plots.pool import figure_of
from bipbayes.wording import Context

CODEBOOK = small_codebook()
CONTEXT = Context(CODEBOOK, synthetic=True)
FRAME = pd.concat(
    [posterior_frame(CODEBOOK, seed=place).assign(analysis=name)
     for place, name in enumerate(("ordinal", "baseline", ""))], ignore_index=True
)  # fmt: skip


def test_rows_stand_in_codebook_order_and_analyses_in_theirs() -> None:
    """Catches an estimate drawn at another combination or under another analysis' mark."""
    data = analyses_data(FRAME.sample(frac=1, random_state=1), CONTEXT, outcome="q2")
    assert list(dict.fromkeys(data["combination"])) == list(CODEBOOK.combinations)
    assert data["analysis"].tolist() == ["", "baseline", "ordinal"] * len(CODEBOOK.combinations)
    figure = analyses_figure(data, context=CONTEXT, outcome="q2")
    axes = figure.axes[0]
    for collection, name in zip(axes.collections[1::2], ("", "baseline", "ordinal"), strict=True):
        rows = data[data["analysis"] == name].reset_index(drop=True)
        drawn = np.asarray(collection.get_offsets())
        assert drawn[:, 0].tolist() == rows["estimate"].tolist()
        places = [round(height) for height in drawn[:, 1]]
        assert places == [CODEBOOK.combinations.index(code) for code in rows["combination"]]
        assert colours.to_hex(collection.get_edgecolor()[0]) == LOOKS[name].colour.lower()


def test_no_two_analyses_look_alike_in_grey() -> None:
    """Catches two analyses with one marker, which a grey print could not tell apart."""
    assert set(LOOKS) == set(ANALYSES)
    assert len({look.marker for look in LOOKS.values()}) == len(ANALYSES)


def test_caption_says_what_each_analysis_means() -> None:
    """Catches an analysis that the reader is not told about, and unmarked synthetic data."""
    data = analyses_data(FRAME, CONTEXT, outcome=ALL_INDICATORS)
    figure = analyses_figure(data, context=CONTEXT, outcome=ALL_INDICATORS)
    words = " ".join(text.get_text().replace("\n", " ") for text in figure.texts)
    for part in ("Progression as it was", "Adjusted for the previous answer", "Ordered probit",
                 "Synthetic data", "credible interval"):  # fmt: skip
        assert part in words


def test_tasks_hold_one_model_only() -> None:
    """Catches a figure of another outcome's rows, or of OLS."""
    ols = FRAME.assign(source="ols", estimate=9.0)
    both = pd.concat([FRAME, ols], ignore_index=True)
    tasks = beside_tasks(both, CONTEXT, by="analysis", outcomes=["citizen_mean"])
    assert [task.name for task in tasks] == ["analyses_all_indicators", "analyses_citizen_mean"]
    assert all(task.arguments["frame"]["estimate"].max() < 9 for task in tasks)


def test_models_stand_in_the_same_rows() -> None:
    """Catches models that cover one another, or that no legend names, and a sixth look."""
    plain = FRAME[FRAME["analysis"] == ""]
    parts = [plain.assign(model=name) for name in ("one", "two", "three")]
    frame = pd.concat(parts, ignore_index=True)
    (task, _) = beside_tasks(frame, CONTEXT, by="model", outcomes=["q2"])
    assert task.file == "models/models_all_indicators"
    figure = figure_of(task)
    axes = figure.axes[0]
    named = [text.get_text() for text in axes.get_legend().get_texts()]
    assert named == ["one", "two", "three"]
    assert "by 3 models" in figure.texts[0].get_text()
    data = analyses_data(frame, CONTEXT, outcome="q2", by="model")
    assert data["model"].head(3).tolist() == named
    many = pd.concat([plain.assign(model=str(n)) for n in range(6)], ignore_index=True)
    with pytest.raises(DataError, match="6 models"):
        analyses_figure(
            analyses_data(many, CONTEXT, outcome="q2", by="model"),
            context=CONTEXT, outcome="q2", by="model",
        )  # fmt: skip
