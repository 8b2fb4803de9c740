"""OLS of every outcome on the combinations of treatments (the report's Figures 3-24)."""

from contextlib import closing

import typer

from bipbayes.run import options
from bipbayes.run.console import conclude
from bipbayes.run.settings import Settings


@options.verb(
    "data codebook characteristics previous adjust covariates ordinal level parts scheduler "
    "workers out overwrite quiet"
)
def main(settings: Settings) -> None:
    """Estimate progression by combination with OLS and five kinds of standard errors.

    Example: bipbayes fit-ols --data responses.csv --adjust baseline
    """
    from bipbayes.run.closing import of_ols
    from bipbayes.run.inputs import open_run
    from bipbayes.run.ols_stage import fit_ols

    with closing(open_run(settings, in_parts=True)) as run:
        changes = run.changes()
        run.look_at_directions(changes)
        frame = fit_ols(run, changes)
    conclude(lambda: of_ols(run.folder, frame))


if __name__ == "__main__":
    typer.run(main)
