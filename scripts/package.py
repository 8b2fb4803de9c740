"""Pack a stored run for a replication archive."""

from pathlib import Path
from typing import Annotated

import typer

from bipbayes.run import options
from bipbayes.run.settings import Settings


@options.verb("data codebook characteristics priors claims models out quiet", models=())
def main(
    settings: Settings,
    to: Annotated[Path, typer.Option("--to", help="The archive, a new file.")] = Path(
        "replication.zip"
    ),
) -> None:
    """Pack code, versions, inputs, results and a command that makes and compares them again.

    Example: bipbayes package --out results --to replication.zip
    """
    from bipbayes.run.console import conclude
    from bipbayes.run.inputs import open_stored
    from bipbayes.run.package_stage import package

    folder, codebook = open_stored(settings)
    told = package(folder, codebook, settings, to)
    conclude(lambda: told)


if __name__ == "__main__":
    typer.run(main)
