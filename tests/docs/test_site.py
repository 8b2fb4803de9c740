"""The documentation as a site: built without a warning, read without a network."""

import re
from pathlib import Path

import gallery
import pytest
from PIL import Image

documentation = pytest.importorskip(
    "documentation", reason="needs the documentation's tools: uv sync --group docs"
)
# What extensions use of Sphinx, and a later one will not have, is theirs to mend.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::PendingDeprecationWarning"
)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Empty pictures in place of the gallery's."""
    place = tmp_path_factory.mktemp("pictures")
    for entry in gallery.gallery_entries():
        path = place / f"{entry['file']}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30)).save(path)
    return place


@pytest.fixture(scope="module")
def site(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, with empty pictures and the notebook's results left out."""
    place = tmp_path_factory.mktemp("built") / "site"
    assert documentation.build(place, pictures, execute=False) == 0
    return place


def test_no_page_fetches_anything(site: Path) -> None:
    """Catches a script, style, font or picture that would come from a network."""
    assert documentation.fetched(site) == []
    (site / "spoilt.html").write_text('<script defer src="//host/mathjax.js"></script>', "utf-8")
    assert len(documentation.fetched(site)) == 1
    (site / "spoilt.html").unlink()


def test_what_pages_refer_to_is_there(site: Path) -> None:
    """Catches a picture, style, script or page that the site lacks."""
    lost = [
        (str(page.relative_to(site)), target)
        for page in site.rglob("*.html")
        for target in re.findall(
            r'(?:src|href)="(?!https?:|#|data:|mailto:)([^"#?]+)', page.read_text()
        )
        if not (page.parent / target).exists()
    ]
    assert lost == []


def test_formulas_are_mathml(site: Path) -> None:
    """Catches formulas that need a script, or that stayed LaTeX."""
    text = (site / "statistics" / "model.html").read_text(encoding="utf-8")
    assert text.count("<math") > 40
    assert "mathjax" not in text.lower() and not re.search(r"\\(?:frac|sim|theta)", text)


def test_the_api_is_from_docstrings(site: Path) -> None:
    """Catches a public name without its docstring in the reference."""
    import bipbayes as bb

    text = (site / "reference" / "api.html").read_text(encoding="utf-8")
    assert [name for name in bb.__all__ if f'id="bipbayes.{name}"' not in text] == []
    assert "power-scaling" not in text and "Parameters" in text


@pytest.mark.slow
def test_the_notebook_runs(pictures: Path, tmp_path: Path) -> None:
    """Catches a notebook that fails when it is executed."""
    assert documentation.build(tmp_path / "site", pictures, execute=True) == 0
    text = (tmp_path / "site" / "tutorial" / "notebook.html").read_text(encoding="utf-8")
    assert text.count("data:image/png") + text.count("_images/") >= 1 and "passed" in text
    assert (tmp_path / "site" / "tutorial" / "notebook.ipynb").stat().st_size > 10_000


@pytest.mark.slow
def test_the_gallery_can_be_drawn(tmp_path: Path) -> None:
    """Catches a figure of the gallery that its commands do not draw."""
    gallery.draw_all(tmp_path / "figures")
    wanted = [tmp_path / "figures" / f"{each['file']}.png" for each in gallery.gallery_entries()]
    assert [path.name for path in wanted if not path.is_file()] == []
