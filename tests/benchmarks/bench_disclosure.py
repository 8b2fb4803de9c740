"""What posterior means tell of held-back cells: ``python tests/benchmarks/bench_disclosure.py``.

The default data, read as if they were real, are fitted and looked at with the rules of an export.
The attacker knows the model, its standard deviations, the covariance of all means, every number of
responses and every mean that is shown; only Monte Carlo error blurs what he works out. Printed are
the widths of his 95 % intervals for means of cells of 1 to 4 citizens, in points of the scale,
without and with the posterior means that leave, and with a map from data to posterior that he
knows to 5 % only.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from scipy import linalg

from bipbayes.cells import CELL, whiten
from bipbayes.disclosure.counts import count_cells
from bipbayes.disclosure.held import held_back
from bipbayes.run.default_study import default_simulation
from bipbayes.run.inputs import open_run
from bipbayes.run.ols_stage import fit_ols
from bipbayes.run.posterior_stage import fit_posterior
from bipbayes.run.settings import Settings
from bipbayes.run.stored import stored_fit
from bipbayes.sampling.exact.reduce import gaussian_model
from bipbayes.sampling.registry import load_model

MODEL = "hierarchical"
LEAST = 5
EXACT = 1e-6


def narrowed(covariance: np.ndarray, rows: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Covariance of what is sought once sums of it are known with an error."""
    told = rows @ covariance @ rows.T + np.diag(error**2)
    return covariance - covariance @ rows.T @ np.linalg.solve(told, rows @ covariance)


def say(name: str, covariance: np.ndarray, scale: np.ndarray) -> None:
    """Print the widths of intervals."""
    width = 2 * 1.96 * np.sqrt(np.diag(covariance).clip(0)) * scale
    print(
        f"{name:45} smallest {width.min():.2f}  5 % {np.quantile(width, 0.05):.2f}  "
        f"median {np.median(width):.2f}  below 1: {(width < 1).mean():.3f}"
    )


def main() -> None:
    """Fit, hold back, attack."""
    with TemporaryDirectory() as place:
        path = Path(place) / "responses.csv"
        default_simulation().responses.drop(columns="synthetic").to_csv(path, index=False)
        settings = Settings(data=path, out=Path(place) / "results", quiet=True)
        run = open_run(settings)
        fit_ols(run)
        fit_posterior(run, MODEL)
        tree = stored_fit(run.folder, MODEL)
        frame = run.folder.read("data/intervals.csv")
        counted = count_cells(run.progression(), run.codebook).frame
        sds = run.progression()["sd"].to_series()
        held = held_back(counted, run.codebook, minimum_count=LEAST)
    frame = frame[~held.rows(frame) & frame["estimate"].notna()]
    cells = tree["constant_data"].to_dataset()
    labels = [[str(name) for name in cells[dim].to_numpy()] for dim in CELL]
    keys = pd.MultiIndex.from_product(labels, names=CELL)
    n = pd.Series(cells["n"].transpose(*CELL).to_numpy().ravel(), keys)
    answer, prior = _maps(tree, cells)
    blank = np.array([(c, j) in held.cells for c, j, _ in keys]) & (n > 0).to_numpy()
    shown = ~blank & (n > 0).to_numpy()
    cross = np.linalg.solve(prior[np.ix_(shown, shown)], prior[np.ix_(shown, blank)])
    unknown = prior[np.ix_(blank, blank)] - prior[np.ix_(blank, shown)] @ cross
    sums, _ = _told(frame[frame["source"] == "ols"], n)
    sums = sums[:, blank]
    sums = sums[(sums != 0).any(axis=1)]
    unknown = narrowed(unknown, sums, np.full(len(sums), EXACT))
    told, error = _told(frame[(frame["source"] == "posterior")], n)
    mean = np.nan_to_num(cells["mean"].transpose(*CELL).to_numpy().ravel())
    people = counted.set_index(["combination", "jobcenter", "outcome"])["citizens"]
    few = people.reindex(keys).fillna(0).to_numpy()[blank] < LEAST
    scale = sds.reindex(keys[blank].get_level_values("indicator")).to_numpy()[few]
    rows = told @ answer[:, blank]
    off = 0.05 * np.abs(told @ answer @ mean)
    print(f"{len(held.cells)} cells are held back; {few.sum()} means of 1 to {LEAST - 1} citizens")
    for name, covariance in (
        ("without posterior means", unknown),
        ("with them", narrowed(unknown, rows, error)),
        ("with them, the map known to 5 %", narrowed(unknown, rows, np.hypot(error, off))),
    ):
        say(name, covariance[np.ix_(few, few)], scale)


def _maps(tree, cells) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[no-untyped-def]
    """Effects from means, given the standard deviations; covariance of means before any is seen."""
    file = load_model(MODEL)
    model = gaussian_model(cells, file.declared(cells, file.Priors()))
    found = [float(tree["posterior"][name].mean()) for name in model.names]
    sds = np.array(found)[model.group]
    whitener = whiten(cells)["whitener"].transpose(*CELL, "indicator_").to_numpy()
    white = linalg.block_diag(*whitener.reshape(-1, *whitener.shape[-2:]))
    design = model.design.toarray()
    turned = white @ design
    precision = turned.T @ turned + np.diag(1 / sds**2)
    answer = design @ linalg.solve(precision, turned.T @ white, assume_a="pos")
    errors = np.linalg.pinv(white)
    return answer, (design * sds**2) @ design.T + errors @ errors.T


def _told(frame: pd.DataFrame, n: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Weights of all cells in each shown estimate, and its Monte Carlo error."""
    by_site = n.groupby(level=["jobcenter", "indicator"]).sum()
    rows, errors = [], []
    keys = n.index.to_frame(index=False)
    for row in frame.drop_duplicates(["source", "outcome", "estimand", *CELL[:2]]).itertuples():
        inside = (keys["combination"] == row.combination) & (keys["indicator"] == row.outcome)
        if row.estimand == "jobcenter":
            weight = (inside & (keys["jobcenter"] == row.jobcenter)).to_numpy(dtype=float)
        elif row.estimand == "effect":
            weight = inside.to_numpy() * n.to_numpy()
        elif row.estimand == "standardised_effect":
            alike = by_site.reindex(pd.MultiIndex.from_frame(keys[["jobcenter", "indicator"]]))
            weight = inside.to_numpy() * alike.to_numpy()
        else:
            continue
        if weight.any():
            rows.append(weight / weight.sum())
            errors.append(row.mcse)
    return np.array(rows), np.array(errors)


if __name__ == "__main__":
    sys.exit(main())
