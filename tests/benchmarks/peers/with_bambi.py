"""The study of bench_peers.py by Bambi on its rows: folder with rows.csv and grid.csv."""

import sys
from pathlib import Path

import bambi as bmb
import numpy as np
import pandas as pd

folder = Path(sys.argv[1])
rows, grid = pd.read_csv(folder / "rows.csv"), pd.read_csv(folder / "grid.csv")
# begin
for data in (rows, grid):
    data["combination_respondent"] = data["combination"] + data["respondent"]
    data["combination_indicator"] = data["combination"] + data["indicator"]
    data["combination_jobcenter"] = data["combination"] + data["jobcenter"]
    data["jobcenter_indicator"] = data["jobcenter"] + data["indicator"]
model = bmb.Model(
    "standardised ~ 1 + (1|combination) + (1|combination_respondent)"
    " + (1|combination_indicator) + (1|combination_jobcenter) + (1|jobcenter)"
    " + (1|jobcenter_indicator) + (1|response)",
    rows,
)
fit = model.fit(inference_method="nutpie", random_seed=1, progressbar=False, target_accept=0.95)
# end
posterior = fit["posterior"].to_dataset()
draws = posterior["Intercept"].stack(sample=("chain", "draw"))
for term in ("combination", "combination_respondent", "combination_indicator",
             "combination_jobcenter", "jobcenter", "jobcenter_indicator"):  # fmt: skip
    effect = posterior[f"1|{term}"].stack(sample=("chain", "draw"))
    label = next(name for name in effect.dims if name != "sample")
    labels = grid[term].to_numpy()
    draws = draws + effect.sel({label: labels}).rename({label: "row"}).drop_vars("row")
np.save(folder / "draws.npy", draws.transpose("row", "sample").to_numpy())
