"""The register's 0/1 characteristics, wholes before their parts.

Every part is drawn among the carriers of its whole, so that implications hold by construction.
Where parts make up a whole (Table 7's rows and the kinds of diagnosis of Table 6), each carrier
first gets one part of a partition and then, with what is still wanted, further parts.

Tilted probabilities are individual chances whose group sums are exactly what is wanted.
Citizen i has the probability of category k

    p[i, k] = softmax_k(base[i, k] + sum_g slope[k, g] counts[i, g] / scale)

with one more category of predictor 0. The slopes solve sum_i counts[i, g] p[i, k] = target[k, g],
the stationary point of a convex function (the exponential tilting of survey calibration, Deville
and Sarndal 1992, Journal of the American Statistical Association 87:376).

Who gets which category, so that every group's weighted count is as wanted: first a
random draw with tilted probabilities, then a repair in whole numbers: citizens with the
same counts by group are alike for every total, so the best single move is sought among these
kinds of citizens, whatever the number of citizens.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd

from bipbayes.bip.facts import bip_characteristics, fact
from bipbayes.data.codebook import Codebook
from bipbayes.data.progression import progression
from bipbayes.data.sample import (
    Booleans,
    Floats,
    Integers,
    counted_responses,
    group_labels,
    memberships,
)
from bipbayes.data.study import Study
from bipbayes.errors import SettingsError
from bipbayes.synthetic.streams import Stream

ROUNDS: Final = 40
ENOUGH: Final = 1e-9
RIDGE: Final = 1e-7
HALVINGS: Final = 12
MOVES: Final = 4000
WEIGHT_BITS: Final = 44
DRAW_BITS: Final = 31
FLOOR: Final = 1e-6  # smallest base share; a category wanted nowhere is left empty by the repair
CHILDREN: Final = ("one_child", "two_or_three_children", "four_or_more_children")
ORIGINS: Final = (
    "western_immigrant",
    "western_descendant",
    "non_western_immigrant",
    "non_western_descendant",
)
EDUCATIONS: Final = ("unskilled", "skilled", "higher_education")
ANY: Final = "psychiatric_diagnosis_or_medicine"
DIAGNOSIS: Final = "psychiatric_diagnosis"
LESS: Final = "less_severe_diagnosis"
MORE: Final = "more_severe_diagnosis"
UNSPECIFIED: Final = "unspecified_disorder"
LESS_PARTS: Final = (
    "substance_use_disorder",
    "affective_disorder",
    "stress_related_condition",
    "physical_factor_syndrome",
    "behavioural_disorder",
)
MORE_PARTS: Final = ("schizophrenia_or_psychosis", "personality_disorder", "developmental_disorder")
PSYCHOTROPIC: Final = ("antipsychotics", "anxiety_medicine", "antidepressants")
CRIMES: Final = ("penal_code", "traffic", "other")
ALONE: Final = 0.1  # part of the unspecified diagnoses that stand alone
ROWLESS: Final = 0.03  # part of the more severe ones whose codes have no row (F00-F09, F70-F79)
# "0%" may be anything below one half percent (inconsistencies.csv X24), "<1%" is 0.5.
LEAST_PERCENT = 0.25


@dataclass(frozen=True)
class Panel:
    """Citizens and how often each counts in each group.

    Attributes
    ----------
    citizens
        Ids in order of first appearance.
    counts
        Counted responses, shape (citizen, group).
    groups
        Labels: treatments, then none.
    """

    citizens: tuple[str, ...]
    counts: Integers
    groups: tuple[str, ...]

    @property
    def total(self) -> Integers:
        """Counted responses by group."""
        return np.asarray(self.counts.sum(axis=0))


def make_panel(study: Study) -> Panel:
    """Count each citizen's responses of the analysis sample by group.

    Raises SettingsError: the study has other treatments than the report's tables.
    """
    codebook = study.codebook
    groups = group_labels(codebook)
    _check_groups(codebook, groups)
    responses = counted_responses(progression(study), codebook)
    citizens = pd.Index(study.responses["citizen"].unique())
    rows = citizens.get_indexer(pd.Index(responses["citizen"]))
    counts = np.zeros((len(citizens), len(groups)), dtype=np.int64)
    members = memberships(responses["combination"], codebook).to_numpy()
    np.add.at(counts, rows, members.astype(np.int64))
    return Panel(tuple(map(str, citizens)), counts, groups)


def _check_groups(codebook: Codebook, groups: tuple[str, ...]) -> None:
    printed = tuple(dict.fromkeys(fact("characteristics")["group"]))
    if set(groups) != set(printed):
        raise SettingsError(
            f"synthetic characteristics are made for the groups {', '.join(printed)} of the 2017 "
            f"report; the codebook {codebook.name!r} has {', '.join(groups)}"
        )


def printed_values(groups: tuple[str, ...]) -> dict[str, Floats]:
    """Return the printed values by column and group: percents as parts of 1, amounts as such."""
    table = fact("characteristics")
    keys = table[["table", "section_en", "row_en"]].apply(tuple, axis=1)
    values = {}
    for entry in bip_characteristics().characteristics:
        key = (entry.table, entry.section.get("en", ""), entry.label["en"])
        row = table[keys == key].set_index("group")["value"].loc[list(groups)]
        printed = row.to_numpy(dtype=np.float64)
        values[entry.column] = (
            np.maximum(printed, LEAST_PERCENT) / 100 if entry.percent else printed
        )
    return values


def tilted_shares(
    base: Floats, counts: Floats, *, targets: Floats, numbers: Floats | None = None
) -> Floats:
    """Return probabilities of the categories.

    `base`: predictors before tilting, shape (citizen, category); `counts`: weights by group, shape
    (citizen, group); not negative; `targets`: wanted weighted sums, shape (category, group). Where
    they cannot be met the probabilities go as far as `ROUNDS` steps lead; `numbers`: how many
    citizens each row stands for (default one).

    Returns: shape (citizen, category); what is missing to 1 is the last, unnamed category.
    """
    largest = max(float(counts.max(initial=0.0)), 1.0)
    held = np.ones(len(base)) if numbers is None else numbers
    problem = _Problem(base, counts / largest, held, targets / largest)
    slopes = np.zeros(targets.shape)
    enough = ENOUGH * max(1.0, float(np.abs(problem.wanted).max(initial=0.0)))
    for _ in range(ROUNDS):
        shares = problem.shares(slopes)
        gradient = problem.gradient(shares, slopes)
        if np.abs(gradient).max(initial=0.0) < enough:
            break
        step = np.linalg.solve(problem.hessian(shares), gradient.ravel())
        moved = problem.descend(slopes, step.reshape(slopes.shape))
        if moved is slopes:
            break
        slopes = moved
    return problem.shares(slopes)


@dataclass(frozen=True)
class _Problem:
    """The convex function whose stationary point is wanted; a small ridge keeps it definite."""

    base: Floats
    features: Floats
    numbers: Floats
    wanted: Floats

    def shares(self, slopes: Floats) -> Floats:
        """Probabilities, shape (row, category)."""
        predictor, top = self._predictor(slopes)
        weights = np.exp(predictor - top[:, None])
        return np.asarray(weights / (weights.sum(axis=1) + np.exp(-top))[:, None])

    def objective(self, slopes: Floats) -> float:
        """Log-partition minus slopes times targets."""
        predictor, top = self._predictor(slopes)
        total = np.exp(predictor - top[:, None]).sum(axis=1) + np.exp(-top)
        partition = float((self.numbers * (np.log(total) + top)).sum())
        return (
            partition - float((slopes * self.wanted).sum()) + RIDGE / 2 * float((slopes**2).sum())
        )

    def gradient(self, shares: Floats, slopes: Floats) -> Floats:
        """Weighted sums minus targets, shape (category, group)."""
        weighted = shares * self.numbers[:, None]
        return np.asarray(weighted.T @ self.features - self.wanted + RIDGE * slopes)

    def hessian(self, shares: Floats) -> Floats:
        """Second derivatives, square in category x group."""
        categories, groups = shares.shape[1], self.features.shape[1]
        blocks = np.empty((categories, groups, categories, groups))
        for one in range(categories):
            for other in range(categories):
                weight = self.numbers * shares[:, one] * ((one == other) - shares[:, other])
                blocks[one, :, other, :] = self.features.T @ (self.features * weight[:, None])
        matrix = blocks.reshape(categories * groups, categories * groups)
        return np.asarray(matrix + RIDGE * np.eye(categories * groups))

    def descend(self, slopes: Floats, step: Floats) -> Floats:
        """Take the Newton step, halved until the objective does not rise."""
        before, size = self.objective(slopes), 1.0
        for _ in range(HALVINGS):
            trial = slopes - size * step
            if self.objective(trial) <= before:
                return np.asarray(trial)
            size /= 2
        return slopes

    def _predictor(self, slopes: Floats) -> tuple[Floats, Floats]:
        predictor = self.base + self.features @ slopes.T
        return predictor, np.maximum(predictor.max(axis=1, initial=0.0), 0.0)


def allocate(
    stream: Stream, counts: Integers, *, targets: Floats, eligible: Booleans, full: bool = False
) -> Integers:
    """Draw one category for each eligible citizen.

    `counts`: counted responses, shape (citizen, group); `targets`: wanted weighted counts, shape
    (category, group). Scaled down where a group's categories together want more than its eligible
    responses; `eligible`: citizens who may get a category; `full`: True where every eligible
    citizen gets one (targets are scaled to fit).

    Returns: category by citizen, -1 for none; integers of 64 bits.
    """
    rows = np.flatnonzero(eligible)
    own = counts[rows]
    wanted = _feasible(targets, own.sum(axis=0), full=full)
    kinds, kind = _kinds(own)
    chosen = _draw(stream, kinds, kind, wanted=wanted, full=full)
    held = np.zeros((len(kinds), len(wanted) + (not full)), dtype=np.int64)
    np.add.at(held, (kind, chosen), 1)
    balanced = _repair(kinds, held, wanted=wanted, weights=_weights(counts.sum(axis=0)))
    chosen = _reassign(stream, kind, chosen, held=held, wanted=balanced)
    result = np.full(len(counts), -1, dtype=np.int64)
    result[rows] = np.where(chosen < len(targets), chosen, -1)
    return result


def choose(stream: Stream, counts: Integers, *, target: Floats, eligible: Booleans) -> Booleans:
    """Draw which eligible citizens carry a characteristic (`target` by group)."""
    chosen = allocate(stream, counts, targets=target[None, :], eligible=eligible)
    return np.asarray(chosen == 0)


def _feasible(targets: Floats, total: Integers, *, full: bool) -> Integers:
    """Whole-number targets that leave nothing negative for the rest."""
    sums = np.maximum(targets.sum(axis=0), 1e-12)
    factor = total / sums if full else np.minimum(1.0, total / sums)
    return np.rint(np.maximum(targets, 0.0) * factor).astype(np.int64)


def _kinds(counts: Integers) -> tuple[Integers, Integers]:
    """Distinct rows of counts, and which of them each row is."""
    base = int(counts.max(initial=0)) + 1
    keys = counts @ (base ** np.arange(counts.shape[1], dtype=np.int64))
    _, first, kind = np.unique(keys, return_index=True, return_inverse=True)
    return counts[first], kind.astype(np.int64)


def _draw(
    stream: Stream, kinds: Integers, kind: Integers, *, wanted: Integers, full: bool
) -> Integers:
    """Category by row; the last one, of number `len(wanted)`, is none."""
    numbers = np.bincount(kind, minlength=len(kinds))
    total = max(int((numbers @ kinds).sum()), 1)
    share = np.maximum(wanted.sum(axis=1) / total, FLOOR)
    rest = FLOOR if full else max(1 - float(share.sum()), FLOOR)
    shares = tilted_shares(
        np.tile(np.log(share / rest), (len(kinds), 1)),
        kinds.astype(float),
        targets=wanted.astype(float),
        numbers=numbers.astype(float),
    )
    if full:
        shares = shares / shares.sum(axis=1, keepdims=True)
    edges = np.rint(np.cumsum(shares, axis=1) * 2**DRAW_BITS).astype(np.int64)
    if full:
        edges[:, -1] = 2**DRAW_BITS
    draws = stream.below(2**DRAW_BITS, len(kind))
    return np.asarray((draws[:, None] >= edges[kind]).sum(axis=1))


@dataclass
class _Balance:
    """Kinds of citizens, how many of each hold which category, and what is still wrong."""

    kinds: Integers
    held: Integers
    excess: Integers
    weights: Integers
    counted: Integers

    def best(self) -> tuple[int, int, int] | None:
        """Find the move (kind, from, to) that lowers the squared excess most."""
        squares = (self.kinds**2) @ self.weights
        cross = 2 * (self.kinds * self.weights) @ self.excess.T
        leave = (squares[:, None] - cross) * self.counted
        enter = (squares[:, None] + cross) * self.counted
        gain = leave[:, :, None] + enter[:, None, :]
        gain[self.held == 0] = 0
        same = np.arange(gain.shape[1])
        gain[:, same, same] = 0
        place = int(np.argmin(gain))
        kind, source, goal = np.unravel_index(place, gain.shape)
        return None if gain.ravel()[place] >= 0 else (int(kind), int(source), int(goal))

    def move(self, kind: int, source: int, goal: int) -> None:
        """Move one citizen of a kind."""
        self.held[kind, source] -= 1
        self.held[kind, goal] += 1
        self.excess[source] -= self.kinds[kind]
        self.excess[goal] += self.kinds[kind]


def _repair(kinds: Integers, held: Integers, *, wanted: Integers, weights: Integers) -> Integers:
    """Move citizens between categories while that brings the group counts nearer.

    Returns how many of each kind then hold each category.
    """
    excess = held.T @ kinds
    excess[: len(wanted)] -= wanted
    counted = (np.arange(held.shape[1]) < len(wanted)).astype(np.int64)
    balance = _Balance(kinds, held.copy(), excess, weights, counted)
    for _ in range(MOVES):
        move = balance.best()
        if move is None:
            break
        balance.move(*move)
    return balance.held


def _weights(total: Integers) -> Integers:
    """Inverse squares of the groups' sizes as whole numbers, so that sums are exact."""
    sizes = np.maximum(total, 1).astype(float)
    return np.rint(2.0**WEIGHT_BITS / sizes**2).astype(np.int64)


