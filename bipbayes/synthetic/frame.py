"""Simulated answers as a table in the file's format, with tick boxes that say the combination.

Each citizen has an own persistent choice of activities.
"""

import io
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bipbayes.data.activities import role_columns
from bipbayes.data.checks import SYNTHETIC_COLUMN
from bipbayes.data.codebook import DO_NOT_KNOW, NO_TREATMENT, Codebook
from bipbayes.data.sample import Booleans, Integers
from bipbayes.errors import DataError
from bipbayes.synthetic.design import Design
from bipbayes.synthetic.streams import Stream

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


def responses_frame(
    design: Design, answers: Integers, boxes: dict[str, Integers], *, before: int = 0
) -> pd.DataFrame:
    """Build the wide table: one row a response, ordered by citizen and date.

    Parameters
    ----------
    design
        Gives citizens, jobcenters, dates and which questions are answered.
    answers
        Shape (response, question).
    boxes
        Tick boxes by column.
    before
        Citizens of other parts, who come first.
    """
    codebook = design.codebook
    ids = np.array([f"C{before + number:05d}" for number in range(1, len(design.site) + 1)])
    labels = np.array(design.jobcenters)
    columns: dict[str, object] = {
        codebook.citizen: pd.array(ids[design.citizen], dtype="str"),
        codebook.jobcenter: pd.array(labels[design.site[design.citizen]], dtype="str"),
        codebook.date: design.days.astype("datetime64[D]").astype("datetime64[s]"),
    }
    entries = list(enumerate((*codebook.indicators, *codebook.unanalysed)))
    # Each respondent's questions stand together: B1-B11, then S2-S12.
    for place, entry in sorted(
        entries, key=lambda item: codebook.respondents.index(item[1].respondent)
    ):
        given = answers[:, place]
        if entry.reverse:  # a file holds what was ticked; reading turns it
            given = sum(codebook.scale) - given
        columns[entry.column] = _whole(given, ~design.answered[:, place])
    for column, ticks in boxes.items():
        columns[column] = _whole(ticks, ticks == EMPTY)
    columns[SYNTHETIC_COLUMN] = np.ones(len(design.citizen), dtype=np.int64)
    return pd.DataFrame(columns)


def _whole(values: Integers, empty: NDArray[np.bool_]) -> pd.arrays.IntegerArray:
    return pd.arrays.IntegerArray(values.astype(np.int64), empty.copy())


def csv_text(frame: pd.DataFrame) -> str:
    """Return the table as CSV; the same text for the same table everywhere."""
    stream = io.StringIO()
    frame.to_csv(stream, index=False, lineterminator="\n", date_format="%Y-%m-%d")
    return stream.getvalue()


def write_responses(frame: pd.DataFrame, path: Path) -> None:
    """Write responses as CSV (the same bytes everywhere) or Parquet, by the suffix.

    Raises
    ------
    DataError
        Another suffix.
    """
    if path.suffix.lower() == ".csv":
        path.write_bytes(csv_text(frame).encode("utf-8"))
    elif path.suffix.lower() == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        raise DataError(f"{path.name}: responses are written as .csv or .parquet; choose one")
