"""Figures for print: one panel, captions in files of their own, letters spelt out."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from figure_words import collisions
from frame_builders import effect_draws, long_frame, small_codebook
from matplotlib.figure import Figure
from PIL import Image
from pypdf import PdfReader

from bipbayes.bip.facts import bip_codebook
from bipbayes.data.codebook import Average, Treatment
from bipbayes.errors import SettingsError
from bipbayes.intervals import ALL_INDICATORS
from bipbayes.plots.captions import letters_spelt, units
from bipbayes.plots.catalogue import DODGED, FigureInputs, posterior_tasks
from bipbayes.plots.forest import dodged_figure, dodged_limits
from bipbayes.plots.forest_rows import ForestRows, forest_data, inner_limits
from bipbayes.plots.pool import draw_task, figure_of
from bipbayes.plots.selection import cut_limits
from bipbayes.plots.style import (
    OLS_COLOUR,
    POSTERIOR_COLOUR,
    drawn_for,
    figure_style,
    require_font,
)
from bipbayes.plots.task import COLUMN, SIZES, FigureTask, Printing
from bipbayes.run.settings import Settings
from bipbayes.wording import Context, phrase

CODEBOOK = small_codebook()
CONTEXT = Context(CODEBOOK, synthetic=True)
FRAME = long_frame(CODEBOOK)


def _rows(ols_width: float = 1.0) -> ForestRows:
    """Rows of q1, its OLS intervals wider by a factor."""
    frame, ols = FRAME.copy(), FRAME["source"] == "ols"
    for end in ("lower", "upper"):
        half = frame[end] - frame["estimate"]
        frame[end] = frame[end].where(~ols, frame["estimate"] + ols_width * half)
    inner = inner_limits(effect_draws(CODEBOOK).sel(outcome="q1"))
    return forest_data(frame, CONTEXT, outcome="q1", inner=inner)


def _caption(figure: Figure) -> str:
    return figure.texts[-1].get_text().replace("\n", " ")


def test_both_sources_stand_on_the_rows_of_one_panel() -> None:
    """Catches a source on another row, in the other's colour, or over the other."""
    rows = _rows()
    figure = dodged_figure(rows, context=CONTEXT, title="q1 Sleep", outcome="q1")
    (axes,) = figure.axes
    drawn = {
        name: next(points for points in axes.collections if points.get_label().startswith(name))
        for name in ("OLS", "Posterior")
    }
    for name, column, colour in (
        ("OLS", "ols_estimate", OLS_COLOUR),
        ("Posterior", "posterior_estimate", POSTERIOR_COLOUR),
    ):
        places = np.asarray(drawn[name].get_offsets())
        np.testing.assert_allclose(places[:, 0], rows.frame[column])
        assert places[:, 1].round().tolist() == [0, 1, 2, 3]
        assert drawn[name].get_edgecolor()[0] == pytest.approx(_rgba(colour))
    assert collisions(figure) == []


def test_wide_ols_intervals_are_cut_and_the_caption_says_so() -> None:
    """Catches an interval that squeezes the posterior, or ends unmarked as if it were whole."""
    whole, wide = _rows(0.1), _rows(9.0)
    cut = phrase("cut", "en")
    for rows, told in ((whole, False), (wide, True)):
        figure = dodged_figure(rows, context=CONTEXT, title="q1 Sleep")
        assert (cut in _caption(figure)) == told
    posterior = wide.frame[["posterior_lower", "posterior_upper", "ols_estimate"]]
    low, high = dodged_limits(wide.frame)
    assert low < posterior.min().min() and posterior.max().max() < high
    assert high < wide.frame["ols_upper"].max()
    assert cut_limits([0.0, 1.0], [-0.1, 9.0]) == pytest.approx((-0.13, 1.33))


def test_rows_by_size_begin_with_the_largest() -> None:
    """Catches labels that stay where they were while the intervals move."""
    rows = _rows()
    ordered = rows.by_size().frame
    assert ordered["posterior_estimate"].is_monotonic_decreasing
    before = rows.frame.set_index("label")["ols_estimate"]
    np.testing.assert_allclose(before[ordered["label"]], ordered["ols_estimate"])
    inputs = FigureInputs(CONTEXT, FRAME, model="hierarchical", by_size=True)
    task = next(t for t in posterior_tasks(inputs, outcomes=["q1"]) if t.name == "forest_q1")
    estimates = task.arguments["rows"].frame["posterior_estimate"]
    assert estimates.is_monotonic_decreasing and estimates.notna().any()


def test_captions_apart_stand_in_a_file_and_nowhere_else(tmp_path: Path) -> None:
    """Catches words that are lost, or stand twice, and synthetic data that look real."""
    inputs = FigureInputs(CONTEXT, FRAME, forest=DODGED)
    tasks = posterior_tasks(inputs, outcomes=["q1"])
    for task in tasks:
        files = draw_task(_without_words(task), tmp_path, Printing(("png", "txt"), bare=True)).files
        title, empty, caption = files[1].read_text(encoding="utf-8").splitlines()
        assert title and not empty and caption.endswith("Synthetic data.")
    assert {"forest_q1", "heatmap_effect", "shrinkage"} <= {task.name for task in tasks}