def _reassign(
    stream: Stream, kind: Integers, chosen: Integers, *, held: Integers, wanted: Integers
) -> Integers:
    """Change as few citizens as possible so that each kind holds what is wanted."""
    result = chosen.copy()
    order = stream.permutation(len(kind))
    for k in np.flatnonzero((held != wanted).any(axis=1)):
        rows = order[kind[order] == k]
        surplus = held[k] - wanted[k]
        for category in np.flatnonzero(surplus > 0):
            free = rows[chosen[rows] == category][: surplus[category]]
            lacking = np.repeat(np.arange(len(surplus)), np.maximum(-surplus, 0))
            result[free] = lacking[: len(free)]
            surplus = surplus + np.bincount(lacking[: len(free)], minlength=len(surplus))
    return result


@dataclass
class Draft:
    """The register in the making: one boolean array a column, drawn so far.

    Attributes
    ----------
    stream, panel
        Source of randomness; counted responses by citizen and group.
    printed
        Wanted parts of 1 by column, shape (group,).
    columns
        Drawn characteristics by column, shape (citizen,).
    """

    stream: Stream
    panel: Panel
    printed: dict[str, Floats]
    columns: dict[str, Booleans] = field(default_factory=dict)

    def wanted(self, column: str) -> Floats:
        """Weighted count wanted by group."""
        return np.asarray(self.printed[column] * self.panel.total)

    def reached(self, column: str) -> Floats:
        """Weighted count by group as drawn."""
        return np.asarray(self.columns[column].astype(np.int64) @ self.panel.counts, dtype=float)

    def everyone(self) -> Booleans:
        """All citizens."""
        return np.ones(len(self.panel.citizens), dtype=np.bool_)

    def draw(self, column: str, *, among: Booleans | None = None) -> None:
        """Draw one characteristic by itself."""
        eligible = self.everyone() if among is None else among
        self.columns[column] = choose(
            self.stream, self.panel.counts, target=self.wanted(column), eligible=eligible
        )

    def divide(
        self, columns: Sequence[str], *, targets: Sequence[Floats], among: Booleans, full: bool
    ) -> None:
        """Draw categories that shut each other out."""
        chosen = allocate(
            self.stream, self.panel.counts, targets=np.array(targets), eligible=among, full=full
        )
        for place, column in enumerate(columns):
            self.columns[column] = chosen == place

    def extend(self, column: str, *, among: Booleans) -> None:
        """Give a drawn characteristic to more of `among` until its count is as wanted."""
        lacking = np.maximum(self.wanted(column) - self.reached(column), 0.0)
        more = choose(
            self.stream,
            self.panel.counts,
            target=lacking,
            eligible=among & ~self.columns[column],
        )
        self.columns[column] = self.columns[column] | more


