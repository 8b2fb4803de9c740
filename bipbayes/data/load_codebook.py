"""Reading a codebook from TOML and checking that it makes sense."""

import re
import tomllib
import unicodedata
from pathlib import Path
from typing import Any, Final

from bipbayes.data.codebook import (
    DO_NOT_KNOW,
    NO_TREATMENT,
    Activity,
    Average,
    Codebook,
    Indicator,
    Treatment,
)
from bipbayes.data.codebook_shape import Table, box_faults, shape_faults
from bipbayes.data.words import catalogue, words_from_table
from bipbayes.errors import CodebookError, raise_all
from bipbayes.intervals import ALL_INDICATORS

# Codes are names of files, columns of CSVs and parts of commands, so their letters are ASCII's.
_CODE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
_TREATMENT: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_RESERVED: Final = {
    *("citizen", "jobcenter", "date", "combination", "synthetic", "response", "outcome"),
    *("indicator", "respondent", "treatment", "analysed", "cell", "code"),
    *(ALL_INDICATORS, NO_TREATMENT, DO_NOT_KNOW),
    # What pandas.read_csv takes for missing, in small letters.
    *("na", "n/a", "nan", "null", "nil"),
}

_FREE: Final = "a code holds A-Z, a-z, 0-9, _ and -, begins with no -, and is no number"
_CODES: Final = {
    **dict.fromkeys(("indicator", "average", "respondent"), _FREE),
    "treatment": "a treatment's code begins with a letter and holds A-Z, a-z, 0-9 and _",
}
# How names that are no codes are told.
_READ_BY: Final = {
    "indicator": "'column' says what the file calls it, 'label' what readers see",
    "average": "'label' says what readers see",
    "treatment": "'columns' says what the file calls it, 'label' what readers see",
    "respondent": "'words' says what readers see",
}


