"""Studies with many jobcenters, indicators or treatments, and with long names: figures stay whole.

Every test catches labels cut off at the page's edge, words over one another, or rows lost between
two pages; each kind of figure had at least one of these.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from figure_words import collisions
from frame_builders import long_frame, posterior_frame, residual_covariance
from matplotlib.figure import Figure
from matplotlib.text import Text

from bipbayes.data.codebook import Average, Codebook, Indicator, Treatment
from bipbayes.intervals import ALL_INDICATORS
from bipbayes.plots.catalogue import (
    DODGED,
    FigureInputs,
    beside_tasks,
    early_tasks,
    jobcenter_tasks,
    posterior_tasks,
)
from bipbayes.plots.describe_combinations import combinations_figure
from bipbayes.plots.describe_histograms import page_figure
from bipbayes.plots.describe_persistence import persistence_figure
from bipbayes.plots.describe_weeks import weeks_data, weeks_figure
from bipbayes.plots.pool import DrawingPool, _by_figure, figure_of
from bipbayes.plots.save import misfit, scaling
from bipbayes.plots.style import drawn_for, in_lines, text_width
from bipbayes.plots.task import (
    COLUMN,
    PAGE_HEIGHT,
    PANEL_HEIGHT,
    PANELS_A_ROW,
    PRINT_ROOM,
    ROW_HEIGHT,
    SIZES,
    FigureTask,
    Printing,
    pages,
)
from bipbayes.wording import Context, phrase

QUESTION = "how often during the last four weeks the person coped alone"


def _codebook(indicators: int, treatments: int, jobcenters: int) -> Codebook:
    """Long questions, long names of jobcenters, a long average."""
    items = [
        Indicator(f"Q{n:02d}", f"Q{n:02d}", "citizen" if n % 2 else "nurse", {"en": QUESTION})
        for n in range(1, indicators + 1)
    ]
    given = [Treatment(c, {"en": f"Treatment {c}"}, (c,)) for c in "JOSHL"[:treatments]]
    members = tuple(item.code for item in items)
    averages = (Average("mean", members, {"en": f"Average of all answers to {QUESTION}"}),)
    sites = tuple(
        f"Department of Rehabilitation and Employment, Municipality number {n:02d}, Office {n % 3}"
        for n in range(jobcenters)
    )
    return Codebook("Wide", (1, 5), tuple(items), tuple(given), averages, jobcenters=sites)


LONG = Context(_codebook(40, 2, 3), synthetic=True)
MANY = Context(_codebook(3, 5, 3), synthetic=True)
SITES = Context(_codebook(2, 2, 41), synthetic=True)


def _drawn(tasks: Sequence[FigureTask], kind: str) -> list[Figure]:
    """Draw the tasks of a kind, all pages."""
    figures = [figure_of(task) for task in tasks if task.name.startswith(kind)]
    plt.close("all")
    assert figures
    return figures


def _whole(figures: Sequence[Figure]) -> None:
    for figure in figures:
        assert collisions(figure) == []


def _rows(figures: Sequence[Figure]) -> list[str]:
    """Labels of the rows of all pages."""
    labels = [label for figure in figures for label in figure.axes[0].get_yticklabels()]
    return [label.get_text().replace("\n", " ") for label in labels]


def test_pages_hold_every_row_once() -> None:
    """Catches a row that falls between two pages, and pages longer than the sheet."""
    for count in (0, 1, 37, 38, 98, 500):
        found = pages(count)
        assert [row for page in found for row in range(count)[page.rows]] == list(range(count))
        sizes = [len(range(count)[page.rows]) for page in found]
        assert max(sizes) * ROW_HEIGHT <= PAGE_HEIGHT
        assert max(sizes) - min(sizes) <= 1
        assert {page.of for page in found} == {len(found)}


def test_lines_are_no_wider_than_asked_for() -> None:
    """Catches widths guessed from the number of letters: capitals are wide."""
    for text in ("W" * 8 + " " + "WIDE WORDS " * 6, "illicit little tilt " * 6):
        lines = in_lines(text.strip(), 2.0, 8.0)
        assert 1.4 < text_width(lines, 8.0) <= 2.0
        assert " ".join(lines.split("\n")) == text.strip()


@pytest.mark.parametrize("kind", ["heatmap_effect", "residual_correlation"])
def test_long_questions_are_whole(kind: str) -> None:
    codes = LONG.codebook.indicator_codes
    inputs = FigureInputs(
        LONG, long_frame(LONG.codebook), residual_covariance=residual_covariance(LONG.codebook)
    )
    tasks = early_tasks(inputs, outcomes=[]) + posterior_tasks(inputs, outcomes=[])
    figures = _drawn(tasks, kind)
    _whole(figures)
    assert _rows(figures)[:40] == [f"{code} {QUESTION}" for code in codes]
    limits = {axes.images[0].get_clim() for figure in figures for axes in figure.axes[:1]}
    assert len(limits) == 1


@pytest.mark.parametrize("kind", ["heatmap_contrast", "shrinkage", "intervals_mean", "forest_mean"])
def test_five_treatments_are_whole(kind: str) -> None:
    inputs = FigureInputs(MANY, long_frame(MANY.codebook))
    tasks = early_tasks(inputs, outcomes=["mean"]) + posterior_tasks(inputs, outcomes=["mean"])
    _whole(_drawn(tasks, kind))


def test_arrows_of_many_indicators_fill_pages() -> None:
    """Catches a figure of 22 inches, and pages on scales of their own."""
    wide = Context(_codebook(60, 4, 3), synthetic=True)
    tasks = posterior_tasks(FigureInputs(wide, long_frame(wide.codebook)), outcomes=[])
    figures = _drawn(tasks, "shrinkage")
    _whole(figures)
    assert len(figures) == 2 and max(f.get_size_inches()[1] for f in figures) < 10.5
    panels = [axes for figure in figures for axes in figure.axes]
    labels = [label for axes in panels for label in axes.get_xticklabels()]
    assert sorted(t.get_text().split()[0] for t in labels) == sorted(wide.codebook.combinations)
    assert {label.get_rotation() for label in labels} == {0.0}  # they stood on end
    assert len({axes.get_ylim() for axes in panels}) == 1


@pytest.mark.parametrize("used", [0, 1, 5])
def test_pages_of_arrows_are_those_of_what_is_estimated(used: int) -> None:
    """Catches pages counted by the codebook: one of them had no arrows, and all was lost.

    Five combinations of sixteen is what most studies have; none is what a small export has.
    """
    context = Context(_codebook(3, 4, 3), synthetic=True)
    frame = long_frame(context.codebook)
    kept = frame["combination"].isin(context.codebook.combinations[:used])
    frame.loc[~kept & frame["estimand"].eq("effect"), ["estimate", "lower", "upper"]] = np.nan
    tasks = posterior_tasks(FigureInputs(context, frame), outcomes=[])
    arrows = [task for task in tasks if task.name == "shrinkage"]
    printed = [task for each in arrows for task in each.printed(COLUMN)]
    with drawn_for(size=COLUMN):
        figures = [figure_of(task) for task in printed]
    assert sum(len(axes.get_xticklabels()) for figure in figures for axes in figure.axes) == used


def test_analyses_of_five_treatments_are_on_one_scale() -> None:
    names = ("ordinal", "baseline", "")
    parts = [posterior_frame(MANY.codebook, seed=n).assign(analysis=a) for n, a in enumerate(names)]
    frame = pd.concat(parts, ignore_index=True)
    tasks = beside_tasks(frame, MANY, by="analysis", outcomes=["mean"])
    figures = _drawn(tasks, "analyses_mean")
    _whole(figures)
    rows = [text.split(" ")[0] for text in _rows(figures)]
    assert rows == list(MANY.codebook.combinations)
    assert len({figure.axes[0].get_xlim() for figure in figures}) == 1
    assert "page 2 of 2" in figures[1].texts[0].get_text().replace("\n", " ")


def test_jobcenters_fill_pages_that_can_be_compared() -> None:
    """Catches pages on scales of their own, or without what all jobcenters are compared with."""
    inputs = FigureInputs(SITES, long_frame(SITES.codebook))
    tasks = jobcenter_tasks(inputs, combination="00")
    assert [task.file for task in tasks] == [
        f"jobcenters/jobcenters_00_{ALL_INDICATORS}",
        f"jobcenters/jobcenters_00_{ALL_INDICATORS}_2",
    ]
    figures = _drawn(tasks, "jobcenters")
    _whole(figures)
    written = [[text.get_text() for text in figure.axes[0].texts] for figure in figures]
    named = [text.replace("\n", " ") for page in written for text in page]
    assert [text for text in named if text.startswith("Department")] == list(
        SITES.codebook.jobcenters
    )
    assert all(page.count(phrase("all", SITES.language)) == 1 for page in written)
    assert len({figure.axes[1].get_xlim() for figure in figures}) == 1


def test_weeks_of_long_questions_are_whole() -> None:
    outcomes = list(LONG.codebook.outcomes)
    slopes = pd.DataFrame({"outcome": np.repeat(outcomes, 2), "n": 6543, "level": 0.95})
    slopes["vcov"] = ["classical", "cluster_citizen"] * len(outcomes)
    slopes["slope"] = np.linspace(-0.01, 0.01, len(slopes))
    slopes = slopes.assign(lower=slopes["slope"] - 0.005, upper=slopes["slope"] + 0.005)
    data = weeks_data(slopes.assign(kind="confidence"), LONG)
    parts = pages(data["row"].nunique())
    figures = [weeks_figure(data, context=LONG, page=page) for page in parts]
    assert len(figures) == 2
    _whole(figures)
    rows = _rows(figures)
    assert len(rows) == len(outcomes)
    assert all(row.endswith("   n = 6543") for row in rows)  # the number is not torn off
    assert len({figure.axes[0].get_xlim() for figure in figures}) == 1


def test_histograms_of_long_questions_are_whole() -> None:
    """Catches titles of many lines on the numbers of the panel above."""
    bins = pd.DataFrame({"centre": np.arange(-4.0, 5.0), "n": 100, "percent": 100 / 9})
    bins = bins.assign(lower=bins["centre"] - 0.5, upper=bins["centre"] + 0.5)
    book = _codebook(60, 2, 3)
    label = {"en": f"{QUESTION} and {QUESTION} and {QUESTION}"}
    book = replace(book, indicators=tuple(replace(each, label=label) for each in book.indicators))
    codes = book.indicator_codes
    frame = pd.concat([bins.assign(outcome=code) for code in codes], ignore_index=True)
    for page in pages(30, PANEL_HEIGHT / PANELS_A_ROW):
        context = Context(book, synthetic=True)
        figure = page_figure(frame, context=context, respondent="nurse", page=page)
        assert collisions(figure) == []


def _transitions(context: Context) -> dict[str, pd.DataFrame]:
    """Frames of a figure of transitions of five treatments."""
    combinations = list(context.codebook.combinations)
    index = pd.MultiIndex.from_product([combinations] * 2, names=["previous", "combination"])
    moves = pd.DataFrame({"n": 9, "n_previous": 288, "percent": 100 / 32}, index=index)
    again = pd.DataFrame({"group": [*"JOSHL"], "again": 70.0, "begun": 12.0})
    return {"transitions": moves.reset_index(), "persistence": again}


def test_transitions_of_five_treatments_leave_room_for_the_caption() -> None:
    """In a column codes stood over one another, and the words of one panel over the next."""
    for size in ("", COLUMN):
        with drawn_for(size=size):
            figure = persistence_figure(
                **_transitions(MANY), context=replace(MANY, synthetic=False)
            )
        _whole([figure])
        assert misfit(figure, size) == ""


def test_rows_of_five_treatments_fit_a_column() -> None:
    """Catches a name of a treatment on end that makes the figure higher than a page."""
    book = MANY.codebook
    frame = pd.DataFrame({"combination": book.combinations, "n": 50, "percent": 3.1})
    for code in book.treatment_codes:
        frame[code] = [book.has_treatment(each, code) for each in book.combinations]
    label = {"en": f"{QUESTION} with {QUESTION}"}
    long = tuple(replace(each, label=label) for each in book.treatments)
    context = replace(MANY, codebook=replace(book, treatments=long))
    with drawn_for(size=COLUMN):
        figure = combinations_figure(frame, context=context)
    _whole([figure])
    assert misfit(figure, COLUMN) == "" and "J = how often" in figure.get_label()


COLUMN_KINDS = (
    "forest_mean",
    "heatmap_effect",
    "intervals_mean",
    "residual_correlation",
    "shrinkage",
)
SIX = Context(_codebook(6, 3, 3), synthetic=True)


@pytest.mark.parametrize("kind", [*COLUMN_KINDS, "new_jobcenter"])
def test_every_kind_fits_a_column(kind: str) -> None:
    """Catches a figure wider than its column, and letters that shrink to fit it."""
    inputs = FigureInputs(
        SIX,
        long_frame(SIX.codebook),
        residual_covariance=residual_covariance(SIX.codebook),
        forest=DODGED,
    )
    tasks = early_tasks(inputs, outcomes=["mean"]) + posterior_tasks(inputs, outcomes=["mean"])
    printed = [part for task in tasks if task.name == kind for part in task.printed(COLUMN)]
    with drawn_for(size=COLUMN):
        figures = _drawn(printed, kind)
    for figure in figures:
        assert figure.get_size_inches()[0] == pytest.approx(SIZES[COLUMN][0])
        assert scaling(figure, COLUMN) == pytest.approx(1.0) and misfit(figure, COLUMN) == ""
        letters = [text for text in figure.findobj(Text) if text.get_text().strip()]
        assert min(text.get_fontsize() for text in letters) >= 6.0
    _whole(figures)


def test_forests_and_arrows_fit_a_danish_column() -> None:
    """Catches a legend with longer words than English, and labels of five letters cut off.

    What the thick line is, beside the panel since captions may be apart, left the page.
    """
    context = replace(MANY, language="da")
    inputs = FigureInputs(context, long_frame(MANY.codebook), forest=DODGED)
    tasks = [t for t in posterior_tasks(inputs, outcomes=["mean"]) if t.name == "forest_mean"]
    rows = tasks[0].arguments["rows"]
    ends = {f"inner_{end}": rows.frame["posterior_estimate"] for end in ("lower", "upper")}
    rows = replace(rows, frame=rows.frame.assign(**ends))
    tasks = [replace(tasks[0], arguments={**tasks[0].arguments, "rows": rows})]
    tasks += [t for t in posterior_tasks(inputs, outcomes=[]) if t.name == "shrinkage"]
    for task in tasks:
        with drawn_for(size=COLUMN):
            figures = _drawn(task.printed(COLUMN)[:1], task.name)
        _whole(figures)
    # OLS, the posterior, its thick line
    with drawn_for(size=COLUMN):
        (legend,) = figure_of(tasks[0].printed(COLUMN)[0]).axes[0].get_legend().get_texts()[2:]
    assert legend.get_text() == "tyk: 50 %"


def test_pages_that_do_not_fit_are_named_once() -> None:
    """Catches a warning that lists sixteen pages of one heat map."""
    names = [
        "heatmap/a (4.3 x 6.5)",
        "heatmap/a_2 (4.3 x 7.4)",
        "heatmap/a_3 (4.3 x 5)",
        "b (4 x 9)",
    ]
    assert _by_figure(names) == ["heatmap/a (4.3 x 6.5) and 2 other pages", "b (4 x 9)"]


@pytest.mark.parametrize("kind", ["heatmap_effect", "intervals_mean", "new_jobcenter"])
def test_many_combinations_take_pages_of_a_column(kind: str) -> None:
    """Catches figures of 32 combinations that no column holds, and combinations lost between pages.

    They were 4.3 inches wide, or 12 high.
    """
    inputs = FigureInputs(MANY, long_frame(MANY.codebook))
    tasks = early_tasks(inputs, outcomes=["mean"]) + posterior_tasks(inputs, outcomes=["mean"])
    parts = [part for task in tasks if task.name == kind for part in task.printed(COLUMN)]
    with drawn_for(size=COLUMN):
        figures = _drawn(parts, kind)
    assert [misfit(figure, COLUMN) for figure in figures] == [""] * len(figures)
    _whole(figures)
    along = [
        [label.get_text() for label in (*axes.get_xticklabels(), *axes.get_yticklabels())]
        for figure in figures
        for axes in figure.axes[:2]
    ]
    codes = [code for words in along for text in words for code in re.findall(r"\b[01]{5}\b", text)]
    every = list(MANY.codebook.combinations)
    assert codes and codes == every * (len(codes) // len(every))  # once for every page of rows


def _too_high() -> Figure:
    figure = Figure(figsize=(3.5, 12))
    figure.text(0.5, 0.5, "letters", size=7)
    return figure


def test_what_no_column_can_hold_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Catches a figure squeezed into a column without a word, or with letters too small."""
    with DrawingPool(tmp_path, workers=0, printing=Printing(size=COLUMN)) as pool:
        pool.submit([FigureTask("high", _too_high, {})])
        pool.finish()
    assert "high (3.5 x 12" in caplog.text and "--figure-size page" in caplog.text


def test_pages_of_print_hold_every_row_once() -> None:
    """Catches rows lost, or drawn twice, where a column needs more pages than the usual figure."""
    tasks = FigureTask("forest_x", "", {}).on_pages(60, column=0.5)
    for size, room in PRINT_ROOM.items():
        parts = [part for task in tasks for part in task.printed(size)]
        rows = [row for part in parts for row in range(60)[part.arguments["page"].rows]]
        assert rows == list(range(60))
        assert max(len(range(60)[part.arguments["page"].rows]) for part in parts) * 0.235 <= room
        assert [part.page for part in parts] == list(range(1, len(parts) + 1))
    assert [part for task in tasks for part in task.printed("slide")] == tasks
