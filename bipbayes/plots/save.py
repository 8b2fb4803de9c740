"""Write a figure as PNG, PDF or SVG, atomically and repeatably, or give it to a notebook.

Its title and caption can stand in a text file beside it.
"""

from io import BytesIO
from pathlib import Path
from typing import Any, Final

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from bipbayes.atomic import atomic_path, write_text
from bipbayes.plots.style import figure_style

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
_OPTIONS: Final[dict[str, dict[str, Any]]] = {"png": {"pil_kwargs": {"compress_level": 3}}}


def save_figure(
    figure: Figure, path_stem: Path, *, formats: tuple[str, ...] = ("png",)
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

    Returns
    -------
    list of pathlib.Path
        The files, which appear only when they are complete.
    """
    try:
        with figure_style():
            return [_write(figure, path_stem, ending) for ending in formats]
    finally:
        plt.close(figure)


def _write(figure: Figure, path_stem: Path, ending: str) -> Path:
    target = path_stem.with_name(f"{path_stem.name}.{ending}")
    if ending == WORDS:
        write_text(target, str(figure.get_label()))
        return target
    with atomic_path(target) as partial:
        figure.savefig(
            partial,
            format=ending,
            dpi=RESOLUTION,
            metadata=_METADATA[ending],
            **_OPTIONS.get(ending, {}),
        )
    return target


class Picture(Figure):
    """A figure that a notebook shows where it is the last value of a cell."""

    def _repr_png_(self) -> bytes:
        held = BytesIO()
        with figure_style():
            self.savefig(held, format="png", dpi=_IN_NOTEBOOK)
        return held.getvalue()


def shown(figure: Figure) -> Figure:
    """Make a figure the caller's alone: pyplot would show it a second time."""
    plt.close(figure)
    figure.__class__ = Picture
    return figure
