"""OLS of every outcome on the combinations of treatments (the report's Figures 3-24)."""

from contextlib import closing
from pathlib import Path

import typer

from bipbayes.run import options
from bipbayes.run.console import conclude, run_verb, start_logging
from bipbayes.run.settings import Settings


def main(
    data: options.Data = None,
    codebook: options.CodebookFile = None,
    characteristics: options.CharacteristicsFile = None,
    previous: options.Previous = Settings.previous,
    adjust: options.Adjust = None,
    covariates: options.Covariates = None,
    ordinal: options.Ordinal = Settings.ordinal,
    level: options.Level = Settings.level,
    parts: options.Parts = Settings.parts,
    scheduler: options.Scheduler = None,
    workers: options.Workers = None,
    out: options.Out = Path("results"),
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> None:
    """Estimate progression by combination with OLS and five kinds of standard errors."""
    settings = locals()
    start_logging(quiet=quiet)

    def verb() -> int:
        from bipbayes.run import closing as closing_lines
        from bipbayes.run.inputs import open_run
        from bipbayes.run.ols_stage import fit_ols

        with closing(open_run(options.settings_from(settings), in_parts=True)) as run:
            changes = run.changes()
            run.look_at_directions(changes)
            frame = fit_ols(run, changes)
        conclude(lambda: closing_lines.of_ols(run.folder, frame))
        return 0

    run_verb(verb)


if __name__ == "__main__":
    typer.run(main)
