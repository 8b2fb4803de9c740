"""Progression described: Table 1, the share with no change, histograms with fixed bins, weeks.

The weeks between responses and the regression of progression on them are the report's page 8.
"""

from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from statsmodels.regression.linear_model import OLS
from statsmodels.tools.tools import add_constant

from bipbayes.data.codebook import Codebook
from bipbayes.data.sample import consecutive_responses

VCOVS: Final = ("classical", "cluster_citizen")
DAYS_A_WEEK: Final = 7.0
_NONE: Final = dict.fromkeys(
    ("slope", "se", "lower", "upper", "p_value", "intercept"), float("nan")
)


def sample_changes(
    progression: xr.Dataset, outcome: str, *, weeks: xr.DataArray | None = None
) -> pd.DataFrame:
    """Return ``change`` (scale points), ``citizen`` (a number) and ``weeks`` of a sample."""
    change = progression["change"].sel(outcome=outcome).to_numpy()
    kept = progression["analysed"].to_numpy() & ~np.isnan(change)
    citizen = pd.factorize(progression["citizen"].to_numpy())[0]
    sample = pd.DataFrame({"change": change[kept], "citizen": citizen[kept]})
    if weeks is None:
        return sample
    return sample.assign(weeks=weeks.sel(outcome=outcome).to_numpy()[kept])


def progress_table(progression: xr.Dataset, codebook: Codebook) -> pd.DataFrame:
    """Mean progression by outcome (the report's Table 1), with spread and share of no change.

    Parameters
    ----------
    progression
        Dims ``response``, ``outcome``.
    codebook
        Order of the outcomes.

    Returns
    -------
    pandas.DataFrame
        ``outcome``, ``respondent``, ``mean`` and ``sd`` (scale points from one answer to the
        next), ``n`` (changes), ``n_citizens``, ``unchanged``, ``forward`` and ``back`` (percent
        of changes that are zero, positive, negative).
    """
    rows = []
    for outcome in codebook.outcomes:
        sample = sample_changes(progression, outcome)
        change = sample["change"]
        rows.append(
            {
                "outcome": outcome,
                "respondent": codebook.respondent_of(outcome),
                "mean": change.mean(),
                "sd": change.std(ddof=1),
                "n": len(change),
                "n_citizens": sample["citizen"].nunique(),
                "unchanged": 100 * (change == 0).mean(),
                "forward": 100 * (change > 0).mean(),
                "back": 100 * (change < 0).mean(),
            }
        )
    return pd.DataFrame(rows)


def steps_a_point(codebook: Codebook, outcome: str) -> int:
    """Return how many steps an outcome has a scale point: 1, or an average's members."""
    if outcome in codebook.average_codes:
        return len(codebook.members(outcome))
    return 1


def change_histogram(progression: xr.Dataset, codebook: Codebook, *, outcome: str) -> pd.DataFrame:
    """Count the changes of an outcome in fixed bins (Figures 1 and 2, the appendix).

    One bin for each change that the scale allows, whatever the data: whole points for an
    indicator, steps of 1/9 for the average of nine. The middle bin is exactly "no change".

    Returns
    -------
    pandas.DataFrame
        ``outcome``, ``lower``, ``centre``, ``upper`` (scale points), ``n``, ``n_citizens``,
        ``percent`` (of the outcome's changes); empty bins keep their row.
    """
    steps = steps_a_point(codebook, outcome)
    reach = (codebook.scale[1] - codebook.scale[0]) * steps
    sample = sample_changes(progression, outcome)
    place = np.rint(sample["change"].to_numpy() * steps).astype("int64") + reach
    bins = 2 * reach + 1
    n = np.bincount(place, minlength=bins)
    pairs = sample.assign(place=place).drop_duplicates(["place", "citizen"])
    centre = np.arange(-reach, reach + 1) / steps
    return pd.DataFrame(
        {
            "outcome": outcome,
            "lower": centre - 0.5 / steps,
            "centre": centre,
            "upper": centre + 0.5 / steps,
            "n": n,
            "n_citizens": np.bincount(pairs["place"], minlength=bins),
            "percent": 100 * n / max(len(place), 1),
        }
    )


def change_histograms(progression: xr.Dataset, codebook: Codebook) -> pd.DataFrame:
    """Return the rows of `change_histogram` for every outcome, under one another."""
    frames = [change_histogram(progression, codebook, outcome=code) for code in codebook.outcomes]
    return pd.concat(frames, ignore_index=True)


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
    sample = sample_changes(progression, outcome, weeks=weeks)
    y, x = sample["change"].to_numpy(), sample["weeks"].to_numpy()
    citizens = pd.factorize(sample["citizen"])[0]
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
