"""Read a file of responses and report what is in it and what is wrong with it; nothing is run."""

from pathlib import Path
from typing import Annotated

import typer

from bipbayes.run import options
from bipbayes.run.console import run_verb, start_logging


def main(
    data: Annotated[Path, typer.Argument(help="Responses, in any format that can be read.")],
    codebook: options.CodebookFile = None,
) -> None:
    """Read responses and report counts, findings and faults (exit code 2 where refused)."""
    start_logging(quiet=False)

    def verb() -> int:
        from bipbayes.data.load_codebook import load_codebook
        from bipbayes.data.read import read_responses

        study = read_responses(data, load_codebook(codebook))
        typer.echo("\n".join(study.report()))
        return 0

    run_verb(verb)


if __name__ == "__main__":
    typer.run(main)
