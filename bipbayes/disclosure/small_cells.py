"""Leave numbers blank that rest on too few citizens, and those that would give them away.

What is covered: a number resting on fewer citizens than asked for, its n, and working it out from
a printed total (differencing) within one run's tables. What is not: comparing exports of
different populations, or outcomes with one another; the user remains responsible to the owner of
the data.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from bipbayes.errors import DataError, SettingsError
from bipbayes.intervals import ALL_INDICATORS

FLOOR: Final = 3  # the least that any of the known rules allows
# One sentence for both: which blank cells are the small ones would narrow down what they hold.
TOO_FEW: Final = (
    "fewer than {count} {{citizens}}, or a number from which theirs could be worked out"
)
_LABELS: Final = {"level"}


@dataclass(frozen=True)
class Blanked:
    """A frame with blanks, and how many rows have them."""

    frame: pd.DataFrame
    rows: int


def blank_small_cells(
    frame: pd.DataFrame,
    *,
    minimum_count: int,
    no_treatment: str,
) -> Blanked:
    """Leave blank every row that rests on too few citizens.

    Rows of one outcome and combination share their fate whatever their source, errors or
    estimand. Beyond the small cells themselves these are blanked:

    - where a total is printed (n over combinations in the report's Table 1, n over jobcenters
      in a combination's own row), the next smallest cells of the same total, until at least two
      are blank and these hold `minimum_count` citizens together: one blank alone is the total
      less the others;
    - a blank combination's jobcenters, which add up to it;
    - all contrasts of an outcome whose ``0000`` is blank: effect less contrast would give it.

    Parameters
    ----------
    frame
        Rows with ``outcome``, ``combination``, ``n_citizens`` and possibly ``jobcenter`` and
        ``estimand``. Where a cell's number of citizens is unknown it counts as none, but for
        ``all_indicators``, where it is the largest over the indicators.
    minimum_count
        Fewest citizens that a printed number may rest on.
    no_treatment
        Combination from which contrasts are taken.

    Returns
    -------
    Blanked
        The same rows; numbers and verdicts of blanked rows are empty, and ``note`` says why.

    Raises
    ------
    SettingsError
        If `minimum_count` is below 3.
    DataError
        If the frame does not say how many citizens its rows rest on.
    """
    _check(frame, minimum_count)
    rows = frame.copy()
    if "jobcenter" not in rows:
        rows["jobcenter"] = ""
    if "estimand" not in rows:
        rows["estimand"] = ""
    rows["citizens"] = _citizens(rows)
    # A factorial term is an average over combinations, not a cell of them.
    whole = (rows["jobcenter"] == "") & (rows["estimand"] != "factorial")
    parts = rows["jobcenter"] != ""
    blank = _hidden(rows, whole, ["outcome"], "combination", least=minimum_count)
    blank |= ~whole & ~parts & ~(rows["citizens"] >= minimum_count)
    combinations = _keys(rows, ["outcome", "combination"])
    blank |= parts & combinations.isin(set(combinations[blank & whole]))
    blank |= _hidden(rows, parts, ["outcome", "combination"], "jobcenter", least=minimum_count)
    bare = blank & whole & (rows["combination"] == no_treatment)
    contrast = rows["estimand"].str.contains("contrast")
    blank |= contrast & rows["outcome"].isin(set(rows.loc[bare, "outcome"]))
    return Blanked(emptied(frame, blank, minimum_count), int(blank.sum()))


def _hidden(
    rows: pd.DataFrame, among: pd.Series, groups: list[str], cell: str, *, least: int
) -> pd.Series:
    """Say which rows' cells must be blank, looking at one kind of total."""
    keys = _keys(rows, [*groups, cell])
    # Rows of one cell that lack the number take it from the others; a cell without any has none.
    cells = rows[among].groupby([*groups, cell])["citizens"].min().fillna(0.0)
    hidden: set[str] = set()
    for _, group in cells.groupby(level=groups):
        ordered = group.sort_values(kind="stable")
        few = int((ordered < least).sum())
        if few:
            few = _enough(ordered.to_numpy(dtype=float), few, least)
        chosen = ordered.index[:few].to_frame(index=False)
        hidden |= set(_keys(chosen, [*groups, cell])) if few else set()
    return among & keys.isin(hidden)


def _enough(ordered: npt.NDArray[np.float64], few: int, minimum_count: int) -> int:
    """Return how many of the smallest cells to blank so that their total hides each of them."""
    while few < len(ordered) and (few < 2 or ordered[:few].sum() < minimum_count):
        few += 1
    return few


def _citizens(rows: pd.DataFrame) -> pd.Series:
    """Return the citizens that rows rest on; over all indicators the most of any indicator."""
    citizens = pd.to_numeric(rows["n_citizens"]).astype("float64")
    places = _keys(rows, ["combination", "jobcenter"])
    over_all = rows["outcome"] == ALL_INDICATORS
    largest = citizens[~over_all].groupby(places[~over_all]).max()
    return citizens.where(~over_all | citizens.notna(), places.map(largest).astype("float64"))


def _keys(rows: pd.DataFrame, columns: list[str]) -> pd.Series:
    parts = [rows[column].astype("str") for column in columns]
    return pd.Series(["\x1f".join(labels) for labels in zip(*parts, strict=True)], rows.index)


def emptied(frame: pd.DataFrame, blank: pd.Series, minimum_count: int) -> pd.DataFrame:
    """Return a frame without the numbers and verdicts of the rows that are blank."""
    result = frame.copy()
    for column in frame.columns:
        if column in _LABELS:
            continue
        if pd.api.types.is_bool_dtype(frame[column]):
            result[column] = frame[column].astype("boolean").mask(blank)
        elif pd.api.types.is_numeric_dtype(frame[column]):
            result[column] = frame[column].astype(float).mask(blank)
    for column in ("note", "verdict_change"):
        if column in frame:
            said = TOO_FEW.format(count=minimum_count) if column == "note" else ""
            result[column] = frame[column].mask(blank, said)
    return result


def withheld(frame: pd.DataFrame) -> pd.Series:
    """Say which rows are `emptied`: others are blank since nothing could be estimated."""
    said = TOO_FEW.format(count=0).partition("0")[2]
    return frame["note"].astype("str").str.endswith(said)


def check_minimum_count(minimum_count: int) -> None:
    """Raise `SettingsError` where numbers of data that are not synthetic would rest on too few."""
    if minimum_count < FLOOR:
        raise SettingsError(
            f"minimum count {minimum_count} is too small; data that are not synthetic need at"
            f" least {FLOOR}"
        )


def _check(frame: pd.DataFrame, minimum_count: int) -> None:
    check_minimum_count(minimum_count)
    missing = [name for name in ("outcome", "combination", "n_citizens") if name not in frame]
    if missing:
        raise DataError(
            f"the columns {missing} are missing, so nobody can say how many persons the numbers"
            " rest on; nothing was exported"
        )
