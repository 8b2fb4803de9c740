"""Descriptive frames without the numbers that rest on too few citizens."""

from collections.abc import Collection, Hashable
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import group_labels, memberships
from bipbayes.describe.description import NAMES, Description
from bipbayes.disclosure.small_cells import TOO_FEW, check_minimum_count
from bipbayes.disclosure.suppression import Suppression, suppressed

COUNTS: Final = ("n_citizens", "n", "n_with", "n_without", "n_previous")
NOTE: Final = "note"
KEPT: Final = ("number", "table", "level", "lower", "centre", "upper", "treatments")
PRINTED: Final = 1  # decimals of the report's Tables 4 to 11
COARSE: Final = 100  # responses that whole percents cannot tell from a few more or less
_SHARES: Final = ["unchanged", "forward", "back", "sd"]

type Blanks = NDArray[np.bool_]


def protected_description(
    description: Description,
    codebook: Codebook,
    *,
    minimum_count: int,
    hidden: Collection[str] = (),
) -> Description:
    """Blank every number of a description that rests on fewer than `minimum_count` citizens.

    Parameters
    ----------
    description
        Of data that are not synthetic.
    codebook
        Says which combinations make up which group.
    minimum_count
        Fewest citizens behind a printed number; where a frame counts responses only, these
        are counted, which is the stricter reading of the same rule.
    hidden
        Combinations that are blank elsewhere. What follows what is then blank altogether: a pair's
        later combination is counted there as often as in its own row.

    Returns
    -------
    Description
        The same frames with a ``note`` that says what was blanked. Cells from which a small
        one could be worked out are blank too (`bipbayes.disclosure.suppression`): within the total
        of an outcome's histogram and its mean, of the combinations, of a group over
        jobcenters, of a section of characteristics, and of an earlier combination with what
        the persistence of treatments tells.
    """
    check_minimum_count(limit := minimum_count)
    blanks: dict[str, Blanks] = {
        name: _few(frame, limit)
        for name in NAMES
        if (frame := getattr(description, name)) is not None
    }
    further: dict[str, Blanks] = {
        "histograms": _histograms(description.histograms, limit),
        "combinations": _within(description.combinations, [], limit),
        "jobcenters": _within(description.jobcenters, ["group"], limit),
        **_transitions(description, codebook, limit),
    }
    for name, blank in further.items():
        blanks[name] |= blank
    blanks["combinations"] |= description.combinations["combination"].isin(hidden).to_numpy()
    if hidden:
        blanks["transitions"][:] = blanks["persistence"][:] = True
    blanks["treatments"] |= _treatments(description, blanks["combinations"], codebook)
    sizes = _sizes_told(description, blanks["combinations"], codebook)
    people, differences = description.characteristics, description.differences
    if people is not None and differences is not None:
        blanks["characteristics"] |= _characteristics(people, limit)
        blanks["differences"] |= _differences(
            differences, people[blanks["characteristics"]], set(sizes.index)
        )
    frames = {
        name: _emptied(getattr(description, name), blank, limit) for name, blank in blanks.items()
    }
    for name in ("jobcenters", "characteristics"):
        if name in frames:
            frames[name] = _without_counts(frames[name], sizes)
    bins = description.histograms[blanks["histograms"]]
    frames["progress"] = _without_shares(frames["progress"], bins, limit)
    slopes = frames["slopes"]  # with intercept and mean weeks, slope gives the mean
    told = slopes["outcome"].isin(bins["outcome"])
    frames["slopes"] = slopes.assign(intercept=slopes["intercept"].mask(told))
    changed: dict[str, Any] = frames
    return replace(description, **changed)


def _few(frame: pd.DataFrame, limit: int) -> Blanks:
    counts = [column for column in COUNTS if column in frame.columns]
    if not counts or frame.empty:
        return np.zeros(len(frame), dtype=bool)
    values = frame[counts].astype("float64").to_numpy()
    return np.asarray(((values > 0) & (values < limit)).any(axis=1))


