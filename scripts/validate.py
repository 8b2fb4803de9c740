"""Simulate studies with known truth, analyse them in every way, and say what holds."""

from pathlib import Path
from typing import Annotated

import typer

from bipbayes.run import options
from bipbayes.run.console import run_verb, start_logging


def main(
    replicates: Annotated[
        int | None, typer.Option(help="Simulated studies (default: 100).")
    ] = None,
    rounds: Annotated[int, typer.Option("--calibrate", help="Rounds of calibration a model.")] = 0,
    engine: Annotated[
        list[str] | None, typer.Option(help="closed, plugged, nuts; repeatable (default: closed).")
    ] = None,
    models: options.Models = None,
    vcov: Annotated[
        list[str] | None, typer.Option(help="Working covariances; repeatable (default: all).")
    ] = None,
    codebook: options.CodebookFile = None,
    citizens: Annotated[
        int | None, typer.Option(help="Citizens of a study (default: 3707).")
    ] = None,
    designs: Annotated[
        list[str] | None,
        typer.Option("--design", help="Named design, or all; repeatable (default: bip)."),
    ] = None,
    draws: options.Draws = None,
    tune: options.Tune = None,
    seed: Annotated[int, typer.Option(help="The one seed.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler (default: own processes).")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Own processes (default: one a core).")
    ] = None,
    out: options.Out = Path("results/validation"),
    overwrite: options.Overwrite = False,
    quick: options.Quick = False,
    quiet: options.Quiet = False,
) -> None:
    """Coverage, error, bias and calibration against known truth; continues where it stopped."""
    given = {
        "replicates": replicates,
        "models": tuple(name for text in models or () for name in text.split(",")),
        "vcov": tuple(vcov or ()),
        "citizens": citizens,
        "draws": draws,
        "tune": tune,
        "seed": seed,
    }
    start_logging(quiet=quiet)

    def verb() -> int:
        from bipbayes.run.validate_stage import validate_designs

        validate_designs(
            designs or (),
            engines=engine or ["closed"],
            quick=quick,
            values=given,
            codebook=codebook,
            folder=out,
            where=(scheduler, workers),
            rounds=rounds,
            overwrite=overwrite,
        )
        return 0

    run_verb(verb)


if __name__ == "__main__":
    typer.run(main)
