"""Write the formatted tables of a stored run, and the folder of what may leave the server."""

from typing import Annotated

import typer

from bipbayes.run import options
from bipbayes.run.settings import Settings
from bipbayes.tables import FORMATS


@options.verb(
    "data codebook characteristics models adjust ordinal outcomes minimum_count disclosure ledger "
    "out language quiet",
    models=(),
)
def main(
    settings: Settings,
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", help=f"{', '.join(FORMATS)}; repeatable or docx,md."),
    ] = None,
) -> None:
    """Export tables and, of real data, the folder export/: all that may leave the server.

    Example: bipbayes export --data responses.csv --format docx,tex --lang da
    """
    from bipbayes.run.export_stage import export_stored
    from bipbayes.run.inputs import open_stored

    export_stored(*open_stored(settings), settings, formats=tuple(formats or ()))


if __name__ == "__main__":
    typer.run(main)
