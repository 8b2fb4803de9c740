"""A codebook proposed from a file: which column is what, why, and what is doubtful.

What is told are names of columns and counts, never a citizen's values.
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, groupby
from typing import Any, Final

import numpy as np
import pandas as pd

from bipbayes.data.checks import SYNTHETIC_COLUMN, TWO_LETTERS
from bipbayes.data.columns import date_formats, to_date, to_number, to_text
from bipbayes.data.files import PERIODS, VALUE_LABELS
from bipbayes.data.load_codebook import MAX_TREATMENTS, code_fault, parse_codebook
from bipbayes.data.read import file_labels
from bipbayes.data.study_words import LONGEST, is_line
from bipbayes.errors import DataError

_HINTS: Final = {
    "citizen": "citizen|borger|person|pupil|elev|patient|client|klient|student|participant|"
    "deltager|respondent|cpr|pnr",
    "id": r"(^|_)id|id($|_)|nr$|no$|num",
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
_REPEATS: Final = 1.2  # rows of an id, on average: fewer, and it is an amount
_MOVED: Final = 0.5  # of citizens, at most, who are in several of what is called a site
_ALONE: Final = 0.5  # of a box's ticks
_MANY: Final = 6  # boxes
_FEWEST: Final = 20  # persons behind a correlation
_CLEAR: Final = 3.0  # standard errors of one
_CODE: Final = 16  # letters of a treatment's code that is its label, at most


@dataclass(frozen=True)
class Proposal:
    """A codebook's table, and in sentences what was taken for what, and what is doubtful."""

    table: Mapping[str, Any]
    taken: tuple[str, ...]
    doubtful: tuple[str, ...]
    guessed: frozenset[str] = frozenset()  # indicators with missing codes that no label explains

    def toml(self) -> str:
        """Return the codebook as a file, what is doubtful on top of it."""
        parts = {f"[{kind}.{code}]": entry for kind in ("treatments", "averages")
                 for code, entry in self.table[kind].items()}  # fmt: skip
        tables = [*(("[[indicators]]", one) for one in self.table["indicators"]), *parts.items()]
        top = {key: one for key, one in self.table.items() if not isinstance(one, dict)}
        top.pop("indicators")
        lines = ["# Proposed from a file; look through it, and at these doubts first:"]
        lines += [f"# - {_value(text)[1:-1]}" for text in self.doubtful] + _pairs(top)
        for head, one in tables:
            # Missing codes are the last line.
            guess = "  # a guess: confirm it, or delete the line" * (
                one.get("code") in self.guessed
            )
            lines += ["", head, *_pairs(one)]
            lines[-1] += guess
        return "\n".join([*lines, ""])


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
        self.guessed: frozenset[str] = frozenset()
        self.codes = {c: to_text(frame[c]) for c in self.free}
        self.days = list(frame.select_dtypes(["datetime", "datetimetz"]).columns)
        read = {c: to_number(frame[c]) for c in self.free if c not in self.days}
        self.numbers = {c: values for c, (values, unread) in read.items() if not unread.any()}
        self.counts = {c: int(values.nunique()) for c, values in self.codes.items()}

    def proposal(self, name: str) -> Proposal:
        """Take one thing after the other; what is left is told, too."""
        table: dict[str, Any] = {"name": name[:LONGEST].strip() or "Study"}
        table["citizen"] = self._citizen()
        table["jobcenter"] = self._site()
        table |= self._date()
        boxes = self._boxes()
        table |= self._indicators()
        table |= self._treatments(
            boxes, {*table["averages"], *(e["code"] for e in table["indicators"])}
        )
        self._rest()
        parse_codebook(table)  # what is proposed can be read
        return Proposal(table, tuple(self.taken), tuple(self.doubtful), self.guessed)

    def _called(self, what: str, column: str) -> bool:
        return re.search(_HINTS[what], column.casefold()) is not None

    def _hinted(self, what: str, column: str) -> bool:
        return self._called(what, f"{column} {self.labels.get(column, '')}")

    def _label(self, column: str, code: str) -> dict[str, Any]:
        """Return the file's label, or the column's name where the code is another."""
        name = column if code != column and is_line(column) else ""
        label = self.labels.get(column, name)[:LONGEST].strip()
        return {"label": {"en": label}} if label else {}

    def _take(self, columns: Sequence[str], what: str, why: str, *, sure: bool = True) -> None:
        self.free = [column for column in self.free if column not in columns]
        self.taken.append(f"{what}: {_names(columns)} ({why})")
        if not sure:
            self.doubtful.append(f"is {_names(columns)} the {what}? ({why})")

    def _citizen(self) -> str:
        """Take the id: by its name, else what has the most values of those that repeat."""
        rows = self.frame.notna().sum()
        kinds = {c: (self._called("citizen", c), self._called("id", c)) for c in self.free
                 if not self._hinted("jobcenter", c)}  # fmt: skip
        found = [c for c in kinds if 1 < self.counts[c] < rows[c] / _REPEATS
                 and not self._written(c)
                 and not (c in self.numbers and (self.numbers[c] % 1 > 0).any())]  # fmt: skip
        chosen = max(found, key=lambda c: (*kinds[c], self.counts[c]), default="")
        if not found or (not any(kinds[chosen]) and any(named for named, _ in kinds.values())):
            raise DataError("no column looks like a person's id with several rows a person")
        why = f"{self.counts[chosen]} different ids in {rows[chosen]} rows"
        self.people = self.codes[chosen]
        self._take([chosen], "person's id", why, sure=kinds[chosen][0])
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
        worded = {c for c in self.free if c not in self.numbers or self._value_labels(c)}
        found = [c for c in self.free if 1 < self.counts[c] <= most and (named[c] or c in worded)
                 and self._moves(c) <= (_MOVED if named[c] else 1 - _STAYS)]  # fmt: skip
        if not found:
            self.doubtful.append(
                'no column looks like the site; name it in the line jobcenter = "..."'
            )
            return "jobcenter"
        chosen = max(found, key=lambda c: (named[c], self.counts[c]))
        why = f"{self.counts[chosen]} sites, {self._moves(chosen):.0%} of persons in several"
        self._take([chosen], "site", why, sure=named[chosen])
        return chosen

    def _written(self, column: str) -> list[str]:
        """Return how a column may write days: ``""`` as ISO; none where it holds no days."""
        text = self.codes[column].dropna()
        if column in self.frame.attrs.get(PERIODS, {}) or not len(text):
            return []
        if column in self.days or to_date(text)[0].notna().all():
            return [""]
        # Numbers may be days where the column is called so.
        a_number = column in self.numbers and not self._hinted("date", column)
        return [] if a_number else date_formats(text)

    def _date(self) -> dict[str, str]:
        """Take the date: by its name, and what differs from row to row of a citizen."""
        found = {c: ways for c in self.free if (ways := self._written(c))}
        if not found:
            self.doubtful.append('no column looks like the date; name it in the line date = "..."')
            return {"date": "date"}
        moves = {c: self._moves(c) > _VARIES for c in found}
        chosen = max(found, key=lambda c: (moves[c], self._hinted("date", c), self.counts[c]))
        again, ways = self._twice(chosen), found[chosen]
        why = f"days, {again} rows of the same person and day"
        self._take([chosen], "date", why, sure=moves[chosen] and not again)
        if len(ways) > 1:
            self.doubtful.append(f"{chosen} may be written as {' or '.join(ways)}")
        return {"date": chosen} | ({"dates": ways[0]} if ways[0] else {})

    def _twice(self, column: str) -> int:
        """Count rows that repeat an entry of the same citizen."""
        pairs = pd.DataFrame({"citizen": self.people, "entry": self.codes[column]}).dropna()
        return int(pairs.duplicated().sum())

    def _boxes(self) -> list[str]:
        """Take 0 and 1 where some of their family (all ``S1_``) change within citizens, or all."""
        held = {c: set(self.numbers[c].dropna()) for c in self.free if c in self.numbers}
        found = [c for c in held if held[c] and held[c] <= {0.0, 1.0}]
        moving = {_family(c) for c in found if self._moves(c) > 0 or held[c] == {1.0}}
        boxes = [c for c in found if _family(c) in moving] or found
        if not boxes:
            raise DataError("no column looks like a treatment: 0 and 1, changing within persons")
        why = f"0 and 1, {'changing within persons' if moving else 'never changing'}"
        self._take(boxes, "boxes of treatments", why, sure=bool(moving))
        return boxes

    def _value_labels(self, column: str) -> dict[int, str]:
        labels = self.frame.attrs.get(VALUE_LABELS, {}).get(column, {})
        return {int(code): str(text).casefold() for code, text in labels.items()
                if isinstance(code, int | float) and float(code).is_integer()}  # fmt: skip

    def _scale(self, column: str) -> tuple[int, int, list[int]] | None:
        """Return the ends of a column's scale, and codes beyond a gap or labelled as no answer."""
        values = self.numbers[column].dropna()
        if (values % 1 != 0).any():
            return None
        counts, labels = Counter(values.astype("int64")), self._value_labels(column)
        said = sorted({*counts, *labels} - self._no_answers(column))
        # Codes without a gap between them have the same distance to their places.
        runs = [[code for code, _ in run] for _, run in groupby(
            zip(said, count(), strict=False), key=lambda pair: pair[0] - pair[1])]  # fmt: skip
        inside, run = max(((sum(counts[c] for c in run), run) for run in runs), default=(0, [0]))
        if not 2 <= run[-1] - run[0] <= _STEPS or inside < _STAYS * len(values):
            return None
        return run[0], run[-1], sorted({*counts, *labels} - {*run})

    def _indicators(self) -> dict[str, Any]:
        """Take whole numbers of one scale that change in citizens, but not only by counting up."""
        found = {c: scale for c in self.free if c in self.numbers and (scale := self._scale(c))
                 and self._moves(c) > _VARIES and self._twice(c)}  # fmt: skip
        if not found:
            raise DataError("no column looks like a question that is asked again and again")
        ends = Counter(scale[:2] for scale in found.values())
        low, high = max(ends, key=lambda pair: (ends[pair], pair[1] - pair[0]))
        chosen = [c for c, (first, last, _) in found.items() if low <= first and last <= high]
        apart = {c: [x for x in found[c][2] if not low <= x <= high] for c in chosen}
        self._take(chosen, "indicators", f"whole numbers from {low} to {high}, asked again")
        guesses = self._guesses(apart)
        for columns, doubt in (
            ([c for c in found if c not in chosen], "another scale, left out; a codebook has one"),
            ([c for c in chosen if found[c][:2] != (low, high)], "only part of the scale is used"),
            (
                list(guesses.values()),
                "beyond the scale, read as no answer (line missing): a guess; "
                "confirm it, or delete the line and correct the file",
            ),
            self._turned(chosen, apart),
        ):
            self.doubtful += [f"{_names(columns)}: {doubt}"] * bool(columns)
        self.free = [c for c in self.free if c not in found]
        asked = self._respondents(chosen)
        averages = {one: f"{one}_mean" for one in asked.values()}
        if len(averages) == 1:
            averages = dict.fromkeys(averages, "mean")
        codes = _codes(chosen, "indicator", averages.values())
        self.guessed = frozenset(codes[c] for c in guesses)
        entries = [
            {"code": codes[c]}
            | ({"column": c} if codes[c] != c else {})
            | {"respondent": asked[c], **self._label(c, codes[c])}
            | ({"missing": apart[c]} if apart[c] else {})
            for c in chosen
        ]
        members = {one: [codes[c] for c in chosen if asked[c] == one] for one in asked.values()}
        kept = {averages[one]: {"members": m} for one, m in members.items() if len(m) > 1}
        return {"scale": [low, high], "indicators": entries, "averages": kept}

    def _turned(
        self, chosen: Sequence[str], apart: Mapping[str, Sequence[int]]
    ) -> tuple[list[str], str]:
        """Ask which indicators are worded the other way; name those that go against the others.

        By each person's first answers: one's level says far more than how it changes.
        """
        answers = pd.DataFrame({c: self.numbers[c].mask(self.numbers[c].isin(apart[c]))
                                for c in chosen}).groupby(self.people).first()  # fmt: skip
        joined = answers.corr(min_periods=_FEWEST)
        own = joined.where(~np.eye(len(chosen), dtype="bool")).mean()
        clear = own < -_CLEAR / np.sqrt(answers.count())
        against = [c for c in chosen if clear[c]]
        if not against or 2 * len(against) > len(chosen):
            return list(chosen), "which are worded the other way (reverse = true)?"
        return against, (
            "persons who answer high here answer low elsewhere: worded the other way? "
            "then give the line reverse = true"
        )

    def _guesses(self, apart: Mapping[str, Sequence[int]]) -> dict[str, str]:
        """Tell codes beyond the scale that the file does not label as no answer, by column."""
        said = {c: [x for x in codes if x not in self._no_answers(c)] for c, codes in apart.items()}
        return {
            c: f"{c} {', '.join(f'{x} ({int((self.numbers[c] == x).sum())} times)' for x in codes)}"
            for c, codes in said.items()
            if codes
        }

    def _no_answers(self, column: str) -> set[int]:
        """Return codes that the file labels as no answer."""
        labels = self._value_labels(column)
        return {code for code, text in labels.items() if re.search(_HINTS["no answer"], text)}

    def _respondents(self, columns: Sequence[str]) -> dict[str, str]:
        """Return who answers: families of names, where there are several of several questions."""
        asked = {c: _family(c).strip("_-") for c in columns}
        sizes = Counter(asked.values())
        if len(sizes) == 1 or min(sizes.values()) == 1 or any(
            code_fault("respondent", one) for one in sizes
        ):  # fmt: skip
            return dict.fromkeys(columns, "citizen")
        self.doubtful.append(f"are {_names(sizes)} the respondents?")
        return asked

    def _treatments(self, boxes: Sequence[str], used: Iterable[str]) -> dict[str, Any]:
        """Make each box a treatment, or of too many one treatment that a person must part."""
        ticked = pd.DataFrame({c: self.numbers[c] == 1 for c in boxes})
        alone = ticked[ticked.sum(axis=1) == 1].sum() / ticked.sum().clip(lower=1)
        several = len(boxes) >= _MANY and alone.median() < _ALONE
        special: dict[str, str] = {}
        treated = list(boxes)
        for key, what in (("none", "no activities"), ("dont_know", "don't know")):
            named = [c for c in treated if self._hinted(key, c)]
            likely = [str(alone[treated].idxmax())] if several else []
            box = next((c for c in named or likely if c in named or alone[c] >= _ALONE), "")
            if box and len(treated) > 1:
                special[key] = box
                treated.remove(box)
                share = f"{alone[box]:.0%} of its ticks stand alone"
                self._take([box], f"box '{what}'", share, sure=bool(named))
        if len(treated) <= MAX_TREATMENTS:
            codes = _codes(treated, "treatment", used, wanted=self._label_codes(treated))
            kinds = {codes[c]: {**self._label(c, codes[c]), "columns": [c]} for c in treated}
            return {**special, "treatments": kinds}
        self.doubtful.append(
            f"{len(treated)} boxes are one treatment here: part them into treatments by kind, "
            f"{MAX_TREATMENTS} at most"
        )
        return {**special, "treatments": {"T": {"columns": treated}}}

    def _label_codes(self, columns: Sequence[str]) -> dict[str, str]:
        """Make codes of short labels, for names of columns that are no single letter."""
        labels = {c: _in_ascii(self.labels.get(c, "")) for c in columns if len(c) > 1}
        codes = {c: "_".join(re.findall(r"\w+", label)) for c, label in labels.items()}
        return {c: code for c, code in codes.items() if 0 < len(code) <= _CODE}

    def _rest(self) -> None:
        """Tell what was not taken: characteristics, words, other numbers."""
        steady = [c for c in self.free if self.counts[c] > 1 and self._moves(c) <= _VARIES]
        other = [c for c in self.free if c not in steady]
        wordy = [c for c in other if c not in self.numbers and self.counts[c] <= _STEPS + 1]
        if wordy:
            self.doubtful.append(f"{_names(wordy)}: answers in words? The line answers = [...]")
        for columns, what in (
            (steady, "characteristics, the same in a person's rows (a file of their own)"),
            ([c for c in other if c not in wordy], "not used"),
        ):
            self.taken += [f"{what}: {_names(columns)}"] * bool(columns)


def _in_ascii(text: str) -> str:
    """Write letters as a keyboard without them does: æ as ae, é as e."""
    text = unicodedata.normalize("NFC", text).translate(TWO_LETTERS)
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def _family(column: str) -> str:
    """Return a name without the number at its end."""
    return re.sub(r"\d+[a-z]?$", "", column)


def _names(columns: Iterable[str]) -> str:
    """List names, many as the first and the last with their number."""
    names = list(columns)
    return ", ".join(names) if len(names) <= _STEPS + 2 else (
        f"{names[0]}, {names[1]}, ..., {names[-1]} ({len(names)})"
    )  # fmt: skip


def _codes(
    columns: Sequence[str], place: str, used: Iterable[str], wanted: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return codes by column: what is wanted or its name where these can be one, else a number."""
    taken, codes = {code.casefold() for code in used}, {}
    for number, column in enumerate(columns, start=1):
        wished = (wanted or {}).get(column, column)
        names = (wished, column, _in_ascii(column), f"{place[0]}{number}")
        codes[column] = next(
            (one for one in names if not code_fault(place, one) and one.casefold() not in taken),
            names[-1],
        )
        taken.add(codes[column].casefold())
    return codes
