"""Make synthetic responses: the calibrated BIP, or effects with known truth."""

from pathlib import Path
from typing import Annotated

import typer

from bipbayes.run import options
from bipbayes.run.console import run_verb, start_logging


def main(
    effects: Annotated[
        str, typer.Option("--effects", help="calibrated (the report's) or hierarchical.")
    ] = "calibrated",
    scale: Annotated[int, typer.Option("--scale", help="So many times as many citizens.")] = 1,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Another seed than the default data's.")
    ] = None,
    codebook: options.CodebookFile = None,
    file_format: Annotated[str, typer.Option("--format", help="csv or parquet.")] = "csv",
    out: options.Out = Path("synthetic"),
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> None:
    """Write responses, characteristics of citizens and the truth behind them to a folder."""
    start_logging(quiet=quiet)

    def verb() -> int:
        from bipbayes.run.simulate_stage import SimulationRequest, write_simulation

        request = SimulationRequest(
            effects=effects, scale=scale, seed=seed, codebook=codebook, file_format=file_format
        )
        write_simulation(request, out, overwrite=overwrite)
        return 0

    run_verb(verb)


if __name__ == "__main__":
    typer.run(main)
