"""What methodologists run: one verb a file, and all of them as the command ``bipbayes``."""

from importlib import import_module

import typer

VERBS = (
    "reproduce",
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
)


def command() -> typer.Typer:
    """Build the command line; each verb is the ``main`` of its own script."""
    line = typer.Typer(
        help="Bayesian hierarchical models of progression beside the OLS baseline.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_show_locals=False,
    )
    for verb in VERBS:
        script = import_module(f"bipbayes.scripts.{verb}")
        line.command(verb.replace("_", "-"))(script.main)
    return line


def app() -> None:
    """Run the command line."""
    command()()
