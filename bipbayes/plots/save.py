"""Write a figure as PNG, PDF or SVG, atomically and repeatably, or give it to a notebook.

Its title and caption can stand in a text file beside it.
"""

import re
from collections.abc import Callable
from io import BytesIO, TextIOBase
from os import PathLike
from pathlib import Path
from typing import Any, Final

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.text import Text

from bipbayes.atomic import atomic_path, write_text
from bipbayes.plots.style import drawn_for, figure_style
from bipbayes.plots.task import COLUMN, SIZES

WORDS: Final = "txt"
RESOLUTION: Final = 200  # dots per inch
_IN_NOTEBOOK: Final = 120
# Dates and versions would make two runs' files differ.
_METADATA: Final = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "ModDate": None, "Producer": "bipbayes", "Creator": "bipbayes"},
    "svg": {"Date": None, "Creator": "bipbayes"},
}
# A little larger than the default's files, in a third of the time.
_PNG: Final[dict[str, Any]] = {"compress_level": 3}
_LEAST: Final = {"column": 6.0, "page": 6.0, "slide": 4.5}  # points, of the smallest letters
_SLACK: Final = 0.02  # inches


def save_figure(
    figure: Figure, path_stem: Path, *, formats: tuple[str, ...] = ("png",), size: str = ""
) -> list[Path]:
    """Write a figure under a path without its ending, then close it.

    Parameters
    ----------
    figure
        Finished figure.
    path_stem
        Folder and name, such as ``figures/forest/forest_B1``; the folder is made.
    formats
        Endings to write; ``txt`` is title and caption.
    size
        A key of `bipbayes.plots.task.SIZES`; empty is as large as it was drawn.

    Returns
    -------
    list of pathlib.Path
        The files, which appear only when they are complete.
    """
    try:
        with figure_style():
            scale = scaling(figure, size)
            return [_write(figure, path_stem, ending, scale) for ending in formats]
    finally:
        plt.close(figure)


def scaling(figure: Figure, size: str) -> float:
    """Return how many times as large as drawn a figure is written.

    It fits the size asked for, but letters stay readable: a figure that would need smaller ones
    is larger than asked for (`misfit`). A column is always filled in its width.
    """
    if not size:
        return 1.0
    have = figure.get_size_inches()
    wide, high = (float(most) / inches for most, inches in zip(SIZES[size], have, strict=True))
    smallest = min((float(t.get_fontsize()) for t in _written(figure)), default=_LEAST[size])
    share = wide if size == COLUMN else min(wide, high)
    return float(max(share, _LEAST[size] / smallest if share < 1 else share))


def misfit(figure: Figure, size: str) -> str:
    """Return the inches of a figure that does not fit the size asked for; ``""`` if it does."""
    if not size:
        return ""
    inches = figure.get_size_inches() * scaling(figure, size)
    if all(have <= most + _SLACK for have, most in zip(inches, SIZES[size], strict=True)):
        return ""
    return f"{inches[0]:.1f} x {inches[1]:.1f}"


def _written(figure: Figure) -> list[Text]:
    return [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]


def _write(figure: Figure, path_stem: Path, ending: str, scale: float) -> Path:
    target = path_stem.with_name(f"{path_stem.name}.{ending}")
    if ending == WORDS:
        write_text(target, str(figure.get_label()))
        return target
    with atomic_path(target) as partial:
        partial.write_bytes(_rendered(figure, ending, scale, metadata=_METADATA[ending]))
    return target


def _rendered(
    figure: Figure, ending: str, scale: float, *, dpi: float = RESOLUTION, **asked: Any
) -> bytes:
    """Return a figure's file, so many times as large as the figure was drawn."""
    held, dots = BytesIO(), dpi * max(1.0, scale)
    if ending == "png":
        asked["pil_kwargs"] = {**_PNG, "dpi": (dots / scale,) * 2, **asked.get("pil_kwargs", {})}
    Figure.savefig(figure, held, format=ending, dpi=dots, **asked)
    if scale == 1.0 or ending not in _RESIZED:
        return held.getvalue()
    return _RESIZED[ending](held.getvalue(), scale)


def _resized_svg(data: bytes, scale: float) -> bytes:
    """Change the size on the page; the picture's own units stay."""

    def resized(found: re.Match[str]) -> str:
        return f'{found[1]}="{float(found[2]) * scale:.6g}pt"'

    text = data.decode("utf-8")
    return re.sub(r'\b(width|height)="([\d.]+)pt"', resized, text, count=2).encode("utf-8")


def _resized_pdf(data: bytes, scale: float) -> bytes:
    from pypdf import PdfReader, PdfWriter

    written, held = PdfWriter(clone_from=PdfReader(BytesIO(data))), BytesIO()
    written.pages[0].scale_by(scale)
    written.write(held)
    return held.getvalue()


_RESIZED: Final[dict[str, Callable[[bytes, float], bytes]]] = {
    "svg": _resized_svg,
    "pdf": _resized_pdf,
}


class Picture(Figure):
    """A figure that a notebook shows where it is the last value of a cell.

    Attributes
    ----------
    scale
        How many times as large as drawn it is written (`scaling`).
    font
        Family that it was drawn with.
    """

    scale: float
    font: str

    def savefig(self, fname: Any, **asked: Any) -> None:
        """Write the figure as matplotlib does, in the size and the style that it was drawn for."""
        path = Path(fname) if isinstance(fname, str | PathLike) else None
        ending = asked.pop("format", None) or (path.suffix[1:] if path else "")
        ending = str(ending or plt.rcParams["savefig.format"]).lower()
        own = plt.rcParams["savefig.dpi"]
        asked = {"dpi": RESOLUTION if own == "figure" else own, **asked}
        if asked["dpi"] == "figure":
            asked["dpi"] = self.dpi
        with drawn_for(font=self.font), figure_style():
            if path is None and not hasattr(fname, "write"):  # pages of a PDF that others gather
                super().savefig(fname, format=ending, **asked)
                return
            data = _rendered(self, ending, self.scale, **asked)
        if path is not None:
            (path if path.suffix else path.with_name(f"{path.name}.{ending}")).write_bytes(data)
        else:
            fname.write(data.decode() if isinstance(fname, TextIOBase) else data)

    def _repr_png_(self) -> bytes:
        held = BytesIO()
        self.savefig(held, dpi=_IN_NOTEBOOK)
        return held.getvalue()


def shown(figure: Figure, *, size: str = "", font: str = "") -> Figure:
    """Make a figure the caller's alone: pyplot would show it a second time.

    Parameters
    ----------
    figure
        Finished figure.
    size, font
        What it was drawn for.
    """
    plt.close(figure)
    figure.__class__ = Picture
    vars(figure).update(scale=scaling(figure, size), font=font)
    return figure
