"""Reading covariates to adjust for: one row a citizen, any numeric columns.

Unlike the descriptive tables, which need the report's 63 characteristics, an adjustment takes
what a study has: every column of numbers, or those that are named.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from bipbayes.data.checks import SYNTHETIC_COLUMN
from bipbayes.data.columns import to_number, to_text
from bipbayes.data.files import read_table
from bipbayes.data.read import is_synthetic
from bipbayes.data.study import Study
from bipbayes.errors import DataError, SettingsError, raise_all, unknown

OPTION = "--characteristics"


def read_covariates(path: Path, study: Study, *, columns: Sequence[str] = ()) -> pd.DataFrame:
    """Read a file of characteristics as covariates.

    Parameters
    ----------
    path
        CSV, Parquet, Stata, SPSS or SAS; one row a citizen, the citizen's id in the column that
        the responses use.
    study
        The responses that the citizens belong to.
    columns
        Columns to adjust for; none: all that hold numbers.

    Returns
    -------
    pandas.DataFrame
        ``citizen`` (text) and the columns as floats, ready for
        `bipbayes.data.adjustment.make_adjustment`.

    Raises
    ------
    SettingsError
        There is no such file.
    DataError
        The file has no citizens of the study, lacks a column, or holds no numbers there.
    """
    if not path.is_file():
        raise SettingsError(
            study.codebook.say(
                f"there is no file {path}; give the path of the characteristics (one row a "
                f"{{citizen}}) with {OPTION}"
            )
        )
    return covariates_from_frame(read_table(path), study, columns=columns, name=path.name)


def covariates_from_frame(
    frame: pd.DataFrame, study: Study, *, columns: Sequence[str] = (), name: str = "covariates"
) -> pd.DataFrame:
    """Check a frame of the file's shape; the same rules as `read_covariates`."""
    citizen = study.codebook.citizen
    if citizen not in frame:
        raise DataError(f"{name} has no column {citizen!r}; add it, one row each")
    others = [str(column) for column in frame if column not in (citizen, SYNTHETIC_COLUMN)]
    absent = [column for column in columns if column not in others]
    numbers = {column: to_number(frame[column]) for column in others}
    text = {column: int(wrong.sum()) for column, (_, wrong) in numbers.items() if wrong.any()}
    chosen = list(columns) or [column for column in others if column not in text]
    people = to_text(frame[citizen])
    known = people.isin(set(study.responses["citizen"]))
    faults = [unknown("column", name, others) for name in absent]
    faults += [
        f"column {column!r} holds {text[column]} entries that are no numbers; code it as numbers"
        for column in chosen
        if column in text
    ]
    faults += [] if chosen else ["no column holds numbers only, so there is nothing to adjust for"]
    nobody = study.codebook.say("none of its {citizens} has responses; check the ids")
    faults += [] if known.any() else [nobody]
    if is_synthetic(frame) != study.synthetic:
        faults.append("synthetic rows on one side only; never mix synthetic and real data")
    raise_all(DataError, f"{name} cannot be used to adjust:", faults)
    table = pd.DataFrame({column: numbers[column][0] for column in chosen})
    table.insert(0, "citizen", people)
    return table[known].reset_index(drop=True)
