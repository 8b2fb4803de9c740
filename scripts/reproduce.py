"""The main job: from responses to the posterior beside OLS, in figures, tables and frames."""

import typer

from bipbayes.run import options
from bipbayes.run.settings import Settings


@options.verb(
    "data codebook characteristics claims beyond models priors vcov previous adjust covariates "
    "ordinal engine draws tune chains target_accept seed level kind rope outcomes minimum_count "
    f"parts scheduler workers out overwrite language {options.FIGURES} quick quiet"
)
def main(settings: Settings) -> int:
    """Run everything; without --data on the calibrated synthetic BIP.

    Example: bipbayes reproduce --data responses.csv --codebook study.toml --out my_results
    """
    from bipbayes.helpers import start_server

    start_server()
    from bipbayes.run.reproduce import reproduce

    return reproduce(settings)


if __name__ == "__main__":
    typer.run(main)
