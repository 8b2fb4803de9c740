"""Check a stored run: priors, fit, sensitivity, other models, other choices, joint statements."""

from pathlib import Path
from typing import Annotated

import typer

from bipbayes.checks import NAMES
from bipbayes.run import options
from bipbayes.run.console import run_verb, start_logging
from bipbayes.run.settings import Settings


def main(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CHECK]...",
            help=f"Checks: {', '.join(NAMES)}. Default: all but engines, which fits again.",
        ),
    ] = None,
    data: options.Data = None,
    codebook: options.CodebookFile = None,
    models: options.Models = None,
    priors: options.Priors = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help="The same, an option a check; repeatable."),
    ] = None,
    effects: Annotated[
        list[str] | None,
        typer.Option("--effect", help="OUTCOME:COMBINATION of a specification curve; repeatable."),
    ] = None,
    at_least: Annotated[
        int | None,
        typer.Option("--at-least", help="Indicators that must improve (default: 3 in 4)."),
    ] = None,
    seed: options.Seed = Settings.seed,
    minimum_count: options.MinimumCount = Settings.minimum_count,
    out: options.Out = Path("results"),
    language: options.Language = Settings.language,
    figure_formats: options.FigureFormats = None,
    quiet: options.Quiet = False,
) -> None:
    """Write tables/check_* and figures/check_*; only the check engines fits anything."""
    common = {
        "data": data,
        "codebook": codebook,
        "priors": priors,
        "seed": seed,
        "minimum_count": minimum_count,
        "out": out,
        "language": language,
        "figure_formats": figure_formats,
        "quiet": quiet,
    }
    start_logging(quiet=quiet)

    def verb() -> int:
        from bipbayes.checks.inputs import CheckSettings
        from bipbayes.checks.stage import check

        asked = CheckSettings(
            only=(*(names or ()), *(only or ())),
            models=tuple(models or ()),
            effects=tuple(effects or ()),
            at_least=at_least,
        )
        check(options.settings_from(common), asked)
        return 0

    run_verb(verb)


if __name__ == "__main__":
    typer.run(main)
