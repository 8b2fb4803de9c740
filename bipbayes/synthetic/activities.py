"""Tick boxes that say a combination, with each citizen's own persistent choice of activities."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bipbayes.data.activities import role_columns
from bipbayes.data.codebook import DO_NOT_KNOW, NO_TREATMENT, Codebook
from bipbayes.synthetic.design import Design
from bipbayes.synthetic.streams import Stream

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

EMPTY: Final = -1
SWITCH: Final = (1, 5)  # another activity of the same treatment than the citizen's usual one
SECOND: Final = (1, 6)  # each further box of a treatment
BESIDE: Final = (1, 100)  # "don't know" ticked beside an activity


def tick_boxes(stream: Stream, design: Design) -> dict[str, Integers]:
    """Tick the codebook's boxes.

    Parameters
    ----------
    stream
        Source of randomness.
    design
        Combinations, and where they are known.

    Returns
    -------
    dict
        Column name to 0, 1 or `EMPTY` (no such answer) by response, in codebook order.
        Where activities are known, the boxes say exactly the combination; where not,
        nothing is ticked, or only "don't know".
    """
    codebook = design.codebook
    boxes = {
        activity.column: np.zeros(len(design.citizen), dtype=np.int64)
        for activity in codebook.activities
    }
    for treatment in codebook.treatments:
        given = _treated(codebook, treatment.code)[design.combination] & design.known
        _tick_treatment(stream, design, given, boxes={c: boxes[c] for c in treatment.columns})
    untreated = design.known & (design.combination == 0)
    for column in role_columns(codebook, NO_TREATMENT):
        boxes[column][untreated] = 1
    doubtful = design.doubtful | (
        design.known & ~untreated & stream.happens(*BESIDE, len(design.citizen))
    )
    for column in role_columns(codebook, DO_NOT_KNOW):
        boxes[column][doubtful] = 1
    silent = ~design.present[:, -1]
    if not role_columns(codebook, NO_TREATMENT):  # zeros everywhere would mean no treatment
        silent = silent | ~design.known
    for ticks in boxes.values():
        ticks[silent] = EMPTY
    return boxes


def _treated(codebook: Codebook, treatment: str) -> Booleans:
    return np.array([codebook.has_treatment(name, treatment) for name in codebook.combinations])


def _tick_treatment(
    stream: Stream, design: Design, given: Booleans, *, boxes: dict[str, Integers]
) -> None:
    """Tick the citizen's usual box of a treatment, at times another one, at times several."""
    rows, columns = len(given), list(boxes)
    usual = stream.weighted(np.arange(len(columns), 0, -1) + 1, len(design.site))
    other = stream.below(len(columns), rows)
    main = np.where(stream.happens(*SWITCH, rows), other, usual[design.citizen])
    for place, column in enumerate(columns):
        ticked = (main == place) | stream.happens(*SECOND, rows)
        boxes[column][given & ticked] = 1
