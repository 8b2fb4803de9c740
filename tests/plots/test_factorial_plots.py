"""Forests of main effects and interactions; effects beside those of a jobcenter not seen."""

from dataclasses import replace

import pytest
from factorial_frames import CODEBOOK, TERMS, study_frame

from bipbayes.intervals import ALL_INDICATORS
from bipbayes.plots.catalogue import FigureInputs, posterior_tasks
from bipbayes.plots.forest import forest_figure
from bipbayes.plots.forest_rows import factorial_data
from bipbayes.plots.new_jobcenter import LOOKS, new_jobcenter_data, new_jobcenter_figure
from bipbayes.wording import Context

CONTEXT = Context(CODEBOOK, synthetic=True)


def test_rows_are_terms_with_both_sides() -> None:
    """Catches terms drawn by combination, or the intervals of another estimand."""
    outcome = CODEBOOK.average_codes[0]
    rows = factorial_data(study_frame(), CONTEXT, outcome=outcome)
    assert list(rows.frame["combination"]) == list(TERMS)
    assert rows.frame["label"].iloc[-1] == TERMS[-1].replace(":", " × ")
    frame = study_frame()
    chosen = (frame["estimand"] == "factorial") & (frame["outcome"] == outcome)
    for side, vcov in (("ols", "classical"), ("posterior", "citizen")):
        own = frame[chosen & (frame["vcov"] == vcov)].set_index("combination")
        for name in ("estimate", "lower", "upper"):
            expected = own[name].loc[list(TERMS)]
            assert list(rows.frame[f"{side}_{name}"]) == list(expected)


def test_over_all_indicators_there_is_no_ols_side() -> None:
    """Catches another outcome's OLS beside the posterior."""
    rows = factorial_data(study_frame(), CONTEXT, outcome=ALL_INDICATORS)
    assert rows.ols is None
    assert rows.posterior is not None


@pytest.mark.parametrize("language, words", [("en", "smallest has"), ("da", "mindste har")])
def test_caption_says_what_n_and_significant_mean(language: str, words: str) -> None:
    """Catches the caption of single combinations, where n and zero mean something else.

    And a column of counts that says the smallest combination's in every row.
    """
    context, frame = replace(CONTEXT, language=language), study_frame()
    outcome = CODEBOOK.average_codes[0]
    single = frame["estimand"].eq("effect") & frame["outcome"].eq(outcome)
    smallest = int(frame.loc[single & frame["source"].eq("ols"), "n"].min())
    rows = factorial_data(frame, context, outcome=outcome)
    figure = forest_figure(rows, context=context, title="x")
    told = " ".join(text.get_text() for text in figure.texts).replace("\n", " ")
    assert f"{words} n = {smallest}." in told
    assert "n" not in {axes.get_title(loc="right") for axes in figure.axes}
    assert "average progress." not in told


def test_both_figures_are_among_a_runs() -> None:
    """Catches figures that nobody draws."""
    tasks = posterior_tasks(FigureInputs(CONTEXT, study_frame(), model="test"))
    names = {task.name for task in tasks}
    outcomes = (ALL_INDICATORS, *CODEBOOK.average_codes)
    assert {*(f"factorial_{name}" for name in outcomes), "new_jobcenter"} <= names
    frame = study_frame()
    rest = frame[~frame["estimand"].isin(["factorial", "new_jobcenter"])]
    without = posterior_tasks(FigureInputs(CONTEXT, rest, model="test"))
    assert not any(task.name.startswith(("factorial", "new_job")) for task in without)


def test_new_jobcenter_has_two_intervals_a_combination() -> None:
    """Catches rows dodged onto another combination, or one estimand drawn twice."""
    data = new_jobcenter_data(study_frame(), CONTEXT, outcome=ALL_INDICATORS)
    assert len(data) == 2 * len(CODEBOOK.combinations)
    for combination, own in data.groupby("combination"):
        assert set(own["estimand"]) == set(LOOKS)
        assert set(own["place"]) == {CODEBOOK.combinations.index(str(combination))}
    figure = new_jobcenter_figure(data, context=CONTEXT, outcome=ALL_INDICATORS)
    legend = figure.axes[0].get_legend()
    assert legend is not None
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels == ["these sites", "site not seen"]
    assert any("synthetic" in text.get_text().lower() for text in figure.texts)
