"""Somebody who has nothing but an export, and all the programs to work with.

What is printed are equations: shown cells, totals, totals of groups, means times their numbers,
averages over indicators. Whatever is not shown is an unknown; the least and the largest value
that all equations together leave open to it are found by integer programs (numbers) and linear
ones (means). Where a study has no gaps and nobody moves, all outcomes count the same responses:
the most that an attacker could ever assume. Where it has gaps, each outcome is attacked by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import LinearConstraint, linprog, milp

from bipbayes.data.codebook import Codebook
from bipbayes.data.factorial import factorial_contrasts
from bipbayes.data.sample import memberships

type Cell = tuple[str, str]


def read(path: Path) -> pd.DataFrame:
    """Read a CSV of an export; combinations are digits."""
    frame = pd.read_csv(path, low_memory=False)
    if "code" in frame:
        known = frame["code"].notna()
        digits = frame["code"].astype("str").str.removeprefix("c")
        frame["combination"] = digits.where(known, frame["combination"].astype("str"))
    if "jobcenter" in frame:
        frame["jobcenter"] = frame["jobcenter"].fillna("").astype("str")
    return frame


@dataclass
class Attacker:
    """All that an export says, as equations in what it does not say."""

    export: Path
    codebook: Codebook
    places: tuple[str, ...]
    outcome: str = ""

    def __post_init__(self) -> None:
        self.frame = self._own(read(self.export / "data" / "intervals.csv"))
        self.outcomes = [self.outcome] if self.outcome else list(self.codebook.outcomes)
        self.cells = [(c, j) for c in self.codebook.combinations for j in self.places]
        self.at = {cell: place for place, cell in enumerate(self.cells)}

    def table(self, name: str) -> pd.DataFrame:
        path = self.export / "tables" / f"{name}.csv"
        if not path.is_file():  # nothing but blanks: left out, and named
            assert name in (self.export / "README.txt").read_text(encoding="utf-8")
            return pd.DataFrame({"n": []})
        return self._own(read(path))

    def _own(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Rows of the outcome that is attacked; tables without outcomes count the first one."""
        if not self.outcome:
            return frame
        if "outcome" in frame:
            return frame[frame["outcome"] == self.outcome]
        return frame if self.outcome == self.codebook.indicator_codes[0] else frame[:0]

    def where(self, *, combinations: Iterable[str] | None = None, place: str = "") -> np.ndarray:
        chosen = None if combinations is None else set(combinations)
        return np.array(
            [(chosen is None or c in chosen) and place in ("", j) for c, j in self.cells],
            dtype=float,
        )

    def number_equations(self) -> tuple[np.ndarray, np.ndarray]:
        """What is told of the cells' responses: weights and totals."""
        told: list[tuple[np.ndarray, float]] = []
        counted = self.frame[self.frame["estimand"].isin(["effect", "jobcenter"])]
        counted = counted[
            counted["n"].notna() & counted["combination"].isin(self.codebook.combinations)
        ]
        told += [
            (self.where(combinations=[row.combination], place=row.jobcenter), row.n)
            for row in counted.dropna(subset="n").itertuples()
        ]
        told += [(self.where(), n) for n in self.table("progression")["n"].dropna()]
        told += [
            (self.where(combinations=[row.combination]), row.n)
            for row in self.table("combinations").dropna(subset="n").itertuples()
        ]
        belongs = memberships(pd.Series(list(self.codebook.combinations)), self.codebook)
        groups = {
            group: [
                c for c, own in zip(self.codebook.combinations, belongs[group], strict=True) if own
            ]
            for group in belongs
        }
        told += [
            (self.where(combinations=groups[row.treatment]), row.n)
            for row in self.table("treatments").dropna(subset="n").itertuples()
        ]
        told += [
            (self.where(combinations=groups[row.group], place=row.jobcenter), row.n)
            for row in self.table("jobcenters").dropna(subset="n").itertuples()
        ]
        path = self.export / "tables" / "transitions.csv"
        pairs = (
            read(path)
            if path.is_file() and not self.outcome
            else pd.DataFrame({"combination": [], "n": []})
        )
        pairs = pairs.dropna(subset="n")
        for combination, rows in pairs.groupby("combination"):
            if len(rows) == len(self.codebook.combinations):  # without gaps: those with a change
                told.append((self.where(combinations=[combination]), rows["n"].sum()))
        return np.array([weights for weights, _ in told]), np.array([n for _, n in told])

    def citizen_equations(self) -> tuple[np.ndarray, np.ndarray]:
        """What is told of the cells' citizens, who never move: only jobcenters add up."""
        counted = self.frame[self.frame["estimand"].isin(["effect", "jobcenter"])]
        counted = counted[counted["combination"].isin(self.codebook.combinations)]
        told = [
            (self.where(combinations=[row.combination], place=row.jobcenter), row.n_citizens)
            for row in counted.dropna(subset="n_citizens").itertuples()
        ]
        return np.array([weights for weights, _ in told]), np.array([n for _, n in told])

    def numbers(
        self, equations: tuple[np.ndarray, np.ndarray], of: list[np.ndarray]
    ) -> list[tuple[float, float]]:
        """Return the least and the largest whole number that sums of cells may be."""
        weights, totals = equations
        held = LinearConstraint(weights, totals, totals)
        ends = []
        for target in of:
            found = [
                milp(sign * target, constraints=held, integrality=np.ones(len(target)))
                for sign in (1, -1)
            ]
            low = found[0].fun if found[0].status == 0 else 0.0
            high = -found[1].fun if found[1].status == 0 else np.inf
            ends.append((round(low), high if np.isinf(high) else round(high)))
        return ends

    def means(
        self,
        truth: dict[Cell, int],
        scales: pd.DataFrame,
        of: list[tuple[str, str, str]],
    ) -> list[tuple[float, float]]:
        """Return the least and largest mean change (scale points) of outcome and cell.

        Parameters
        ----------
        truth
            Responses of each cell: this attacker knows all numbers.
        scales
            ``mean`` and ``sd`` of each outcome, which he knows as well.
        of
            Outcome, combination and jobcenter.
        """
        outcomes, size = self.outcomes, len(self.cells)
        n = np.array([truth.get(cell, 0) for cell in self.cells], dtype=float)
        told = [*self._averages(outcomes)]
        for outcome, weights, value in self._estimates(n):
            row = np.zeros(len(outcomes) * size)
            start, (mean, sd) = outcomes.index(outcome) * size, scales.loc[outcome]
            row[start : start + size] = weights / sd
            told.append((row, value + weights.sum() * mean / sd))
        low, high = self.codebook.scale
        held, totals = np.array([row for row, _ in told]), np.array([value for _, value in told])
        # Printed to full precision; a computer's own error is left open.
        both = np.vstack([held, -held]), np.concatenate([totals + 1e-7, -totals + 1e-7])
        ends = []
        for outcome, combination, place in of:
            target = np.zeros(len(outcomes) * size)
            target[outcomes.index(outcome) * size + self.at[combination, place]] = 1.0
            found = [
                linprog(sign * target, *both, bounds=(low - high, high - low)) for sign in (1, -1)
            ]
            assert all(end.status == 0 for end in found), found[0].message
            ends.append((found[0].fun, -found[1].fun))
        return ends

    def _estimates(self, n: np.ndarray) -> Iterator[tuple[str, np.ndarray, float]]:
        """Outcome, weights of the cells' standardised means, and what is printed of their sum."""
        ols = self.frame[(self.frame["source"] == "ols") & self.frame["estimate"].notna()]
        ols = ols.drop_duplicates(["outcome", "estimand", "combination", "jobcenter"])
        labels, effects = factorial_contrasts(self.codebook)
        none = self.codebook.no_treatment
        for row in ols.itertuples():
            alike = row.estimand.startswith("standardised")
            if row.estimand == "jobcenter":
                weights = self.where(combinations=[row.combination], place=row.jobcenter)
            elif row.estimand == "factorial":
                term = effects[labels.index(row.combination)]
                parts = zip(term, self.codebook.combinations, strict=True)
                weights = np.sum([w * self._whole(c, n) for w, c in parts], axis=0)
            else:
                weights = self._whole(row.combination, n, alike=alike)
                if "contrast" in row.estimand:
                    weights = weights - self._whole(none, n, alike=alike)
            yield row.outcome, weights, row.estimate
        for outcome in self.outcomes:  # effects add up to zero
            yield outcome, n / n.sum(), 0.0

    def _whole(self, combination: str, n: np.ndarray, *, alike: bool = False) -> np.ndarray:
        """Weights of a combination's cells: their own numbers, or each jobcenter's share."""
        inside = self.where(combinations=[combination]) * (n > 0)
        if not alike:
            return inside * n / max((inside * n).sum(), 1)
        share = [(self.where(place=j) * n).sum() / n.sum() for _, j in self.cells]
        return inside * np.array(share)

    def _averages(self, outcomes: list[str]) -> Iterator[tuple[np.ndarray, float]]:
        """Without gaps an average's mean change is the mean of its members'."""
        size = len(self.cells)
        for average in () if self.outcome else self.codebook.average_codes:
            members = self.codebook.members(average)
            for place in range(size):
                row = np.zeros(len(outcomes) * size)
                row[outcomes.index(average) * size + place] = 1.0
                for member in members:
                    row[outcomes.index(member) * size + place] = -1 / len(members)
                yield row, 0.0
