"""Simulation-based calibration: an analysis must return the prior that data were drawn from.

Parameters are drawn from the model's own prior, cell means from the model given them, and the
model is fitted to these means. Over many such rounds the rank of each true value among thinned
posterior draws must be uniform (Talts et al. 2018; Modrák et al. 2023 for the log likelihood as
a further quantity). Ranks are judged by the difference of their empirical distribution from the
uniform one against a simultaneous band (Säilynoja, Bürkner and Vehtari 2022).
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.cells import whiten
from bipbayes.data.sample import Floats
from bipbayes.sampling.predict import log_likelihood

LIKELIHOOD: Final = "log likelihood"
KEPT: Final = 99  # thinned draws; a rank is 0 to 99
_BAND_DRAWS: Final = 2000


@dataclass(frozen=True)
class Known:
    """Parameters drawn from the prior, or posterior draws of them.

    Attributes
    ----------
    values
        Scalars by name, shape (draw,) each (one draw for the truth).
    effect
        Shape (draw, combination x jobcenter x indicator).
    """

    values: dict[str, Floats]
    effect: Floats


Fit = Callable[[xr.Dataset, int], Known]


def simulate_means(cells: xr.Dataset, effect: Floats, *, seed: int) -> xr.Dataset:
    """Put means drawn from the model in place of the observed ones.

    Parameters
    ----------
    cells
        From `bipbayes.cells.cell_means`; its covariance and pattern of answers stay.
    effect
        Shape (combination x jobcenter x indicator,).
    seed
        Of the sampling error.
    """
    dims = ("combination", "jobcenter", "indicator", "indicator_")
    whitener = whiten(cells)["whitener"].transpose(*dims).to_numpy()
    observed = (cells["n"] > 0).transpose(*dims[:3]).to_numpy()
    idle = np.eye(whitener.shape[-1]) * ~observed[..., None]
    noise = np.random.default_rng(seed).standard_normal(observed.shape)
    error = np.linalg.solve(whitener + idle, noise[..., None])[..., 0]
    mean = np.where(observed, effect.reshape(observed.shape) + error, np.nan)
    return cells.assign(mean=(dims[:3], mean))


def rank_shares(
    cells: xr.Dataset, truths: Known, fit: Fit, *, seed: int, first: int = 0
) -> pd.DataFrame:
    """Fit simulated means and rank the truth among the draws.

    Parameters
    ----------
    cells
        Gives covariance and pattern of answers.
    truths
        Draws from the prior, one a round.
    fit
        Turns cells and a seed into `Known` posterior draws, nearly independent ones.
    seed
        Of the sampling errors and of the fits.
    first
        Number of the first round, where rounds are run in parts.

    Returns
    -------
    pandas.DataFrame
        ``round``, ``quantity``, ``share`` (of posterior draws below the truth, ties and ends
        spread at random over the rank's place).
    """
    rows = []
    for place in range(len(truths.effect)):
        number = first + place
        state = np.random.SeedSequence([seed, number]).generate_state(3)
        simulated = simulate_means(cells, truths.effect[place], seed=int(state[0]))
        posterior = fit(simulated, int(state[1] >> 1))
        own = {name: values[place] for name, values in truths.values.items()}
        own[LIKELIHOOD] = log_likelihood(simulated, truths.effect[place : place + 1])[0]
        drawn = {**posterior.values, LIKELIHOOD: log_likelihood(simulated, posterior.effect)}
        jitter = np.random.default_rng(int(state[2])).uniform(size=len(own))
        for (name, value), part in zip(own.items(), jitter, strict=True):
            below = int((drawn[name] < value).sum())
            share = (below + part) / (len(drawn[name]) + 1)
            rows.append({"round": number, "quantity": name, "share": share})
    return pd.DataFrame(rows)


def thin(known: Known, *, kept: int = KEPT) -> Known:
    """Keep equally spaced draws, so that their autocorrelation does not blur the ranks."""
    size = len(known.effect)
    place = np.linspace(0, size - 1, min(kept, size)).astype(int)
    values = {name: draws[place] for name, draws in known.values.items()}
    return Known(values, known.effect[place])


def calibration_verdict(shares: pd.DataFrame, *, probability: float = 0.99) -> pd.DataFrame:
    """Hold the ranks of every quantity against a simultaneous band.

    Parameters
    ----------
    shares
        From `rank_shares`.
    probability
        That a calibrated quantity stays inside its band throughout; over several quantities it
        is divided among them (Bonferroni).

    Returns
    -------
    pandas.DataFrame
        ``quantity``, ``rounds``, ``largest`` (difference of the distributions, signed),
        ``outside`` (share of the points outside the band), ``mean`` share (0.5 if calibrated),
        ``spread`` of the shares (1 if calibrated, below 1: posterior too wide, above: too
        narrow), ``passed``.
    """
    ecdf_pit: Any = import_module("arviz_stats.ecdf_utils").ecdf_pit
    quantities = list(dict.fromkeys(shares["quantity"]))
    each = 1 - (1 - probability) / len(quantities)
    rows = []
    for quantity in quantities:
        values = np.sort(shares.loc[shares["quantity"] == quantity, "share"].to_numpy())
        rng = np.random.default_rng(1)
        points, ecdf, lower, upper = ecdf_pit(values, each, _BAND_DRAWS, rng=rng)
        gap = ecdf - points
        outside = (ecdf < lower) | (ecdf > upper)
        rows.append(
            {
                "quantity": quantity,
                "rounds": len(values),
                "largest": float(gap[np.abs(gap).argmax()]),
                "outside": float(outside.mean()),
                "mean": float(values.mean()),
                "spread": float(values.std() * np.sqrt(12)),
                "passed": not outside.any(),
            }
        )
    return pd.DataFrame(rows)
