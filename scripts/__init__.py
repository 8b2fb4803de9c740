"""What methodologists run: one verb a file, and all of them as the command ``bipbayes``."""

from importlib import import_module
from typing import Annotated

import typer

import bipbayes

VERBS = (
    "reproduce",
    "codebook",
    "check_data",
    "simulate",
    "describe",
    "fit_ols",
    "fit_posterior",
    "compare",
    "audit",
    "report",
    "export",
    "check",
    "validate",
    "package",
    "verify",
    "doctor",
)


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"bipbayes {bipbayes.__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_say_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Take what stands before the verb."""


def command() -> typer.Typer:
    """Build the command line; each verb is the ``main`` of its own script."""
    line = typer.Typer(
        help="Bayesian hierarchical models of progression beside the OLS baseline.",
        epilog="Example: bipbayes reproduce --quick",
        no_args_is_help=True,
        pretty_exceptions_show_locals=False,
    )
    line.callback()(_options)
    for verb in VERBS:
        script = import_module(f"bipbayes.scripts.{verb}")
        line.command(verb.replace("_", "-"))(script.main)
    return line


def app() -> None:
    """Run the command line."""
    command()()
