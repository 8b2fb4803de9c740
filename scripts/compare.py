"""Put OLS and posterior of a stored run side by side: comparison.csv and figures."""

from pathlib import Path

import typer

from bipbayes.run import options
from bipbayes.run.console import run_verb, start_logging
from bipbayes.run.settings import Settings


def main(
    data: options.Data = None,
    codebook: options.CodebookFile = None,
    models: options.Models = None,
    adjust: options.Adjust = None,
    ordinal: options.Ordinal = Settings.ordinal,
    outcomes: options.Outcomes = None,
    out: options.Out = Path("results"),
    language: options.Language = Settings.language,
    figure_formats: options.FigureFormats = None,
    everything: options.Everything = False,
    quick: options.Quick = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare what fit-ols and fit-posterior stored; nothing is fitted again."""
    settings = {key: value for key, value in locals().items() if key != "models"}
    start_logging(quiet=quiet)

    def verb() -> int:
        from bipbayes.run.compare_stage import compare_stored
        from bipbayes.run.inputs import open_stored

        chosen = options.settings_from(settings)
        compare_stored(*open_stored(chosen), chosen, models=tuple(models or ()))
        return 0

    run_verb(verb)


if __name__ == "__main__":
    typer.run(main)
