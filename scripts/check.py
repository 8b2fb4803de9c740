"""Check a stored run: priors, fit, sensitivity, other models, other choices, joint statements."""

from typing import Annotated

import typer

from bipbayes.checks import NAMES
from bipbayes.run import options
from bipbayes.run.settings import Settings


@options.verb(
    f"data codebook models priors seed minimum_count out language {options.FIGURES} quiet",
    models=(),
)
def main(
    settings: Settings,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CHECK]...",
            help=f"Checks: {', '.join(NAMES)}. Default: all but engines, which fits again.",
        ),
    ] = None,
    effects: Annotated[
        list[str] | None,
        typer.Option("--effect", help="OUTCOME:COMBINATION of a specification curve; repeatable."),
    ] = None,
    at_least: Annotated[
        int | None,
        typer.Option("--at-least", help="Indicators that must improve (default: 3 in 4)."),
    ] = None,
) -> None:
    """Write tables/check_* and figures/check/check_*; only the check engines fits anything.

    Example: bipbayes check sensitivity leave_out --data responses.csv
    """
    from bipbayes.checks.inputs import CheckSettings
    from bipbayes.checks.stage import check

    asked = CheckSettings(
        only=tuple(names or ()),
        models=settings.models,
        effects=tuple(effects or ()),
        at_least=at_least,
    )
    check(settings, asked)


if __name__ == "__main__":
    typer.run(main)
