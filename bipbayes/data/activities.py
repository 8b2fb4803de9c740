"""From tick boxes to combinations of treatments."""

import numpy as np
import pandas as pd

from bipbayes.data.codebook import DO_NOT_KNOW, NO_TREATMENT, Codebook

UNKNOWN = ""


def role_columns(codebook: Codebook, role: str) -> list[str]:
    """Columns of the boxes that play a role (a treatment's code, ``none``, ``dont_know``)."""
    return [activity.column for activity in codebook.activities if activity.role == role]


def uses_boxes(frame: pd.DataFrame, codebook: Codebook) -> bool:
    """Say whether a file gives tick boxes (else one 0/1 column a treatment)."""
    boxes = [column for entry in codebook.treatments for column in entry.columns]
    return any(column in frame.columns for column in boxes)


def combinations(frame: pd.DataFrame, codebook: Codebook) -> pd.Series:
    """Return each response's combination of treatments.

    Boxes: at least one box of a treatment or the box "none" must be ticked; nothing ticked, or
    only "don't know", is unknown and never "no treatment". A treatment ticked beside "none"
    wins. A codebook without a "none" box, or a file with one 0/1 column a treatment, says "no
    treatment" with explicit zeros; unless something is ticked, an empty column is unknown.

    Parameters
    ----------
    frame
        One row a response; boxes 0, 1 or missing.
    codebook
        Says which box belongs to which treatment.

    Returns
    -------
    pandas.Series
        Text such as ``"0101"`` in the order of the treatments, ``""`` where unknown.
    """
    boxes = uses_boxes(frame, codebook)
    columns = [list(entry.columns) if boxes else [entry.code] for entry in codebook.treatments]
    ticked = np.column_stack([(frame[names] == 1).any(axis=1).to_numpy() for names in columns])
    codes = np.array(["0", "1"])[ticked.astype("int64")]
    text = pd.Series(["".join(row) for row in codes], index=frame.index, dtype="str")
    known = (
        _boxes_known(frame, codebook, ticked, columns)
        if boxes
        else frame[list(codebook.treatment_codes)].notna().all(axis=1).to_numpy()
    )
    return text.where(known, UNKNOWN)


def _boxes_known(
    frame: pd.DataFrame, codebook: Codebook, ticked: np.ndarray, columns: list[list[str]]
) -> np.ndarray:
    """Say where the boxes tell the combination: something ticked, or a "no" to every box."""
    anything = ticked.any(axis=1)
    none = role_columns(codebook, NO_TREATMENT)
    if none:
        return np.asarray(anything | (frame[none] == 1).any(axis=1).to_numpy())
    answered = frame[[name for names in columns for name in names]].notna().all(axis=1).to_numpy()
    doubtful = (frame[role_columns(codebook, DO_NOT_KNOW)] == 1).any(axis=1).to_numpy()
    return np.asarray(anything | (answered & ~doubtful))
