"""Files of figures: complete, the same bytes each time, and no settings left behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from cut_font import FAMILY, FILE_NAME, cut_font
from frame_builders import long_frame, ols_frame, small_codebook
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from bipbayes.plots.forest import forest_figure
from bipbayes.plots.forest_rows import forest_data
from bipbayes.plots.interval_figure import interval_data, interval_figure
from bipbayes.plots.save import save_figure, shown
from bipbayes.plots.style import LanguageFormatter, figure_style, undrawn, wrapped_caption
from bipbayes.plots.task import COLUMN
from bipbayes.run.settings import FIGURE_FORMATS
from bipbayes.wording import Context

CODEBOOK = small_codebook()
CONTEXT = Context(CODEBOOK, synthetic=True)
# The same figure in a process with another hash seed.
AGAIN = """
import sys
from pathlib import Path
from frame_builders import ols_frame, small_codebook
from bipbayes.plots.interval_figure import interval_data, interval_figure
from bipbayes.plots.save import save_figure, shown
from bipbayes.wording import Context
context = Context(small_codebook(), synthetic=True)
data = interval_data(ols_frame(context.codebook), context, outcome="q1")
figure = interval_figure(data, context=context, outcome="q1")
save_figure(figure, Path(sys.argv[1]), formats=("png", "pdf", "svg"))
"""


def small_figure() -> Figure:
    data = interval_data(ols_frame(CODEBOOK), CONTEXT, outcome="q1")
    return interval_figure(data, context=CONTEXT, outcome="q1")


def test_bytes_are_the_same_in_every_process(tmp_path: Path) -> None:
    """Catches creation dates, versions and hash order in the files."""
    first = save_figure(small_figure(), tmp_path / "first", formats=FIGURE_FORMATS)
    again = tmp_path / "again"
    tests = str(Path(__file__).parents[1])
    environment = os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": tests}
    subprocess.run([sys.executable, "-c", AGAIN, str(again)], check=True, env=environment)
    for path in first:
        assert path.read_bytes() == again.with_suffix(path.suffix).read_bytes()
    assert len(first) == len(FIGURE_FORMATS)
    assert not re.search(rb"CreationDate|ModDate", first[1].read_bytes())
    assert b"<dc:date>" not in first[2].read_bytes()


def test_letters_stay_letters_in_the_pdf(tmp_path: Path) -> None:
    """Catches outlines or type 3 fonts, and a figure drawn in a fallback font."""
    pdf = save_figure(small_figure(), tmp_path / "figure", formats=("pdf",))[0].read_bytes()
    assert b"/TrueType" in pdf or b"/CIDFontType2" in pdf
    assert b"/Type3" not in pdf
    assert FAMILY.replace(" ", "").encode() in pdf


def test_resolution_and_no_leftovers(tmp_path: Path) -> None:
    """Catches another resolution, and partial files beside the figure."""
    figure = small_figure()
    png, pdf = save_figure(figure, tmp_path / "figures" / "one", formats=FIGURE_FORMATS[:2])
    assert sorted(path.name for path in png.parent.iterdir()) == ["one.pdf", "one.png"]
    width = int.from_bytes(png.read_bytes()[16:20], "big")
    assert width == round(200 * figure.get_size_inches()[0])
    assert pdf.read_bytes().startswith(b"%PDF")


def test_a_failed_figure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches half a file under the final name."""

    def broken(self: Path, data: bytes) -> None:
        with self.open("wb") as stream:
            stream.write(data[:100])
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_bytes", broken)
    with pytest.raises(OSError, match="disk full"):
        save_figure(small_figure(), tmp_path / "one")
    assert list(tmp_path.iterdir()) == []


def test_global_settings_and_figures_are_left_alone(tmp_path: Path) -> None:
    """Catches changed rcParams, figures left open, and a style that depends on the user's."""
    with mpl.rc_context({"font.size": 31.0, "axes.grid": True}):
        before = dict(mpl.rcParams)
        rows = forest_data(long_frame(CODEBOOK), CONTEXT, outcome="q1")
        figure = forest_figure(rows, context=CONTEXT, title="q1")
        assert figure.axes[1].title.get_fontsize() == 8
        save_figure(figure, tmp_path / "forest", formats=("png",))
        assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == []


def test_the_font_is_cut_by_its_program(tmp_path: Path) -> None:
    """Catches a font in the package that its program does not make."""
    source = Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    target = tmp_path / FILE_NAME
    cut_font(source, target)
    fonts = Path(__file__).parents[2] / "bipbayes" / "resources" / "fonts"
    assert _letters(target) == _letters(fonts / FILE_NAME)


def test_ticks_have_the_decimals_that_they_need() -> None:
    """Catches ticks at 0.05 and 0.10 both written 0.1."""
    assert LanguageFormatter("en").format_ticks([-0.05, 0.0, 0.05]) == ["−0.05", "0.00", "0.05"]
    assert LanguageFormatter("da").format_ticks([0.0, 0.5]) == ["0,0", "0,5"]


def test_captions_are_broken_to_fit() -> None:
    """Catches captions that run out of the figure."""
    lines = wrapped_caption("word " * 100, 5.0).split("\n")
    assert max(map(len, lines)) <= 5 * 21


def _letters(path: Path) -> set[int]:
    from fontTools.ttLib import TTFont

    return set(TTFont(path).getBestCmap())


@pytest.mark.parametrize("label", ["$5 & $6", "$$", "a$\\b$c", "J$_$", "H $\\frac$", "{x} \\alpha"])
@pytest.mark.filterwarnings("error")
def test_labels_are_text_and_never_mathematics(tmp_path: Path, label: str) -> None:
    """Catches dollar signs that are taken for formulas: wrong labels, or no figure at all."""
    with figure_style():
        figure = plt.figure()
        figure.text(0.5, 0.5, label)
    assert not undrawn(figure)
    assert save_figure(figure, tmp_path / "figure", formats=("png",))


@pytest.mark.filterwarnings("error")
def test_letters_that_no_font_has_are_named(tmp_path: Path) -> None:
    """Catches boxes that nobody is told of, and the library's own words about them."""
    with figure_style():
        figure = plt.figure()
        figure.text(0.5, 0.5, "plain – ÆØÅ")
        figure.text(0.5, 0.2, "odd \U0001fbff\U000e0100x \uf8ff")
    assert undrawn(figure) == {"odd \U0001fbff\U000e0100x \uf8ff"}
    assert save_figure(figure, tmp_path / "figure", formats=("png",))


def test_a_picture_is_saved_wherever_matplotlib_saves_one(tmp_path: Path) -> None:
    """Catches a target that a figure of matplotlib takes and one of ours does not."""
    figure = Figure(figsize=(2, 1))
    figure.text(0.5, 0.5, "word")
    picture = shown(figure, size=COLUMN)
    with PdfPages(tmp_path / "pages.pdf") as pages:
        pages.savefig(picture)
    picture.savefig(tmp_path / "plain")
    picture.savefig(tmp_path / "dots.PNG", dpi="figure")
    held = StringIO()
    picture.savefig(held, format="svg")
    assert "<svg" in held.getvalue()
    assert {path.name for path in tmp_path.iterdir()} == {"pages.pdf", "plain.png", "dots.PNG"}
