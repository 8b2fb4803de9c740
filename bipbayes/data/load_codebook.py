"""Reading a codebook from TOML and checking that it makes sense."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
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
from bipbayes.data.schema import (
    COUNT,
    FLAG,
    LABEL,
    TEXT,
    TEXTS,
    Kind,
    Table,
    are_tables,
    is_label,
    is_texts,
    read_toml,
    table_faults,
    tables_of,
)
from bipbayes.data.study_words import is_line, word_faults, words_from_table
from bipbayes.errors import CodebookError, raise_all, unknown
from bipbayes.intervals import ALL_INDICATORS
from bipbayes.phrases import catalogue

MAX_TREATMENTS: Final = 8
MAX_STEPS: Final = 1000  # of a scale: figures and categories have one place each
_LARGEST: Final = 10**9  # end of a scale


def _is_scale(scale: Any) -> bool:
    if not (isinstance(scale, list) and len(scale) == 2 and all(type(x) is int for x in scale)):
        return False
    low, high = scale
    return bool(0 < high - low <= MAX_STEPS and max(-low, high) <= _LARGEST)


def _is_higher(words: Any) -> bool:
    return words in ("better", "worse") or (is_label(words) and "en" in words)


def _tells_days(text: Any) -> bool:
    """Say whether a format of dates tells a day: one is written and read back."""
    parts = re.findall("%(.)", text) if is_line(text) else []
    if not {"Y", "y"} & set(parts) or len(set(parts)) < len(parts):
        return False
    day = date(2013, 11, 25)
    try:
        return datetime.strptime(day.strftime(text), text).date() == day
    except ValueError:
        return False


def _is_missing(codes: Any) -> bool:
    return isinstance(codes, list) and all(
        type(code) is int or (is_line(code) and not re.fullmatch(r"[\s\d.,+-]+", code))
        for code in codes
    )


def _are_named(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(x, dict) for x in value.values())


_WORDS: Final[Kind] = (
    lambda value: is_texts(value) and len({word.strip() for word in value}) == len(value),
    "a list of different words, from the lowest answer to the highest",
)
_MISSING: Final[Kind] = (_is_missing, 'a list of whole numbers or words such as [8, 9, "unsure"]')
_TOP: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(("name", "citizen", "jobcenter", "date", "none", "dont_know"), TEXT),
    "scale": (_is_scale, f"two whole numbers such as [1, 5], the lower first, at most "
              f"{MAX_STEPS} apart"),
    "jobcenters": TEXTS,
    "dates": (_tells_days, 'a text that tells day, month and year, such as "%d-%m-%Y"'),
    "higher": (_is_higher, '"better", "worse" or words by language such as { en = "more symptoms", '
               'da = "flere symptomer" }'),
    "answers": _WORDS,
    "missing": _MISSING,
    "words": (lambda value: True, ""),  # `word_faults`
    "indicators": (are_tables, "[[indicators]] tables, at least one"),
    "treatments": (
        lambda value: _are_named(value) and 1 <= len(value) <= MAX_TREATMENTS,
        f"1 to {MAX_TREATMENTS} tables of the form [treatments.CODE]",
    ),
    "activities": (are_tables, "[[activities]] tables"),
    "averages": (_are_named, "tables of the form [averages.CODE]"),
}  # fmt: skip
_INDICATOR: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(("code", "respondent", "column", "counterpart"), TEXT),
    **dict.fromkeys(("optional", "progression", "reverse"), FLAG),
    **{"label": LABEL, "figure": COUNT, "answers": _WORDS, "missing": _MISSING},
}
_TREATMENT: Final[Mapping[str, Kind]] = {"columns": TEXTS, "label": LABEL}
_AVERAGE: Final[Mapping[str, Kind]] = {"members": TEXTS, "label": LABEL, "figure": COUNT}
_ACTIVITY: Final[Mapping[str, Kind]] = {"column": TEXT, "number": COUNT, "label": LABEL}
_ENTRIES: Final = {"indicators": _INDICATOR, "activities": _ACTIVITY, "treatments": _TREATMENT,
                   "averages": _AVERAGE}  # fmt: skip


def shape_faults(table: Table) -> list[str]:
    """Say what of a codebook is unknown, missing or of another kind than its key takes."""
    whole = "the codebook"
    faults = table_faults(whole, table, _TOP, ("scale", "indicators", "treatments"))
    scale = table.get("scale") if _is_scale(table.get("scale")) else None
    faults += _scale_faults(whole, table, scale)
    respondents = []
    for position, entry in enumerate(tables_of(table.get("indicators"))):
        code = entry.get("code")
        name = f"indicator {code if is_line(code) else f'number {position + 1}'}"
        respondents.append(str(entry.get("respondent")))
        faults += table_faults(name, entry, _INDICATOR, ("code", "respondent"))
        faults += _scale_faults(name, entry, scale)
    for position, entry in enumerate(tables_of(table.get("activities"))):
        faults += table_faults(f"activity number {position + 1}", entry, _ACTIVITY, ("column",))
    for what, kinds, needed in (
        ("treatment", _TREATMENT, "columns"),
        ("average", _AVERAGE, "members"),
    ):
        entries = table.get(f"{what}s")
        for code, entry in entries.items() if isinstance(entries, dict) else ():
            if isinstance(entry, dict):
                faults += table_faults(f"{what} {code!r}", entry, kinds, (needed,))
    return faults + word_faults(table.get("words", {}), respondents)


def _scale_faults(place: str, table: Table, scale: list[int] | None) -> list[str]:
    """Check words and missing codes that are of the right kind against the scale."""
    faults: list[str] = []
    words, codes = table.get("answers"), table.get("missing", [])
    if scale is None:
        return faults  # named already
    steps = scale[1] - scale[0] + 1
    if words is not None and _WORDS[0](words) and len(words) != steps:
        faults.append(
            f"{place}: 'answers' has {len(words)} words, the scale {steps} steps; give one for each"
        )
    codes = codes if _is_missing(codes) else []  # else named already
    whole = [code for code in codes if type(code) is int]
    if inside := [code for code in whole if scale[0] <= code <= scale[1]]:
        faults.append(f"{place}: 'missing' holds answers of the scale: {inside}")
    if isinstance(words, list) and (both := [word for word in words if word in codes]):
        faults.append(f"{place}: 'missing' holds words of 'answers': {both}")
    return faults


def box_faults(table: Table) -> list[str]:
    """Name a box "none" or "don't know" that is a treatment's, too, or the other's."""
    treated = [column for entry in table["treatments"].values() for column in entry["columns"]]
    faults = [
        f"the box {table[key]!r} of '{key}' is also a treatment's; a box means one thing"
        for key in ("none", "dont_know")
        if key in table and table[key] in treated
    ]
    boxes = [entry["column"] for entry in table.get("activities", ())]
    if twice := sorted({box for box in boxes if boxes.count(box) > 1}):
        faults.append(f"[[activities]] describe a box more than once: {twice}")
    if "none" in table and table["none"] == table.get("dont_know"):
        faults.append("'none' and 'dont_know' name the same box")
    return faults


# Codes are names of files, columns of CSVs and parts of commands, so their letters are ASCII's.
_CODE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
_TREATMENT_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
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
    return parse_codebook(read_toml(path, f"the codebook {path}"))


def parse_codebook(table: Table) -> Codebook:
    """Turn a TOML table into a `Codebook`; raises `CodebookError` naming all faults."""
    table = _composed(table)
    faults, words = shape_faults(table), table.get("words", {})
    if faults:
        table, words = _read(table), {}
        # Where more is wrong than keys and words, nothing can be said of the content.
        raise_all(CodebookError, "The codebook was refused:", faults if shape_faults(table) else [])
    entries = [(_indicator(entry, table), entry) for entry in table["indicators"]]
    codebook = Codebook(
        name=table.get("name", "Study"),
        scale=tuple(table["scale"]),
        indicators=tuple(one for one, entry in entries if entry.get("progression", True)),
        unanalysed=tuple(one for one, entry in entries if not entry.get("progression", True)),
        treatments=tuple(_treatment(*item) for item in table["treatments"].items()),
        averages=tuple(_average(*item) for item in table.get("averages", {}).items()),
        activities=_activities(table),
        jobcenters=tuple(name.strip() for name in table.get("jobcenters", ())),
        citizen=table.get("citizen", "citizen"),
        jobcenter=table.get("jobcenter", "jobcenter"),
        date=table.get("date", "date"),
        dates=table.get("dates", ""),
        missing=tuple(table.get("missing", ())),
        higher=_higher(table.get("higher", "better")),
        words=words_from_table(words),
    )
    faults += [*box_faults(table), *_content_faults(codebook)]
    raise_all(CodebookError, "The codebook was refused:", faults)
    return codebook


def _read(table: Table) -> Table:
    """Return a table without its words and without keys that no codebook has."""

    def known(value: Any, kinds: Mapping[str, Kind]) -> Any:
        return {k: v for k, v in value.items() if k in kinds} if isinstance(value, dict) else value

    kept = {key: value for key, value in table.items() if key in _TOP and key != "words"}
    for name, kinds in _ENTRIES.items():
        if isinstance(entries := kept.get(name), list):
            kept[name] = [known(entry, kinds) for entry in entries]
        elif isinstance(entries, dict):
            kept[name] = {code: known(entry, kinds) for code, entry in entries.items()}
    return kept


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
    fits = _TREATMENT_CODE if place == "treatment" else _CODE
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
        "jobcenters": list(codebook.jobcenters),
        "respondents": list(dict.fromkeys(entry.respondent for entry in every)),
        "treatment columns": [c for entry in codebook.treatments for c in entry.columns],
    }
    faults = _code_faults(codebook)
    for what, labels in names.items():
        repeated = sorted(label for label, count in Counter(labels).items() if count > 1)
        if repeated:
            faults.append(f"{what} stand more than once: {repeated}")
        faults += _case_twins(what, labels)
    ticked = {*codebook.treatment_codes, *(activity.column for activity in codebook.activities)}
    if both := sorted(ticked & {*names["indicator codes"], *codebook.average_codes}):
        faults.append(f"codes of indicators or averages are treatments or boxes, too: {both}")
    faults += [
        f"indicator {entry.code!r}: " + unknown("counterpart", entry.counterpart, others)
        for entry in every
        for others in [[other.code for other in every if other.code != entry.code]]
        if entry.counterpart and entry.counterpart not in others
    ]
    if not codebook.indicators:
        faults.append("no indicator has progression = true")
    for average in codebook.averages:
        strange = sorted(set(average.members) - set(codebook.indicator_codes))
        if strange:
            faults.append(f"average {average.code!r} has members that are no indicators: {strange}")
        twice = sorted({m for m in average.members if average.members.count(m) > 1})
        if twice:
            faults.append(f"average {average.code!r} counts members more than once: {twice}")
        items = (entry for entry in codebook.indicators if entry.code in average.members)
        asked = dict.fromkeys(entry.respondent for entry in items)
        if len(asked) > 1:
            faults.append(
                f"average {average.code!r} mixes answers of several respondents "
                f"({', '.join(asked)}); make an average for each of them"
            )
    return faults + [
        f"activity column {activity.column!r} belongs to no treatment; name it in a "
        "treatment's 'columns', or as 'none' or 'dont_know'"
        for activity in codebook.activities
        if not activity.role
    ]
