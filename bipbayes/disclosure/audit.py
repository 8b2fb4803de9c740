"""The audit's verdicts without those that rest on estimates which are left blank."""

from typing import Final

import pandas as pd

from bipbayes.audit.rules import NOT_CHECKABLE
from bipbayes.disclosure.small_cells import TOO_FEW
from bipbayes.intervals import COMPARED

_DERIVED: Final = ("effect_size_", "places_moved_")  # of the effect, as the report prints them
_PRINTED: Final = ("effect_size_printed", "places_moved_printed")


def protected_audit(
    audit: pd.DataFrame, blanked: pd.DataFrame, *, minimum_count: int
) -> pd.DataFrame:
    """Blank the claims on single estimates which the other tables leave blank.

    Parameters
    ----------
    audit
        Rows of `bipbayes.audit.verdicts.audit_claims`.
    blanked
        The long frame that was audited, with the blanks of all tables
        (`bipbayes.disclosure.small_cells.blank_small_cells`).
    minimum_count
        Fewest citizens that a printed number may rest on, for the reason given.

    Returns
    -------
    pandas.DataFrame
        The same claims; a blank one is called not checkable, with the reason, and has no
        numbers. A statement on many estimates keeps its counts.
    """
    result = audit.copy()
    for estimand in COMPARED:
        rows = blanked[(blanked["estimand"] == estimand) & (blanked["jobcenter"] == "")]
        hidden = set(
            map(tuple, rows.loc[rows["estimate"].isna(), ["outcome", "combination"]].to_numpy())
        )
        keys = zip(audit["outcome"], audit["combination"], strict=True)
        blank = pd.Series([key in hidden for key in keys], index=audit.index)
        _blank(result, blank, estimand, said=TOO_FEW.format(count=minimum_count))
    return result


def _blank(audit: pd.DataFrame, blank: pd.Series, estimand: str, *, said: str) -> None:
    prefixes = (f"{estimand}_", *(_DERIVED if estimand == COMPARED[0] else ()))
    for column in audit.columns:
        if not column.startswith(prefixes) or column in _PRINTED:
            continue
        values = audit[column]
        if "_verdict" in column:
            audit[column] = values.mask(blank & values.notna() & values.ne(""), NOT_CHECKABLE)
        elif column == f"{estimand}_reason":
            audit[column] = values.mask(blank, said)
        elif pd.api.types.is_bool_dtype(values):
            audit[column] = values.astype("boolean").mask(blank)
        else:
            audit[column] = values.mask(blank)
