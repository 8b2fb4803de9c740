"""Weeks between responses and the regression of progression on them (the report's page 8)."""

from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from statsmodels.regression.linear_model import OLS
from statsmodels.tools.tools import add_constant

from bipbayes.data.codebook import Codebook
from bipbayes.data.groups import consecutive_responses

VCOVS: Final = ("classical", "cluster_citizen")
DAYS_A_WEEK: Final = 7.0


def weeks_since_last(progression: xr.Dataset) -> xr.DataArray:
    """Weeks from the answer that a change starts from to the answer that ends it.

    Returns
    -------
    xarray.DataArray
        Dims ``response``, ``outcome``; ``NaN`` where there is no change.
    """
    days = _days(progression)
    starts = progression["previous"].transpose("response", "outcome").to_numpy()
    start = np.where(starts >= 0, days[np.maximum(starts, 0)], np.nan)
    weeks = (days[:, None] - start) / DAYS_A_WEEK
    return progression["previous"].transpose("response", "outcome").copy(data=weeks)


def weeks_between_responses(progression: xr.Dataset) -> pd.DataFrame:
    """Weeks from each response to the citizen's next one, whatever was answered.

    Returns
    -------
    pandas.DataFrame
        ``citizen``, ``earlier``, ``later`` (positions), ``weeks``; one row a pair.
    """
    pairs, days = consecutive_responses(progression), _days(progression)
    weeks = (days[pairs["later"]] - days[pairs["earlier"]]) / DAYS_A_WEEK
    return pairs.assign(weeks=weeks)


def weeks_regression(
    progression: xr.Dataset, codebook: Codebook, *, level: float = 0.95
) -> pd.DataFrame:
    """Regress progression on weeks since the last answer, outcome by outcome.

    An ordinary linear regression with intercept, over each outcome's analysis sample, as the
    report describes it (it prints no coefficient, only that the slope is negative).

    Parameters
    ----------
    progression
        Dims ``response``, ``outcome``.
    codebook
        Order of the outcomes.
    level
        Of the confidence intervals.

    Returns
    -------
    pandas.DataFrame
        Two rows an outcome, ``vcov`` ``classical`` (t with n - 2 degrees of freedom) and
        ``cluster_citizen`` (t with citizens - 1): ``slope``, ``se``, ``lower``, ``upper`` in
        scale points a week, ``intercept`` in scale points, ``p_value``, ``n``, ``n_citizens``,
        ``mean_weeks``, ``level``, ``kind``. Numbers are ``NaN`` where weeks do not vary or
        fewer than three changes or two citizens exist.
    """
    weeks = weeks_since_last(progression)
    frames = [_regress(progression, weeks, outcome=code, level=level) for code in codebook.outcomes]
    return pd.concat(frames, ignore_index=True)


def _regress(
    progression: xr.Dataset, weeks: xr.DataArray, *, outcome: str, level: float
) -> pd.DataFrame:
    change = progression["change"].sel(outcome=outcome).to_numpy()
    kept = progression["analysed"].to_numpy() & ~np.isnan(change)
    y, x = change[kept], weeks.sel(outcome=outcome).to_numpy()[kept]
    citizens = pd.factorize(progression["citizen"].to_numpy()[kept])[0]
    n_citizens = len(np.unique(citizens))
    shared = {
        "outcome": outcome,
        "n": len(y),
        "n_citizens": n_citizens,
        "mean_weeks": x.mean() if len(x) else np.nan,
        "level": level,
        "kind": "confidence",
    }
    defined = len(y) > 2 and n_citizens > 1 and np.ptp(x) > 0
    rows = [
        {**shared, "vcov": vcov, **(_fit(y, x, citizens, vcov, level=level) if defined else _NONE)}
        for vcov in VCOVS
    ]
    return pd.DataFrame(rows)[["outcome", "vcov", *_NONE, *list(shared)[1:]]]


_NONE: Final = dict.fromkeys(
    ("slope", "se", "lower", "upper", "p_value", "intercept"), float("nan")
)


def _fit(
    y: NDArray[np.float64],
    x: NDArray[np.float64],
    citizens: NDArray[np.int64],
    vcov: str,
    *,
    level: float,
) -> dict[str, float]:
    errors = (
        {} if vcov == "classical" else {"cov_type": "cluster", "cov_kwds": {"groups": citizens}}
    )
    fit = OLS(y, add_constant(x)).fit(use_t=True, **errors)
    lower, upper = fit.conf_int(alpha=1 - level)[1]
    values = (fit.params[1], fit.bse[1], lower, upper, fit.pvalues[1], fit.params[0])
    return dict(zip(_NONE, map(float, values), strict=True))


def _days(progression: xr.Dataset) -> NDArray[np.float64]:
    dates = progression["date"].to_numpy().astype("datetime64[D]")
    return np.asarray(dates.astype("int64"), dtype=np.float64)
