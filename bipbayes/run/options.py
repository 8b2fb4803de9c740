"""Verbs of the command line: each offers some fields of `Settings` as options, and its own."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any, get_origin

import typer

from bipbayes.run.console import run_verb, start_logging
from bipbayes.run.settings import Settings, option_name

FIGURES = "figure_formats figure_size figure_font captions_apart no_title"
"""Options of every verb that draws."""


def verb(
    offered: str, **defaults: Any
) -> Callable[[Callable[..., int | None]], Callable[..., None]]:
    """Make a function of `Settings`, and of options of its own, a verb of the command line.

    The verb leaves with the code that the function returns (``None`` is 0), or with that of what
    it raises.

    `offered`: names of the fields that are options, in the order of the help; `defaults`: of
    fields, where the verb has others than `Settings`.
    """
    names = offered.split()

    def command(function: Callable[..., int | None]) -> Callable[..., None]:
        @wraps(function)
        def run(**values: Any) -> None:
            own = {name: value for name, value in values.items() if name not in names}
            asked = {name: values[name] for name in names if values[name] is not None}
            start_logging(quiet=bool({**defaults, **asked}.get("quiet", False)))
            run_verb(lambda: function(settings_from({**defaults, **asked}), **own) or 0)

        known = {each.name: each for each in fields(Settings)}
        options = [_option(known[name], defaults.get(name, known[name].default)) for name in names]
        mine = list(signature(function).parameters.values())[1:]
        parameters = [each.replace(kind=Parameter.KEYWORD_ONLY) for each in (*mine, *options)]
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        run.__signature__ = signature(function).replace(  # type: ignore[attr-defined]
            parameters=parameters, return_annotation=None
        )
        return run

    return command


def _option(field: Any, default: Any) -> Parameter:
    """Return a field as a parameter that Typer reads."""
    kind = field.type
    if get_origin(kind) is tuple:
        kind, default = list[str] | None, None
    elif default is None:
        kind = kind | None
    told = typer.Option(option_name(field.name), help=field.metadata["help"])
    return Parameter(
        field.name, Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, told]
    )


def settings_from(options: Mapping[str, Any]) -> Settings:
    """Turn a verb's options into the settings record; options left out take its defaults."""
    values = {key: value for key, value in options.items() if value is not None}
    for key, value in values.items():
        if isinstance(value, list | tuple):
            values[key] = tuple(part for text in value for part in text.split(",") if part)
    return Settings(**values)
