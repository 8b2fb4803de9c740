"""Figures as a notebook shows them."""

from io import BytesIO
from typing import Final

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from bipbayes.plots.style import figure_style

_RESOLUTION: Final = 120  # dots per inch


class Picture(Figure):
    """A figure that a notebook shows where it is the last value of a cell."""

    def _repr_png_(self) -> bytes:
        held = BytesIO()
        with figure_style():
            self.savefig(held, format="png", dpi=_RESOLUTION)
        return held.getvalue()


def shown(figure: Figure) -> Figure:
    """Make a figure the caller's alone: pyplot would show it a second time."""
    plt.close(figure)
    figure.__class__ = Picture
    return figure
