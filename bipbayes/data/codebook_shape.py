"""The shape of a codebook's TOML: known keys, and values of the kind that each key takes."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

from bipbayes.data.words import LONGEST, is_line, word_faults

Table = Mapping[str, Any]
Kind = tuple[Callable[[Any], bool], str]

MAX_TREATMENTS: Final = 8
MAX_STEPS: Final = 1000  # of a scale: figures and categories have one place each
_LARGEST: Final = 10**9  # end of a scale


def _is_texts(value: Any) -> bool:
    """Say whether a value is a list of texts, which a text alone is not."""
    return isinstance(value, list) and bool(value) and all(map(is_line, value))


def _is_label(value: Any) -> bool:
    return isinstance(value, dict) and all(map(is_line, value.values()))


def _is_scale(scale: Any) -> bool:
    if not (isinstance(scale, list) and len(scale) == 2 and all(type(x) is int for x in scale)):
        return False
    low, high = scale
    return bool(0 < high - low <= MAX_STEPS and max(-low, high) <= _LARGEST)


def _is_higher(words: Any) -> bool:
    return words in ("better", "worse") or (_is_label(words) and "en" in words)


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


def _are_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(x, dict) for x in value)


def _are_named(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(x, dict) for x in value.values())


_TEXT: Final[Kind] = (is_line, f"a text of one line, of at most {LONGEST} letters")
_FLAG: Final[Kind] = (lambda value: type(value) is bool, "true or false")
_WHOLE: Final[Kind] = (lambda value: type(value) is int, "a whole number")
_LABEL: Final[Kind] = (_is_label, 'lines by language such as { en = "Sleep", da = "Søvn" }')
_TEXTS: Final[Kind] = (_is_texts, 'a list of texts, at least one, such as ["a", "b"]')
_WORDS: Final[Kind] = (
    lambda value: _is_texts(value) and len({word.strip() for word in value}) == len(value),
    "a list of different words, from the lowest answer to the highest",
)
_MISSING: Final[Kind] = (_is_missing, 'a list of whole numbers or words such as [8, 9, "unsure"]')
_TOP: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(("name", "citizen", "jobcenter", "date", "none", "dont_know"), _TEXT),
    "scale": (_is_scale, f"two whole numbers such as [1, 5], the lower first, at most "
              f"{MAX_STEPS} apart"),
    "jobcenters": _TEXTS,
    "dates": (_tells_days, 'a text that tells day, month and year, such as "%d-%m-%Y"'),
    "higher": (_is_higher, '"better", "worse" or words by language such as { en = "more symptoms", '
               'da = "flere symptomer" }'),
    "answers": _WORDS,
    "missing": _MISSING,
    "words": (lambda value: True, ""),  # `word_faults`
    "indicators": (_are_tables, "[[indicators]] tables, at least one"),
    "treatments": (
        lambda value: _are_named(value) and 1 <= len(value) <= MAX_TREATMENTS,
        f"1 to {MAX_TREATMENTS} tables of the form [treatments.CODE]",
    ),
    "activities": (_are_tables, "[[activities]] tables"),
    "averages": (_are_named, "tables of the form [averages.CODE]"),
}  # fmt: skip
_INDICATOR: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(("code", "respondent", "column", "counterpart"), _TEXT),
    **dict.fromkeys(("optional", "progression", "reverse"), _FLAG),
    **{"label": _LABEL, "figure": _WHOLE, "answers": _WORDS, "missing": _MISSING},
}
_TREATMENT: Final[Mapping[str, Kind]] = {"columns": _TEXTS, "label": _LABEL}
_AVERAGE: Final[Mapping[str, Kind]] = {"members": _TEXTS, "label": _LABEL, "figure": _WHOLE}
_ACTIVITY: Final[Mapping[str, Kind]] = {"column": _TEXT, "number": _WHOLE, "label": _LABEL}


def shape_faults(table: Table) -> list[str]:
    """Say what of a codebook is unknown, missing or of another kind than its key takes."""
    whole = "the codebook"
    faults = _faults(whole, table, _TOP, ("scale", "indicators", "treatments"))
    scale = table.get("scale") if _is_scale(table.get("scale")) else None
    faults += _scale_faults(whole, table, scale)
    respondents = []
    for position, entry in enumerate(_tables(table.get("indicators"))):
        code = entry.get("code")
        name = f"indicator {code if is_line(code) else f'number {position + 1}'}"
        respondents.append(str(entry.get("respondent")))
        faults += _faults(name, entry, _INDICATOR, ("code", "respondent"))
        faults += _scale_faults(name, entry, scale)
    for position, entry in enumerate(_tables(table.get("activities"))):
        faults += _faults(f"activity number {position + 1}", entry, _ACTIVITY, ("column",))
    for what, kinds, needed in (
        ("treatment", _TREATMENT, "columns"),
        ("average", _AVERAGE, "members"),
    ):
        entries = table.get(f"{what}s")
        for code, entry in entries.items() if isinstance(entries, dict) else ():
            if isinstance(entry, dict):
                faults += _faults(f"{what} {code!r}", entry, kinds, (needed,))
    return faults + word_faults(table.get("words", {}), respondents)


def _tables(value: Any) -> list[Table]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _faults(
    place: str, table: Table, kinds: Mapping[str, Kind], needed: tuple[str, ...]
) -> list[str]:
    """Name keys that are unknown or missing, and values of another kind."""
    faults = [
        f"{place} has the unknown key {key!r}; known: {', '.join(sorted(kinds))}"
        for key in sorted(set(table) - set(kinds))
    ]
    faults += [f"{place} lacks {key!r}" for key in needed if key not in table]
    return faults + [
        f"{place}: {key!r} must be {words}"
        for key, (fits, words) in kinds.items()
        if key in table and not fits(table[key])
    ]


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
    whole = [code for code in codes if type(code) is int] if _is_missing(codes) else []
    if inside := [code for code in whole if scale[0] <= code <= scale[1]]:
        faults.append(f"{place}: 'missing' holds answers of the scale: {inside}")
    return faults


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
