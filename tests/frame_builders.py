"""Made-up interval frames, comparisons and draws for the tests of pictures and tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.data.codebook import Average, Codebook, Indicator, Treatment
from bipbayes.intervals import ALL_INDICATORS, interval_frame, join_frames

ERRORS = ("classical", "cluster_citizen")


def small_codebook() -> Codebook:
    """Three indicators, one average, two treatments: nothing of BIP's shape."""
    indicators = (
        Indicator("q1", "q1", "citizen", {"en": "Sleep", "da": "Søvn"}),
        Indicator("q2", "q2", "citizen", {"en": "Food & drink"}),
        Indicator("q3", "q3", "nurse", {"en": "Weight"}),
    )
    treatments = (
        Treatment("K", {"en": "Counselling"}, ("k",)),
        Treatment("T", {"en": "Training"}, ("t",)),
    )
    averages = (Average("citizen_mean", ("q1", "q2"), {}),)
    return Codebook("Small study", (0, 10), indicators, treatments, averages)


def counts(codebook: Codebook, *, seed: int = 1) -> pd.DataFrame:
    """n and n_citizens for each outcome and combination."""
    rng = np.random.default_rng(seed)
    base = np.maximum(24, rng.lognormal(5.4, 1.2, len(codebook.combinations)).astype(int))
    index = pd.MultiIndex.from_product(
        [codebook.outcomes, codebook.combinations], names=["outcome", "combination"]
    )
    frame = index.to_frame(index=False)
    frame["n"] = np.tile(base, len(codebook.outcomes)) - rng.integers(0, 6, len(frame))
    frame["n_citizens"] = (frame["n"] * 0.8).astype(int)
    return frame


def ols_frame(codebook: Codebook, *, seed: int = 1) -> pd.DataFrame:
    """Effects and contrasts under two kinds of errors."""
    rng = np.random.default_rng(seed)
    rows = counts(codebook, seed=seed)
    pattern = rng.normal(0.03, 0.08, len(codebook.combinations))
    truth = np.tile(pattern, len(codebook.outcomes)) + rng.normal(0, 0.04, len(rows))
    se = 1 / np.sqrt(rows["n"].to_numpy())
    rows["estimate"] = truth + rng.normal(0, 1, len(rows)) * se
    parts = [
        _limits(rows.assign(se=se * (1 + 0.1 * step), vcov=vcov, estimand=estimand), 1.96)
        for step, vcov in enumerate(ERRORS)
        for estimand in ("effect", "contrast")
    ]
    parts = [part[_wanted(part, codebook)] for part in parts]
    frame = pd.concat(parts).assign(source="ols", kind="confidence", level=0.95, p_value=0.2)
    return interval_frame(frame.assign(p_holm=1.0, p_bh=0.5))


def posterior_frame(codebook: Codebook, *, seed: int = 1) -> pd.DataFrame:
    """Shrunken effects and contrasts, with the average over indicators and jobcenters."""
    base = ols_frame(codebook, seed=seed)
    rows = base[base["vcov"] == ERRORS[0]].copy()
    pooled = rows.groupby(["estimand", "combination"])["estimate"].transform("mean")
    rows["estimate"] = 0.4 * rows["estimate"] + 0.6 * pooled
    rows["se"] = 0.6 * rows["se"]
    overall = rows.drop_duplicates(["estimand", "combination"]).assign(outcome=ALL_INDICATORS)
    rows = pd.concat([rows, overall.assign(estimate=pooled, se=0.8 * overall["se"])])
    rows = pd.concat([rows, _jobcenters(overall, codebook, seed=seed)])
    rows = _limits(rows, 1.96).drop(columns=["p_value", "p_holm", "p_bh"])
    return interval_frame(
        rows.assign(
            source="posterior",
            model="hierarchical",
            vcov="citizen",
            kind="eti",
            p_positive=0.9,
            p_wrong_sign=0.1,
            ess_bulk=2500.0,
            ess_tail=1800.0,
            r_hat=1.002,
            mcse=rows["se"] / 50,
        )
    )


def long_frame(codebook: Codebook, *, seed: int = 1) -> pd.DataFrame:
    """OLS and posterior under one another, as in data/intervals.csv."""
    return join_frames([ols_frame(codebook, seed=seed), posterior_frame(codebook, seed=seed)])


