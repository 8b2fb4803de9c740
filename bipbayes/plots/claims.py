"""All claims in one picture: a tile for each, by what it speaks of, with the audit's word."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bipbayes.audit.evidence import POSTERIOR
from bipbayes.audit.rules import (
    NOT_CHECKABLE,
    NOT_SUPPORTED,
    REVERSED,
    UPHELD,
    WEAKENED,
)
from bipbayes.audit.verdicts import VERDICT, as_written
from bipbayes.option_words import BASELINE
from bipbayes.plots.captions import caption, titled
from bipbayes.plots.catalogue import claim_panels
from bipbayes.plots.style import (
    GREY,
    across,
    figure_style,
    furnish,
    is_narrow,
    row_label_size,
    text_width,
)
from bipbayes.plots.task import WHOLE, Page
from bipbayes.wording import Context, capital, outcome_label, percent, phrase

Pair = tuple[str, str]


@dataclass(frozen=True)
class Tile:
    """How a word looks: a filled tile and a mark, told apart in grey by the mark."""

    face: str
    marker: str
    mark: str
    fill: str = "full"


TILES: Final = {
    UPHELD: Tile("#0072B2", "o", "white"),
    WEAKENED: Tile("#8CC4E8", "o", "black", "left"),
    NOT_SUPPORTED: Tile("#E4E4E4", "o", "black", "none"),
    REVERSED: Tile("#D55E00", "x", "white"),
    NOT_CHECKABLE: Tile("white", "_", GREY),
}
_ID_SIZE: Final = 6.5
_TILE: Final = 0.155  # inches, with what is between two
_NARROWEST: Final = 2.5  # inches of a panel: what its axis and its key take
_A_LINE: Final = 2  # panels beside one another: four could not be read on a page
_BETWEEN: Final = 1.45  # inches, for legend and title
_COLUMN_OF_TILES: Final = 1.3  # inches
_SECTIONS: Final = ("summary", "introduction")


def claims_data(audit: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Return one row a claim and panel.

    Returns
    -------
    pandas.DataFrame
        ``claim_id, group, label, row, place, estimand, reading, word, significant``; `group` is
        the outcome of a statement at a figure, else its section; `row` counts groups in codebook
        order from the top, then sections; `place` counts the claims of a group.
    """
    outcomes = list(context.codebook.outcomes)
    groups = [_group(row, outcomes) for row in audit.to_dict("records")]
    sections = [name for name in dict.fromkeys(groups) if name not in outcomes]
    order = [name for name in [*outcomes, *sections] if name in groups]
    base = pd.DataFrame({"claim_id": audit["claim_id"].to_numpy(), "group": groups})
    base["label"] = base["group"].map({name: _label(name, context) for name in order})
    base["row"] = base["group"].map({name: place for place, name in enumerate(order)})
    base["place"] = base.groupby("group").cumcount()
    base["significant"] = audit["significant"].eq("true").to_numpy()
    panels = [
        base.assign(
            estimand=estimand,
            reading=reading,
            word=audit[f"{estimand}{VERDICT}{reading}"].to_numpy(),
        )
        for estimand, reading in claim_panels(audit)
    ]
    return pd.concat(panels, ignore_index=True)


def _group(claim: dict[Any, Any], outcomes: Sequence[str]) -> str:
    at_figure = claim["section"] in ("", "figure") and claim["outcome"] in outcomes
    return str(claim["outcome"] if at_figure else claim["section"] or claim["outcome"])


def _label(group: str, context: Context) -> str:
    if group not in (*context.codebook.outcomes, "*"):
        return _section(group, context.language)
    return outcome_label(context.codebook, group, language=context.language)


def _section(name: str, language: str) -> str:
    return phrase(f"claims_section_{name}", language) if name in _SECTIONS else capital(name)


def _tile_share(places: int) -> float:
    """Return how large tiles are drawn, as a share of the usual: a column has less room."""
    return min(1.0, _COLUMN_OF_TILES / (_TILE * places)) if is_narrow() else 1.0


def _draw_claims(axes: Axes, data: pd.DataFrame, *, share: float, places: float) -> None:
    """Draw the tiles of one panel of `claims_data`, which has room for so many in a row."""
    for name, tile in TILES.items():
        rows = data[data["word"] == name]
        for edge, chosen in (("#202020", rows["significant"]), ("#BBBBBB", ~rows["significant"])):
            part = rows[chosen]
            axes.scatter(
                part["place"],
                part["row"],
                marker="s",
                s=72 * share**2,
                c=tile.face,
                edgecolors=edge,
                linewidths=1.1 if edge == "#202020" else 0.4,
            )
        axes.plot(rows["place"], rows["row"], linestyle="", zorder=3, **_mark(tile, share))
    axes.set_xlim(-0.8, -0.8 + places)
    axes.set_ylim(data["row"].max() + 0.7, -0.7)
    axes.set_xticks([])
    axes.tick_params(axis="y", length=0)
    axes.spines[["left", "bottom"]].set_visible(False)


def _mark(tile: Tile, share: float = 1.0) -> dict[str, Any]:
    return {
        "marker": tile.marker,
        "fillstyle": tile.fill if tile.marker == "o" else "full",
        "markersize": 4.2 * share,
        "markerfacecolor": tile.mark,
        "markerfacecoloralt": tile.face,
        "markeredgecolor": tile.mark,
        "markeredgewidth": 0.8,
    }


