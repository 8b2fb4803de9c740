"""The shape of a codebook's TOML: known keys, and values of the kind that each key takes."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from bipbayes.data.words import word_faults

Table = Mapping[str, Any]

_TOP: Final = {
    *("name", "scale", "citizen", "jobcenter", "date", "jobcenters", "none", "dont_know"),
    *("indicators", "treatments", "activities", "averages", "higher", "dates", "answers", "words"),
    "missing",
}
_INDICATOR: Final = {
    *("code", "column", "respondent", "label", "optional"),
    *("counterpart", "figure", "progression", "reverse", "answers", "missing"),
}
MAX_TREATMENTS: Final = 8


def shape_faults(table: Table) -> list[str]:
    """Say what of a codebook is unknown, missing or of another kind than its key takes."""
    faults = [f"unknown key {key!r}; known: {sorted(_TOP)}" for key in sorted(set(table) - _TOP)]
    scale = table.get("scale")
    if not (isinstance(scale, list) and len(scale) == 2 and all(type(x) is int for x in scale)):
        faults.append("'scale' must be two whole numbers such as [1, 5]")
    elif scale[0] >= scale[1]:
        faults.append("the lower end of 'scale' must be below the upper end")
    if not _is_higher(table.get("higher", "better")):
        faults.append(
            '\'higher\' must be "better", "worse" or words by language such as '
            '{ en = "more symptoms", da = "flere symptomer" }'
        )
    faults += _format_faults(table)
    indicators = table.get("indicators")
    if not isinstance(indicators, list) or not indicators:
        faults.append("there must be at least one [[indicators]] table")
    else:
        for position, entry in enumerate(indicators):
            faults += _entry_faults(position, entry, scale)
        respondents = (
            str(entry.get("respondent")) for entry in indicators if isinstance(entry, dict)
        )
        faults += word_faults(table.get("words", {}), respondents)
    treatments = table.get("treatments")
    if not isinstance(treatments, dict) or not 1 <= len(treatments) <= MAX_TREATMENTS:
        faults.append(f"there must be 1 to {MAX_TREATMENTS} [treatments.CODE] tables")
    else:
        faults += [
            f"treatment {code!r} needs 'columns', a list of at least one column, such as ['J']"
            for code, entry in treatments.items()
            if not (isinstance(entry, dict) and _is_texts(entry.get("columns")))
        ]
    averages = table.get("averages", {})
    if not isinstance(averages, dict):
        return [*faults, "averages are tables of the form [averages.CODE]"]
    return faults + [
        f"average {code!r} needs 'members', a list of indicator codes"
        for code, entry in averages.items()
        if not (isinstance(entry, dict) and _is_texts(entry.get("members")))
    ]


def _is_texts(value: Any) -> bool:
    """Say whether a value is a list of texts, which a text alone is not."""
    return isinstance(value, list) and bool(value) and all(isinstance(x, str) and x for x in value)


def _format_faults(table: Table) -> list[str]:
    """Check how dates and answers are written, and that a list of sites is one."""
    faults = []
    if not _tells_days(table.get("dates", "%Y-%m-%d")):
        faults.append("'dates' must tell day, month and year, such as \"%d-%m-%Y\"")
    if "jobcenters" in table and not _is_texts(table["jobcenters"]):
        faults.append("'jobcenters' must be a list of labels")
    if "answers" in table:
        faults += _answer_faults("'answers'", table["answers"], table.get("scale"))
    return faults + _missing_faults("'missing'", table.get("missing", []), table.get("scale"))


def _missing_faults(what: str, codes: Any, scale: Any) -> list[str]:
    if not isinstance(codes, list) or not all(type(code) is int for code in codes):
        return [f"{what} must be a list of whole numbers such as [8, 9]"]
    try:
        inside = [code for code in codes if scale[0] <= code <= scale[1]]
    except (TypeError, IndexError, KeyError):
        return []  # a fault of 'scale' itself
    return [f"{what} holds answers of the scale: {inside}"] if inside else []


def _tells_days(text: Any) -> bool:
    """Say whether a format of dates tells a day: one is written and read back."""
    parts = re.findall("%(.)", text) if isinstance(text, str) else []
    if not {"Y", "y"} & set(parts) or len(set(parts)) < len(parts):
        return False
    day = date(2013, 11, 25)
    try:
        return datetime.strptime(day.strftime(text), text).date() == day
    except ValueError:
        return False


def _answer_faults(what: str, words: Any, scale: Any) -> list[str]:
    if not _is_texts(words) or len({word.strip() for word in words}) < len(words):
        return [f"{what} must be a list of different words, from the lowest answer to the highest"]
    try:
        steps = scale[1] - scale[0] + 1
    except (TypeError, IndexError, KeyError):
        return []  # a fault of 'scale' itself
    if len(words) != steps:
        return [f"{what} has {len(words)} words, the scale {steps} steps; give one for each"]
    return []


def _is_higher(words: Any) -> bool:
    if isinstance(words, dict):
        return "en" in words and all(isinstance(text, str) and text for text in words.values())
    return words in ("better", "worse")


def _entry_faults(position: int, entry: Table, scale: Any) -> list[str]:
    name = entry.get("code", f"number {position + 1}")
    missing = [key for key in ("code", "respondent") if not entry.get(key)]
    unknown = sorted(set(entry) - _INDICATOR)
    faults = [f"indicator {name} lacks {key!r}" for key in missing]
    if not isinstance(entry.get("reverse", False), bool):
        faults.append(f"indicator {name} has a 'reverse' that is neither true nor false")
    if "answers" in entry:
        faults += _answer_faults(f"'answers' of indicator {name}", entry["answers"], scale)
    faults += _missing_faults(f"'missing' of indicator {name}", entry.get("missing", []), scale)
    return faults + [f"indicator {name} has the unknown key {key!r}" for key in unknown]


def box_faults(table: Table) -> list[str]:
    """Name a box "none" or "don't know" that is a treatment's, too, or the other's."""
    treated = [column for entry in table["treatments"].values() for column in entry["columns"]]
    faults = [
        f"the box {table[key]!r} of '{key}' is also a treatment's; a box means one thing"
        for key in ("none", "dont_know")
        if key in table and table[key] in treated
    ]
    if "none" in table and table["none"] == table.get("dont_know"):
        faults.append("'none' and 'dont_know' name the same box")
    return faults
