"""The register's 0/1 characteristics, wholes before their parts.

Every part is drawn among the carriers of its whole, so that implications hold by construction.
Where parts make up a whole (Table 7's rows and the kinds of diagnosis of Table 6), each carrier
first gets one part of a partition and then, with what is still wanted, further parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bipbayes.bip.register_allocate import allocate, choose
from bipbayes.bip.register_panel import Panel
from bipbayes.synthetic.streams import Stream

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

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
