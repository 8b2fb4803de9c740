"""The stored file of either engine under ArviZ's own functions."""

import arviz as az
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from fits import ragged_cells, ragged_fit

from bipbayes.estimands.draws import effect_draws
from bipbayes.estimands.posterior import add_predictions
from bipbayes.sampling.registry import load_model
from bipbayes.sampling.tree import load_fit, log_prior, save_fit


@pytest.fixture(scope="module")
def cells():
    return ragged_cells()


@pytest.fixture(scope="module", params=["exact", "nuts"])
def fits(request, cells, tmp_path_factory):
    """The fit of one engine, as it comes back from its file."""
    fit = ragged_fit(request.param).copy()
    add_predictions(fit, effect_draws(fit, cells), cells, seed=1)
    path = tmp_path_factory.mktemp(request.param) / "fit.nc"
    save_fit(path, fit)
    return load_fit(path)


# A cell block of 29 may be hard to leave out; its k is ArviZ's to say.
@pytest.mark.filterwarnings("ignore:Estimated shape parameter")
def test_arviz_reads_the_file_as_it_is(fits, cells):
    """Catches groups, names or dims that ArviZ's functions stumble over, in either engine."""
    sds = [name for name in fits["posterior"].data_vars if name.endswith("_sd")]
    summary = az.summary(fits, var_names=["combination_effect"], round_to="none")
    assert np.isfinite(summary["mean"]).all() and len(summary) == 8
    loo = az.loo(fits)
    assert loo.n_data_points == int((cells["n"].sum("indicator") > 0).sum())
    assert np.isfinite(loo.elpd)
    compared = az.compare({"one": loo, "other": loo}, round_to="none")
    assert compared["elpd_diff"].abs().max() < 1e-9
    sensitivity = az.psense_summary(fits, var_names=["combination_effect"], prior_var_names=sds)
    assert len(sensitivity) == 8
    az.plot_forest(fits, var_names=["combination_effect"])
    az.plot_ppc_dist(fits)
    az.plot_prior_posterior(fits, var_names=sds[:2])
    plt.close("all")


def test_both_engines_fill_the_same_groups(fits, cells):
    """Catches a group of one engine that checks would miss under the other."""
    shared = {
        "posterior", "prior", "log_prior", "log_likelihood", "posterior_predictive",
        "observed_data", "constant_data", "sample_stats", "new_jobcenter",
    }  # fmt: skip
    assert set(fits.children) == shared
    other = ragged_fit("exact")
    for group in ("posterior", "prior", "log_prior", "new_jobcenter", "observed_data"):
        ours, theirs = fits[group].to_dataset(), other[group].to_dataset()
        assert set(ours.data_vars) == set(theirs.data_vars)
        for name, values in ours.data_vars.items():
            assert values.dims == theirs[name].dims
    likelihood = fits["log_prior"].to_dataset()
    expected = log_prior(load_model("hierarchical").declared(cells), fits["posterior"].to_dataset())
    xr.testing.assert_allclose(
        likelihood, expected.transpose(*next(iter(likelihood.values())).dims)
    )
