"""The gallery of the documentation: every figure, of short runs on the synthetic data."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

from PIL import Image

ROOT: Final = Path(__file__).parents[2]
FIGURES: Final = ROOT / "bipbayes" / "docs" / "gallery.toml"
# Short runs on the default data that draw every figure between them, and the folders they fill.
RUNS: Final = (
    (".", "reproduce --quick --adjust baseline"),
    (".", "describe"),
    (".", "compare --all"),
    (".", "check"),
    ("validation", "validate --quick"),
    (
        "calibration",
        "validate --quick --replicates 1 --citizens 400 --calibrate 30 --model complete_pooling",
    ),
    ("other", "reproduce --quick --engine nuts --model complete_pooling"),
    ("other", "compare --dodged --outcome citizen_mean"),
    ("other", "check engines"),
)
_NAMED: Final = re.compile(r'^\[(.+)\]\(\.\./gallery\.md "(.+)"\)$', re.MULTILINE)
_RAW: Final = re.compile(
    r"\n<!-- raw -->.*?<!-- end of raw -->\n", re.DOTALL
)  # where none is built
_WIDTH, _COLOURS = 1300, 96  # pixels; a picture of the gallery then takes about 50 KB


def gallery_entries() -> list[dict[str, str]]:
    """Read what is said of each kind of figure: title, file, shows, read, draws."""
    return list(tomllib.loads(FIGURES.read_text(encoding="utf-8"))["figure"])


def draw_all(figures: Path) -> None:
    """Draw every figure of the gallery into a folder."""
    call = [sys.executable, "-c", "from bipbayes.scripts import app; app()"]
    for place, words in RUNS:
        out = figures.with_name(f"{figures.name}-run") / place
        subprocess.run([*call, *words.split(), "--quiet", "--out", str(out)], check=True)
        shutil.copytree(out / "figures", figures / place, dirs_exist_ok=True)


def write_gallery(folder: Path, figures: Path) -> None:
    """Write ``gallery.md`` and its pictures.

    `folder`: of the pages; `figures`: of a run on the synthetic data.
    """
    for path in folder.rglob("*.md"):
        text = _NAMED.sub(r"![\1](../gallery/\2.png)", path.read_text(encoding="utf-8"))
        path.write_text(_RAW.sub("", text), encoding="utf-8")
    page = folder / "gallery.md"
    parts = [page.read_text(encoding="utf-8")]
    for entry in gallery_entries():
        name = f"gallery/{entry['file']}.png"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        _shrink(figures / f"{entry['file']}.png", folder / name)
        parts.append(
            f"\n## {entry['title']}\n\n{entry['shows']}\n\n![{entry['title']}]({name})\n\n"
            f"**How to read it.** {entry['read']}\n\n```sh\n{entry['draws']}\n```\n"
            + (f"\n```py\n{entry['call']}\n```\n" if "call" in entry else "")
        )
    page.write_text("".join(parts), encoding="utf-8")


def _shrink(source: Path, target: Path) -> None:
    with Image.open(source) as picture:
        small = picture.convert("RGB")
        small.thumbnail((_WIDTH, 10 * _WIDTH))
        small.quantize(_COLOURS).save(target, optimize=True)
