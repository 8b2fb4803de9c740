"""Write ``report.html`` of a stored run: the one page to open."""

import typer

from bipbayes.run import options
from bipbayes.run.console import conclude
from bipbayes.run.settings import Settings


@options.verb("data codebook minimum_count out language quiet")
def main(settings: Settings) -> None:
    """Write the page again from what is stored, also in the other language.

    Example: bipbayes report --lang da
    """
    from bipbayes.run.closing import of_comparison
    from bipbayes.run.inputs import open_stored
    from bipbayes.run.report_stage import write_report
    from bipbayes.run.stored import require_figures

    folder, codebook = open_stored(settings)
    require_figures(folder)
    write_report(folder, codebook, settings)
    conclude(lambda: of_comparison(folder))


if __name__ == "__main__":
    typer.run(main)
