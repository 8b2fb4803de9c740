"""Make synthetic responses: the calibrated BIP, or effects with known truth."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from bipbayes.run import options
from bipbayes.run.settings import Settings


@options.verb("codebook scheduler workers out overwrite quiet", out=Path("synthetic"))
def main(
    settings: Settings,
    effects: Annotated[
        str, typer.Option("--effects", help="calibrated (the report's) or hierarchical.")
    ] = "calibrated",
    scale: Annotated[
        int, typer.Option("--scale", help="So many times as many citizens, in parts.")
    ] = 1,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Another seed than the default data's.")
    ] = None,
    file_format: Annotated[str, typer.Option("--format", help="csv or parquet.")] = "csv",
    characteristics: Annotated[
        bool, typer.Option(help="Also make characteristics of the citizens (BIP only).")
    ] = True,
) -> None:
    """Write responses, characteristics of citizens and the truth behind them to a folder.

    Example: bipbayes simulate --effects hierarchical --seed 7 --out synthetic
    """
    from bipbayes.cluster import Workers
    from bipbayes.run.simulate_stage import SimulationRequest, write_simulation

    request = SimulationRequest(
        effects, scale, seed, settings.codebook, file_format, characteristics=characteristics
    )
    own = Workers(settings.scheduler, 0 if scale == 1 else settings.workers)
    with closing(own):
        write_simulation(request, settings.out, overwrite=settings.overwrite, workers=own)


if __name__ == "__main__":
    typer.run(main)
