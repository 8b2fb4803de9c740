"""Audit a report's claims against a stored run, one verdict a claim."""

from pathlib import Path

import typer

from bipbayes.run import options
from bipbayes.run.console import run_verb, start_logging
from bipbayes.run.settings import Settings


def main(
    data: options.Data = None,
    codebook: options.CodebookFile = None,
    characteristics: options.CharacteristicsFile = None,
    claims: options.ClaimsFile = None,
    models: options.Models = None,
    beyond: options.Beyond = Settings.beyond,
    minimum_count: options.MinimumCount = Settings.minimum_count,
    out: options.Out = Path("results"),
    language: options.Language = Settings.language,
    figure_formats: options.FigureFormats = None,
    quiet: options.Quiet = False,
) -> None:
    """Audit what fit-ols and fit-posterior stored; nothing is fitted again."""
    settings = {key: value for key, value in locals().items() if key != "models"}
    start_logging(quiet=quiet)

    def verb() -> int:
        from bipbayes.run.separate import audit_alone

        audit_alone(options.settings_from(settings), models=tuple(models or ()))
        return 0

    run_verb(verb)


if __name__ == "__main__":
    typer.run(main)
