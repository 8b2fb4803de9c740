"""What the synthetic register must fit: counted responses by citizen and group, printed values."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bipbayes.bip.codebook import bip_characteristics
from bipbayes.bip.facts import fact
from bipbayes.data.codebook import Codebook
from bipbayes.data.groups import counted_responses, group_labels, memberships
from bipbayes.data.progression import progression
from bipbayes.data.study import Study
from bipbayes.errors import SettingsError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

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

    Raises
    ------
    SettingsError
        The study has other treatments than the report's tables.
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
