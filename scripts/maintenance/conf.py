"""What Sphinx needs to know of the documentation (see ``documentation.py``).

Formulas become MathML, which browsers draw without scripts or fonts from anywhere.
"""

from typing import Any

from docutils import nodes
from latex2mathml.converter import convert

project = "bipbayes"
extensions = ["myst_nb", "sphinx.ext.autodoc", "numpydoc"]
smartquotes = False  # they make one dash of the two of an option
html_theme = "furo"
html_title = "bipbayes"
html_static_path = ["style"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_show_sourcelink = False
html_copy_source = False
html_show_copyright = False
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
myst_update_mathjax = False
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_output_stderr = "remove"  # a study shows its warnings itself
numpydoc_show_class_members = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"


def _inline(writer: Any, node: Any) -> None:
    writer.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _block(writer: Any, node: Any) -> None:
    writer.body.append(f'<div class="formula">{convert(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


def setup(sphinx: Any) -> None:
    """Tell Sphinx of the renderer ``mathml``."""
    sphinx.add_html_math_renderer("mathml", (_inline, None), (_block, None))