def draw_shares(draft: Draft) -> None:
    """Draw all 0/1 characteristics of Tables 4, 6 to 9 and 11."""
    _background(draft)
    _psychiatric(draft)
    for column in draft.printed:
        if column not in draft.columns and not column.startswith(("charged", "convicted")):
            among = draft.columns[ANY] if column in PSYCHOTROPIC else None
            draft.draw(column, among=among)
    for crime in CRIMES:
        _crime(draft, f"charged_{crime}", f"convicted_{crime}")


def _background(draft: Draft) -> None:
    everyone = draft.everyone()
    rows = ("no_children", *CHILDREN)
    # A citizen may be in none of the rows: print leaves out up to a tenth (X13).
    draft.divide(rows, targets=[draft.wanted(c) for c in rows], among=everyone, full=False)
    parents = np.any([draft.columns[column] for column in CHILDREN], axis=0)
    draft.draw("single_with_children", among=parents)
    draft.draw("married", among=~draft.columns["single_with_children"])
    draft.divide(ORIGINS, targets=[draft.wanted(c) for c in ORIGINS], among=everyone, full=False)
    draft.divide(
        EDUCATIONS, targets=[draft.wanted(c) for c in EDUCATIONS], among=everyone, full=True
    )


def _psychiatric(draft: Draft) -> None:
    """Tables 6 and 7: any, diagnosis, its two kinds, then the disorders that make them up."""
    draft.draw(ANY)
    draft.draw(DIAGNOSIS, among=draft.columns[ANY])
    diagnosed, less, more = (draft.wanted(column) for column in (DIAGNOSIS, LESS, MORE))
    alone = np.minimum(ALONE * draft.wanted(UNSPECIFIED), diagnosed - np.maximum(less, more))
    alone = np.maximum(alone, 0.0)
    only_more = np.maximum(diagnosed - alone - less, 0.0)
    both = np.maximum(more - only_more, 0.0)
    parts = ("only_less", "only_more", "both", UNSPECIFIED)
    targets = [np.maximum(less - both, 0.0), only_more, both, alone]
    draft.divide(parts, targets=targets, among=draft.columns[DIAGNOSIS], full=True)
    shared = draft.columns.pop("both")
    draft.columns[LESS] = draft.columns.pop("only_less") | shared
    draft.columns[MORE] = draft.columns.pop("only_more") | shared
    draft.extend(UNSPECIFIED, among=draft.columns[DIAGNOSIS])
    _parts(draft, LESS, LESS_PARTS, rowless=0.0)
    _parts(draft, MORE, MORE_PARTS, rowless=ROWLESS)


def _parts(draft: Draft, whole: str, parts: Sequence[str], *, rowless: float) -> None:
    """Give each carrier of a whole one part, then further ones until the parts' counts fit."""
    carriers, reached = draft.columns[whole], draft.reached(whole)
    wanted = np.array([draft.wanted(part) for part in parts])
    factor = np.minimum(1.0, (1 - rowless) * reached / np.maximum(wanted.sum(axis=0), 1e-12))
    full = rowless == 0
    draft.divide(parts, targets=list(wanted * factor), among=carriers, full=full)
    for part in parts:
        draft.extend(part, among=carriers)


def _crime(draft: Draft, charged: str, convicted: str) -> None:
    """Convicted among the charged; where print has more convicted (X36), they meet half-way."""
    one, other = draft.printed[charged], draft.printed[convicted]
    middle = np.where(other > one, (one + other) / 2, 0.0)
    draft.printed[charged] = np.where(other > one, middle, one)
    draft.printed[convicted] = np.where(other > one, middle, other)
    draft.draw(charged)
    draft.draw(convicted, among=draft.columns[charged])
