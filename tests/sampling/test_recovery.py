"""Recovery of known effects: intervals must cover the truth about as often as they say."""

import numpy as np
import pytest
import xarray as xr
from cell_builders import CellShape, make_cells

from bipbayes.cells import CELL
from bipbayes.sampling.fit import CompiledModel, compile_model, draw_posterior
from bipbayes.sampling.registry import load_model
from bipbayes.sampling.settings import SamplerSettings


def effects(fit: xr.DataTree, cells: xr.Dataset) -> xr.DataArray:
    """Sum of the terms by label, without the package's own code for it."""
    posterior = fit["posterior"].to_dataset()
    parts = []
    for name in load_model("hierarchical").terms(cells):
        part = posterior[name]
        if "respondent" in part.dims:
            part = part.sel(respondent=cells["respondent"]).drop_vars("respondent")
        parts.append(part)
    return sum(parts[1:], start=parts[0]).transpose("chain", "draw", *CELL)


def covered(ready: CompiledModel, cells: xr.Dataset, settings: SamplerSettings) -> np.ndarray:
    """Whether the 95 % intervals of all cells' effects hold the truth, empty cells included."""
    draws = effects(draw_posterior(ready, cells, settings=settings), cells)
    lower, upper = (draws.quantile(p, ("chain", "draw")) for p in (0.025, 0.975))
    truth = cells["effect"]
    return ((lower < truth) & (truth < upper)).to_numpy()


@pytest.mark.slow
def test_small_cells_are_covered() -> None:
    """Catches a likelihood or a sum of terms that is off: coverage falls at once.

    Ten data sets of 48 effects that share terms: about 100 independent ones, so 0.95 ± 0.065
    is three standard errors.
    """
    settings = SamplerSettings(draws=200, tune=250, seed=3)
    ready = compile_model(load_model("hierarchical"), make_cells(CellShape()))
    hits = [
        covered(ready, make_cells(CellShape(), seed=seed), settings) for seed in range(100, 110)
    ]
    assert np.mean(hits) > 0.885


@pytest.mark.slow
def test_coverage_over_many_effects() -> None:
    """Catches a bias of a few points: 20 data sets of 16 x 5 x 8 cells."""
    shape = CellShape(treatments=4, jobcenters=5, indicators=8, responses=(0, 50))
    ready = compile_model(load_model("hierarchical"), make_cells(shape))
    settings = SamplerSettings(draws=400, tune=400, seed=3)
    hits = [covered(ready, make_cells(shape, seed=seed), settings) for seed in range(20)]
    assert 0.925 < np.mean(hits) < 0.975
