"""A codebook proposed from a file: which column is what, why, and what is doubtful.

What is told are names of columns and counts, never a citizen's values.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, groupby
from typing import Any, Final

import pandas as pd

from bipbayes.data.checks import SYNTHETIC_COLUMN
from bipbayes.data.codebook_shape import MAX_TREATMENTS
from bipbayes.data.columns import date_formats, to_date, to_number, to_text
from bipbayes.data.files import PERIODS, VALUE_LABELS
from bipbayes.data.labels import file_labels
from bipbayes.data.load_codebook import code_fault, parse_codebook
from bipbayes.data.words import LONGEST
from bipbayes.errors import DataError

_HINTS: Final = {
    "citizen": "citizen|borger|person|pupil|elev|patient|client|klient|student|participant|"
    "deltager|respondent|cpr|pnr|(^|_)id|id($|_)",
    "jobcenter": "jobcent|site|school|skole|cent(er|re)|kommune|municipal|clinic|klinik|hospital|"
    "ward|office|afdeling|region|unit",
    "date": "date|dato|day|dag",
    "none": r"\bno (activit|treat|interv)|\bnone\b|^ingen|_none\b|_ingen",
    "dont_know": "don.?t.?know|ved.?ikke|unknown|uoplyst",
    "no answer": "don.?t know|no answer|not answered|refus|missing|not applicable|n/?a$|ved ikke|"
    "besvaret|relevant|uoplyst|ønsker ikke",
}  # fmt: skip
_STEPS: Final = 10  # of a scale, at most
_VARIES: Final = 0.05  # of citizens with several answers: fewer, and it is a characteristic
_STAYS: Final = 0.8  # of citizens, who are in one site
_ALONE: Final = 0.5  # of a box's ticks
_MANY: Final = 6  # boxes


@dataclass(frozen=True)
class Proposal:
    """A codebook's table, and what was thought.

    Attributes
    ----------
    table
        As `bipbayes.data.load_codebook.parse_codebook` takes it.
    taken, doubtful
        Sentences: what was taken for what and why, and what a person must look at.
    """

    table: Mapping[str, Any]
    taken: tuple[str, ...]
    doubtful: tuple[str, ...]

    def toml(self) -> str:
        """Return the codebook as a file, what is doubtful on top of it."""
        lines = ["# Proposed from a file; look through it, and at these doubts first:"]
        lines += [f"# - {json.dumps(text, ensure_ascii=False)[1:-1]}" for text in self.doubtful]
        lines += [f"{key} = {_value(entry)}" for key, entry in self.table.items()
                  if key not in ("indicators", "treatments", "averages")]  # fmt: skip
        for entry in self.table["indicators"]:
            lines += ["", "[[indicators]]", *_pairs(entry)]
        for kind in ("treatments", "averages"):
            for code, entry in self.table[kind].items():
                lines += ["", f"[{kind}.{code}]", *_pairs(entry)]
        return "\n".join(lines) + "\n"


def _pairs(entry: Mapping[str, Any]) -> list[str]:
    return [f"{key} = {_value(value)}" for key, value in entry.items()]


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(_pairs(value))} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def propose(frame: pd.DataFrame, name: str) -> Proposal:
    """Propose a codebook for a file.

    Parameters
    ----------
    frame
        From `bipbayes.data.files.read_table`.
    name
        Of the study.

    Raises
    ------
    DataError
        Nothing in the file looks like a citizen with several rows, like questions that are asked
        again, or like treatments.
    """
    if frame.columns.has_duplicates or not len(frame):
        raise DataError("the file has no rows, or column names that repeat: correct it first")
    frame = frame.rename(columns=str).drop(columns=SYNTHETIC_COLUMN, errors="ignore")
    return _Reading(frame).proposal(name)


class _Reading:
    """A file being looked through: columns not yet taken, and what is told."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        self.labels = file_labels(frame)
        self.free = list(frame.columns)
        self.taken: list[str] = []
        self.doubtful: list[str] = []
        self.codes = {c: to_text(frame[c]) for c in self.free}
        read = {c: to_number(frame[c]) for c in self.free if not self._has_days(c)}
        self.numbers = {c: values for c, (values, unread) in read.items() if not unread.any()}
        self.counts = {c: int(values.nunique()) for c, values in self.codes.items()}

    def proposal(self, name: str) -> Proposal:
        """Take one thing after the other; what is left is told, too."""
        table: dict[str, Any] = {"name": name[:LONGEST].strip() or "Study"}
        table["citizen"] = self._citizen()
        table["jobcenter"] = self._site()
        table["date"], written = self._date()
        table |= {"dates": written} if written else {}
        boxes = self._boxes()
        table |= self._indicators()
        table |= self._treatments(boxes)
        self._rest()
        parse_codebook(table)  # what is proposed can be read
        return Proposal(table, tuple(self.taken), tuple(self.doubtful))

    def _hinted(self, what: str, column: str) -> bool:
        text = f"{column} {self.labels.get(column, '')}".casefold()
        return re.search(_HINTS[what], text) is not None

    def _has_days(self, column: str) -> bool:
        return bool(pd.api.types.is_datetime64_any_dtype(self.frame[column].dtype))

    def _label(self, column: str) -> dict[str, Any]:
        label = self.labels.get(column, "")[:LONGEST].strip()
        return {"label": {"en": label}} if label else {}

    def _take(self, columns: Sequence[str], what: str, why: str, *, sure: bool = True) -> None:
        self.free = [column for column in self.free if column not in columns]
        self.taken.append(f"{what}: {_names(columns)} ({why})")
        if not sure:
            self.doubtful.append(f"is {_names(columns)} the {what}? ({why})")

    def _citizen(self) -> str:
        """Take the id: by its name, else what has the most values of those that repeat."""
        named = [c for c in self.free if re.search(_HINTS["citizen"], c.casefold())
                 and not self._hinted("jobcenter", c)]  # fmt: skip
        rows = self.frame.notna().sum()
        found = [
            c for c in named or self.free
            if 1 < self.counts[c] < rows[c] and self._written(c) is None
            and not (c in self.numbers and (self.numbers[c] % 1 > 0).any())
        ]  # fmt: skip
        if not found:
            raise DataError(
                "no column looks like a citizen's id: progression needs several rows a citizen"
            )
        chosen = max(found, key=lambda c: self.counts[c])
        why = f"{self.counts[chosen]} different ids in {rows[chosen]} rows"
        self.people = self.codes[chosen]
        self._take([chosen], "citizen", why, sure=chosen in named)
        return chosen

    def _moves(self, column: str) -> float:
        """Return the share of citizens with several entries whose entries are not all alike."""
        by_citizen = self.codes[column].groupby(self.people)
        several = by_citizen.count() > 1
        return float((by_citizen.nunique()[several] > 1).mean()) if several.any() else 0.0

    def _site(self) -> str:
        """Take the site: by its name, else words or labelled codes in which citizens stay."""
        most = max(2, self.people.nunique() // 3)
        named = {c: self._hinted("jobcenter", c) for c in self.free}
        found = [
            c for c in self.free
            if 1 < self.counts[c] <= most and self._moves(c) <= 1 - _STAYS
            and (named[c] or c not in self.numbers or c in self.frame.attrs.get(VALUE_LABELS, {}))
        ]  # fmt: skip
        if not found:
            self.doubtful.append("no column looks like the site; name it in the line jobcenter")
            return "jobcenter"
        chosen = max(found, key=lambda c: (named[c], self.counts[c]))
        why = f"{self.counts[chosen]} sites, {self._moves(chosen):.0%} of citizens in several"
        self._take([chosen], "site", why, sure=named[chosen])
        return chosen

    def _written(self, column: str) -> list[str] | None:
        """Return how a column writes days (``[""]``: as ISO, or as days), ``None`` if it does not.

        Numbers may be days where the column is called so.
        """
        if column in self.frame.attrs.get(PERIODS, {}):
            return None
        text = self.codes[column].dropna()
        if self._has_days(column) or (len(text) and to_date(text)[0].notna().all()):
            return [""]
        if not len(text) or (column in self.numbers and not self._hinted("date", column)):
            return None
        return date_formats(text) or None

    def _date(self) -> tuple[str, str]:
        """Take the date: by its name, and what differs from row to row of a citizen."""
        found = {c: ways for c in self.free if (ways := self._written(c))}
        if not found:
            self.doubtful.append("no column looks like the date; name it in the line date")
            return "date", ""
        moves = {c: self._moves(c) > _VARIES for c in found}
        chosen = max(found, key=lambda c: (moves[c], self._hinted("date", c), self.counts[c]))
        again = int(pd.DataFrame({"a": self.people, "b": self.codes[chosen]}).duplicated().sum())
        why = f"days, {again} rows of the same citizen and day"
        self._take([chosen], "date", why, sure=moves[chosen] and not again)
        ways = found[chosen]
        if len(ways) > 1:
            self.doubtful.append(f"{chosen} may be written as {' or '.join(ways)}")
        return chosen, ways[0]

    def _boxes(self) -> list[str]:
        """Take columns of 0 and 1, or of 1 and nothing, that change within citizens.

        And those of the same family, such as all ``S1_``; where none changes, all of them.
        """
        held = {c: set(self.numbers[c].dropna()) for c in self.free if c in self.numbers}
        found = [c for c in held if held[c] <= {0.0, 1.0} and held[c]]
        moving = {c for c in found if self._moves(c) > 0 or held[c] == {1.0}}
        families = {_family(c) for c in moving}
        boxes = [c for c in found if c in moving or _family(c) in families] or found
        if boxes:
            why = "0 and 1, " + ("changing within citizens" if moving else "never changing")
            self._take(boxes, "boxes of treatments", why, sure=bool(moving))
        return boxes

    def _scale_of(self, column: str) -> tuple[int, int, list[int]] | None:
        """Return the ends of a column's scale, and codes beyond a gap or labelled as no answer."""
        values = self.numbers[column].dropna()
        if (values % 1 != 0).any() or not len(values):
            return None
        counts = Counter(values.astype("int64"))
        labels = self.frame.attrs.get(VALUE_LABELS, {}).get(column, {})
        whole = {int(code): str(text) for code, text in labels.items()
                 if isinstance(code, int | float) and float(code).is_integer()}  # fmt: skip
        unsaid = {code for code, text in whole.items()
                  if re.search(_HINTS["no answer"], text.casefold())}  # fmt: skip
        said = sorted({*counts, *whole} - unsaid)
        # Codes without a gap between them, by what is the same of all: code minus place.
        runs = [[code for code, _ in run] for _, run in groupby(
            zip(said, count(), strict=False), key=lambda pair: pair[0] - pair[1])]  # fmt: skip
        inside, run = max(((sum(counts[c] for c in run), run) for run in runs), default=(0, [0]))
        if not 2 <= run[-1] - run[0] <= _STEPS or inside < _STAYS * len(values):
            return None
        return run[0], run[-1], sorted({*counts, *whole} - {*run})

    def _indicators(self) -> dict[str, Any]:
        """Take whole numbers in a small range that change within citizens, on one scale."""
        found = {c: scale for c in self.free if c in self.numbers
                 and (scale := self._scale_of(c)) and self._moves(c) > _VARIES
                 and not self._counts_up(c)}  # fmt: skip
        if not found:
            raise DataError("no column looks like a question that is asked again and again")
        ends = Counter(scale[:2] for scale in found.values())
        low, high = max(ends, key=lambda pair: (ends[pair], pair[1] - pair[0]))
        chosen = [c for c, (first, last, _) in found.items() if low <= first and last <= high]
        if other := [c for c in found if c not in chosen]:
            self.doubtful.append(f"{_names(other)}: another scale, left out; a codebook has one")
            self.free = [c for c in self.free if c not in other]
        self._take(chosen, "indicators", f"whole numbers from {low} to {high}, asked again")
        if short := [c for c in chosen if found[c][:2] != (low, high)]:
            self.doubtful.append(f"{_names(short)}: only part of the scale {low} to {high} is used")
        apart = {c: [x for x in found[c][2] if not low <= x <= high] for c in chosen}
        if some := [c for c in chosen if apart[c]]:
            self.doubtful.append(f"{_names(some)}: codes beyond the scale are read as no answer")
        self.doubtful.append("which indicators are worded the other way (reverse = true)?")
        return {"scale": [low, high], **self._entries(chosen, apart)}

    def _entries(self, chosen: Sequence[str], apart: Mapping[str, Sequence[int]]) -> dict[str, Any]:
        """Return the indicators, with a respondent and an average for each family of names."""
        sizes = Counter(_family(column) for column in chosen)
        asked = dict.fromkeys(chosen, "citizen")
        beginnings = {c: _family(c).strip("_-") for c in chosen}
        if len(sizes) > 1 < min(sizes.values()) and not any(
            code_fault("respondent", one) for one in beginnings.values()
        ):
            asked = beginnings
            self.doubtful.append(f"are {_names(dict.fromkeys(asked.values()))} the respondents?")
        respondents = list(dict.fromkeys(asked.values()))
        codes = _codes(chosen, "indicator", {f"{one}_mean" for one in respondents})
        entries = [
            {"code": codes[c]}
            | ({"column": c} if codes[c] != c else {})
            | {"respondent": asked[c], **self._label(c)}
            | ({"missing": apart[c]} if apart[c] else {})
            for c in chosen
        ]
        members = {one: [codes[c] for c in chosen if asked[c] == one] for one in respondents}
        averages = {f"{one}_mean": {"members": m} for one, m in members.items() if len(m) > 1}
        return {"indicators": entries, "averages": averages}

    def _counts_up(self, column: str) -> bool:
        """Say whether a column numbers a citizen's occasions: no number comes twice."""
        twice = pd.DataFrame({"a": self.people, "b": self.codes[column]}).dropna().duplicated()
        return not twice.any() and self.people.value_counts().max() > 2

    def _treatments(self, boxes: Sequence[str]) -> dict[str, Any]:
        """Make each box a treatment, or of too many one treatment that a person must part."""
        ticked = pd.DataFrame({c: self.numbers[c] == 1 for c in boxes})
        alone = (ticked.sum(axis=1) == 1).to_numpy()
        shares = {c: float(alone[ticked[c].to_numpy()].mean()) for c in boxes if ticked[c].any()}
        several = len(boxes) >= _MANY and pd.Series(shares).median() < _ALONE
        special: dict[str, str] = {}
        for key in ("none", "dont_know"):
            left = [c for c in boxes if c not in special.values()]
            named = [c for c in left if self._hinted(key, c)]
            most = max(left, key=lambda c: shares.get(c, 0.0), default="")
            if named or (several and shares.get(most, 0.0) >= _ALONE):
                special[key] = (named or [most])[0]
                share = f"{shares.get(special[key], 0.0):.0%} of its ticks stand alone"
                what = "box 'no activities'" if key == "none" else "box 'don't know'"
                self._take([special[key]], what, share, sure=bool(named))
        treated = [c for c in boxes if c not in special.values()]
        if not treated:
            raise DataError("no column looks like a treatment: 0 and 1, changing within citizens")
        if len(treated) > MAX_TREATMENTS:
            self.doubtful.append(
                f"{len(treated)} boxes are one treatment here: part them into treatments by kind, "
                f"{MAX_TREATMENTS} at most"
            )
            return {**special, "treatments": {"T": {"columns": treated}}}
        codes = _codes(treated, "treatment", ())
        kinds = {codes[c]: {**self._label(c), "columns": [c]} for c in treated}
        return {**special, "treatments": kinds}

    def _rest(self) -> None:
        """Tell what was not taken: characteristics, words, other numbers."""
        wordy = [c for c in self.free if c not in self.numbers and self.counts[c] <= _STEPS + 1
                 and self._moves(c) > _VARIES]  # fmt: skip
        if wordy:
            self.doubtful.append(f"{_names(wordy)}: answers in words? The line answers = [...]")
        kept = [c for c in self.free if c not in wordy]
        steady = [c for c in kept if self.counts[c] > 1 and self._moves(c) <= _VARIES]
        for columns, what in (
            (steady, "characteristics, the same in a citizen's rows (a file of their own)"),
            ([c for c in kept if c not in steady], "not used"),
        ):
            if columns:
                self.taken.append(f"{what}: {_names(columns)}")


def _family(column: str) -> str:
    """Return a name without the number at its end."""
    return re.sub(r"\d+[a-z]?$", "", column)


def _names(columns: Iterable[str]) -> str:
    """List names, many as the first and the last with their number."""
    names = list(columns)
    return ", ".join(names) if len(names) <= _STEPS + 2 else (
        f"{names[0]}, {names[1]}, ..., {names[-1]} ({len(names)})"
    )  # fmt: skip


def _codes(columns: Sequence[str], place: str, used: Iterable[str]) -> dict[str, str]:
    """Return codes by column: its name where it can be one, else a letter and a number."""
    taken, codes = {code.casefold() for code in used}, {}
    for number, column in enumerate(columns, start=1):
        fits = not code_fault(place, column) and column.casefold() not in taken
        codes[column] = column if fits else f"{place[0]}{number}"
        taken.add(codes[column].casefold())
    return codes
