"""What is estimated, and which cells are fitted, under the analyses beside the plain one."""

import logging

import pandas as pd
import xarray as xr

from bipbayes.cells import cell_means
from bipbayes.data.adjusted import adjusted_progression
from bipbayes.data.adjustment import Adjustment, make_adjustment
from bipbayes.data.covariates import covariates_from_frame, read_covariates
from bipbayes.errors import SettingsError
from bipbayes.intervals import ORDINAL
from bipbayes.ordinal import estimate_ordinal, ordinal_cells, ordinal_intervals
from bipbayes.regression import ols_intervals
from bipbayes.regression.adjusted import estimate_adjusted
from bipbayes.run.describe_stage import load_characteristics
from bipbayes.run.inputs import Run
from bipbayes.run.settings import COVARIATES

logger = logging.getLogger(__name__)


def frequentist_intervals(run: Run, progression: xr.Dataset) -> pd.DataFrame:
    """Estimate what the run's analysis asks for: adjusted OLS or the ordered probit.

    Parameters
    ----------
    run
        An open run.
    progression
        Its plain progression.

    Returns
    -------
    pandas.DataFrame
        Rows of the long frame with the analysis' name.
    """
    codebook, level = run.codebook, run.settings.level
    if run.settings.analysis == ORDINAL:
        return ordinal_intervals(estimate_ordinal(progression, codebook), codebook, level=level)
    adjustment = run_adjustment(run, progression)
    estimates = estimate_adjusted(progression, codebook, adjustment=adjustment)
    return ols_intervals(estimates, codebook, level=level)


def analysis_cells(run: Run, progression: xr.Dataset) -> xr.Dataset:
    """Reduce progression to the cells that a model is fitted to under the run's analysis.

    Returns
    -------
    xarray.Dataset
        As `bipbayes.cells.cell_means`, with the attr ``analysis``.
    """
    settings, codebook = run.settings, run.codebook
    if settings.analysis == ORDINAL:
        return ordinal_cells(progression, codebook, vcov=settings.vcov)
    adjustment = run_adjustment(run, progression)
    adjusted = adjusted_progression(progression, codebook, adjustment=adjustment)
    share = float(adjusted["slope_share"].max())
    logger.info(
        "adjusted for %s: the slopes' own error, which the cells leave out, would add at most "
        "%.1f %% to a cell mean's variance",
        adjustment.label,
        100 * share,
    )
    cells = cell_means(adjusted, codebook, vcov=settings.vcov)
    return cells.assign_attrs(analysis=adjustment.label, adjust_remark=adjustment.remark)


def run_adjustment(run: Run, progression: xr.Dataset) -> Adjustment:
    """Build the regressors that the run's settings name.

    Raises
    ------
    SettingsError
        Covariates are asked for and there is no file of them.
    """
    settings = run.settings
    covariates = load_covariates(run) if COVARIATES in settings.adjust else None
    adjustment = make_adjustment(
        progression, run.codebook, adjust=settings.adjust, covariates=covariates
    )
    if adjustment.remark:
        logger.info("%s", adjustment.remark)
    return adjustment


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
