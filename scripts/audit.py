"""Audit a report's claims against a stored run, one verdict a claim."""

import typer

from bipbayes.run import options
from bipbayes.run.settings import Settings


@options.verb(
    "data codebook characteristics claims models beyond minimum_count out language "
    f"{options.FIGURES} quiet",
    models=(),
)
def main(settings: Settings) -> None:
    """Audit what fit-ols and fit-posterior stored; nothing is fitted again.

    Example: bipbayes audit --data responses.csv --claims claims.csv
    """
    from bipbayes.run.audit_stage import audit_alone

    audit_alone(settings)


if __name__ == "__main__":
    typer.run(main)
