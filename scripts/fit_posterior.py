"""Fit hierarchical models to the cell means and store their draws."""

from contextlib import closing

import typer

from bipbayes.run import options
from bipbayes.run.console import conclude
from bipbayes.run.settings import Settings


@options.verb(
    "data codebook characteristics models priors vcov previous adjust covariates ordinal engine "
    "draws tune chains target_accept seed level kind rope parts scheduler workers out overwrite "
    "quick quiet"
)
def main(settings: Settings) -> int:
    """Fit one or more models; exit code 1 if a fit failed its checks.

    Example: bipbayes fit-posterior --data responses.csv --model no_pooling
    """
    from bipbayes.run.closing import of_posterior
    from bipbayes.run.inputs import open_run
    from bipbayes.run.posterior_stage import fit_posterior

    with closing(open_run(settings, in_parts=True)) as run:
        run.look_at_directions(run.changes())
        fits = [fit_posterior(run, model) for model in run.settings.models]
    conclude(lambda: of_posterior(run.folder, fits))
    return 0 if settings.quick or all(fit.verdict.passed for fit in fits) else 1


if __name__ == "__main__":
    typer.run(main)
