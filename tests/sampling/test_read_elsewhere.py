"""A stored fit as others read it: R's ncdf4, and xarray without this package."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from cell_builders import CellShape, make_cells

from bipbayes.sampling.exact.fit import sample
from bipbayes.sampling.registry import load_model
from bipbayes.sampling.settings import SamplerSettings
from bipbayes.sampling.tree import save_fit

SCRIPT = Path(__file__).with_name("read_fit.R")
R = ("Rscript", "--vanilla")
SITES = ["Ærø", "Aabenraa", "Sønderborg"]
VARIABLES = (
    "posterior/combination_jobcenter_effect",  # four dims, labels of letters
    "posterior/jobcenter_effect_sd",  # no label but chain and draw
    "sample_stats/point",  # whole numbers of 64 bits
    "sample_stats/diverging",  # true and false
    "constant_data/mean",  # missing in an empty cell
    "constant_data/respondent",  # words
)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A fit with letters outside ASCII, a flag as the sampler has it and an empty cell."""
    cells = make_cells(CellShape(empty=("11",))).assign_coords(jobcenter=SITES)
    fit = sample(load_model("hierarchical"), cells, settings=SamplerSettings(draws=10, seed=1))
    stats = fit["sample_stats"].to_dataset()
    fit["sample_stats"] = xr.DataTree(stats.assign(diverging=stats["point"] % 2 == 0))
    path = tmp_path_factory.mktemp("fit") / "hierarchical.nc"
    save_fit(path, fit)
    return path, fit


def has_ncdf4() -> bool:
    """Whether R reads here: it is no part of what is installed, and CI has none."""
    if shutil.which("Rscript") is None:
        return False
    asked = subprocess.run([*R, "-e", "library(ncdf4)"], capture_output=True, check=False)
    return asked.returncode == 0


@pytest.fixture(scope="module")
def blocks(stored):
    """What R prints of each variable, lines split at tabs."""
    output = subprocess.run(
        [*R, SCRIPT, stored[0], *VARIABLES],
        capture_output=True, check=True, encoding="utf-8", env={**os.environ, "LC_ALL": "C.UTF-8"},
    ).stdout  # fmt: skip
    found = [[line.split("\t") for line in part.splitlines()] for part in output.split("\n\n")]
    return {name: (model, rest) for (name, model), *rest in filter(None, found)}


# R is a reader of ours, not a dependency: without it nothing of the package is left untested but
# that R agrees; the types it has no word for are held by the xarray test below.
@pytest.mark.skipif(not has_ncdf4(), reason="needs R with ncdf4, which is no dependency")
@pytest.mark.parametrize("variable", VARIABLES)
def test_ncdf4_of_r_reads_what_was_written(stored, blocks, variable):
    """Catches types that R has no word for, labels out of order and mangled letters."""
    written = stored[1][variable]
    model, (*dims, values) = blocks[variable]
    assert model == "hierarchical"
    assert [name for name, *_ in dims] == list(reversed(written.dims))
    for name, *labels in dims:
        assert labels == [str(label) for label in written[name].to_numpy()]
    flat = written.to_numpy().ravel()
    if flat.dtype.kind == "U":
        assert values == list(flat)
    else:
        found = np.array([np.nan if each == "NA" else float(each) for each in values])
        np.testing.assert_array_equal(found, flat.astype("float64"))


def test_plain_xarray_reads_every_group(stored):
    """Catches a file that only this package can open, whole or by group."""
    path, fit = stored
    with xr.open_datatree(path) as tree:
        assert set(tree.children) == set(fit.children)
        for name, node in fit.children.items():
            xr.testing.assert_equal(tree[name].to_dataset().load(), node.to_dataset())
    with xr.open_dataset(path, group="posterior") as posterior:
        xr.testing.assert_equal(posterior.load(), fit["posterior"].to_dataset())
        assert posterior["jobcenter_effect"].sel(jobcenter="Ærø").sizes == {"chain": 4, "draw": 10}
