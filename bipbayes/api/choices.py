"""Names that users give, checked against what a study has; frames in the words they gave."""

from collections.abc import Sequence

import pandas as pd

from bipbayes.data.adjustment import ADJUSTMENTS
from bipbayes.data.codebook import Codebook
from bipbayes.disclosure.small_cells import blank_small_cells
from bipbayes.errors import SettingsError, unknown
from bipbayes.intervals import ALL_INDICATORS, ORDINAL, PLAIN

type Names = str | Sequence[str] | None


def one_of(argument: str, given: object, allowed: Sequence[str]) -> str:
    """Return a name that is allowed; raises `SettingsError` naming the nearest one if not."""
    if given not in allowed:
        raise SettingsError(unknown(argument, given, allowed))
    return str(given)


def chosen(argument: str, given: Names, allowed: Sequence[str]) -> list[str]:
    """Return one or several names, all of them where none is given."""
    if given is None:
        return list(allowed)
    names = [given] if isinstance(given, str) else list(given)
    return [one_of(argument, name, allowed) for name in names]


def of_kind[Kind](argument: str, given: object, kind: type[Kind], made_by: str) -> Kind:
    """Return an object of the kind that an argument takes; raises `TypeError` if it is none."""
    if not isinstance(given, kind):
        raise TypeError(
            f"{argument} must be what bipbayes.{made_by} returns, not {type(given).__name__}"
        )
    return given


def outcomes(codebook: Codebook, given: Names) -> list[str]:
    """Return outcomes in the order given, all of them where none is."""
    return chosen("outcome", given, (*codebook.outcomes, ALL_INDICATORS))


def first_outcome(codebook: Codebook, given: str | None) -> str:
    """Return an outcome that OLS has; by default the first average, or the first indicator."""
    if given is not None:
        return one_of("outcome", given, codebook.outcomes)
    return [*codebook.average_codes, *codebook.outcomes][0]


def analysis_name(adjust: str | Sequence[str], *, ordinal: bool) -> str:
    """Return the name of an analysis: what is adjusted for, or ``ordinal``."""
    asked = [adjust] if isinstance(adjust, str) else list(adjust)
    names = [part for text in asked for part in text.split("+") if part]
    for name in names:
        one_of("adjust", name, ADJUSTMENTS)
    if ordinal and names:
        raise SettingsError(
            "adjust and ordinal exclude each other: the ordinal analysis compares at the same "
            "previous answer already"
        )
    return ORDINAL if ordinal else "+".join(n for n in ADJUSTMENTS if n in names) or PLAIN


def blanked(rows: pd.DataFrame, codebook: Codebook, minimum_count: int | None) -> pd.DataFrame:
    """Leave blank what rests on fewer citizens, where a number is given."""
    if minimum_count is None:
        return rows
    none = codebook.no_treatment
    return blank_small_cells(rows, minimum_count=minimum_count, no_treatment=none).frame


def worded(rows: pd.DataFrame, codebook: Codebook) -> pd.DataFrame:
    """Return a frame in which ``combination`` is ``J+S`` and ``code`` holds its digits."""
    known = {code: codebook.combination_label(code) for code in codebook.combinations}
    frame = rows.assign(combination=rows["combination"].map(lambda code: known.get(code, code)))
    codes = rows["combination"].where(rows["combination"].isin(list(known)), "")
    frame.insert(list(frame).index("combination") + 1, "code", codes)
    return frame.reset_index(drop=True)
