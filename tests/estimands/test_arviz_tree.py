"""The stored file of either engine under ArviZ's own functions, and both engines side by side."""

import arviz as az
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from builders import Shape, make_codebook, random_progression

from bipbayes.cells import cell_means
from bipbayes.checks.engines import engine_differences
from bipbayes.estimands.arviz_groups import add_predictions
from bipbayes.estimands.draws import estimand_draws
from bipbayes.estimands.effects import effect_draws
from bipbayes.estimands.intervals import posterior_intervals
from bipbayes.sampling.diagnose import points_of
from bipbayes.sampling.exact import fit as exact
from bipbayes.sampling.registry import load_model
from bipbayes.sampling.settings import SamplerSettings
from bipbayes.sampling.store import load_fit, save_fit

CODEBOOK = make_codebook(4, 2)
RAGGED = Shape(citizens=110, unanswered=[("q2", "01", "site 1")], lacking=[("11", "site 2")])
SETTINGS = SamplerSettings(draws=1000, tune=800, seed=11)
MODEL = load_model("hierarchical")


@pytest.fixture(scope="module")
def cells():
    return cell_means(random_progression(CODEBOOK, seed=4, shape=RAGGED), CODEBOOK)


@pytest.fixture(scope="module", params=["exact", "nuts"])
def fits(request, cells, tmp_path_factory):
    """The fit of one engine, as it comes back from its file."""
    from bipbayes.sampling import fit as nuts

    engine = exact if request.param == "exact" else nuts
    fit = engine.sample(MODEL, cells, settings=SETTINGS)
    add_predictions(fit, effect_draws(fit, cells), cells, seed=1)
    path = tmp_path_factory.mktemp(request.param) / "fit.nc"
    save_fit(path, fit)
    return load_fit(path)


# A cell block of 15 may be hard to leave out; its k is ArviZ's to say.
@pytest.mark.filterwarnings("ignore:Estimated shape parameter")
def test_arviz_reads_the_file_as_it_is(fits, cells):
    """Catches groups, names or dims that ArviZ's functions stumble over, in either engine."""
    sds = [name for name in fits["posterior"].data_vars if name.endswith("_sd")]
    summary = az.summary(fits, var_names=["combination_effect"], round_to="none")
    assert np.isfinite(summary["mean"]).all() and len(summary) == 4
    loo = az.loo(fits)
    assert loo.n_data_points == int((cells["n"].sum("indicator") > 0).sum())
    assert np.isfinite(loo.elpd)
    compared = az.compare({"one": loo, "other": loo}, round_to="none")
    assert compared["elpd_diff"].abs().max() < 1e-9
    sensitivity = az.psense_summary(fits, var_names=["combination_effect"], prior_var_names=sds)
    assert len(sensitivity) == 4
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
    other = exact.sample(MODEL, cells, settings=SETTINGS)
    for group in ("posterior", "prior", "log_prior", "new_jobcenter", "observed_data"):
        ours, theirs = fits[group].to_dataset(), other[group].to_dataset()
        assert set(ours.data_vars) == set(theirs.data_vars)
        for name, values in ours.data_vars.items():
            assert values.dims == theirs[name].dims
    likelihood = fits["log_prior"].to_dataset()
    expected = exact.tree.log_prior(MODEL.declared(cells), fits["posterior"].to_dataset())
    xr.testing.assert_allclose(
        likelihood, expected.transpose(*next(iter(likelihood.values())).dims)
    )


def _rows(fit, cells):
    draws = estimand_draws(effect_draws(fit, cells), cells, CODEBOOK)
    return posterior_intervals(draws, cells, CODEBOOK, model="m", point=points_of(fit))


def test_the_engines_agree_on_every_reported_quantity(fits, cells):
    """Catches whatever one engine does differently: they share the declaration and nothing else.

    Another seed of the exact engine stands in for it, so that its own error is held to what it
    says, too.
    """
    other = exact.sample(MODEL, cells, settings=SamplerSettings(draws=1000, seed=12))
    frame = engine_differences(_rows(other, cells), _rows(fits, cells))
    assert frame["quantities"].sum() > 60
    assert (frame["in_errors"] < frame["chance"] + 1.0).all()
    assert (frame["in_sds"] < 0.12).all()
    assert frame["sd_ratio"].between(0.9, 1.11).all()


def test_differences_are_those_of_the_frames():
    """Catches errors added instead of their squares, and rows matched by place."""
    rows = {
        "estimand": "effect", "outcome": ["a", "b"], "combination": "01", "jobcenter": "",
        "estimate": [0.1, 0.3], "se": [0.05, 0.1], "mcse": [0.003, 0.004],
    }  # fmt: skip
    import pandas as pd

    first = pd.DataFrame(rows)
    second = first.assign(estimate=[0.1, 0.31], se=[0.05, 0.08], mcse=[0.004, 0.003]).iloc[::-1]
    (row,) = engine_differences(first, second).to_dict("records")
    assert row["in_errors"] == pytest.approx(0.01 / 0.005)
    assert row["in_sds"] == pytest.approx(0.1)
    assert row["sd_ratio"] == pytest.approx(0.8)
