"""Describe a study: the report's Tables 1 to 11, its histograms, who gets what."""

from pathlib import Path

import typer

from bipbayes.run import options
from bipbayes.run.console import run_verb, start_logging
from bipbayes.run.settings import Settings


def main(
    data: options.Data = None,
    codebook: options.CodebookFile = None,
    characteristics: options.CharacteristicsFile = None,
    previous: options.Previous = Settings.previous,
    level: options.Level = Settings.level,
    minimum_count: options.MinimumCount = Settings.minimum_count,
    out: options.Out = Path("results"),
    overwrite: options.Overwrite = False,
    language: options.Language = Settings.language,
    figure_formats: options.FigureFormats = None,
    quiet: options.Quiet = False,
) -> None:
    """Write the descriptive tables and figures; without --data of the synthetic BIP."""
    settings = locals()
    start_logging(quiet=quiet)

    def verb() -> int:
        from bipbayes.run.separate import describe_alone

        describe_alone(options.settings_from(settings))
        return 0

    run_verb(verb)


if __name__ == "__main__":
    typer.run(main)
