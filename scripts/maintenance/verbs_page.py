"""The page of the documentation that lists every verb with its options."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from bipbayes.scripts import VERBS, command


def write_verbs(page: Path) -> None:
    """Append every verb with its options to a page."""
    root: Any = typer.main.get_command(command())
    text = [page.read_text(encoding="utf-8")]
    for name in (verb.replace("_", "-") for verb in VERBS):
        verb = root.commands[name]
        told, _, example = verb.help.partition("Example:")
        text.append(f"\n## `{name}`\n\n{told.strip()}\n\n```sh\n{example.strip()}\n```\n\n")
        text += ["| option | |\n|---|---|\n", *_rows(verb.params)]
    page.write_text("".join(text), encoding="utf-8")


def _rows(options: Iterator[Any]) -> Iterator[str]:
    for each in options:
        told = (getattr(each, "help", "") or "").replace("|", "\\|")
        yield f"| `{(each.opts or [each.name])[0]}` | {told} |\n"
