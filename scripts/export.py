"""Write the formatted tables of a stored run: CSV, LaTeX, HTML, Word, Markdown."""

from pathlib import Path

import typer

from bipbayes.run import options
from bipbayes.run.console import run_verb, start_logging
from bipbayes.run.settings import Settings


def main(
    data: options.Data = None,
    codebook: options.CodebookFile = None,
    models: options.Models = None,
    adjust: options.Adjust = None,
    ordinal: options.Ordinal = Settings.ordinal,
    outcomes: options.Outcomes = None,
    formats: options.Formats = None,
    minimum_count: options.MinimumCount = Settings.minimum_count,
    out: options.Out = Path("results"),
    language: options.Language = Settings.language,
    quiet: options.Quiet = False,
) -> None:
    """Export tables; for real data, numbers resting on few citizens are left blank."""
    settings = {key: value for key, value in locals().items() if key not in ("models", "formats")}
    start_logging(quiet=quiet)

    def verb() -> int:
        from bipbayes.run.export_stage import export_stored
        from bipbayes.run.inputs import open_stored

        chosen = options.settings_from(settings)
        folder, known = open_stored(chosen)
        wanted = {"models": tuple(models or ()), "formats": tuple(formats or ())}
        export_stored(folder, known, chosen, **wanted)
        return 0

    run_verb(verb)


if __name__ == "__main__":
    typer.run(main)
