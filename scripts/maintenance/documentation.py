"""Build the documentation into ``bipbayes/site``.

    uv run --group docs scripts/maintenance/documentation.py

Pages are ``bipbayes/docs``; the gallery and the list of options are made, and the notebook is
executed. Warnings are errors, and no page may fetch anything. A wheel that is built afterwards
takes the site along.
"""

import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from gallery import ROOT, draw_all, write_gallery
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace
from verbs_page import write_verbs

SITE: Final = ROOT / "bipbayes" / "site"
_FETCHED: Final = re.compile(
    r"""<(?:script|img|iframe|source|embed)[^>]*\ssrc=["']?(?:https?:)?//[^>]*>"""
    r"""|<link[^>]*\shref=["']?(?:https?:)?//[^>]*>"""
    r"""|@import[^;]*//[^;]*;|url\(["']?(?:https?:)?//[^)]*\)"""
)


def build(site: Path, figures: Path, *, execute: bool) -> int:
    """Build the site.

    Parameters
    ----------
    site
        Folder to write.
    figures
        Of a run on the synthetic data, for the gallery.
    execute
        False shows the notebook without its results.

    Returns
    -------
    int
        0, or 1 where Sphinx warned; the site is then written all the same.
    """
    with tempfile.TemporaryDirectory() as room:
        pages, html, trees = (Path(room) / name for name in ("pages", "html", "trees"))
        shutil.copytree(ROOT / "bipbayes" / "docs", pages)
        write_gallery(pages, figures)
        write_verbs(pages / "reference" / "command_line.md")
        mode = {"nb_execution_mode": "force" if execute else "off"}
        here = Path(__file__).parent
        with docutils_namespace():
            work = Sphinx(pages, here, html, trees, "html", mode, None, warningiserror=True)
            work.build()
        shutil.rmtree(site, ignore_errors=True)
        shutil.copytree(html, site, ignore=shutil.ignore_patterns(".*", "objects.inv", "_sources"))
        for notebook in (Path(room) / "jupyter_execute").rglob("*.ipynb"):
            shutil.copy(notebook, site / "tutorial")
    return int(work.statuscode)


def fetched(site: Path) -> list[str]:
    """Return what pages and styles would fetch from a network."""
    files = [path for path in sorted(site.rglob("*")) if path.suffix in {".html", ".css"}]
    return [
        f"{path.relative_to(site)}: {found}"
        for path in files
        for found in _FETCHED.findall(path.read_text(encoding="utf-8"))
    ]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        draw_all(Path(folder) / "figures")
        fault = build(SITE, Path(folder) / "figures", execute=True)
    sys.exit("\n".join(fetched(SITE)) or fault)
