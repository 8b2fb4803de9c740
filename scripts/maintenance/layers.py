"""Draw the package's layers into its page: ``python scripts/maintenance/layers.py``.

`LAYERS` is the rule that `tests/project/test_structure.py` holds the imports to; the picture is
that rule, and the list of rooms says of each what its docstring says.
"""

import ast
from html import escape
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "bipbayes" / "docs" / "project" / "architecture.md"
PICTURE: Final = PAGE.with_suffix(".svg")
_ORDER: Final = (
    "errors atomic cluster helpers option_words phrases progress shared stored_frames < "
    "intervals < data < regression cells ordinal synthetic < analyses sampling < estimands < "
    "comparison < wording < describe audit < disclosure < plots tables < page < validation < "
    "bip < run < checks < api"
)
LAYERS: Final = [set(names.split()) for names in _ORDER.split(" < ")]
"""Rooms and modules of the package, from below: each imports its own layer and lower ones."""
BEGIN: Final = "<!-- rooms, written by scripts/maintenance/layers.py -->"
END: Final = "<!-- end of rooms -->"
_WIDTH, _BOX, _ROW = 760, 104, 40


def summary(name: str) -> str:
    """Return the first line of a room's docstring."""
    path = ROOT / "bipbayes" / name / "__init__.py"
    path = path if path.is_file() else path.parent.with_suffix(".py")
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


def rooms() -> str:
    """List the rooms from above, each with what its docstring says."""
    lines = ["| room | what lives there |", "|---|---|"]
    for names in reversed(LAYERS):
        lines += [f"| `{name}` | {summary(name)} |" for name in sorted(names)]
    return "\n".join(lines)


def picture() -> str:
    """Draw a row of boxes for each layer, what is imported below what imports it."""
    height = _ROW * (len(LAYERS) + 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        '<text x="12" y="24" fill="#5A5A5A">scripts, and bipbayes/__init__.py; '
        "a layer imports itself and what is below it</text>",
    ]
    for row, names in enumerate(reversed(LAYERS), start=1):
        left = (_WIDTH - _BOX * len(names)) / 2
        for place, name in enumerate(sorted(names)):
            x, y = left + place * _BOX + 4, row * _ROW
            fill = "#FBE6D4" if name == "bip" else "#E3EEF7"
            middle = x + (_BOX - 8) / 2
            parts += [
                f'<rect x="{x:g}" y="{y}" width="{_BOX - 8}" height="{_ROW - 10}" rx="4" '
                f'fill="{fill}" stroke="#5A5A5A"/>',
                f'<text x="{middle:g}" y="{y + 20}" text-anchor="middle">{escape(name)}</text>',
            ]
    return "\n".join([*parts, "</svg>", ""])


def page(text: str) -> str:
    """Put the list of rooms into the text of the page."""
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n{rooms()}\n{END}{after}"


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
