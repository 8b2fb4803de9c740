"""Captions: what a figure shows, with which errors, model and interval, on which data."""

from collections.abc import Sequence
from typing import Final

import pandas as pd

from bipbayes.data.codebook import Codebook
from bipbayes.data.study_words import in_language
from bipbayes.intervals import ALL_INDICATORS
from bipbayes.plots.selection import Side
from bipbayes.plots.task import WHOLE, Page
from bipbayes.wording import (
    Context,
    analysis_meaning,
    analysis_name,
    axis_text,
    capital,
    interval_words,
    meaning_of_significant,
    phrase,
    study_notes,
)

_LETTERS: Final = 2  # a code of more is a word


def titled(context: Context, title: str, page: Page = WHOLE) -> str:
    """Return a figure's title: it names the analysis, synthetic data as such, one page of many."""
    if context.analysis:
        title = f"{title}, {analysis_name(context.analysis, language=context.language)}"
    if page.of > 1:
        number = phrase("page", context.language, number=page.number, of=page.of)
        title = f"{title}, {number}"
    if not context.synthetic:
        return title
    return f"{title} ({phrase('synthetic', context.language)})"


def blank_words(frame: pd.DataFrame, context: Context) -> str:
    """Say that numbers of a descriptive frame were left blank; ``""`` where none was."""
    if "note" not in frame.columns or not frame["note"].ne("").any():
        return ""
    return phrase("blank_marks", context.language)


def side_words(side: Side, context: Context) -> str:
    """Describe the intervals of one source in a sentence without its full stop.

    ``OLS: 95 % confidence interval, classical errors`` or
    ``Posterior (model hierarchical): 95 % credible interval (equal-tailed), answers of one
    citizen correlated``.
    """
    interval = interval_words(side.level, side.kind, language=context.language)
    name = capital(phrase(side.source, context.language))
    if side.model:
        name = f"{name} ({phrase('model', context.language, name=side.model)})"
    return f"{name}: {interval}, {phrase(side.vcov, context.language)}"


def caption(
    context: Context,
    sentences: Sequence[str],
    *,
    sides: Sequence[Side] = (),
    outcome: str = "",
    marks: bool = True,
    letters: bool = False,
) -> str:
    """Write a figure's caption.

    Parameters
    ----------
    context
        Language, and whether data are synthetic or the run preliminary.
    sentences
        What the marks mean, each with its full stop.
    sides
        The sources drawn; their intervals are described, and what significant means.
    outcome
        Outcome whose figure number in the 2017 report is given, if it has one.
    marks
        False where nothing is marked as significant, so that the word needs no meaning.
    letters
        True where treatments stand in the figure by their letters, which are spelt out.

    Returns
    -------
    str
        One paragraph.
    """
    language = context.language
    parts = [_report_figure(context, outcome)]
    if context.analysis:
        parts.append(analysis_meaning(context.analysis, language=language))
    parts += [f"{side_words(side, context)}." for side in sides]
    parts += list(sentences)
    estimands = dict.fromkeys(side.estimand for side in sides if marks)
    meanings = [meaning_of_significant(name, language=language) for name in estimands]
    parts += list(dict.fromkeys(meanings))
    if letters:
        parts.append(letters_spelt(context.codebook, language=language))
    parts += study_notes(context.codebook, language=language)
    parts += [f"{flag}." for flag in flags(context)]
    return " ".join(part for part in parts if part)


def letters_spelt(codebook: Codebook, *, language: str) -> str:
    """Spell out treatments whose codes are letters: ``J = job-oriented, O = upskilling``.

    Codes that are words already, and those without another name, are left out.
    """
    named = {entry.code: in_language(entry.label, language) for entry in codebook.treatments}
    spelt = [
        f"{code} = {name if name[:2].isupper() else name[0].lower() + name[1:]}"
        for code, name in named.items()
        if name and len(code) <= _LETTERS and name.casefold() != code.casefold()
    ]
    return f"{', '.join(spelt)}." if spelt else ""


def units(context: Context, outcome: str) -> str:
    """Say of averages, and of what is over all indicators, that their units are not the other's."""
    # An average of one answer is that answer, in its unit.
    several = [each.code for each in context.codebook.averages if len(each.members) > 1]
    if outcome == ALL_INDICATORS:
        return phrase("units_overall", context.language) if several else ""
    return phrase("units_average", context.language) if outcome in several else ""


def axis_phrase(context: Context, estimand: str = "effect") -> str:
    """Say what an axis of an estimand measures: progression, or a difference of it."""
    differs = "contrast" in estimand or estimand == "factorial"
    text = phrase("progression_difference" if differs else "progression", context.language)
    return axis_text(context.codebook, text, language=context.language)


def flags(context: Context) -> list[str]:
    """Return the warnings every figure carries: synthetic data, preliminary results."""
    held = {"synthetic": context.synthetic, "preliminary": context.preliminary}
    return [capital(phrase(name, context.language)) for name, holds in held.items() if holds]


def kept_words(context: Context) -> str:
    """Return what stands under a figure without caption: what its numbers rest on, never apart."""
    return " ".join(f"{flag}." for flag in flags(context))


def from_report(context: Context, key: str, **values: object) -> str:
    """Say where the report has what a figure shows; ``""`` for another study or analysis."""
    # The report has the plain analysis only.
    if context.analysis or not context.codebook.is_bip:
        return ""
    return f"{phrase(key, context.language, **values)}."


def _report_figure(context: Context, outcome: str) -> str:
    known = outcome in context.codebook.outcomes
    figure = context.codebook.figure(outcome) if known else None
    return "" if figure is None else from_report(context, "report_figure", figure=figure)