def _without_words(task: FigureTask) -> FigureTask:
    """Return the task, drawn by a function that looks for words in the figure."""

    def drawn() -> Figure:
        figure = figure_of(task)
        assert "".join(text.get_text() for text in figure.texts) == "Synthetic data."
        assert collisions(figure) == []
        return figure

    def marked(context: Context) -> Figure:
        assert context.synthetic
        return drawn()

    return FigureTask(task.name, marked, {"context": CONTEXT}, task.page)


def test_no_title_leaves_no_words_and_writes_none(tmp_path: Path) -> None:
    """Catches a caption that stays, data that look real, and a file that nobody asked for."""
    printing = Settings(no_title=True).printing
    tasks = posterior_tasks(FigureInputs(CONTEXT, FRAME, forest=DODGED), outcomes=["q1"])
    task = next(task for task in tasks if task.name == "forest_q1")
    files = draw_task(_without_words(task), tmp_path, printing).files
    assert [file.suffix for file in files] == [".png"]
    assert not Settings().printing.bare and Settings(captions_apart=True).printing.bare


def test_letters_are_spelt_out_and_words_are_not() -> None:
    """Catches a letter that nothing explains, English in Danish, and words explained by words."""
    assert letters_spelt(bip_codebook(), language="en") == (
        "J = job-oriented, O = upskilling, S = social, H = health-oriented."
    )
    assert letters_spelt(bip_codebook(), language="da").startswith("J = jobrettet, O = opkval")
    words = (
        Treatment("counselling", {"en": "Counselling by phone"}, ("a",)),
        Treatment("C", {"en": "CBT"}, ("b",)),
        Treatment("T", {"en": "T"}, ("c",)),
        Treatment("U", {}, ("d",)),
    )
    assert letters_spelt(replace(CODEBOOK, treatments=words), language="en") == "C = CBT."
    assert letters_spelt(replace(CODEBOOK, treatments=words[:1]), language="en") == ""


def test_captions_spell_letters_once() -> None:
    """Catches a figure of combinations without the line, or with two."""
    figure = dodged_figure(_rows(), context=CONTEXT, title="q1 Sleep")
    assert _caption(figure).count("K = counselling, T = training.") == 1


def test_an_average_of_one_answer_is_in_its_unit() -> None:
    """Catches the sentence on other units where the numbers are the very same."""
    (several, *_) = CODEBOOK.averages
    one = Average("one", several.members[:1], {})
    context = replace(CONTEXT, codebook=replace(CODEBOOK, averages=(several, one)))
    assert units(context, several.code) and not units(context, "one")
    alone = replace(CONTEXT, codebook=replace(CODEBOOK, averages=(one,)))
    assert units(context, ALL_INDICATORS) and not units(alone, ALL_INDICATORS)


def _rgba(colour: str) -> list[float]:
    return [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)] + [1.0]


def _inches(path: Path) -> tuple[float, float]:
    """Return how large a file says that it is."""
    if path.suffix == ".png":
        with Image.open(path) as image:
            return tuple(
                side / dots for side, dots in zip(image.size, image.info["dpi"], strict=True)
            )
    if path.suffix == ".pdf":
        return tuple(float(side) / 72 for side in PdfReader(path).pages[0].mediabox[2:])
    found = re.search(r'width="([\d.]+)pt" height="([\d.]+)pt"', path.read_text("utf-8"))
    return float(found[1]) / 72, float(found[2]) / 72


@pytest.mark.parametrize("size", SIZES)
def test_figures_are_as_large_as_asked_for(size: str, tmp_path: Path) -> None:
    """Catches formats of different sizes, forests too wide for a column, letters too small."""
    inputs = FigureInputs(CONTEXT, FRAME, forest=DODGED)
    across, high = SIZES[size]
    tasks = {task.name: task for task in posterior_tasks(inputs, outcomes=["q1"])}
    for task in (tasks["forest_q1"], tasks["heatmap_effect"]):
        files = draw_task(task, tmp_path, Printing(("png", "pdf", "svg"), size)).files
        png, pdf, svg = map(_inches, files)
        assert np.allclose(png, pdf, atol=0.02)
        assert np.allclose(png, svg, atol=0.02)
        assert png[1] <= high + 0.02 or size == COLUMN
        assert png[0] <= across + 0.02
        assert png[0] > across - 0.02 or png[1] > high - 0.02
        with Image.open(files[0]) as image:
            assert image.info["dpi"][0] >= 199  # never coarser on paper


def test_a_font_is_taken_or_refused() -> None:
    """Catches an unknown font that Matplotlib replaces without a word."""
    with drawn_for(font="DejaVu Serif"), figure_style():
        assert mpl.rcParams["font.family"][0] == "DejaVu Serif"
    with figure_style():
        assert "DejaVu Serif" not in mpl.rcParams["font.family"]
    require_font("DejaVu Serif")
    with pytest.raises(SettingsError, match=r"did you mean 'DejaVu Serif'"):
        require_font("DejaVu Seriff")
