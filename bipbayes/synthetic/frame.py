"""Writing simulated answers as a table of responses in the file's format (DESIGN 5)."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bipbayes.data.checks import SYNTHETIC_COLUMN
from bipbayes.errors import DataError
from bipbayes.synthetic.activities import EMPTY
from bipbayes.synthetic.design import Design

Integers = NDArray[np.int64]


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
