"""The same regressions with statsmodels, one fit an outcome and kind of error."""

import numpy as np
import pandas as pd
import statsmodels.api as sm
import xarray as xr

TOLERANCE = {"rtol": 1e-10, "atol": 1e-12}
STATSMODELS = {
    "classical": "nonrobust",
    "HC1": "HC1",
    "HC3": "HC3",
    "cluster_citizen": "cluster",
    "cluster_jobcenter": "cluster-crv3",
}


def outcome_sample(data: xr.Dataset, outcome: str) -> pd.DataFrame:
    """Rows of one outcome's own analysis sample."""
    names = ["citizen", "jobcenter", "combination"]
    frame = pd.DataFrame({name: data[name].to_numpy() for name in names})
    frame["y"] = data["standardised"].sel(outcome=outcome).to_numpy()
    return frame[frame["y"].notna() & data["analysed"].to_numpy()].reset_index(drop=True)


def statsmodels_fit(frame: pd.DataFrame, vcov: str) -> sm.regression.linear_model.RegressionResults:
    dummies = pd.get_dummies(frame["combination"], dtype=float)
    options = {}
    if vcov.startswith("cluster"):
        codes = pd.factorize(frame[vcov.removeprefix("cluster_")])[0]
        options = {"cov_kwds": {"groups": codes, "use_correction": True, "df_correction": True}}
    return sm.OLS(frame["y"], dummies).fit(cov_type=STATSMODELS[vcov], use_t=True, **options)


def assert_equals_statsmodels(data: xr.Dataset, estimates: xr.Dataset, outcome: str) -> None:
    """Compare one outcome; combinations that statsmodels does not see must be empty."""
    frame = outcome_sample(data, outcome)
    for vcov in estimates["vcov"].to_numpy():
        fit = statsmodels_fit(frame, vcov)
        observed = list(fit.params.index)
        ours = estimates.sel(outcome=outcome, combination=observed, combination_=observed)
        np.testing.assert_allclose(ours["estimate"], fit.params, **TOLERANCE)
        covariance = ours["covariance"].sel(vcov=vcov)
        np.testing.assert_allclose(covariance, fit.cov_params(), err_msg=vcov, **TOLERANCE)
        degrees = fit.df_resid_inference if vcov.startswith("cluster") else fit.df_resid
        assert ours["df"].sel(vcov=vcov) == degrees
        absent = estimates["combination"][~estimates["combination"].isin(observed)]
        assert estimates["estimate"].sel(outcome=outcome, combination=absent).isnull().all()
