"""Degrees of centring against the posterior variance by brute force."""

import numpy as np
import xarray as xr
from cell_builders import CellShape, make_cells
from scipy.stats import chi2

from bipbayes.sampling.batches import Batch
from bipbayes.sampling.graph import centring

BATCHES = (
    Batch("combination_effect", ("combination",), 0.2),
    Batch("combination_respondent_effect", ("combination", "respondent"), 0.1),
    Batch("jobcenter_indicator_effect", ("jobcenter", "indicator"), 0.1),
)


def brute_force(cells: xr.Dataset) -> dict[str, np.ndarray]:
    """Posterior of the effects with one big design matrix, below the sds that evidence finds.

    MacKay's fixed point for each batch: sd**2 = sum of squared means / determined effects; then
    the lowest sd whose squares, seen with the noise of the data, agree with those found.
    """
    c, j, k = (cells.sizes[dim] for dim in ("combination", "jobcenter", "indicator"))
    caseworker = (cells["respondent"] == "caseworker").to_numpy()
    rows = [(a, b, d) for a in range(c) for b in range(j) for d in range(k)]
    design = np.zeros((len(rows), c + 2 * c + j * k))
    covariance = np.eye(len(rows))
    for row, (a, b, d) in enumerate(rows):
        design[row, [a, c + 2 * a + caseworker[d], 3 * c + b * k + d]] = 1
        for other in range(k):
            covariance[row, row - d + other] = cells["vcov"].to_numpy()[a, b, d, other]
    seen = (cells["n"] > 0).to_numpy().reshape(-1)
    kept, means = design[seen], cells["mean"].to_numpy().reshape(-1)[seen]
    weighted = np.linalg.solve(covariance[np.ix_(seen, seen)], kept).T
    parts = np.split(np.arange(design.shape[1]), [c, 3 * c])
    sds = np.array([0.5 * batch.scale for batch in BATCHES])

    def posterior(at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        prior = np.repeat(at**2, [len(part) for part in parts])
        covariance = np.linalg.inv(weighted @ kept + np.diag(1 / prior))
        return covariance @ weighted @ means, 1 - np.diag(covariance) / prior

    for _ in range(6):
        mean, share = posterior(sds)
        for place, part in enumerate(parts):
            scale = BATCHES[place].scale
            found = np.sqrt((mean[part] ** 2).sum() / max(share[part].sum(), 0.5))
            sds[place] = np.clip(found, 0.05 * scale, 3 * scale)
    share = posterior(sds)[1]
    lowest = np.zeros(len(sds))
    for place, part in enumerate(parts):
        known = np.sqrt((share[part] ** 2).mean())
        square = 1 - (1 - len(part) / chi2.ppf(0.999, len(part))) / known
        lowest[place] = np.clip(np.sqrt(max(square, 0.0)), 1e-3, 0.5) * sds[place]
    share = posterior(lowest)[1]
    shapes = [(c,), (c, 2), (j, k)]
    return {
        batch.name: share[part].reshape(shape)
        for batch, part, shape in zip(BATCHES, parts, shapes, strict=True)
    }


def test_degrees_are_shares_of_variance_that_the_data_take_away() -> None:
    """Catches effects matched with the wrong cells: any value samples, but slowly."""
    cells = make_cells(CellShape(indicators=5, empty=("10",)), seed=2)
    found, expected = centring(BATCHES, cells), brute_force(cells)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-10)


def test_what_nobody_answered_is_not_centred() -> None:
    """Catches a centred effect without data: a funnel."""
    cells = make_cells(CellShape(empty=("10",)), seed=2)
    degrees = centring(BATCHES, cells)["combination_effect"]
    assert degrees[2] == 0.0
    assert (degrees[[0, 1, 3]] > 0.0).all()
