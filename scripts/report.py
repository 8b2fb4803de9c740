"""Write ``report.html`` of a stored run: the one page to open."""

from pathlib import Path

import typer

from bipbayes.run import options
from bipbayes.run.console import run_verb, start_logging
from bipbayes.run.settings import Settings


def main(
    data: options.Data = None,
    codebook: options.CodebookFile = None,
    minimum_count: options.MinimumCount = Settings.minimum_count,
    out: options.Out = Path("results"),
    language: options.Language = Settings.language,
    quiet: options.Quiet = False,
) -> None:
    """Write the page again from what is stored, also in the other language."""
    settings = dict(locals())
    start_logging(quiet=quiet)

    def verb() -> int:
        from bipbayes.run.closing import of_comparison
        from bipbayes.run.console import conclude
        from bipbayes.run.inputs import open_stored
        from bipbayes.run.report_stage import write_report

        chosen = options.settings_from(settings)
        folder, known = open_stored(chosen)
        write_report(folder, known, chosen)
        conclude(lambda: of_comparison(folder))
        return 0

    run_verb(verb)


if __name__ == "__main__":
    typer.run(main)
