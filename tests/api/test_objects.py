"""What objects say of themselves, what they draw and tabulate, and what they refuse."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bipbayes.models import complete_pooling
from builders import FOREIGN
from docx import Document
from matplotlib import pyplot as plt
from PIL import Image
from pypdf import PdfReader
from reading_study import CODEBOOK, reading

import bipbayes as bb
from bipbayes.data.files import file_digest
from bipbayes.estimands.intervals import IntervalSettings
from bipbayes.plots.task import PRINT_ROOM, SIZES
from bipbayes.run.default_study import default_simulation
from bipbayes.synthetic.simulate import write_responses

NAMED = ("study", "ols", "fit", "both")


@pytest.mark.parametrize("name", NAMED)
def test_objects_speak_the_study_s_words(name: str, objects: dict[str, Any]) -> None:
    """Catches BIP's words at the prompt of another study, and a notebook that says less."""
    told, shown = repr(objects[name]), objects[name]._repr_html_()
    assert FOREIGN.search(told) is None
    assert "421 responses of 120 pupils in 3 schools" in told
    text = re.sub(r"<[^>]*>", " ", shown)
    missing = [word for word in told.split() if word not in text and word.isalpha()]
    assert missing == []


def test_a_study_tells_what_to_know_first(study: bb.Study) -> None:
    """Catches a reader who learns of turned and dead items only from the results."""
    assert "indicators (teacher)  q3, q4" in repr(study)
    assert "pupils with responses in more than one school" in repr(study)
    frame = study.responses.assign(q1=6 - study.responses["q1"], q4=3.0)
    odd = replace(study, responses=frame)
    assert any("q1" in told and "reverse = true" in told for told in odd.warnings)
    assert any(told.startswith("q4: 1 outcome") for told in odd.warnings)


def test_two_waves_are_told(study: bb.Study) -> None:
    """Catches a study that cannot tell what persists in a citizen, and does not say so."""
    ordered = study.responses.sort_values("date")
    two = replace(study, responses=ordered.groupby("citizen").head(2).reset_index(drop=True))
    assert any("no two changes of one pupil" in told for told in two.warnings)


def test_labels_cannot_break_the_page(study: bb.Study) -> None:
    """Catches a label from a user's file that a notebook would run."""
    odd = replace(study, name="<script>alert(1)</script>")
    assert "<script>" not in odd._repr_html_()


def test_a_fit_shows_its_verdict(fit: bb.Fit) -> None:
    """Catches a fit that failed its checks and looks like any other."""
    assert f"k-hat {fit.verdict.worst['k_hat']:.2f}" in repr(fit)
    assert "passed its checks" in repr(fit).splitlines()[0]
    verdict = replace(fit.verdict, passed=False, reasons=("12 effective points",))
    failed = replace(fit, posterior=replace(fit.posterior, verdict=verdict))
    assert "failed its checks" in repr(failed).splitlines()[0]
    assert "12 effective points" in repr(failed).splitlines()[0]
    assert failed.context().preliminary
    assert "Preliminary" in failed.table().caption


def test_figures_are_the_caller_s(objects: dict[str, Any]) -> None:
    """Catches a figure that pyplot shows a second time, or that a notebook does not show."""
    ols, fit, both = (objects[name] for name in NAMED[1:])
    drawn = [ols.forest(), fit.forest("q1", combination="T"), both.forest("q1"), both.heatmap()]
    assert plt.get_fignums() == []
    assert all(figure._repr_png_().startswith(b"\x89PNG") for figure in drawn)
    sides = [axes.get_title() for axes in both.forest("q1", estimand="contrast").axes]
    assert {"OLS", "Posterior"} <= set(sides)
    for bare in (ols.heatmap(title=False), fit.forest("q1", title=False)):
        assert "".join(text.get_text() for text in bare.texts) == "Synthetic data."


