"""Cut the figures' font out of DejaVu Sans: ``python scripts/maintenance/cut_font.py FOLDER``.

Matplotlib embeds a font in every PDF, and spends most of a small figure's time on cutting it
down from DejaVu's 6,000 letters and their layout tables. The cut font has the letters of the
European languages and the figures' symbols, no layout tables and no hints, so that this takes a
tenth of the time. Letters outside it still come from DejaVu Sans itself.

The result lies in ``resources/fonts`` with the licence; it changes only when this file does.
"""

import shutil
import sys
from pathlib import Path
from typing import Final

import matplotlib as mpl
from fontTools import subset  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from bipbayes.plots.style import FAMILY, FILE_NAME

_LETTERS: Final = (*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x391, 0x3CA))
_SYMBOLS: Final = "–—‘’“”†‡•…‰€←↑→↓Δ∆−√∞≈≠≤≥■□●○"
_DROPPED: Final = ["GSUB", "GPOS", "GDEF", "kern", "FFTM", "MATH", "gasp", "fpgm", "prep", "cvt "]
_FAMILY_RECORDS: Final = (1, 4, 16)
_POSTSCRIPT_RECORD: Final = 6


def cut_font(source: Path, target: Path) -> None:
    """Write the cut font.

    `source`: dejaVu Sans as matplotlib ships it; `target`: file to write; the same bytes whenever
    `source` is the same.
    """
    options = subset.Options(layout_features=[], hinting=False, name_IDs=["*"])
    options.drop_tables += _DROPPED
    font = TTFont(source, recalcTimestamp=False)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=_LETTERS, text=_SYMBOLS)
    cutter.subset(font)
    for record in font["name"].names:
        if record.nameID in _FAMILY_RECORDS:
            record.string = FAMILY
        if record.nameID == _POSTSCRIPT_RECORD:
            record.string = FAMILY.replace(" ", "")
    font.save(target)


def main(folder: Path) -> None:
    """Write font and licence into a folder."""
    fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
    cut_font(fonts / "DejaVuSans.ttf", folder / FILE_NAME)
    shutil.copyfile(fonts / "LICENSE_DEJAVU", folder / "LICENSE_DEJAVU.txt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
