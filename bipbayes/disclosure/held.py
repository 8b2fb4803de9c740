"""Which numbers are held back, the same ones in all that leaves.

What one table leaves blank another would tell: nearly the same citizens answer all questions,
averages are sums of them, the effects of an outcome add up to zero with their n, and terms of a
factorial design are sums over combinations. So a small cell is blank for every outcome, and what
else must be blank is found for all tables together.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from bipbayes.data.codebook import Codebook
from bipbayes.data.factorial import factorial_contrasts
from bipbayes.data.sample import Booleans, group_labels, memberships
from bipbayes.disclosure.counts import KEYS, MOST_ALIKE
from bipbayes.disclosure.suppression import exposed, suppressed
from bipbayes.intervals import ALL_INDICATORS, PLAIN

_ALL: Final = ""  # as jobcenter: all of them

type Place = tuple[str, str]
type Value = tuple[str, str, str]


@dataclass(frozen=True)
class Held:
    """What is held back.

    Attributes
    ----------
    combinations, cells
        Blank for every outcome, with all counts: combinations, and those in a jobcenter.
    values
        Outcome, combination and jobcenter (``""``: all) of estimates that are held back
        although their number is told: citizens who are too much alike, or what would tell of
        them.
    groups
        Jobcenter and group whose total would tell of a cell.
    terms
        Factorial terms that may be told.
    few
        Outcome and combination of which a second weighting of jobcenters may not be told: it
        would give a small cell the weight of its whole jobcenter.
    minimum_count
        Fewest citizens behind a number.
    no_treatment
        What contrasts subtract.
    """

    combinations: frozenset[str]
    cells: frozenset[Place]
    values: frozenset[Value]
    groups: frozenset[Place]
    terms: frozenset[str]
    few: frozenset[Value]
    minimum_count: int
    no_treatment: str

    def rows(self, frame: pd.DataFrame) -> pd.Series:
        """Say which rows of a frame of estimates are held back.

        Parameters
        ----------
        frame
            ``outcome``, ``combination``, possibly ``jobcenter``, ``estimand``, ``n_citizens``,
            ``analysis``.
        """
        text = {
            name: frame.get(name, pd.Series("", index=frame.index)).astype("str")
            for name in ("outcome", "combination", "jobcenter", "estimand")
        }
        keys = pd.DataFrame(text)
        whole = keys["jobcenter"] == _ALL
        term = keys["estimand"] == "factorial"
        held = keys["combination"].isin(self.combinations) & ~term
        places = pd.MultiIndex.from_frame(keys[["combination", "jobcenter"]])
        held |= ~whole & places.isin(list(self.cells))
        values = pd.MultiIndex.from_frame(keys[["outcome", "combination", "jobcenter"]])
        held |= values.isin(list(self.values)) & ~term
        held |= term & ~keys["combination"].isin(self.terms)
        standard = keys["estimand"].str.startswith("standardised")
        held |= standard & values.isin(list(self.few))
        contrast = keys["estimand"].str.contains("contrast")
        for estimands, gone in (
            (contrast, {o for o, c, j in self.values if (c, j) == (self.no_treatment, _ALL)}),
            (
                contrast & standard,
                {o for o, c, _ in self.few if c == self.no_treatment},
            ),
        ):
            held |= estimands & keys["outcome"].isin(gone)
        if self.no_treatment in self.combinations:
            held |= contrast
        return held | _too_few(frame, self.minimum_count) | _near_misses(frame, self.minimum_count)


def held_back(cells: pd.DataFrame, codebook: Codebook, *, minimum_count: int) -> Held:
    """Find what must be held back of a study's cells.

    Parameters
    ----------
    cells
        `bipbayes.disclosure.counts.Cells.frame`.
    codebook
        Outcomes, combinations and averages.
    minimum_count
        Fewest citizens behind a number.
    """
    gone: set[str] = set()
    while True:  # a total that tells of its cells is blank itself, and needs company
        combinations = _combinations(cells, gone, minimum_count)
        inside, groups, told = _inside(cells, codebook, combinations, minimum_count)
        gone = combinations | told
        if not told:
            break
    values = _Values(cells, codebook, combinations, inside).closed()
    whole = combinations | {combination for _, combination, place in values if place == _ALL}
    return Held(
        combinations=frozenset(combinations),
        cells=frozenset(inside),
        values=frozenset(values),
        groups=frozenset(groups),
        terms=frozenset(_terms(cells, codebook, whole)),
        few=frozenset(_twice_told(cells, inside, values)),
        minimum_count=minimum_count,
        no_treatment=codebook.no_treatment,
    )


def _table(cells: pd.DataFrame, column: str, keys: list[str]) -> pd.DataFrame:
    """Return a number of the cells, a row an outcome, a column a cell; 0 where there is none."""
    return cells.pivot(index="outcome", columns=keys, values=column).fillna(0.0)


def _few(citizens: pd.DataFrame, least: int) -> Booleans:
    """Say which cells are small for any outcome; one that lacks answers is no empty one."""
    some = (citizens > 0).any()
    return np.asarray(((citizens < least).any() & some).to_numpy(), dtype=bool)


def _combinations(cells: pd.DataFrame, gone: set[str], least: int) -> set[str]:
    """Return the combinations to blank: small ones of any outcome, and what gives them away."""
    whole = cells[cells["jobcenter"] == _ALL]
    citizens, numbers = (_table(whole, name, ["combination"]) for name in ("citizens", "n"))
    names = citizens.columns.get_level_values("combination").astype("str")
    blank = _few(citizens, least) | names.isin(list(gone))
    while True:
        before = blank
        for outcome in citizens.index:
            blank = (
                blank
                | suppressed(
                    citizens.loc[outcome],
                    np.ones((1, len(names))),
                    minimum_count=least,
                    numbers=numbers.loc[outcome],
                    hidden=blank,
                ).cells
            )
        if (blank == before).all():
            return set(names[blank])


def _inside(
    cells: pd.DataFrame, codebook: Codebook, combinations: set[str], least: int
) -> tuple[set[Place], set[Place], set[str]]:
    """Return the cells by jobcenter to blank, totals of groups, and combinations that tell."""
    parts = cells[(cells["jobcenter"] != _ALL) & ~cells["combination"].isin(combinations)]
    own = cells[(cells["jobcenter"] != _ALL) & cells["combination"].isin(combinations)]
    hidden = set(zip(own["combination"], own["jobcenter"], strict=True))
    if parts.empty:
        return hidden, set(), set()
    citizens, numbers = (
        _table(parts, name, ["combination", "jobcenter"]) for name in ("citizens", "n")
    )
    places = citizens.columns.to_frame(index=False).astype("str")
    shown = places["combination"].unique().astype(object)
    rows = places["combination"].to_numpy(dtype=object) == shown[:, None]
    totals, crossed = _group_totals(places, codebook)
    blank, silent, told = _few(citizens, least), np.zeros(len(totals), dtype=bool), set()
    first = codebook.indicator_codes[0]  # whose responses the tables of groups count
    while True:
        before = blank
        for outcome in citizens.index:
            # Where combinations are blank, so are the totals of groups that have them.
            crossing = crossed if outcome == first and not combinations else crossed[:0]
            found = suppressed(
                citizens.loc[outcome],
                np.vstack([rows, crossing]),
                minimum_count=least,
                numbers=numbers.loc[outcome],
                hidden=blank,
            )
            blank = blank | found.cells
            told |= set(shown[found.sums[: len(shown)]])
            if len(crossing):
                silent = silent | found.sums[len(shown) :]
        if (blank == before).all():
            break
    hidden |= set(places[blank].itertuples(index=False, name=None))
    return hidden, set(totals[silent].itertuples(index=False, name=None)), told


def _group_totals(places: pd.DataFrame, codebook: Codebook) -> tuple[pd.DataFrame, Booleans]:
    """Return jobcenter and group of each total that tables print, and the cells in it."""
    belongs = memberships(places["combination"], codebook)
    names = [
        (place, group) for place in places["jobcenter"].unique() for group in group_labels(codebook)
    ]
    weights = [
        (places["jobcenter"] == place).to_numpy() & belongs[group].to_numpy()
        for place, group in names
    ]
    return pd.DataFrame(names, columns=["jobcenter", "group"]), np.array(weights, dtype=bool)


class _Values:
    """Estimates to hold back although their numbers are told, until none gives another away."""

    def __init__(
        self, cells: pd.DataFrame, codebook: Codebook, combinations: set[str], inside: set[Place]
    ) -> None:
        self._inside, self._averages = inside, _averages_of(codebook)
        shown = cells[~cells["combination"].isin(combinations)]
        self._parts = {
            (str(key[0]), str(key[1])): dict(zip(rows["jobcenter"], rows["n"], strict=True))
            for key, rows in shown[shown["jobcenter"] != _ALL].groupby(["outcome", "combination"])
        }
        whole = shown[shown["jobcenter"] == _ALL]
        self._whole = {
            str(outcome): dict(zip(rows["combination"], rows["n"], strict=True))
            for outcome, rows in whole.groupby("outcome")
        }
        self._company = bool(combinations)
        alike = shown[shown["alike"] >= MOST_ALIKE]
        self._held: set[Value] = set(alike[KEYS].itertuples(index=False, name=None))

    def closed(self) -> set[Value]:
        """Add what gives a value away until nothing is added."""
        while True:
            before = len(self._held)
            for outcome, combination, place in sorted(self._held):
                for average in self._averages.get(outcome, ()):
                    self._held.add((average, combination, place))
                if place == _ALL:
                    parts = self._parts.get((outcome, combination), {})
                    self._held |= {(outcome, combination, name) for name in parts}
            for key in self._parts:
                self._accompany(*key)
            for outcome in self._whole:
                self._accompany_whole(outcome)
            if len(self._held) == before:
                return self._held

    def _accompany(self, outcome: str, combination: str) -> None:
        """Hold back a second cell of a mean that is told."""
        parts = self._parts[outcome, combination]
        own = {name for name in parts if (outcome, combination, name) in self._held}
        blank = own | {name for name in parts if (combination, name) in self._inside}
        if not own or len(blank) > 1:
            return
        others = {name: n for name, n in parts.items() if name not in blank}
        nearest = min(others, key=lambda name: others[name]) if others else _ALL
        self._held.add((outcome, combination, nearest))

    def _accompany_whole(self, outcome: str) -> None:
        """Hold back a second combination: effects add up to zero with their numbers."""
        own = {c for o, c, place in self._held if (o, place) == (outcome, _ALL)}
        if len(own) != 1 or self._company:
            return
        others = {name: n for name, n in self._whole[outcome].items() if name not in own}
        if others:
            self._held.add((outcome, min(others, key=lambda name: others[name]), _ALL))


def _averages_of(codebook: Codebook) -> dict[str, tuple[str, ...]]:
    """Return the averages that each indicator is in, that over all of them included."""
    return {
        code: (
            ALL_INDICATORS,
            *(name for name in codebook.average_codes if code in codebook.members(name)),
        )
        for code in codebook.indicator_codes
    }


def _twice_told(cells: pd.DataFrame, inside: set[Place], values: set[Value]) -> set[Value]:
    """Return outcome and combination of which a cell is held back."""
    parts = cells.loc[cells["jobcenter"] != _ALL, KEYS].itertuples(index=False, name=None)
    few = {(str(o), str(c), _ALL) for o, c, j in parts if (c, j) in inside or (o, c, j) in values}
    return few | {(ALL_INDICATORS, c, _ALL) for _, c, _ in few}


def _terms(cells: pd.DataFrame, codebook: Codebook, hidden: set[str]) -> set[str]:
    """Return the factorial terms that together determine no hidden combination, from below."""
    labels, weights = factorial_contrasts(codebook)
    if not hidden:
        return set(labels)
    whole = cells[cells["jobcenter"] == _ALL].groupby("combination")["n"].max()
    numbers = whole.reindex(list(codebook.combinations)).fillna(0.0).to_numpy(dtype=float)
    unknown = np.array([name in hidden for name in codebook.combinations], dtype=bool)
    told = numbers[None, :]
    kept: set[str] = set()
    for label, row in sorted(
        zip(labels, weights, strict=True), key=lambda pair: pair[0].count(":")
    ):
        more = np.vstack([told, row])
        if not exposed(more, unknown).any():
            told, kept = more, kept | {label}
    return kept


def _too_few(frame: pd.DataFrame, least: int) -> pd.Series:
    if "n_citizens" not in frame:
        return pd.Series(False, index=frame.index)
    return ~(pd.to_numeric(frame["n_citizens"]).astype("float64") >= least)


def _near_misses(frame: pd.DataFrame, least: int) -> pd.Series:
    """Say which rows of further analyses rest on nearly the citizens of the plain one."""
    none = pd.Series(False, index=frame.index)
    if "analysis" not in frame or "n_citizens" not in frame or frame["analysis"].nunique() < 2:
        return none
    keys = [*KEYS, "estimand"] if "jobcenter" in frame else ["outcome", "combination", "estimand"]
    index = pd.MultiIndex.from_frame(frame[keys].astype("str"))
    plain = (frame["analysis"] == PLAIN).to_numpy()
    result = none.copy()
    for name in ("n", "n_citizens"):
        numbers = pd.Series(frame[name].to_numpy(dtype="float64"), index=index)
        own = numbers[plain].groupby(level=list(range(len(keys)))).min().reindex(index)
        gap = (numbers - own).abs().to_numpy()
        result |= ~plain & (gap > 0) & (gap < least)
    return result
