"""What a study calls its citizens, jobcenters and respondents, one and many by language."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from bipbayes.errors import unknown
from bipbayes.phrases import LANGUAGES, catalogue

# One and many, by language.
type Words = Mapping[str, Mapping[str, tuple[str, str]]]

LONGEST: Final = 500  # letters of a name, label or word
_UNSEEN: Final = ("Cc", "Cs", "Zl", "Zp")  # control characters and ends of lines
REMARKS: Final = ("repair", "adjust_remark")  # attributes of cells that are text by language
NEUTRAL: Final = ("citizen", "jobcenter")  # a study without words of its own has neutral ones


def study_words(words: Words, language: str) -> dict[str, str]:
    """Return a study's words by the placeholder that stands for them in texts.

    ``citizen``, ``citizens``, the same of ``jobcenter`` and of every respondent with a word.
    """
    plain = [f"{key}{ending}" for key in NEUTRAL for ending in ("", "s")]
    names = {key: catalogue()[f"neutral_{key}"][language] for key in plain}
    for key, forms in words.items():
        one, many = forms.get(language) or forms["en"]
        names |= {key: one, f"{key}s": many}
    return names


def by_language(name: str, say: Callable[[str], str]) -> dict[str, str]:
    """Return a text as attributes: `name` in English, with the language behind it in others."""
    return {_attribute(name, language): say(language) for language in LANGUAGES}


def attribute_names(name: str) -> tuple[str, ...]:
    """Return the names of the attributes that `by_language` makes."""
    return tuple(_attribute(name, language) for language in LANGUAGES)


def told_by_language(attrs: Mapping[Any, Any], name: str) -> dict[str, str]:
    """Return by language what `by_language` made, where it is not empty."""
    texts = {language: str(attrs.get(_attribute(name, language), "")) for language in LANGUAGES}
    return {language: text for language, text in texts.items() if text}


def _attribute(name: str, language: str) -> str:
    return name if language == "en" else f"{name}_{language}"


def in_language(names: Mapping[str, str], language: str) -> str:
    """Return a codebook's name in a language, in English where it has none, else ``""``."""
    return names.get(language) or names.get("en", "")


def words_from_table(table: Mapping[str, Any]) -> Words:
    """Read ``words`` of a codebook that has no `word_faults`.

    A word is a text (English) or one by language; where the plural is not regular, both forms
    stand as a list.
    """
    return {
        key: {
            language: (form, _plural(form, language)) if isinstance(form, str) else tuple(form)
            for language, form in _by_language(entry).items()
        }
        for key, entry in table.items()
    }


def is_line(text: Any) -> bool:
    """Say whether a value is text that stands on one line of any output."""
    return (
        isinstance(text, str)
        and 0 < len(text.strip()) <= len(text) <= LONGEST
        and not any(unicodedata.category(letter) in _UNSEEN for letter in text)
    )


def language_faults(place: str, texts: Mapping[str, Any]) -> list[str]:
    """Say which languages of a codebook's texts are none that outputs are written in."""
    return [
        f"{place}: {unknown('language', language, LANGUAGES, near=0.5)}"
        for language in texts
        if language not in LANGUAGES
    ]


def word_faults(table: Any, respondents: Iterable[str]) -> list[str]:
    """Say which words are unknown or not of the shape of `words_from_table`."""
    if not isinstance(table, dict):
        return ["'words' must be of the form { jobcenter = { en = \"school\" } }"]
    known = sorted({*NEUTRAL, *respondents})
    faults = []
    for key, entry in table.items():
        forms = _by_language(entry)
        if key not in known:
            faults.append(f"'words': {unknown('word', key, known)}")
        elif not isinstance(forms, dict) or "en" not in forms:
            faults.append(f"the word {key!r} must stand in English ('en'); others are optional")
        elif foreign := language_faults(f"the word {key!r}", forms):
            faults += foreign
        elif not all(map(_is_form, forms.values())):
            faults.append(
                f"the word {key!r} must be a text of one line, or a list of one and many such as "
                '["child", "children"]'
            )
    return faults


def _by_language(entry: Any) -> Any:
    return {"en": entry} if isinstance(entry, str | list) else entry


def _is_form(form: Any) -> bool:
    texts = form if isinstance(form, list) and len(form) == 2 else [form]
    return all(map(is_line, texts))


def _plural(word: str, language: str) -> str:
    rules = (rule.split(">") for rule in catalogue()["plural"][language].split())
    return next(
        word.removesuffix(ending) + plural for ending, plural in rules if word.endswith(ending)
    )
