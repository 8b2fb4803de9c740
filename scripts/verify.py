"""Compare two runs: least squares to the digit, posteriors by their Monte Carlo error."""

from pathlib import Path
from typing import Annotated

import typer

from bipbayes.run import options
from bipbayes.run.settings import Settings


@options.verb("", quiet=True)
def main(
    settings: Settings,
    first: Annotated[Path, typer.Argument(help="Folder of a run, such as the published one.")],
    second: Annotated[Path, typer.Argument(help="Folder of the run to hold against it.")],
) -> int:
    """Say whether two runs agree, and which quantity differs most (exit code 1: they do not).

    Example: bipbayes verify published results
    """
    from bipbayes.run.verify import verify

    told, agree = verify(first, second)
    typer.echo("\n".join(told))
    return int(not agree)


if __name__ == "__main__":
    typer.run(main)