def claims_figure(audit: pd.DataFrame, *, context: Context, page: Page = WHOLE) -> Figure:
    """Draw all claims: OLS with the report's errors, the posterior, and its contrast.

    `page` chooses among these panels.
    """
    data = claims_data(audit, context)
    panels = list(dict.fromkeys(zip(data["estimand"], data["reading"], strict=True)))[page.rows]
    rows, places = data["row"].max() + 1, data["place"].max() + 1
    wide = max(0.3 + _TILE * places, 0.0 if is_narrow() else _NARROWEST)
    with figure_style():
        columns = min(len(panels), _A_LINE)
        lines = -(-len(panels) // columns)
        size = (
            across(3.4 + columns * wide),
            2.4 + lines * (0.17 if is_narrow() else 0.19) * rows + (lines - 1) * _BETWEEN,
        )
        figure = Figure(figsize=size)
        grid = figure.subplots(lines, columns, sharey=True, squeeze=False).ravel()
        for unused in grid[len(panels) :]:
            unused.remove()
        for axes, panel in zip(grid, panels, strict=False):
            chosen = data[(data["estimand"] == panel[0]) & (data["reading"] == panel[1])]
            room = max(places + 0.6, 0.0 if is_narrow() else wide / _TILE)
            _draw_claims(axes, chosen, share=_tile_share(places), places=room)
            axes.set_title(panel_title(panel, context.language), loc="left")
            axes.set_xlabel(phrase("claims_axis", context.language), color=GREY)
            _legend(axes, chosen["word"], context.language)
        last = [min(n + columns, len(panels)) - 1 for n in range(0, len(panels), columns)]
        named = max(_write_ids(grid[place], data) for place in last)
        names = data.drop_duplicates("row").set_index("row")["label"]
        grid[0].set_yticks(list(names.index), list(names), **row_label_size())
        furnish(
            figure,
            title=titled(context, phrase("claims_title", context.language), page),
            caption=caption(
                context,
                [
                    marks_sentence(audit, context.language),
                    phrase("claims_ids", context.language),
                    *_model(audit, context),
                ],
            ),
            left=2.15,
            right=named + 0.2,
            top=0.75,
            bottom=1.05 if is_narrow() else 0.9,
            gap=(0.05, _BETWEEN),
        )
    return figure


def _write_ids(axes: Axes, data: pd.DataFrame) -> float:
    """Write the ids of the first and last claim of each row beside it; return their inches."""
    ends = data.drop_duplicates("claim_id").groupby("row")["claim_id"].agg(["first", "last"])
    written = [" … ".join(dict.fromkeys(map(str, pair))) for pair in ends.to_numpy()]
    for place, text in zip(ends.index.to_list(), written, strict=True):
        axes.text(
            1.02,
            place,
            text,
            transform=axes.get_yaxis_transform(),
            fontsize=_ID_SIZE,
            color=GREY,
            va="center",
        )
    return max(text_width(text, _ID_SIZE) for text in written)


def _model(audit: pd.DataFrame, context: Context) -> list[str]:
    """Name the model whose posterior answered, where the audit does."""
    if "model" not in audit:
        return []
    posterior = capital(phrase(POSTERIOR, context.language))
    return [f"{posterior}: {phrase('model', context.language, name=audit['model'].iloc[0])}."]


def panel_title(panel: Pair, language: str) -> str:
    """Name a panel in two lines: the source with its errors, and what it is measured from."""
    estimand, reading = panel
    source = POSTERIOR if reading in (POSTERIOR, BASELINE) else "ols"
    name = capital(phrase(source, language))
    if reading == BASELINE:
        name = f"{name}, {phrase('analysis_baseline', language)}"
    elif reading != POSTERIOR:
        name = f"{name}, {phrase(reading, language)}"
    meant = (
        phrase("claims_average", language) if estimand == "effect" else phrase(estimand, language)
    )
    return f"{name}\n{capital(meant)}"


def marks_sentence(audit: pd.DataFrame, language: str) -> str:
    """Say what the tiles mean, with the audit's own cut-offs."""
    first = audit.iloc[0]
    cutoffs = {name: as_written(float(first[name]), language) for name in ("likely", "beyond")}
    cutoffs["level"] = percent(first["level"], language)
    return phrase("claims_marks", language, **cutoffs)


def _legend(axes: Axes, words: pd.Series, language: str) -> None:
    """Put the words with their counts under a panel."""
    handles: list[tuple[Patch, Line2D]] = []
    labels: list[str] = []
    for name, tile in TILES.items():
        patch = Patch(facecolor=tile.face, edgecolor="#BBBBBB", linewidth=0.4)
        handles.append((patch, Line2D([], [], linestyle="", **_mark(tile))))
        labels.append(f"{phrase(f'verdict_{name}', language)} {int(words.eq(name).sum())}")
    axes.legend(
        handles,
        labels,
        loc="upper left",
        bbox_to_anchor=(0.0, -0.04),
        ncols=1 if is_narrow() else 2,
        borderaxespad=0.0,
        handlelength=1.1,
        handleheight=1.1,
        columnspacing=1.0,
        handletextpad=0.5,
    )