def test_figures_are_drawn_as_asked(objects: dict[str, Any], tmp_path: Path) -> None:
    """Catches an option that only the command line has, and a file of another size than asked for.

    No method had ``size`` or ``font``; on a slide the letters were those of a page.
    """
    ols, fit, both = (objects[name] for name in NAMED[1:])
    calls = [ols.forest, ols.heatmap, fit.forest, fit.heatmap, both.forest, both.heatmap]
    for call in calls:
        figure = call(size="column", font="DejaVu Serif", title=False)
        assert figure.get_size_inches()[0] == pytest.approx(SIZES["column"][0])
        assert {text.get_fontfamily()[0] for text in figure.texts} == {"DejaVu Serif"}
    slide = fit.forest("q1", combination="T", size="slide")
    for ending in ("svg", "pdf", "png"):
        slide.savefig(tmp_path / f"slide.{ending}")
    width = re.search(r'width="([\d.]+)pt"', (tmp_path / "slide.svg").read_text())
    inches = {
        "svg": float(width[1]) / 72 if width else 0.0,
        "pdf": float(PdfReader(tmp_path / "slide.pdf").pages[0].mediabox.width) / 72,
    }
    with Image.open(tmp_path / "slide.png") as picture:
        inches["png"] = picture.width / picture.info["dpi"][0]
    assert all(SIZES["slide"][0] - 1 < each < SIZES["slide"][0] + 0.05 for each in inches.values())


