"""From rows to a finished figure, for drawing processes: the only module that imports them all.

The catalogue names these functions by text, so that the process that makes the numbers imports
neither matplotlib nor ArviZ.
"""

import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from bipbayes.data.characteristics_codebook import CharacteristicsCodebook
from bipbayes.plots import sampler  # noqa: F401 - to be imported before processes are forked
from bipbayes.plots.analyses import analyses_data, analyses_figure
from bipbayes.plots.correlation import correlation_data, correlation_figure
from bipbayes.plots.describe_combinations import combinations_data, combinations_figure
from bipbayes.plots.describe_differences import differences_data, differences_figure
from bipbayes.plots.describe_histograms import average_figure, histogram_data
from bipbayes.plots.describe_weeks import weeks_data, weeks_figure
from bipbayes.plots.forest import forest_figure  # noqa: F401 - as above
from bipbayes.plots.heatmap import heatmap_data, heatmap_figure
from bipbayes.plots.interval_figure import interval_data, interval_figure
from bipbayes.plots.new_jobcenter import new_jobcenter_data, new_jobcenter_figure
from bipbayes.plots.pages import WHOLE, Page
from bipbayes.plots.shrinkage import shrinkage_data, shrinkage_figure
from bipbayes.wording import Context


def new_jobcenter(frame: pd.DataFrame, *, context: Context, outcome: str) -> Figure:
    """Draw effects beside those of a jobcenter not seen from rows of the long frame."""
    data = new_jobcenter_data(frame, context, outcome=outcome)
    return new_jobcenter_figure(data, context=context, outcome=outcome)


def intervals(
    frame: pd.DataFrame, *, context: Context, outcome: str, vcov: str, estimand: str = "effect"
) -> Figure:
    """Draw the report's form for one outcome from rows of the long frame."""
    data = interval_data(frame, context, outcome=outcome, vcov=vcov, estimand=estimand)
    return interval_figure(data, context=context, outcome=outcome)


def analyses(frame: pd.DataFrame, *, context: Context, outcome: str, page: Page = WHOLE) -> Figure:
    """Draw one outcome's effects under all analyses from rows of the long frame."""
    data = analyses_data(frame, context, outcome=outcome)
    return analyses_figure(data, context=context, outcome=outcome, page=page)


def heatmap(
    frame: pd.DataFrame, *, context: Context, estimand: str, vcov: str, page: Page = WHOLE
) -> Figure:
    """Draw all outcomes and combinations from rows of the long frame."""
    data = heatmap_data(frame, context, estimand=estimand, vcov=vcov)
    return heatmap_figure(data, context=context, page=page)


def shrinkage(frame: pd.DataFrame, *, context: Context, vcov: str) -> Figure:
    """Draw the arrows from rows of the long frame."""
    data = shrinkage_data(frame, context, vcov=vcov)
    return shrinkage_figure(data, frame=frame, context=context)


def correlation(covariance: xr.DataArray, *, context: Context) -> Figure:
    """Draw the indicators' residual correlation from their covariance."""
    return correlation_figure(correlation_data(covariance, context), context=context)


def combinations(combinations: pd.DataFrame, *, context: Context) -> Figure:
    """Draw how often combinations occur from their numbers."""
    return combinations_figure(combinations_data(combinations, context), context=context)


def differences(
    differences: pd.DataFrame, *, characteristics: CharacteristicsCodebook, context: Context
) -> Figure:
    """Draw standardised differences of characteristics."""
    data = differences_data(differences, characteristics, context=context)
    return differences_figure(data, context=context)


def histogram(histograms: pd.DataFrame, *, context: Context, outcome: str) -> Figure:
    """Draw one outcome's histogram from all of them."""
    data = histogram_data(histograms, context, outcome=outcome)
    return average_figure(data, context=context, outcome=outcome)


def weeks(slopes: pd.DataFrame, *, context: Context, page: Page = WHOLE) -> Figure:
    """Draw the slopes of progression on weeks."""
    return weeks_figure(weeks_data(slopes, context), context=context, page=page)
