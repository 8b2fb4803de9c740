"""Texts that people read, from ``resources/phrases``: languages and estimands are those there.

It reads files only, so that a verb that says its options need not wait for NumPy.
"""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Final

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


def decimals_marked(text: str, language: str) -> str:
    """Return numbers that were written with a point with the language's own decimal mark."""
    return text.replace(".", phrases_of("languages")["decimal_mark"][language])