def _within(
    frame: pd.DataFrame, keys: list[str], limit: int, *, count: str = "n_citizens"
) -> Blanks:
    """Blank within groups of rows whose total is printed."""
    totals = frame.groupby(keys, sort=False).ngroup().to_numpy() if keys else np.zeros(len(frame))
    sums = totals == np.unique(totals)[:, None]
    numbers = frame["n"] if count == "n_citizens" else None
    return suppressed(frame[count], sums, minimum_count=limit, numbers=numbers).cells


def _histograms(frame: pd.DataFrame, limit: int) -> Blanks:
    """Blank bins: an outcome's number of changes and their mean are printed."""
    blank = np.zeros(len(frame), dtype=bool)
    for places in frame.groupby("outcome", sort=False).indices.values():
        bins = frame.iloc[places]
        sums = np.vstack([np.ones(len(bins)), bins["centre"].to_numpy()])
        found = suppressed(bins["n_citizens"], sums, minimum_count=limit, numbers=bins["n"])
        blank[places] = found.cells
    return blank


def _transitions(description: Description, codebook: Codebook, limit: int) -> dict[str, Blanks]:
    """Blank pairs: printed are each earlier combination's number and what persistence counts."""
    frame, persistence = description.transitions, description.persistence
    before = memberships(frame["previous"], codebook)
    after = memberships(frame["combination"], codebook)
    earlier, groups = pd.unique(frame["previous"]), group_labels(codebook)
    sums = [frame["previous"].to_numpy() == combination for combination in earlier]
    rows = _suppressed_pairs(frame, sums, limit)
    for group in groups:
        started, ended = before[group], after[group]
        sums += [started & ended, started & ~ended, ~started & ended, ~started & ~ended]
    found = _suppressed_pairs(frame, sums, limit)
    silent = found.sums[: len(earlier)].any()
    # The number of pairs that start somewhere, not printed, would be persistence's less the rest.
    found = rows if silent else found
    told = found.sums[len(earlier) :].reshape(-1, 4).any(axis=1)
    gone = np.full(len(groups), silent) if not len(told) else told | silent
    whole = earlier[found.sums[: len(earlier)]]
    return {
        "transitions": found.cells | frame["previous"].isin(whole).to_numpy(),
        "persistence": persistence["group"].isin(np.array(groups)[gone]).to_numpy(),
    }


def _suppressed_pairs(frame: pd.DataFrame, sums: list[Any], limit: int) -> Suppression:
    weights = np.array(sums, dtype=float)
    return suppressed(frame["n_citizens"], weights, minimum_count=limit, numbers=frame["n"])


def _treatments(description: Description, blank: Blanks, codebook: Codebook) -> Blanks:
    """Blank each treatment that has a blank combination: it is the sum of all that it has."""
    hidden = description.combinations.loc[blank, "combination"]
    codes = description.treatments["treatment"]
    return np.array(
        [any(codebook.has_treatment(text, code) for text in hidden) for code in codes], dtype=bool
    )


def _sizes_told(description: Description, blank: Blanks, codebook: Codebook) -> pd.Series:
    """Return the responses of each group whose number would tell of a blank combination."""
    belongs = memberships(description.combinations["combination"], codebook)
    sizes = belongs.mul(description.combinations["n"], axis=0).sum()
    return sizes[belongs[blank].any()]


