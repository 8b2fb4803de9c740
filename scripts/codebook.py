"""Propose a codebook for a file: which column is what, and what is doubtful."""

from pathlib import Path
from typing import Annotated

import typer

from bipbayes.run import options
from bipbayes.run.settings import Settings


@options.verb("", quiet=True)
def main(
    settings: Settings,
    data: Annotated[Path, typer.Argument(help="Responses, in any format that can be read.")],
    out: Annotated[
        Path | None, typer.Option(help="A new file for it. Default: standard output.")
    ] = None,
) -> None:
    """Propose a codebook, and say what was taken for what, why, and what is doubtful.

    Example: bipbayes codebook responses.sav --out study.toml
    """
    from bipbayes.atomic import write_text
    from bipbayes.data.files import read_table
    from bipbayes.data.propose import propose
    from bipbayes.errors import SettingsError

    if out is not None and out.exists():
        raise SettingsError(f"--out: {out} is there already; name a new file")
    proposed = propose(read_table(data), data.stem)
    told = [*proposed.taken, *(f"doubtful: {text}" for text in proposed.doubtful)]
    typer.echo("\n".join(told), err=True)
    if out is None:
        typer.echo(proposed.toml(), nl=False)
    else:
        write_text(out, proposed.toml())
        typer.echo(f"Next: bipbayes check-data {data} --codebook {out}", err=True)


if __name__ == "__main__":
    typer.run(main)
