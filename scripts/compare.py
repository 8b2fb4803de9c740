"""Put OLS and posterior of a stored run side by side: data/comparison.csv and figures."""

import typer

from bipbayes.run import options
from bipbayes.run.settings import Settings


@options.verb(
    "data codebook models adjust ordinal outcomes out language everything dodged by_size "
    f"{options.FIGURES} quick quiet",
    models=(),
)
def main(settings: Settings) -> None:
    """Compare what fit-ols and fit-posterior stored; nothing is fitted again.

    Example: bipbayes compare --all --figure-format pdf
    """
    from bipbayes.run.compare_stage import compare_stored
    from bipbayes.run.inputs import open_stored

    compare_stored(*open_stored(settings), settings)


if __name__ == "__main__":
    typer.run(main)