def _without_counts(frame: pd.DataFrame, sizes: pd.Series) -> pd.DataFrame:
    """Blank what tells how many responses a group has; shares stay, to the whole percent.

    Shares to one decimal, of which there are some forty, fit one number of responses only. Of
    a group with fewer than `COARSE` even whole percents do.
    """
    told = frame["group"].isin(sizes.index)
    if not told.any():
        return frame
    counts = frame.columns.intersection([*COUNTS, "n_carriers"])
    few = frame["group"].isin(sizes.index[sizes < COARSE])
    result = frame.astype({name: _nullable(frame[name]) for name in counts})
    result.loc[told, counts] = pd.NA
    shares = result.get("unit", pd.Series("percent", result.index)) == "percent"
    for name in result.columns.intersection(["percent", "value"]):
        exact = result[name].astype("float64")
        coarse = exact.round().where(shares, exact.round(PRINTED))
        result[name] = exact.mask(told, coarse).mask(few)
    if "sd" in result:  # of a share it is a function of share and number
        result["sd"] = result["sd"].mask(told)
    kept = result[NOTE] if NOTE in result else pd.Series("", index=result.index)
    result[NOTE] = kept.mask(told & (kept == ""), "counts blank: they would tell of a combination")
    return result


def _characteristics(frame: pd.DataFrame, limit: int) -> Blanks:
    """Blank shares that few citizens carry: the shares of a section may sum to 100 percent."""
    blank = np.zeros(len(frame), dtype=bool)
    shares = (frame["unit"] == "percent").to_numpy()
    part = frame[shares]
    keys = ["table", "section_en", "group"]
    blank[shares] = _within(part, keys, limit, count="n_carriers")
    return blank


def _differences(frame: pd.DataFrame, hidden: pd.DataFrame, told: set[str]) -> Blanks:
    """Blank differences from or to a group whose own value or number of responses is blank."""
    gone = set(zip(hidden["column"], hidden["group"], strict=True))
    ends = [zip(frame["column"], frame[side], strict=True) for side in ("group", "reference")]
    blank = [bool(gone & {one, other}) for one, other in zip(*ends, strict=True)]
    # Of full precision, they fit one number of responses only.
    return np.array(blank, dtype=bool) | frame["group"].isin(told) | frame["reference"].isin(told)


def _without_shares(progress: pd.DataFrame, hidden: pd.DataFrame, limit: int) -> pd.DataFrame:
    """Blank what would tell more of a histogram with blank bins than its total and mean."""
    told = progress["outcome"].isin(hidden["outcome"])
    result = progress.copy()
    still = hidden.loc[np.isclose(hidden["centre"], 0), "outcome"]
    columns: dict[Hashable, pd.Series] = dict.fromkeys(_SHARES[1:], told)
    columns["unchanged"] = progress["outcome"].isin(still)
    for column, rows in columns.items():
        result[column] = result[column].mask(rows)
    # Whole numbers of changes must fit the mean in more than one way.
    counts = result["n"].astype("float64")  # a blank one compares as false
    coarse = pd.Series(np.where(counts < 5 * COARSE, 1, 2), result.index)
    for decimals in (1, 2):
        rows = told & (coarse == decimals)
        result["mean"] = result["mean"].mask(rows, result["mean"].astype("float64").round(decimals))
    result["mean"] = result["mean"].mask(told & (counts < COARSE))
    if told.any():
        said = f"blank in part, since bins of the histogram are: {TOO_FEW.format(count=limit)}"
        kept = result[NOTE] if NOTE in result else pd.Series("", index=result.index)
        result[NOTE] = kept.mask(told & (kept == ""), said)
    return result


def _emptied(frame: pd.DataFrame, blank: Blanks, limit: int) -> pd.DataFrame:
    if not blank.any():
        return frame
    numbers = frame.select_dtypes("number").columns.difference(list(KEPT))
    if "lower" in frame.columns and "centre" not in frame.columns:
        numbers = numbers.union(["lower", "upper"])  # limits of an interval, not of a bin
    result = frame.astype({name: _nullable(frame[name]) for name in numbers})
    result.loc[blank, numbers] = pd.NA
    result[NOTE] = np.where(blank, f"blank: {TOO_FEW.format(count=limit)}", "")
    return result


def _nullable(column: pd.Series) -> str:
    """Return the type in which a number may be blank; counts stay whole numbers."""
    return "Int64" if pd.api.types.is_integer_dtype(column) else "float64"
