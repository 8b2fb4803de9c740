"""A long frame with factorial effects and jobcenters not seen, from a random study."""

from functools import cache

import builders
import numpy as np
import pandas as pd
import xarray as xr

from bipbayes.cells import cell_means
from bipbayes.estimands.draws import estimand_draws
from bipbayes.estimands.intervals import posterior_intervals
from bipbayes.intervals import join_frames
from bipbayes.regression import estimate_ols, ols_intervals

CODEBOOK = builders.make_codebook(4, 2)
TERMS = (*CODEBOOK.treatment_codes, ":".join(CODEBOOK.treatment_codes))


@cache
def study_frame() -> pd.DataFrame:
    """OLS and the draws of some model, which need not fit; tests must not change it."""
    data = builders.random_progression(CODEBOOK, seed=8, shape=builders.Shape(citizens=150))
    cells = cell_means(data, CODEBOOK)
    dims = ("combination", "jobcenter", "indicator")
    coords = {"chain": [0, 1], "draw": np.arange(50)}
    coords |= {dim: cells[dim].to_numpy() for dim in dims}
    shape = tuple(len(values) for values in coords.values())
    values = np.random.default_rng(0).normal(0, 0.1, shape)
    effects = xr.DataArray(values, coords=coords, dims=tuple(coords))
    draws = estimand_draws(effects, cells, CODEBOOK)
    draws["new_jobcenter"] = 2 * draws["effect"]
    posterior = posterior_intervals(draws, cells, CODEBOOK, model="test")
    return join_frames([ols_intervals(estimate_ols(data, CODEBOOK), CODEBOOK), posterior])
