"""Describe a study: the report's Tables 1 to 11, its histograms, who gets what."""

import typer

from bipbayes.run import options
from bipbayes.run.settings import Settings


@options.verb(
    "data codebook characteristics previous level minimum_count out overwrite language "
    f"{options.FIGURES} quiet"
)
def main(settings: Settings) -> None:
    """Write the descriptive tables and figures; without --data of the synthetic BIP.

    Example: bipbayes describe --data responses.csv --characteristics register.csv
    """
    from bipbayes.run.describe_stage import describe_alone

    describe_alone(settings)


if __name__ == "__main__":
    typer.run(main)
