"""Read a file of responses and report what is in it and what is wrong with it; nothing is run."""

import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from bipbayes.progress import unsaid
from bipbayes.run import options
from bipbayes.run.console import conclude
from bipbayes.run.settings import Settings


@options.verb("codebook parts scheduler workers quiet")
def main(
    settings: Settings,
    data: Annotated[Path, typer.Argument(help="Responses, in any format that can be read.")],
) -> None:
    """Read responses and report counts, findings and faults (exit code 2 where refused).

    Example: bipbayes check-data responses.csv --codebook study.toml
    """
    from bipbayes.run.closing import of_reading
    from bipbayes.run.default_study import codebook_or_default
    from bipbayes.run.inputs import read_study, study_cautions

    settings, codebook = replace(settings, data=data), codebook_or_default(settings.codebook)
    # Workers of other machines see the user's folder, not the one for temporary files.
    parts = Path(tempfile.gettempdir()) if settings.scheduler is None else Path.cwd()
    with unsaid("bipbayes.data"):
        read = read_study(settings, codebook, folder=parts)
    with closing(read) as study:
        typer.echo("\n".join([*study.report(), *study_cautions(study)]))
    conclude(lambda: of_reading(study, data, settings.codebook))


if __name__ == "__main__":
    typer.run(main)
