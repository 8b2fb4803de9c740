"""The main job: from responses to the posterior beside OLS, in figures, tables and frames."""

from pathlib import Path

import typer

from bipbayes.run import options
from bipbayes.run.console import run_verb, start_logging
from bipbayes.run.settings import Settings


def main(
    data: options.Data = None,
    codebook: options.CodebookFile = None,
    characteristics: options.CharacteristicsFile = None,
    claims: options.ClaimsFile = None,
    beyond: options.Beyond = Settings.beyond,
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
    outcomes: options.Outcomes = None,
    minimum_count: options.MinimumCount = Settings.minimum_count,
    parts: options.Parts = Settings.parts,
    scheduler: options.Scheduler = None,
    workers: options.Workers = None,
    out: options.Out = Path("results"),
    overwrite: options.Overwrite = False,
    language: options.Language = Settings.language,
    figure_formats: options.FigureFormats = None,
    quick: options.Quick = False,
    quiet: options.Quiet = False,
) -> None:
    """Run everything; without --data on the calibrated synthetic BIP."""
    settings = locals()
    start_logging(quiet=quiet)

    def verb() -> int:
        from bipbayes.processes import start_server

        start_server()
        from bipbayes.run.reproduce import reproduce

        return reproduce(options.settings_from(settings))

    run_verb(verb)


if __name__ == "__main__":
    typer.run(main)
