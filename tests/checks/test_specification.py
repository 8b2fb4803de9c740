"""The specification curve against the analyses it is made of."""

import numpy as np
import pytest
from builders import Shape, make_codebook, random_progression, random_study
from scipy import stats

from bipbayes.cells import cell_means
from bipbayes.cells.means import average_weights, observed_weights
from bipbayes.checks.specification import Target, specification_curve
from bipbayes.data.progression import progression
from bipbayes.errors import SettingsError
from bipbayes.estimands.intervals import mixture_quantile
from bipbayes.regression import estimate_ols
from bipbayes.sampling.exact.posterior import normal_mixture, saturated_posterior
from bipbayes.sampling.registry import load_model

BUILT = """
from dataclasses import dataclass

TERMS = ("level",)


@dataclass(frozen=True)
class Priors:
    pass


def build(cells, priors):
    pass
"""


@pytest.fixture(scope="module")
def study():
    return random_study(make_codebook(3, 2), seed=6, shape=Shape(citizens=120))


def test_every_choice_has_one_row_and_ols_is_the_baseline(study, tmp_path):
    """Catches choices that are not carried through to the analysis."""
    targets = [Target("effect", "q1", "01"), Target("contrast", "all_indicators", "10")]
    frame = specification_curve(study, targets)
    single = frame[frame["outcome"] == "q1"]
    assert single.groupby("source").size().to_dict() == {"ols": 10, "posterior": 24}
    assert not single.duplicated(["source", "model", "vcov", "previous"]).any()
    overall = frame[frame["outcome"] == "all_indicators"]
    assert set(overall["source"]) == {"posterior"}
    for rule in ("item", "response"):
        estimates = estimate_ols(progression(study, previous=rule), study.codebook)
        expected = float(estimates["estimate"].sel(outcome="q1", combination="01"))
        rows = single[(single["source"] == "ols") & (single["previous"] == rule)]
        np.testing.assert_allclose(rows["estimate"], expected)
    posterior = single[single["source"] == "posterior"]
    pooled = posterior[posterior["model"] != "no_pooling"]
    assert pooled["estimate"].nunique() == len(pooled) == 18
    # Without pooling the means stand as they are, and the working covariance gives their errors.
    alone = posterior[posterior["model"] == "no_pooling"]
    assert alone["estimate"].round(12).nunique() == 2
    assert alone["se"].round(12).nunique() == 4  # iid and response agree on one indicator
    assert (
        (posterior["lower"] < posterior["estimate"]) & (posterior["estimate"] < posterior["upper"])
    ).all()
    assert all(rows["estimate"].is_monotonic_increasing for _, rows in frame.groupby("estimand"))
    half = (posterior["upper"] - posterior["lower"]) / 2
    np.testing.assert_allclose(half, 1.96 * posterior["se"], rtol=0.15)
    built = tmp_path / "built.py"
    built.write_text(BUILT)
    with pytest.raises(SettingsError, match="built declare no batches"):
        specification_curve(study, targets, models=[str(built)])


def test_the_variance_is_that_of_the_mixture_over_the_standard_deviations(study):
    """Catches the variance between the points left out, and limits of another level."""
    target = Target("effect", "q1", "01")
    frame = specification_curve(
        study, [target], models=["hierarchical"], vcov=["citizen"], previous=["item"]
    )
    cells = cell_means(progression(study), study.codebook)
    weights = np.zeros((len(study.codebook.combinations), cells.sizes["jobcenter"], 3))
    place = study.codebook.combinations.index("01")
    weights[place, :, 0] = observed_weights(cells).sel(outcome="q1", combination="01")
    declared = load_model("hierarchical").declared(cells)
    means, sds, weight = normal_mixture(cells, declared, weights.reshape(1, -1), points=64)
    variance = weight @ (sds**2 + means**2) - (weight @ means) ** 2
    found = frame[frame["source"] == "posterior"].iloc[0]
    assert found["se"] == pytest.approx(np.sqrt(variance.item()))
    for limit, share in (("lower", 0.025), ("upper", 0.975)):
        below = weight @ stats.norm.cdf((found[limit] - means) / sds)
        assert below.item() == pytest.approx(share, abs=1e-9)
    assert found["p_positive"] == pytest.approx((weight @ stats.norm.sf(0, means, sds)).item())
    assert variance.item() > 1.001 * (weight @ sds**2).item()


def test_an_average_without_pooling_is_the_sum_of_its_members_means(study):
    """Catches a lost shift, or errors that leave out how a cell's indicators err together."""
    target = Target("effect", "citizen_mean", "01")
    frame = specification_curve(
        study, [target], models=["no_pooling"], vcov=["citizen"], previous=["item"]
    )
    cells = cell_means(progression(study), study.codebook)
    loadings, shifts = average_weights(cells, study.codebook)
    loading = loadings.sel(outcome="citizen_mean").to_numpy()
    estimate, variance = shifts.sel(outcome="citizen_mean").item(), 0.0
    assert abs(estimate) > 1e-5 and (loading > 0).sum() > 1
    share = observed_weights(cells).sel(outcome="citizen_mean", combination="01")
    for site in cells["jobcenter"].to_numpy():
        one = cells.sel(combination="01", jobcenter=site)
        weight = share.sel(jobcenter=site).item() * loading
        estimate += weight @ np.nan_to_num(one["mean"].to_numpy())
        variance += weight @ np.nan_to_num(one["vcov"].to_numpy()) @ weight
    found = frame[frame["source"] == "posterior"]
    assert found["estimate"].item() == pytest.approx(estimate, abs=1e-9)
    assert found["se"].item() == pytest.approx(np.sqrt(variance), rel=1e-9)


def test_quantiles_of_a_mixture():
    """Catches the weights of a mixture ignored."""
    means, sds = np.array([[0.0], [5.0]]), np.array([[1.0], [0.1]])
    assert mixture_quantile(means, sds, np.array([1.0, 0.0]), 0.975)[0] == pytest.approx(1.959964)
    median = mixture_quantile(means, sds, np.array([0.8, 0.2]), 0.5)[0]
    assert 0.8 * stats.norm.cdf(median) == pytest.approx(0.5)


def test_a_difference_of_unknown_cells_is_unknown():
    """Catches weights of cells without answers that cancel, as if nothing unknown were in a sum."""
    shape = Shape(citizens=60, lacking=[("10", "site 1"), ("11", "site 2")])
    codebook = make_codebook(3, 2)
    cells = cell_means(random_progression(codebook, seed=3, shape=shape), codebook)
    unknown = np.flatnonzero((cells["n"] == 0).transpose("combination", "jobcenter", ...))
    weights = np.zeros((2, cells["n"].size))
    weights[0, unknown[:2]], weights[1, 0] = (1.0, -1.0), 1.0
    means, sds = saturated_posterior(cells, weights)
    assert np.isnan([means, sds]).tolist() == [[True, False], [True, False]]