def test_a_figure_of_several_pages_gives_each(
    both: bb.Comparison, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches rows that no call can reach, and a first page that passes for the whole."""
    monkeypatch.setitem(PRINT_ROOM, "column", 0.5)
    rows = []
    for number in (1, 2):
        axes = both.forest("q1", size="column", page=number).axes[0]
        rows += [label.get_text() for label in axes.get_yticklabels()]
    assert rows == [
        label.get_text() for label in both.forest("q1", dodged=True).axes[0].get_yticklabels()
    ]
    assert "page=2" not in caplog.text
    both.forest("q1", size="column", page=None)
    assert "2 pages of size='column': page=2 is the next" in caplog.text


def test_a_forest_of_sites_has_the_numbers_of_the_frame(fit: bb.Fit) -> None:
    """Catches an average, of which nothing was estimated by site as soon as it was drawn."""
    asked = fit.effects("pupils", "T", jobcenter=list(fit.study.jobcenters))
    axes = fit.forest("pupils", combination="T", size="column").axes[0]
    marks = [each for each in axes.collections if "Posterior" in str(each.get_label())]
    drawn = np.asarray(marks[0].get_offsets())[: len(asked), 0]
    assert np.allclose(drawn, asked["estimate"])
    usual = fit.posterior.intervals
    own = usual[(usual["estimand"] == "jobcenter") & (usual["outcome"] == "q1")]
    again = fit.effects("q1", "T", jobcenter=list(fit.study.jobcenters))
    here = own[own["combination"] == again["code"].iloc[0]]
    assert np.allclose(here["estimate"], again["estimate"])


def test_tables_hold_the_numbers_of_the_frames(ols: bb.Intervals, both: bb.Comparison) -> None:
    """Catches a formatted table of other rows than the frame's."""
    frame = ols.frame
    own = frame[(frame["estimand"] == "effect") & (frame["vcov"] == "HC3")]
    own = own[own["outcome"] == "q1"]
    table = ols.table("q1", vcov="HC3")
    told = [float(text.replace("\N{MINUS SIGN}", "-")) for text in table.frame["Estimate"]]
    assert np.allclose(told, own["estimate"], atol=5e-4)
    assert table.frame["Combination"].tolist() == own["combination"].tolist()
    assert "Pupils" in both.table().to_html() and "\\toprule" in both.table().to_latex()
    blank = both.table("q1", minimum_count=1000).frame
    assert (blank["OLS"] == "").all(axis=None)


def test_a_comparison_goes_into_word(both: bb.Comparison, tmp_path: Path) -> None:
    """Catches a document that lacks an outcome, or is no Word file."""
    document = Document(str(both.to_docx(tmp_path / "effects.docx")))
    assert len(document.tables) == both.frame["outcome"].nunique()
    with pytest.raises(bb.BipbayesError, match=r"\.docx"):
        both.to_docx(tmp_path / "effects.doc")


def test_danish_is_asked_for_once(folder: Path) -> None:
    """Catches a language that does not reach captions and tables."""
    study = bb.read(folder / "pupils.csv", folder / "reading.toml", language="da")
    table = bb.ols(study).table("q1")
    assert table.caption.startswith("q1 Kan lide at læse") and "0," in str(table)


def test_frames_and_mappings_are_read_as_files_are(study: bb.Study) -> None:
    """Catches a frame that goes through other checks than its file."""
    import tomllib

    again = bb.read(reading(), tomllib.loads(CODEBOOK))
    pd.testing.assert_frame_equal(again.responses, study.responses)
    assert again.codebook == study.codebook
    other = bb.read(reading(), study.codebook, previous="response")
    assert other.progression["n"].sum() < study.progression["n"].sum()


def test_the_default_data_are_those_of_the_command_line(tmp_path: Path) -> None:
    """Catches two versions of the synthetic data, which compare would refuse to put together."""
    path = tmp_path / "responses.csv"
    write_responses(default_simulation().responses, path)
    study = bb.synthetic_bip()
    assert study.digest == file_digest(path) and study.synthetic and study.codebook.is_bip


def test_options_are_obeyed(study: bb.Study, tmp_path: Path) -> None:
    """Catches an option that is accepted and forgotten."""
    own = tmp_path / "own.py"
    own.write_text(Path(str(complete_pooling.__file__)).read_text())
    wide = bb.fit(study, own, draws=100)
    asked = {"combination": 0.001}
    narrow = bb.fit(study, own, draws=100, level=0.5, kind="hdi", vcov="iid", priors=asked)
    assert narrow.model == "own"
    rows = narrow.frame.iloc[0]
    assert rows[["level", "kind", "vcov"]].tolist() == [0.5, "hdi", "iid"]
    spread = [fit.summary()["effect"]["estimate"].std() for fit in (narrow, wide)]
    assert spread[0] < spread[1] / 5


def test_adjusted_sides_stand_beside_each_other(study: bb.Study, ols: bb.Intervals) -> None:
    """Catches OLS of one analysis beside the posterior of another."""
    adjusted = bb.fit(study, "complete_pooling", adjust="baseline", draws=100)
    with pytest.raises(bb.BipbayesError, match="analysis plain and fit of baseline"):
        bb.compare(ols, adjusted)
    both = bb.compare(bb.ols(study, adjust="baseline"), adjusted)
    assert (both.frame["analysis"] == "baseline").all()


REFUSED: dict[str, tuple[Callable[[Any], object], str]] = {
    "outcome": (lambda o: o["fit"].effects("q11"), "outcome 'q11' is unknown.*mean 'q1'"),
    "combination": (lambda o: o["fit"].effects("q1", "T+W"), "treatment 'W' is unknown"),
    "jobcenter": (lambda o: o["fit"].effects(jobcenter="North"), "mean 'north'"),
    "weights": (lambda o: o["fit"].effects(weights={"nort": 1, "west": -1}), "'nort'.*west is -1"),
    "both": (lambda o: o["fit"].effects("q1", jobcenter="west", weights="new"), "not both"),
    "beside": (lambda o: o["fit"].forest("q1", beside={"x": o["ols"]}), "by their names"),
    "sites beside": (
        lambda o: o["fit"].forest("q1", combination="T", beside={"x": o["fit"]}),
        "shows one fit",
    ),
    "option": (lambda o: o["fit"].heatmap(figure_size="page"), "'figure_size' is.*mean 'size'"),
    "argument": (lambda o: o["ols"].forest(estimnd="contrast"), "mean 'estimand'"),
    "size": (lambda o: o["both"].forest(size="colum"), "mean 'column'"),
    "font": (lambda o: o["both"].forest(font="DejaVu Sarif"), "^font .*mean 'DejaVu Serif'"),
    "page": (lambda o: o["both"].forest(size="page", page=7), "at most 1, not 7"),
    "page alone": (lambda o: o["both"].forest(page=2), "give size="),
    "contrasts of sites": (
        lambda o: o["fit"].forest("q1", combination="T", estimand="contrast"),
        "sites shows effects",
    ),
    "fits by size": (
        lambda o: o["fit"].forest("q1", beside={"x": o["fit"]}, by_size=True),
        "leave out by_size",
    ),
    "nothing": (lambda o: o["fit"].effects(weights={"west": 0}), "sum to 0"),
    "difference": (lambda o: o["fit"].contrast("T - U - T"), "the difference of two"),
    "two differences": (lambda o: o["fit"].contrast(["T", "U"]), "difference must be a text"),
    "statement": (lambda o: o["fit"].probability("T is good"), "such as 'T > 0'"),
    "place": (lambda o: o["fit"].probability("T > 0 in all scools"), "mean 'schools'"),
    "count": (lambda o: o["fit"].probability("T > 0 in at least 9 indicators"), "only 4"),
    "model": (lambda o: bb.fit(o["study"], "hierachical"), "mean 'hierarchical'"),
    "engine": (lambda o: bb.fit(o["study"], engine="nut"), "mean 'nuts'"),
    "vcov": (lambda o: bb.fit(o["study"], vcov="citzen"), "mean 'citizen'"),
    "adjust": (lambda o: bb.fit(o["study"], adjust="base"), "mean 'baseline'"),
    "priors": (lambda o: bb.fit(o["study"], priors={"combinaton": 1}), "mean 'combination'"),
    "level": (lambda o: bb.ols(o["study"], level=95), "level 95"),
    "errors": (lambda o: o["ols"].forest(vcov="HC2"), "vcov 'HC2' is unknown.*HC3"),
    "estimand": (lambda o: o["both"].table(estimand="effekt"), "mean 'effect'"),
    "file": (lambda o: bb.read("nowhere.csv"), "no file nowhere.csv"),
    "covariates": (lambda o: bb.ols(o["study"], adjust="covariates"), "one row a pupil"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_name_what_was_given_and_meant(name: str, objects: dict[str, Any]) -> None:
    """Catches an error of a library, or one that leaves the user to guess."""
    call, said = REFUSED[name]
    with pytest.raises(bb.BipbayesError, match=re.compile(said, re.DOTALL)):
        call(objects)


def test_the_wrong_object_is_named(objects: dict[str, Any]) -> None:
    """Catches arguments in the wrong order that end in an AttributeError."""
    with pytest.raises(TypeError, match=r"ols must be what bipbayes\.ols returns, not Fit"):
        bb.compare(objects["fit"], objects["ols"])


def test_other_studies_are_not_compared(objects: dict[str, Any]) -> None:
    """Catches OLS of one study beside the posterior of another."""
    other = replace(objects["study"], digest="another")
    fit = bb.Fit(other, objects["fit"].posterior, IntervalSettings())
    with pytest.raises(bb.BipbayesError, match="other responses"):
        bb.compare(objects["ols"], fit)


def test_the_page_of_a_comparison(both: bb.Comparison, tmp_path: Path) -> None:
    """Catches a page without its counts, one that overwrites by a wrong name, a fit of no use."""
    page = bb.report(both, tmp_path / "page.html").read_text(encoding="utf-8")
    # What the command's page tells of a fit, this one tells: its covariance, and its priors.
    told = str(both.fit.posterior.cells.attrs["repair"])
    assert len(told) > 9 and told[1:] in page and "half-normal" in page
    rows = both.rows[(both.rows["estimand"] == "effect") & both.rows["ols_lower"].notna()]
    assert f"Of {len(rows)} OLS estimates" in page and "Enjoys reading" in page
    assert "pupils" in page and "citizens" not in page
    assert bb.report(both, tmp_path / "page.docx").stat().st_size > 10_000
    with pytest.raises(bb.BipbayesError, match=r"did you mean '\.html'"):
        bb.report(both, tmp_path / "page.htm")
    with pytest.raises(bb.BipbayesError, match="baseline"):
        bb.report(both, tmp_path / "other.html", baseline=both.fit)
    assert not (tmp_path / "other.html").exists()
