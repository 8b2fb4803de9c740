"""Texts that people read, from ``resources/phrases``: languages and estimands are those there.

It reads files only, so that a verb that says its options need not wait for NumPy.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any, Final

type Phrases = dict[str, dict[str, str]]


@cache
def phrases_of(name: str) -> Phrases:
    """Return the phrases of one file, by key and language."""
    path = files("bipbayes") / "resources" / "phrases" / f"{name}.toml"
    found: Phrases = tomllib.loads(path.read_text(encoding="utf-8"))
    return found


@cache
def catalogue() -> Phrases:
    """Return the phrases of all files."""
    folder = files("bipbayes") / "resources" / "phrases"
    names = sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir())
    return {key: entry for name in names for key, entry in phrases_of(name).items()}


LANGUAGES: Final = tuple(phrases_of("languages")["decimal_mark"])
"""English, in which every text stands, and those that `phrases_of` has beside it."""


class _Counting(Formatter):
    """Braces of the form ``{count:answer|answers}`` hold a number and its word."""

    def format_field(self, value: Any, format_spec: str) -> str:
        """Write the number with the word for one, or for more."""
        forms = format_spec.split("|")
        if len(forms) == 1:
            return str(super().format_field(value, format_spec))
        half = len(forms) // 2  # a study's own word may hold the sign
        return f"{value} {'|'.join(forms[:half] if str(value) == '1' else forms[half:])}"


def worded(text: str, values: Mapping[str, object]) -> str:
    """Return a phrase with what its braces stand for; of one thing the word is singular."""
    return _Counting().vformat(text, (), values)


def decimals_marked(text: str, language: str) -> str:
    """Return numbers that were written with a point with the language's own decimal mark."""
    return text.replace(".", phrases_of("languages")["decimal_mark"][language])
