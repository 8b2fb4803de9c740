"""Codebooks: which columns hold which indicators, treatments and averages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Final

from bipbayes.data.study_words import Words, in_language, study_words
from bipbayes.errors import SettingsError, raise_all, unknown
from bipbayes.phrases import catalogue, worded
from bipbayes.stored_frames import filled

NO_TREATMENT: Final = "none"
DO_NOT_KNOW: Final = "dont_know"


@dataclass(frozen=True)
class Indicator:
    """One question of the study.

    Attributes
    ----------
    code
        What outputs call it.
    column
        What the file calls it.
    respondent
        Who answers it, such as ``citizen`` or ``caseworker``.
    label
        Names by language (``en``, ``da``).
    optional
        True where a file may lack the column.
    counterpart
        Code of the other respondent's indicator of the same name, or ``""``.
    figure
        The report's figure number, if any.
    reverse
        True where a low answer means what a high one means elsewhere: answers are turned
        (lowest + highest - answer) when they are read.
    answers
        Words that a file may hold instead of numbers, from the lowest to the highest answer.
    missing
        Numbers outside the scale, or words, that mean no answer, such as 8 for "don't know".
    """

    code: str
    column: str
    respondent: str
    label: Mapping[str, str] = field(default_factory=dict)
    optional: bool = False
    counterpart: str = ""
    figure: int | None = None
    reverse: bool = False
    answers: tuple[str, ...] = ()
    missing: tuple[int | str, ...] = ()


@dataclass(frozen=True)
class Treatment:
    """A kind of intervention; a response is treated where any of `columns` is 1."""

    code: str
    label: Mapping[str, str]
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Activity:
    """A tick box; `role` is a treatment's code, ``none`` or ``dont_know``."""

    column: str
    number: int
    label: Mapping[str, str]
    role: str


@dataclass(frozen=True)
class Average:
    """The mean of several indicators, answered where all members are."""

    code: str
    members: tuple[str, ...]
    label: Mapping[str, str]
    figure: int | None = None