def comparison_frame(codebook: Codebook, *, seed: int = 1) -> pd.DataFrame:
    """OLS and posterior side by side, as in data/comparison.csv."""
    ols = ols_frame(codebook, seed=seed)
    ols = ols[ols["vcov"] == ERRORS[0]]
    posterior = posterior_frame(codebook, seed=seed)
    keys = ["estimand", "outcome", "combination"]
    joined = ols.merge(posterior, on=keys, suffixes=("_o", "_p"))
    frame = joined[keys].assign(
        n=joined["n_o"],
        n_citizens=joined["n_citizens_o"],
        vcov_ols=joined["vcov_o"],
        model=joined["model_p"],
        vcov_posterior=joined["vcov_p"],
        level=0.95,
        kind="eti",
        p_positive=joined["p_positive_p"],
        pooling_factor=0.6,
        mcse=joined["mcse_p"],
        verdict_change="",
        note="",
    )
    for side, ending in (("ols", "_o"), ("posterior", "_p")):
        for column in ("lower", "upper"):
            frame[f"{side}_{column}"] = joined[f"{column}{ending}"]
        frame[f"{side}_excludes_zero"] = (joined[f"lower{ending}"] > 0) | (
            joined[f"upper{ending}"] < 0
        )
    frame["ols_estimate"], frame["ols_se"] = joined["estimate_o"], joined["se_o"]
    frame["posterior_mean"], frame["posterior_sd"] = joined["estimate_p"], joined["se_p"]
    return frame


def effect_draws(
    codebook: Codebook, *, chains: int = 2, draws: int = 100, seed: int = 3
) -> xr.DataArray:
    """Draws of every effect, dims chain, draw, outcome, combination."""
    rng = np.random.default_rng(seed)
    shape = (chains, draws, len(codebook.outcomes), len(codebook.combinations))
    coords = {"outcome": list(codebook.outcomes), "combination": list(codebook.combinations)}
    dims = ("chain", "draw", "outcome", "combination")
    return xr.DataArray(rng.normal(0, 0.1, shape), dims=dims, coords=coords)


def hyperparameters(*, chains: int = 4, draws: int = 200, seed: int = 4) -> xr.Dataset:
    """Draws of three standard deviations, dims chain, draw (and one label)."""
    rng = np.random.default_rng(seed)
    names = ("combination_effect_sd", "combination_jobcenter_effect_sd")
    scalars = {name: (("chain", "draw"), rng.gamma(20, 0.005, (chains, draws))) for name in names}
    vector = (("chain", "draw", "order"), rng.gamma(20, 0.005, (chains, draws, 2)))
    coords = {"chain": range(chains), "draw": range(draws), "order": ["1", "2"]}
    return xr.Dataset({**scalars, "order_sd": vector}, coords=coords)


def energy(*, chains: int = 4, draws: int = 200, seed: int = 5) -> xr.DataArray:
    """Energies of the sampler, dims chain, draw."""
    rng = np.random.default_rng(seed)
    walk = rng.normal(300, 12, (chains, draws))
    coords = {"chain": range(chains), "draw": range(draws)}
    return xr.DataArray(walk, dims=("chain", "draw"), coords=coords, name="energy")


def residual_covariance(codebook: Codebook, *, seed: int = 6) -> xr.DataArray:
    """A covariance over indicators with a stronger block for each respondent."""
    rng = np.random.default_rng(seed)
    codes = list(codebook.indicator_codes)
    same = [[codebook.respondent_of(a) == codebook.respondent_of(b) for b in codes] for a in codes]
    loadings = rng.uniform(0.3, 0.7, len(codes))
    covariance = np.outer(loadings, loadings) * np.where(same, 1.0, 0.2)
    np.fill_diagonal(covariance, 1.0)
    coords = {"indicator": codes, "indicator_": codes}
    return xr.DataArray(covariance, dims=("indicator", "indicator_"), coords=coords)


def _limits(rows: pd.DataFrame, factor: float) -> pd.DataFrame:
    return rows.assign(
        lower=rows["estimate"] - factor * rows["se"],
        upper=rows["estimate"] + factor * rows["se"],
    )


def _wanted(rows: pd.DataFrame, codebook: Codebook) -> pd.Series:
    return (rows["estimand"] != "contrast") | (rows["combination"] != codebook.no_treatment)


def _jobcenters(overall: pd.DataFrame, codebook: Codebook, *, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed + 100)
    names = codebook.jobcenters or ("north", "south", "west")
    effects = overall[overall["estimand"] == "effect"]
    parts = [
        effects.assign(
            estimand="jobcenter",
            jobcenter=name,
            n=np.floor(effects["n"] / len(names)),
            n_citizens=np.floor(effects["n_citizens"] / len(names)),
            estimate=effects["estimate"] + rng.normal(0, 0.05),
            se=1.5 * effects["se"],
        )
        for name in names
    ]
    new = effects.assign(estimand="new_jobcenter", se=2.5 * effects["se"])
    return pd.concat([*parts, new])
