"""Read a file of responses and report what is in it and what is wrong with it; nothing is run."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from bipbayes.run import options
from bipbayes.run.console import conclude, run_verb, start_logging
from bipbayes.run.settings import Settings


def main(
    data: Annotated[Path, typer.Argument(help="Responses, in any format that can be read.")],
    codebook: options.CodebookFile = None,
    parts: options.Parts = Settings.parts,
    scheduler: options.Scheduler = None,
    workers: options.Workers = None,
    quiet: options.Quiet = False,
) -> None:
    """Read responses and report counts, findings and faults (exit code 2 where refused)."""
    start_logging(quiet=quiet)

    def verb() -> int:
        from bipbayes.run.closing import of_reading
        from bipbayes.run.default_study import codebook_or_default
        from bipbayes.run.inputs import read_study

        settings = Settings(data=data, parts=parts, scheduler=scheduler, workers=workers)
        with closing(
            read_study(settings, codebook_or_default(codebook), folder=Path.cwd())
        ) as study:
            typer.echo("\n".join(study.report()))
        conclude(lambda: of_reading(study, data, codebook))
        return 0

    run_verb(verb)


if __name__ == "__main__":
    typer.run(main)
