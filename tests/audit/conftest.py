"""Hand-made intervals and draws for the audit: no model is fitted here."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import norm

from bipbayes.bip.facts import bip_codebook
from bipbayes.data.codebook import Codebook, Indicator, Treatment
from bipbayes.intervals import interval_frame


@pytest.fixture(scope="session")
def codebook() -> Codebook:
    return bip_codebook()


@pytest.fixture(scope="session")
def small_codebook() -> Codebook:
    """Three indicators, two treatments, no average: nothing may count on BIP's shape."""
    indicators = tuple(
        Indicator(code, code, respondent, {"en": code})
        for code, respondent in (("Q1", "citizen"), ("Q2", "citizen"), ("T1", "caseworker"))
    )
    treatments = tuple(Treatment(code, {"en": code}, (code,)) for code in "XY")
    return Codebook("Small", (1, 5), indicators, treatments)


def interval_rows(
    estimate: dict[tuple[str, str], float],
    *,
    se: float = 0.1,
    source: str = "ols",
    vcov: str = "classical",
    estimand: str = "effect",
    level: float = 0.95,
    adjusted: float = 1.0,
) -> pd.DataFrame:
    """Normal intervals around given estimates; adjusted p values are `adjusted` times p."""
    rows = []
    reach = float(norm.ppf((1 + level) / 2)) * se
    for (outcome, combination), value in estimate.items():
        p_value = math.erfc(abs(value) / se / math.sqrt(2))
        common = {
            "source": source,
            "vcov": vcov,
            "estimand": estimand,
            "outcome": outcome,
            "combination": combination,
            "n": 100.0,
            "n_citizens": 80.0,
            "estimate": value,
            "se": se,
            "lower": value - reach,
            "upper": value + reach,
            "level": level,
        }
        if source == "ols":
            extra = {
                "kind": "confidence",
                "p_value": p_value,
                "p_holm": min(1.0, adjusted * p_value),
                "p_bh": min(1.0, adjusted * p_value / 2),
            }
        else:
            positive = math.erfc(-value / se / math.sqrt(2)) / 2
            extra = {
                "model": "hierarchical",
                "kind": "eti",
                "p_positive": positive,
                "p_wrong_sign": min(positive, 1 - positive),
            }
        rows.append(common | extra)
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def rows():
    return interval_rows


def draws_around(
    estimate: dict[tuple[str, str], float], *, se: float = 0.1, size: int = 400, seed: int = 1
) -> xr.DataArray:
    """Independent normal draws around given estimates, dims shuffled on purpose."""
    outcomes = list(dict.fromkeys(key[0] for key in estimate))
    combinations = list(dict.fromkeys(key[1] for key in estimate))
    centre = np.array([[estimate[o, c] for c in combinations] for o in outcomes])
    rng = np.random.default_rng(seed)
    values = centre + se * rng.standard_normal((2, size // 2, *centre.shape))
    return xr.DataArray(
        values,
        dims=("chain", "draw", "outcome", "combination"),
        coords={"outcome": outcomes, "combination": combinations},
    ).transpose("combination", "chain", "outcome", "draw")


@pytest.fixture(scope="session")
def make_draws():
    return draws_around


@pytest.fixture(scope="session")
def bip_estimates(codebook: Codebook) -> dict[tuple[str, str], float]:
    """Smooth effects: a setback without intervention, progress with J, noise by position."""
    rng = np.random.default_rng(0)
    return {
        (outcome, combination): (
            -0.25
            if combination == codebook.no_treatment
            else 0.3 * codebook.has_treatment(combination, "J") - 0.05 + 0.1 * rng.standard_normal()
        )
        for outcome in codebook.outcomes
        for combination in codebook.combinations
    }


@pytest.fixture(scope="session")
def bip_evidence(codebook: Codebook, bip_estimates: dict[tuple[str, str], float]):
    """A long frame and draws for both estimands in BIP's shape."""
    frames, draws = [], {}
    for estimand in ("effect", "contrast"):
        values = {
            key: value - (bip_estimates[key[0], codebook.no_treatment] * (estimand == "contrast"))
            for key, value in bip_estimates.items()
            if estimand == "effect" or key[1] != codebook.no_treatment
        }
        for vcov, se in (("classical", 0.1), ("cluster_citizen", 0.11), ("cluster_jobcenter", 0.2)):
            frames.append(
                interval_rows(values, se=se, vcov=vcov, estimand=estimand, adjusted=100.0)
            )
        shrunk = {key: 0.8 * value for key, value in values.items()}
        frames.append(
            interval_rows(shrunk, se=0.06, source="posterior", vcov="citizen", estimand=estimand)
        )
        draws[estimand] = draws_around(shrunk, se=0.06)
    return interval_frame(pd.concat(frames, ignore_index=True)), draws
