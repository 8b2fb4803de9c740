"""Simulate studies with known truth, analyse them in every way, and say what holds."""

from pathlib import Path
from typing import Annotated

import typer

from bipbayes.run import options
from bipbayes.run.settings import Settings


@options.verb(
    f"codebook models scheduler workers out overwrite language {options.FIGURES} quick quiet",
    models=(),
    out=Path("results/validation"),
)
def main(
    settings: Settings,
    replicates: Annotated[
        int | None, typer.Option(help="Simulated studies (default: 100).")
    ] = None,
    rounds: Annotated[int, typer.Option("--calibrate", help="Rounds of calibration a model.")] = 0,
    engine: Annotated[
        list[str] | None, typer.Option(help="closed, plugged, nuts; repeatable (default: closed).")
    ] = None,
    vcov: Annotated[
        list[str] | None, typer.Option(help="Working covariances; repeatable (default: all).")
    ] = None,
    citizens: Annotated[
        int | None, typer.Option(help="Citizens of a study (default: 3707).")
    ] = None,
    designs: Annotated[
        list[str] | None,
        typer.Option("--design", help="Named design, or all; repeatable (default: bip)."),
    ] = None,
    draws: Annotated[int | None, typer.Option(help="Draws kept per chain.")] = None,
    tune: Annotated[int | None, typer.Option(help="Warm-up draws per chain of nuts.")] = None,
    seed: Annotated[int, typer.Option(help="The one seed.")] = 1,
) -> None:
    """Coverage, error, bias and calibration against known truth; continues where it stopped.

    Example: bipbayes validate --design all
    """
    from bipbayes.run.validate_stage import validate_designs

    values = {
        "replicates": replicates,
        "models": settings.models,
        "vcov": tuple(vcov or ()),
        "citizens": citizens,
        "draws": draws,
        "tune": tune,
        "seed": seed,
    }
    validate_designs(
        settings, designs or (), engines=engine or ["closed"], values=values, rounds=rounds
    )


if __name__ == "__main__":
    typer.run(main)
