"""Make synthetic responses: the calibrated BIP, or effects with known truth."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from bipbayes.run import options
from bipbayes.run.console import run_verb, start_logging


def main(
    effects: Annotated[
        str, typer.Option("--effects", help="calibrated (the report's) or hierarchical.")
    ] = "calibrated",
    scale: Annotated[
        int, typer.Option("--scale", help="So many times as many citizens, in parts.")
    ] = 1,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Another seed than the default data's.")
    ] = None,
    codebook: options.CodebookFile = None,
    file_format: Annotated[str, typer.Option("--format", help="csv or parquet.")] = "csv",
    characteristics: Annotated[
        bool, typer.Option(help="Also make characteristics of the citizens (BIP only).")
    ] = True,
    scheduler: options.Scheduler = None,
    workers: options.Workers = None,
    out: options.Out = Path("synthetic"),
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> None:
    """Write responses, characteristics of citizens and the truth behind them to a folder."""
    start_logging(quiet=quiet)

    def verb() -> int:
        from bipbayes.cluster import Workers
        from bipbayes.run.simulate_stage import SimulationRequest, write_simulation

        request = SimulationRequest(
            effects, scale, seed, codebook, file_format, characteristics=characteristics
        )
        own = Workers(scheduler, 0 if scale == 1 else workers)
        with closing(own):
            write_simulation(request, out, overwrite=overwrite, workers=own)
        return 0

    run_verb(verb)


if __name__ == "__main__":
    typer.run(main)