def load_codebook(path: Path) -> Codebook:
    """Read a codebook.

    Parameters
    ----------
    path
        A TOML file of the shape shown in the README.

    Returns
    -------
    Codebook

    Raises
    ------
    CodebookError
        The file is missing, is no TOML, or has faults; all of them are named.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CodebookError(f"the codebook {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CodebookError(f"the codebook {path} is no valid TOML in UTF-8: {error}") from error
    return parse_codebook(table)


def parse_codebook(table: Table) -> Codebook:
    """Turn a TOML table into a `Codebook`; raises `CodebookError` naming all faults."""
    table = _composed(table)
    raise_all(CodebookError, "The codebook was refused:", shape_faults(table))
    entries = [(_indicator(entry, table), entry) for entry in table["indicators"]]
    raise_all(CodebookError, "The codebook was refused:", box_faults(table))
    codebook = Codebook(
        name=table.get("name", "Study"),
        scale=tuple(table["scale"]),
        indicators=tuple(one for one, entry in entries if entry.get("progression", True)),
        unanalysed=tuple(one for one, entry in entries if not entry.get("progression", True)),
        treatments=tuple(_treatment(*item) for item in table["treatments"].items()),
        averages=tuple(_average(*item) for item in table.get("averages", {}).items()),
        activities=_activities(table),
        jobcenters=tuple(table.get("jobcenters", ())),
        citizen=table.get("citizen", "citizen"),
        jobcenter=table.get("jobcenter", "jobcenter"),
        date=table.get("date", "date"),
        dates=table.get("dates", ""),
        missing=tuple(table.get("missing", ())),
        higher=_higher(table.get("higher", "better")),
        words=words_from_table(table.get("words", {})),
    )
    raise_all(CodebookError, "The codebook was refused:", _content_faults(codebook))
    return codebook


def _composed(value: Any) -> Any:
    """Return a table with all its text in Unicode's form C, as files are read."""
    if isinstance(value, dict):
        return {_composed(key): _composed(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return list(map(_composed, value))
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value


def _indicator(entry: Table, table: Table) -> Indicator:
    code = entry["code"]
    return Indicator(
        code=code,
        column=entry.get("column", code),
        respondent=entry["respondent"],
        label=dict(entry.get("label", {})),
        optional=entry.get("optional", False),
        counterpart=entry.get("counterpart", ""),
        figure=entry.get("figure"),
        reverse=entry.get("reverse", False),
        answers=tuple(word.strip() for word in entry.get("answers", table.get("answers", ()))),
        missing=tuple(entry.get("missing", table.get("missing", ()))),
    )


def _higher(words: Any) -> dict[str, str]:
    if isinstance(words, dict):
        return dict(words)
    return dict(catalogue()["worse"]) if words == "worse" else {}


def _treatment(code: str, entry: Table) -> Treatment:
    return Treatment(code, dict(entry.get("label", {})), tuple(entry["columns"]))


def _average(code: str, entry: Table) -> Average:
    return Average(code, tuple(entry["members"]), dict(entry.get("label", {})), entry.get("figure"))


def _activities(table: Table) -> tuple[Activity, ...]:
    """List the boxes in order: described ones, or those that treatments name."""
    roles = {
        column: code for code, entry in table["treatments"].items() for column in entry["columns"]
    }
    for key, role in (("none", NO_TREATMENT), ("dont_know", DO_NOT_KNOW)):
        if key in table:
            roles[table[key]] = role
    described = {entry["column"]: entry for entry in table.get("activities", ())}
    columns = list(dict.fromkeys([*described, *roles]))
    return tuple(
        Activity(
            column=column,
            number=described.get(column, {}).get("number", position),
            label=dict(described.get(column, {}).get("label", {})),
            role=roles.get(column, ""),
        )
        for position, column in enumerate(columns, start=1)
    )


def _code_faults(codebook: Codebook) -> list[str]:
    """Say which codes cannot be names of files, columns and parts of combinations."""
    places = {
        "indicator": [entry.code for entry in (*codebook.indicators, *codebook.unanalysed)],
        "average": list(codebook.average_codes),
        "treatment": list(codebook.treatment_codes),
        "respondent": [entry.respondent for entry in (*codebook.indicators, *codebook.unanalysed)],
    }
    return [
        f"{place} {code[:70]!r}: {fault}"
        for place, codes in places.items()
        for code in dict.fromkeys(codes)
        if (fault := code_fault(place, code))
    ]


def code_fault(place: str, code: str) -> str:
    """Say why a text can be no code of an indicator, average, treatment or respondent."""
    fits = _TREATMENT if place == "treatment" else _CODE
    if not fits.fullmatch(code) or _is_number(code):
        return f"{_CODES[place]} (at most 64 characters); {_READ_BY[place]}"
    if place != "respondent" and code.casefold() in _RESERVED:
        return "this word means something else in the outputs; choose another"
    return ""


def _is_number(code: str) -> bool:
    """Say whether a reader of a CSV would take a code for a number."""
    try:
        float(code)
    except ValueError:
        return False
    return True


def _case_twins(what: str, labels: list[str]) -> list[str]:
    """Name labels that differ only by case: files and some programs take them for one."""
    same: dict[str, set[str]] = {}
    for label in labels:
        same.setdefault(label.casefold(), set()).add(label)
    twins = [sorted(each) for each in same.values() if len(each) > 1]
    return [f"{what} differ only by case: {each}; rename all but one" for each in twins]


def _content_faults(codebook: Codebook) -> list[str]:
    every = [*codebook.indicators, *codebook.unanalysed]
    names = {
        "indicator codes": [entry.code for entry in every],
        "outcome codes": [*codebook.outcomes],
        "columns": [
            *(entry.column for entry in every),
            *(activity.column for activity in codebook.activities),
            codebook.citizen,
            codebook.jobcenter,
            codebook.date,
        ],
        "treatment codes": list(codebook.treatment_codes),
        "respondents": list(dict.fromkeys(entry.respondent for entry in every)),
        "treatment columns": [c for entry in codebook.treatments for c in entry.columns],
    }
    faults = _code_faults(codebook)
    for what, labels in names.items():
        repeated = sorted({label for label in labels if labels.count(label) > 1})
        if repeated:
            faults.append(f"{what} stand more than once: {repeated}")
        faults += _case_twins(what, labels)
    if not codebook.indicators:
        faults.append("no indicator has progression = true")
    for average in codebook.averages:
        unknown = sorted(set(average.members) - set(codebook.indicator_codes))
        if unknown:
            faults.append(f"average {average.code!r} has members that are no indicators: {unknown}")
        twice = sorted({m for m in average.members if average.members.count(m) > 1})
        if twice:
            faults.append(f"average {average.code!r} counts members more than once: {twice}")
    return faults + [
        f"activity column {activity.column!r} belongs to no treatment; name it in a "
        "treatment's 'columns', or as 'none' or 'dont_know'"
        for activity in codebook.activities
        if not activity.role
    ]
