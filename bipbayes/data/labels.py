"""Names that a file gives its columns, where the codebook gives none.

Stata, SPSS and SAS files hold a label beside each column's name. It becomes the label of the
indicator, the treatment (of one column) or the tick box that the column tells; a label of the
codebook always wins.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import pandas as pd

from bipbayes.data.codebook import Activity, Codebook, Indicator, Treatment
from bipbayes.data.files import VARIABLE_LABELS

_LANGUAGE: Final = "en"  # a file does not say its language; this one stands in for the others


def file_labels(frame: pd.DataFrame) -> dict[str, str]:
    """Return the labels of a file's columns that say more than the column's name.

    Parameters
    ----------
    frame
        From `bipbayes.data.files.read_table`.
    """
    given = {
        str(column): _one_line(label)
        for column, label in frame.attrs.get(VARIABLE_LABELS, {}).items()
        if label
    }
    return {
        column: label
        for column, label in given.items()
        if label and label.casefold() != column.casefold()
    }


def labelled(codebook: Codebook, labels: Mapping[str, str]) -> Codebook:
    """Return a codebook with a file's labels where it has none.

    Parameters
    ----------
    codebook
        As it was read.
    labels
        From `file_labels`, by the file's column.
    """

    def named[Entry: (Indicator, Treatment, Activity)](entry: Entry) -> Entry:
        columns = entry.columns if isinstance(entry, Treatment) else (entry.column,)
        if entry.label or len(columns) != 1 or columns[0] not in labels:
            return entry
        return replace(entry, label={_LANGUAGE: labels[columns[0]]})

    return replace(
        codebook,
        indicators=tuple(map(named, codebook.indicators)),
        unanalysed=tuple(map(named, codebook.unanalysed)),
        treatments=tuple(map(named, codebook.treatments)),
        activities=tuple(map(named, codebook.activities)),
    )


def _one_line(label: object) -> str:
    """Return a label without line breaks, signs that no reader sees, and needless blanks."""
    text = unicodedata.normalize("NFC", str(label))
    seen = (c if c.isspace() or unicodedata.category(c)[0] != "C" else "" for c in text)
    return " ".join("".join(seen).split())
