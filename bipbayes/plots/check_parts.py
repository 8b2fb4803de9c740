"""What the pictures of the checks share: respondents' looks, log axes, rows of labels."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from bipbayes.plots.captions import caption, titled
from bipbayes.plots.shrinkage import RESPONDENT_COLOURS
from bipbayes.plots.style import BAND, decimal_axis, furnish
from bipbayes.wording import Context, capital, number, phrase, respondent_word

RESPONDENT_MARKERS: Final = ("o", "^", "s", "D")
ROW: Final = 0.19  # inches


def respondent_looks(context: Context) -> dict[str, dict[str, Any]]:
    """Return marker and colour by respondent, told apart in grey by the marker."""
    return {
        name: {
            "marker": RESPONDENT_MARKERS[place % len(RESPONDENT_MARKERS)],
            "color": RESPONDENT_COLOURS[place % len(RESPONDENT_COLOURS)],
        }
        for place, name in enumerate(context.codebook.respondents)
    }


def respondent_legend(axes: Axes, context: Context, **where: Any) -> None:
    """Name the respondents' markers."""
    handles = [
        Line2D(
            [],
            [],
            linestyle="",
            markersize=4,
            label=capital(respondent_word(name, language=context.language)),
            **look,
        )
        for name, look in respondent_looks(context).items()
    ]
    axes.legend(handles=handles, **where)


def count_axis(axes: Axes, values: pd.Series) -> None:
    """Make the x axis a logarithmic one of numbers of answers, labelled 1, 3, 10, 30 ..."""
    low, high = float(values.min()), float(values.max())
    ticks = [base * 10**power for power in range(7) for base in (1, 3)]
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator([t for t in ticks if low / 2 <= t <= high * 2]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0f}")
    axes.set_xlim(low / 1.3, high * 1.3)


def label_rows(axes: Axes, labels: Sequence[str], *, named: bool = True) -> None:
    """Write labels at the rows 0, 1, ... from the top, every second row on a band."""
    for row in range(0, len(labels), 2):
        axes.axhspan(row - 0.5, row + 0.5, color=BAND, linewidth=0, zorder=0)
    axes.set_yticks(range(len(labels)), list(labels) if named else [""] * len(labels))
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(labels) - 0.5, -0.5)


def finish(
    figure: Figure,
    name: str,
    context: Context,
    *,
    values: Mapping[str, object] | None = None,
    **room: float,
) -> None:
    """Give a check's figure its title, caption and margins (phrases ``check_<name>_...``)."""
    told = dict(values or {})
    for axes in figure.axes:
        if axes.get_xscale() == "linear" and _is_plain(axes):
            _write_ticks(axes, context.language)
    furnish(
        figure,
        title=titled(context, phrase(f"check_{name}_title", context.language, **told)),
        caption=caption(context, [phrase(f"check_{name}_marks", context.language, **told)]),
        **{"left": 0.7, **room},
    )


def _write_ticks(axes: Axes, language: str) -> None:
    """Write the ticks of the x axis: whole numbers as such."""
    ticks = np.asarray(axes.get_xticks())
    if np.allclose(ticks, np.round(ticks)):
        axes.xaxis.set_major_formatter(lambda value, _: number(float(value), 0, language=language))
    else:
        decimal_axis(axes, "x", language=language)


def _is_plain(axes: Axes) -> bool:
    """Say whether the x axis still chooses its own tick labels."""
    return type(axes.xaxis.get_major_formatter()).__name__ == "ScalarFormatter"


def stagger(count: int, room: float) -> np.ndarray:
    """Return vertical shifts that set `count` marks of one row apart."""
    return np.asarray((np.arange(count) - (count - 1) / 2) * room / max(count, 1))
