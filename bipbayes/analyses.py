"""What is estimated and which cells are fitted: plain, adjusted, or answers as categories."""

import logging
from typing import cast

import pandas as pd
import xarray as xr

from bipbayes.cells import cell_means
from bipbayes.data.adjustment import Adjustment, adjusted_progression, make_adjustment
from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import Samples
from bipbayes.intervals import PLAIN
from bipbayes.option_words import ORDINAL
from bipbayes.ordinal import estimate_ordinal, ordinal_cells, ordinal_intervals
from bipbayes.regression import estimate_ols, ols_intervals
from bipbayes.regression.adjusted import estimate_adjusted

logger = logging.getLogger(__name__)


def frequentist_intervals(
    changes: xr.Dataset | Samples,
    codebook: Codebook,
    *,
    analysis: str = PLAIN,
    level: float = 0.95,
    covariates: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Estimate without pooling: OLS, adjusted OLS or the ordered probit.

    Parameters
    ----------
    changes
        Plain progression; its samples in parts only for the plain analysis.
    codebook
        The study's.
    analysis
        One of `bipbayes.intervals.ANALYSES`.
    level
        Coverage of the intervals.
    covariates
        From `bipbayes.data.characteristics`, where the analysis adjusts for them.

    Returns
    -------
    pandas.DataFrame
        Rows of the long frame with the analysis' name.
    """
    if analysis == PLAIN:
        return ols_intervals(estimate_ols(changes, codebook), codebook, level=level)
    whole = cast(xr.Dataset, changes)
    if analysis == ORDINAL:
        return ordinal_intervals(estimate_ordinal(whole, codebook), codebook, level=level)
    adjustment = _adjustment(whole, codebook, analysis, covariates)
    estimates = estimate_adjusted(whole, codebook, adjustment=adjustment)
    return ols_intervals(estimates, codebook, level=level)


def analysis_cells(
    changes: xr.Dataset | Samples,
    codebook: Codebook,
    *,
    analysis: str = PLAIN,
    vcov: str = "citizen",
    covariates: pd.DataFrame | None = None,
) -> xr.Dataset:
    """Reduce progression to the cells that a model is fitted to.

    Parameters
    ----------
    changes, codebook, analysis, covariates
        As for `frequentist_intervals`.
    vcov
        Working covariance of the cells.

    Returns
    -------
    xarray.Dataset
        As `bipbayes.cells.cell_means`, with the attr ``analysis`` but for the plain one.
    """
    if analysis == PLAIN:
        return cell_means(changes, codebook, vcov=vcov)
    whole = cast(xr.Dataset, changes)
    if analysis == ORDINAL:
        return ordinal_cells(whole, codebook, vcov=vcov)
    adjustment = _adjustment(whole, codebook, analysis, covariates)
    adjusted = adjusted_progression(whole, codebook, adjustment=adjustment)
    share = float(adjusted["slope_share"].max())
    logger.info(
        "adjusted for %s: the slopes' own error, which the cells leave out, would add at most "
        "%.1f %% to a cell mean's variance",
        adjustment.label,
        100 * share,
    )
    cells = cell_means(adjusted, codebook, vcov=vcov)
    return cells.assign_attrs(analysis=adjustment.label, **adjustment.remarks)


def _adjustment(
    progression: xr.Dataset, codebook: Codebook, analysis: str, covariates: pd.DataFrame | None
) -> Adjustment:
    """Build the regressors that an analysis is named after."""
    adjust = tuple(analysis.split("+"))
    adjustment = make_adjustment(progression, codebook, adjust=adjust, covariates=covariates)
    if remark := adjustment.remarks["adjust_remark"]:
        logger.info("%s", remark)
    return adjustment
