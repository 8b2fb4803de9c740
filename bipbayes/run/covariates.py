"""What a run's analysis needs beside the responses: all of them in memory, and covariates."""

import pandas as pd
import xarray as xr

from bipbayes.data.covariates import covariates_from_frame, read_covariates
from bipbayes.data.totals import Samples
from bipbayes.errors import SettingsError
from bipbayes.intervals import PLAIN
from bipbayes.run.describe_stage import load_characteristics
from bipbayes.run.inputs import Run
from bipbayes.run.settings import COVARIATES


def analysed(run: Run, changes: xr.Dataset | Samples) -> xr.Dataset | Samples:
    """Return the changes as the run's analysis takes them: only the plain one takes parts."""
    if run.settings.analysis == PLAIN or isinstance(changes, xr.Dataset):
        return changes
    return run.progression()


def covariates_of(run: Run) -> pd.DataFrame | None:
    """Read the covariates that the run's analysis adjusts for, if it does."""
    return load_covariates(run) if COVARIATES in run.settings.adjust else None


def load_covariates(run: Run) -> pd.DataFrame:
    """Read the given file; take the synthetic register for the default data.

    Returns
    -------
    pandas.DataFrame
        ``citizen`` and the covariates.

    Raises
    ------
    SettingsError
        The data are the user's own and no file is given.
    """
    settings = run.settings
    if settings.characteristics is not None:
        return read_covariates(settings.characteristics, run.whole, columns=settings.covariates)
    people = load_characteristics(run, None)
    if people is None:
        raise SettingsError(
            run.codebook.say(
                "--adjust covariates needs a file with one row a {citizen}: give its path with "
                "--characteristics, and the columns to use with --covariate (default: all numbers)"
            )
        )
    frame = people.citizens.rename(columns={"citizen": run.study.codebook.citizen})
    marked = frame.assign(synthetic=int(people.synthetic))
    return covariates_from_frame(marked, run.whole, columns=settings.covariates, name=people.name)
