"""Names that users give, checked against what a study has; frames in the words they gave."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from numbers import Integral, Real
from pathlib import Path
from typing import Final

import pandas as pd

from bipbayes.data.codebook import Codebook
from bipbayes.disclosure.small_cells import blank_small_cells
from bipbayes.errors import SettingsError, unknown
from bipbayes.estimands.query import Weights
from bipbayes.intervals import ALL_INDICATORS, PLAIN
from bipbayes.option_words import ADJUSTMENTS, ORDINAL
from bipbayes.tables.layout import Table
from bipbayes.wording import Context, phrase

type Names = str | Sequence[str] | None
_SHORT: Final = 40  # letters of a value that a message shows


def one_of(argument: str, given: object, allowed: Sequence[str]) -> str:
    """Return a name that is allowed; raises `SettingsError` naming the nearest one if not."""
    if given not in allowed:
        raise SettingsError(unknown(argument, given, allowed))
    return str(given)


def chosen(argument: str, given: Names, allowed: Sequence[str]) -> list[str]:
    """Return one or several names, all of them where none is given."""
    return [one_of(argument, name, allowed) for name in names_of(argument, given) or allowed]


def names_of(argument: str, given: Names) -> list[str]:
    """Return one or several names as a list, an empty one where none is given."""
    if given is None:
        return []
    if isinstance(given, str):
        return [given]
    if isinstance(given, Iterable) and all(isinstance(name, str) for name in given):
        return [str(name) for name in given]
    raise SettingsError(f"{argument} must be a name or a list of names, not {_named(given)}")


def whole_number_of(argument: str, given: object, *, least: int) -> int:
    """Return a whole number that is not too small; raises `SettingsError` if it is none."""
    whole = None if isinstance(given, bool) or not isinstance(given, Integral) else int(given)
    if whole is not None and whole >= least:
        return whole
    raise SettingsError(f"{argument} must be a whole number, at least {least}, not {_named(given)}")


def number_of(argument: str, given: object) -> float:
    """Return a number; raises `SettingsError` if it is none."""
    if not isinstance(given, bool) and isinstance(given, Real):
        return float(given)
    raise SettingsError(f"{argument} must be a number, not {_named(given)}")


def weights_of(given: object) -> Weights:
    """Return weights by a word or by jobcenter; raises `SettingsError` if they are neither."""
    if isinstance(given, pd.Series):
        given = {str(name): share for name, share in given.items()}
    if isinstance(given, str):
        return given
    if isinstance(given, Mapping):
        return {str(name): number_of(f"weights: {name}", share) for name, share in given.items()}
    raise SettingsError(
        f"weights must be 'observed', 'standardised', 'new' or numbers by site, such as "
        f"{{'A': 0.5, 'B': 0.5}}, not {_named(given)}"
    )


def file_of(argument: str, given: object, otherwise: str = "") -> Path:
    """Return a path; raises `SettingsError` if it is none, with what else is taken."""
    if isinstance(given, str | Path):
        return Path(given)
    taken = f"a path{otherwise and f', {otherwise}'}"
    raise SettingsError(f"{argument} must be {taken}, not {_named(given)}")


def _named(given: object) -> str:
    """Say what was given: short values as they are, others by their kind."""
    short = isinstance(given, str | Real | list | tuple | None) and len(repr(given)) <= _SHORT
    return repr(given) if short else f"a {type(given).__name__}"


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
    asked = names_of("adjust", adjust)
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
    minimum_count = whole_number_of("minimum_count", minimum_count, least=1)
    none = codebook.no_treatment
    return blank_small_cells(rows, minimum_count=minimum_count, no_treatment=none).frame


def noted(table: Table, context: Context, minimum_count: int | None) -> Table:
    """Say under a table why cells are blank, where a number is given."""
    if minimum_count is None:
        return table
    told = phrase("blanked", context.language, count=minimum_count)
    return replace(table, notes=(*table.notes, told))


def worded(rows: pd.DataFrame, codebook: Codebook) -> pd.DataFrame:
    """Return a frame in which ``combination`` is ``J+S`` and ``code`` holds its digits."""
    known = {code: codebook.combination_label(code) for code in codebook.combinations}
    frame = rows.assign(combination=rows["combination"].map(lambda code: known.get(code, code)))
    codes = rows["combination"].where(rows["combination"].isin(list(known)), "")
    frame.insert(list(frame).index("combination") + 1, "code", codes)
    return frame.reset_index(drop=True)
