"""Fit hierarchical models to the cell means and store their draws."""

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
    models: options.Models = None,
    priors: options.Priors = None,
    vcov: options.Vcov = Settings.vcov,
    previous: options.Previous = Settings.previous,
    adjust: options.Adjust = None,
    covariates: options.Covariates = None,
    ordinal: options.Ordinal = Settings.ordinal,
    engine: options.Engine = None,
    draws: options.Draws = None,
    tune: options.Tune = None,
    chains: options.Chains = Settings.chains,
    target_accept: options.TargetAccept = Settings.target_accept,
    seed: options.Seed = Settings.seed,
    level: options.Level = Settings.level,
    kind: options.Kind = Settings.kind,
    rope: options.Rope = None,
    parts: options.Parts = Settings.parts,
    scheduler: options.Scheduler = None,
    workers: options.Workers = None,
    out: options.Out = Path("results"),
    overwrite: options.Overwrite = False,
    quick: options.Quick = False,
    quiet: options.Quiet = False,
) -> None:
    """Fit one or more models; exit code 1 if a fit failed its checks."""
    settings = locals()
    start_logging(quiet=quiet)

    def verb() -> int:
        from bipbayes.run import closing as closing_lines
        from bipbayes.run.inputs import open_run
        from bipbayes.run.posterior_stage import fit_posterior

        with closing(open_run(options.settings_from(settings), in_parts=True)) as run:
            run.look_at_directions(run.changes())
            fits = [fit_posterior(run, model) for model in run.settings.models]
        conclude(lambda: closing_lines.of_posterior(run.folder, fits))
        return 0 if quick or all(fit.verdict.passed for fit in fits) else 1

    run_verb(verb)


if __name__ == "__main__":
    typer.run(main)