@dataclass(frozen=True)
class Codebook:
    """A study's indicators, treatments and averages, in the order of all outputs.

    `indicators` are those whose progression is analysed; `unanalysed` are read and checked
    but not used (B10 and B11 of BIP). `jobcenters` fixes their order (empty: natural order).
    `higher` says in words, by language, what high answers mean, such as ``more symptoms``
    (empty: better); it stands at axes and never changes a number. `dates` tells how days are
    written (`datetime.strptime`; empty: ISO). `missing` are numbers and words that say nothing
    in the columns of treatments. `words` are what readers' texts call citizens, jobcenters and
    respondents, one and many by language (`bipbayes.data.study_words`). `shares` are how many
    responses each jobcenter has in each combination, where that was published: simulated studies
    follow them (like `is_bip` no part of what makes two codebooks one run's).
    """

    name: str
    scale: tuple[int, int]
    indicators: tuple[Indicator, ...]
    treatments: tuple[Treatment, ...]
    averages: tuple[Average, ...] = ()
    unanalysed: tuple[Indicator, ...] = ()
    activities: tuple[Activity, ...] = ()
    jobcenters: tuple[str, ...] = ()
    citizen: str = "citizen"
    jobcenter: str = "jobcenter"
    date: str = "date"
    dates: str = ""
    missing: tuple[int | str, ...] = ()
    higher: Mapping[str, str] = field(default_factory=dict)
    words: Words = field(default_factory=dict)
    is_bip: bool = False
    shares: tuple[tuple[int, ...], ...] = field(default=(), repr=False)

    @cached_property
    def indicator_codes(self) -> tuple[str, ...]:
        """Codes of the analysed indicators."""
        return tuple(indicator.code for indicator in self.indicators)

    @cached_property
    def reversed_codes(self) -> tuple[str, ...]:
        """Codes of the indicators whose answers are turned, the unanalysed last."""
        every = (*self.indicators, *self.unanalysed)
        return tuple(indicator.code for indicator in every if indicator.reverse)

    @cached_property
    def average_codes(self) -> tuple[str, ...]:
        """Codes of the averages."""
        return tuple(average.code for average in self.averages)

    @cached_property
    def outcomes(self) -> tuple[str, ...]:
        """Indicators, then averages."""
        return self.indicator_codes + self.average_codes

    @cached_property
    def treatment_codes(self) -> tuple[str, ...]:
        """Codes of the treatments; their order is the order of a combination's digits."""
        return tuple(treatment.code for treatment in self.treatments)

    @cached_property
    def combinations(self) -> tuple[str, ...]:
        """All combinations as text, in binary order (the order of Table 3)."""
        return tuple("".join(digits) for digits in product("01", repeat=len(self.treatments)))

    @property
    def no_treatment(self) -> str:
        """The combination without any treatment."""
        return "0" * len(self.treatments)

    @property
    def respondents(self) -> tuple[str, ...]:
        """Respondents in order of appearance."""
        return tuple(dict.fromkeys(indicator.respondent for indicator in self.indicators))

    def respondent_of(self, outcome: str) -> str:
        """Return the respondent of an indicator, or of an average's members, who is one."""
        members = self.members(outcome) if outcome in self.average_codes else (outcome,)
        return self._indicator(members[0]).respondent

    def members(self, average: str) -> tuple[str, ...]:
        """Return the indicator codes that an average is made of."""
        return next(entry.members for entry in self.averages if entry.code == average)

    def label(self, outcome: str, language: str = "en") -> str:
        """Return the name of an indicator or average, or the code where there is none.

        Behind the name of an indicator whose answers are turned stands ``(reversed)``.
        """
        name = in_language(self._entry(outcome).label, language) or outcome
        if outcome not in self.reversed_codes:
            return name
        return catalogue()["reversed"][language].format(name=name)

    def say(self, text: str, language: str = "en") -> str:
        """Return a message with the study's own words in the place of ``{citizens}`` and so on."""
        return filled(text, study_words(self.words, language))

    def counted(self, key: str, language: str = "en", **counts: object) -> str:
        """Return a phrase of counts with the study's own words."""
        return worded(catalogue()[key][language], {**study_words(self.words, language), **counts})

    def figure(self, outcome: str) -> int | None:
        """Return the report's figure number of an outcome."""
        return self._entry(outcome).figure

    def combination_label(self, combination: str, language: str = "en") -> str:
        """Return the readable form of a combination: ``"1010"`` is ``"J+S"``."""
        given = zip(self.treatment_codes, combination, strict=True)
        present = [code for code, digit in given if digit == "1"]
        return "+".join(present) or catalogue()["none"][language]

    def combination_of(self, text: str) -> str:
        """Return the digits of a combination: of ``"S+J"``, ``"none"``, or digits themselves.

        Treatments go by their code or by their label in any language.

        Raises
        ------
        SettingsError
            Naming the treatment that is unknown, or stands twice, or the label of several.
        """
        if text.strip() in self.combinations:
            return text.strip()
        names = [part.strip() for part in text.split("+")]
        if names[0] in (NO_TREATMENT, *catalogue()["none"].values()) and len(names) == 1:
            return self.no_treatment
        known = self.treatment_codes
        labels = {each.code: {*map(str.casefold, each.label.values())} for each in self.treatments}
        called = {n: [n] if n in known else [c for c in known if n.casefold() in labels[c]]
                  for n in names}  # fmt: skip
        faults = [
            unknown("treatment", name, (*known, NO_TREATMENT)) if not codes
            else f"{name!r} is the label of {' and '.join(codes)}: name the code"
            for name, codes in called.items() if len(codes) != 1
        ]  # fmt: skip
        names = [code for name in names for code in called[name] if len(called[name]) == 1]
        faults += [f"treatment {n!r} stands twice" for n in known if names.count(n) > 1]
        raise_all(SettingsError, f"The combination {text.strip()!r} was refused:", faults)
        return "".join("1" if code in names else "0" for code in known)

    def has_treatment(self, combination: str, treatment: str) -> bool:
        """Say whether a combination contains a treatment."""
        return combination[self.treatment_codes.index(treatment)] == "1"

    def _indicator(self, code: str) -> Indicator:
        return next(entry for entry in self.indicators if entry.code == code)

    def _entry(self, outcome: str) -> Indicator | Average:
        entries: list[Indicator | Average] = [*self.indicators, *self.averages, *self.unanalysed]
        return next(entry for entry in entries if entry.code == outcome)
